"""The choice of a user who is logged in, which the site keeps: asked of the site, and told to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consent.core.lifetime import add_months
from consent.core.record import Choice, ConsentRecord
from consent.engine import Standing
from consent.errors import SetupError
from consent.web.site_function import Fault, find_fault

if TYPE_CHECKING:
    from consent.web.site import Site

log = logging.getLogger("consent")

Loader = Callable[[], str | None]
Saver = Callable[[str], object]


@dataclass(slots=True)
class UserChoices:
    """Hold the site's own functions that load and save the choice of whoever is logged in; None for not given."""

    load: Loader | None = None
    save: Saver | None = None

    def set_loader(self, function: Loader) -> None:
        """Take the function that loads.

        Raises:
            SetupError: If it is async, takes arguments, or is the second one.
        """
        _check(function, "load_choice", taken=self.load)
        self.load = function

    def set_saver(self, function: Saver) -> None:
        """Take the function that saves.

        Raises:
            SetupError: If it is async, does not take one argument, or is the second one.
        """
        _check(function, "save_choice", "text", taken=self.save)
        self.save = function


class KnownUser:
    """Stand for whoever is logged in during one request, as far as the site says so; asked once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._is_asked = False
        self._text: str | None = None
        self._has_failed = False

    @property
    def text(self) -> str | None:
        """What the site keeps for the user; empty for nothing yet, None for nobody logged in, or not known."""
        if not self._is_asked:
            # Before the call: a loader that reads `current_consent` itself gets the browser's own choice.
            self._is_asked = True
            self._text = self._load()
        return self._text

    def join(self, standing: Standing) -> Standing:
        """Return where the visitor stands by the cookie and by the user's own choice, the stricter of both."""
        if self._site.users.load is None:
            return standing
        text = self.text
        if self._has_failed:
            return self._refuse_all(standing)
        if not text:
            return standing
        engine, outcome = self._site.engine, standing.outcome
        record, own = engine.read_user(text), standing.last_record
        # Nearly always the same choice: the last one was made here.
        if record is None or (own and record == replace(own, subject_id=None, revision=0)):
            return standing
        joined = engine.merge(own, record)
        if joined and own:
            joined = replace(joined, subject_id=own.subject_id, revision=own.revision)
        return engine.judge(joined, signals=outcome.signals, jurisdiction=outcome.jurisdiction)

    def _refuse_all(self, standing: Standing) -> Standing:
        """Return a standing in which nothing optional is open: the user may have refused it, and nobody can say."""
        engine, outcome = self._site.engine, standing.outcome
        now = engine.read_clock()
        refusal = ConsentRecord(
            record_id=engine.new_id(),
            decided_at=now,
            valid_until=add_months(now, 1),
            regime=outcome.decision.regime,
            signals=outcome.signals,
            choices=dict.fromkeys(engine.policy.fingerprints, Choice.DENIED),
            fingerprints=engine.policy.fingerprints,
        )
        shut = engine.judge(refusal, signals=outcome.signals, jurisdiction=outcome.jurisdiction).outcome
        # The refusal is nobody's: what is told of the last choice stays the browser's own.
        return Standing(shut, lambda: standing.last_record, is_current=standing.record is not None)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether somebody may be logged in, and the site cannot say what they chose."""
        return self._has_failed

    def save(self, record: ConsentRecord) -> bool:
        """Have the site keep a choice for the user; return False if that failed, True also if nobody is logged in."""
        users = self._site.users
        if users.load is None or users.save is None:
            self._warn_of_half()
            return True
        if self.text is None:
            return True
        try:
            users.save(self._site.engine.encode_user(record))
        except Exception:  # the site's own code: whatever it raises, closing goes on and opening does not
            log.exception(
                "The function given to 'save_choice' failed: the choice was not kept for the user who is logged in."
            )
            return False
        return True

    def is_unchanged(self) -> bool:
        """Whether the site still keeps what it gave at the beginning of the request; asks it again."""
        return self._load() == self._text

    def _load(self) -> str | None:
        load = self._site.users.load
        if load is None:
            return None
        try:
            return _read_answer(load())
        except Exception:  # the site's own code: whatever it raises, nobody can say what the user has refused
            log.exception("The function given to 'load_choice' failed: nothing is granted on this page.")
            self._has_failed = True
            return None

    def _warn_of_half(self) -> None:
        users = self._site.users
        missing = {"load_choice": users.load, "save_choice": users.save}
        names = [name for name, function in missing.items() if function is None]
        if len(names) == 1:
            self._site.warn_once(
                "known users",
                "The choices of users who are logged in are not kept: there is a function for one half of it alone. Give the "
                "other one with @consent.%s.",
                names[0],
            )


def _read_answer(answer: object) -> str | None:
    """Return what the site's function returned.

    Raises:
        TypeError: If it is neither text nor None; only its type is told, the answer is the visitor's.
    """
    if answer is None or isinstance(answer, str):
        return answer
    raise TypeError(
        f"The answer is of type {type(answer).__name__!r}. Return the text that was saved, '' if nothing was saved yet, or "
        "None if nobody is logged in."
    )


def _check(function: object, name: str, *arguments: object, taken: object) -> None:
    if taken is not None:
        raise SetupError(f"There is a function for {name!r} already: {taken!r}. Keep one of the two.")
    if not callable(function):
        raise SetupError(f"{name!r} must be given a function, got {function!r}. Write @consent.{name} above it.")
    fault = find_fault(function, *arguments)
    if fault is Fault.IS_ASYNC:
        raise SetupError(
            f"The function for {name!r} must be a plain one, got the 'async' {function!r}. It is called in the middle of a "
            "request; use a driver that needs no 'await'."
        )
    if fault is Fault.TAKES_OTHERS:
        takes = "one argument, the text to keep" if arguments else "no arguments"
        raise SetupError(f"The function for {name!r} must take {takes}, which {function!r} does not.")
