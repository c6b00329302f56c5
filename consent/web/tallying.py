"""Numbers without identifiers, as they come about: counted in memory, and added to the ledger every few seconds.

Nothing that a visitor writes becomes part of a key, so there are few of them. A page never waits for the ledger.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from flask import Response

from consent.core.decision import SIGNAL_REASONS
from consent.core.ledger import Ledger
from consent.core.tally import Counted, TallyKey, find_outcome
from consent.errors import LedgerError
from consent.web.fragment import find_fragment_header
from consent.wire.shown_response import BODILESS, is_html

if TYPE_CHECKING:
    from consent.core.record import ConsentRecord
    from consent.engine import Standing
    from consent.web.visit import Visit

log = logging.getLogger("consent")

_INTERVAL_SECONDS = 5.0
# Days of a ledger that is away, at the thousand or so different keys that a busy day has.
_KEYS_LIMIT = 20_000
# Browsers tell so of pages that they fetch in advance, most of which nobody ever looks at.
_AHEAD_HEADERS = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE")
# Nobody sees the banner on the error page of a missing picture. "empty": a script of the site's fetches its next page.
_SEEN_DESTINATIONS = frozenset({None, "document", "empty"})

# The members of a `TallyKey` in their order: a plain tuple is made and looked up in a fifth of the time.
Key = tuple[date, Counted, str, str, str, str, str]


@dataclass(slots=True)
class _Book:
    """Hold what one process has counted and not written yet."""

    pid: int = field(default_factory=os.getpid)
    lock: Lock = field(default_factory=Lock)
    flushing: Lock = field(default_factory=Lock)
    """Held while writing: at exit, what another thread is writing is waited for."""

    numbers: Counter[Key] = field(default_factory=Counter)
    is_running: bool = False
    """Whether the thread that writes is there."""

    flushed: Event = field(default_factory=Event)
    """Wakes that thread, which may find that it is not needed any more."""

    is_failing: bool = False
    """Whether the ledger did not take the numbers the last time."""


class Tallying:
    """Count for one ledger, from any thread of any process.

    A thread of its own begins with the first count, and ends once it finds nothing to write: none runs where nobody
    comes, and none crosses a fork.
    """

    def __init__(self, ledger: Ledger, *, interval_seconds: float = _INTERVAL_SECONDS) -> None:
        self._ledger = ledger
        self._interval_seconds = interval_seconds
        self._book = _Book()

    def count(self, key: Key) -> None:
        """Count one."""
        if self._book.pid != os.getpid():
            # A fork: numbers, locks and thread were the parent's, who writes them.
            self._book = _Book()
        book = self._book
        with book.lock:
            if key in book.numbers or len(book.numbers) < _KEYS_LIMIT:
                book.numbers[key] += 1
            is_first, book.is_running = not book.is_running, True
        if is_first:
            self._start()

    def flush(self) -> None:
        """Write what was counted; what the ledger does not take is kept for the next time."""
        book = self._book
        if book.pid == os.getpid():
            self._flush(book)
            book.flushed.set()

    def _flush(self, book: _Book) -> None:
        with book.flushing:
            with book.lock:
                numbers, book.numbers = book.numbers, Counter()
            if numbers:
                self._write(book, numbers)

    def _start(self) -> None:
        # A daemon is cut off at exit, so what it has not written by then is written here.
        atexit.register(self.flush)
        Thread(target=self._run, name="consent-tallies", daemon=True).start()

    def _run(self) -> None:
        book = self._book
        while self._has_work(book):
            book.flushed.wait(self._interval_seconds)
            book.flushed.clear()
            self._flush(book)

    def _has_work(self, book: _Book) -> bool:
        with book.lock:
            book.is_running = bool(book.numbers)
            if not book.is_running:
                atexit.unregister(self.flush)
            return book.is_running

    def _write(self, book: _Book, numbers: Counter[Key]) -> None:
        try:
            self._ledger.tallies.add({_to_tally_key(key): number for key, number in numbers.items()})
        except LedgerError as error:
            with book.lock:
                # Both are bounded, and so is their sum.
                book.numbers.update(numbers)
            if not book.is_failing:
                log.warning(
                    "The numbers of visits could not be added to the ledger; they are kept meanwhile. %s", error
                )
            book.is_failing = True
        except Exception:  # a ledger of the site's own: who knows whether they were added, and twice would be worse
            log.exception("The numbers of the last visits could not be added to the ledger and are lost.")
        else:
            book.is_failing = False


def count_page(visit: Visit, response: Response) -> None:
    """Count what a page that is about to go out shows: a prompt, a signal that was honoured."""
    if visit.site.tallying is None or not _is_looked_at(visit):
        return
    # What is streamed has its banner later, see `count_prompt`.
    if visit.has_banner and not response.is_streamed:
        count_prompt(visit)
    if visit.is_dependent and _has_honoured(visit) and _is_document(response, visit.environ):
        _count(visit, Counted.SIGNAL)


def count_prompt(visit: Visit) -> None:
    """Count a page with a banner in it."""
    if visit.site.tallying is not None and _is_looked_at(visit):
        _count(visit, Counted.PROMPT)


def count_choice(visit: Visit, record: ConsentRecord, *, shown: Standing, is_recorded: bool = True) -> None:
    """Count a choice that has taken effect.

    Args:
        visit: The visitor, who stands by the choice now.
        record: The choice with its account.
        shown: The standing that pages were rendered by before.
        is_recorded: Whether the ledger has it.
    """
    account = record.account
    if visit.site.tallying is None or account is None:
        return
    counted = [find_outcome(record, shown.decision)]
    if shown.decision.needs_prompt and not visit.decision.needs_prompt:
        counted.append(Counted.ANSWERED)
    if not is_recorded:
        counted.append(Counted.UNRECORDED)
    _count(visit, *counted, source=account.source)


def _count(visit: Visit, *counted: Counted, source: str = "") -> None:
    site = visit.site
    if site.tallying is None:
        return
    try:
        signals = visit.browser_signals
        signal = "gpc" if signals.gpc else "dnt" if signals.dnt else ""
        day = site.engine.read_clock().date()
        conditions = (source, visit.rules.key, visit.language, visit.policy.version, signal)
        for each in counted:
            site.tallying.count((day, each, *conditions))
    except Exception:  # whatever it is, it must not cost the page or the choice
        log.exception("A visit could not be counted.")


def _is_looked_at(visit: Visit) -> bool:
    environ = visit.environ
    if visit.is_own_page or environ.get("REQUEST_METHOD") != "GET":
        return False
    is_ahead = any(name in environ for name in _AHEAD_HEADERS)
    return not is_ahead and environ.get("HTTP_SEC_FETCH_DEST") in _SEEN_DESTINATIONS


def _is_document(response: Response, environ: Mapping[str, object]) -> bool:
    is_page = is_html(response.content_type) and response.status_code not in BODILESS
    return is_page and not find_fragment_header(environ)


def _has_honoured(visit: Visit) -> bool:
    """Whether a signal keeps something shut that would run without it."""
    signals = visit.browser_signals
    return (signals.gpc or signals.dnt) and any(reason in SIGNAL_REASONS for reason in visit.decision.reasons.values())


def _to_tally_key(key: Key) -> TallyKey:
    day, counted, source, jurisdiction, language, policy_version, signal = key
    return TallyKey(
        day=day,
        counted=counted,
        source=source,
        jurisdiction=jurisdiction,
        language=language,
        policy_version=policy_version,
        signal=signal,
    )
