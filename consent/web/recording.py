"""What becomes of a posted choice: recorded first, then told to whoever listens, and only then in effect."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Flask, current_app

from consent.core.choice import Action, find_event
from consent.core.gate import find_closed
from consent.core.record import Choice, ConsentRecord, Event
from consent.engine import Standing
from consent.web.account import make_account
from consent.web.events import consent_recorded, consent_withdrawn
from consent.web.filing import Filing
from consent.web.service_signals import map_signals
from consent.web.tallying import count_choice
from consent.web.visit import Visit
from consent.wire.origin import Evidence
from consent.wire.submission import Submission

log = logging.getLogger("consent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Say what came of a posted choice."""

    record: ConsentRecord | None
    """What is in force from now on; None if nothing has changed."""

    is_taken: bool
    """False if a grant could not be recorded: it opens and renews nothing."""

    is_closing: bool
    """Whether something that was open is closed."""

    is_kept: bool | None
    """Whether the ledger keeps the choice as it was made; None where there is no ledger."""


def record_choice(visit: Visit, submission: Submission, evidence: Evidence, *, is_limited: bool = False) -> Outcome:
    """Make the record of a choice, keep it, tell of it, and let the visit stand by it.

    Args:
        is_limited: Whether the ledger is to be spared: then nothing can be granted, and what is refused takes effect.
    """
    shown = visit.standing
    # A choice under the signal starts from what the signal leaves open, else `allow` would renew what it closes.
    before = visit.heed_gpc() if submission.has_gpc else shown
    filing = Filing(visit, submission, shown=shown, is_limited=is_limited)
    record = visit.site.engine.make_record(
        submission.action,
        granted=_find_granted(submission, shown, before),
        before=before,
        account=make_account(visit, submission, evidence, before),
        is_partial=submission.is_partial,
    )
    after = visit.adopt(record)
    closed = find_closed(shown.decision, after.decision)
    event = find_event(shown.decision, closed, regime=visit.rules.regime) if closed else None
    record = filing.keep(_complete_account(record, visit, event), before=before)
    if filing.has_failed and record.is_grant:
        return _grant_nothing(visit, submission, record, before=before, shown=shown, filing=filing)
    is_told = filing.is_announced(record) or _announce(record, before.record, is_withdrawal=bool(closed))
    if is_told:
        filing.note_announced(record)
    # A grant that was not recorded must not open anything on the user's other devices either.
    is_taken = (is_told or not record.is_grant) and visit.user.save(record) and is_told
    if not is_taken and record.is_grant:
        return _grant_nothing(visit, submission, record, before=before, shown=shown, filing=filing)
    visit.restore(after.holding(record))
    if not filing.is_repeated:
        count_choice(visit, record, shown=shown, is_recorded=filing.is_accounted)
    return Outcome(record=record, is_taken=True, is_closing=bool(closed), is_kept=filing.is_kept)


def _find_granted(submission: Submission, shown: Standing, before: Standing) -> Sequence[str]:
    """Return what was granted by somebody: a switch that was on before the server knew of the signal is nobody's word."""
    if submission.action is not Action.SAVE:
        return submission.granted
    signalled = find_closed(shown.decision, before.decision)
    return [key for key in submission.granted if key not in signalled]


def _complete_account(record: ConsentRecord, visit: Visit, event: Event | None) -> ConsentRecord:
    """Return the record with what is known only after the choice: what providers are told, and what kind of act it was."""
    if record.account is None:
        return record
    account = replace(record.account, signal_map=map_signals(visit), event=event or record.account.event)
    return replace(record, account=account)


def _grant_nothing(
    visit: Visit,
    submission: Submission,
    record: ConsentRecord,
    *,
    before: Standing,
    shown: Standing,
    filing: Filing,
) -> Outcome:
    """Undo a grant that could not be recorded, here, in a receiver or for the user: what it closes stays closed.

    Args:
        before: The standing that the choice was made from, its own signals heeded.
        shown: The standing that pages were rendered by.
    """
    narrowed = visit.site.engine.narrow(record, before=before)
    after = visit.adopt(narrowed)
    closed = find_closed(shown.decision, after.decision)
    # Where the ledger failed, nobody has heard of anything yet, and it is the refusal that is left of the choice.
    is_heard = not filing.has_failed
    event = Event.CORRECTION if is_heard else None
    narrowed = filing.correct(_complete_account(narrowed, visit, event), of=record)
    # A refusal may carry grants that were in force before: it lacks nothing. A grant that is given anew is not renewed.
    is_taken = not submission.needs_proof and _list_granted(narrowed) == _list_granted(record)
    if is_heard or closed or is_taken:
        _announce(narrowed, record if is_heard else before.record, is_withdrawal=is_heard or bool(closed))
    if not closed and not is_taken:
        visit.restore(before)
        return Outcome(record=None, is_taken=False, is_closing=False, is_kept=False)
    visit.restore(after.holding(narrowed))
    visit.user.save(narrowed)
    count_choice(visit, narrowed, shown=shown, is_recorded=filing.is_accounted)
    return Outcome(record=narrowed, is_taken=is_taken, is_closing=bool(closed), is_kept=False)


def _list_granted(record: ConsentRecord) -> set[str]:
    return {key for key, choice in record.choices.items() if choice is Choice.GRANTED}


def _announce(record: ConsentRecord, previous: ConsentRecord | None, *, is_withdrawal: bool) -> bool:
    """Send the events; return whether every receiver took them."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Flask tells extensions to
    is_taken = True
    for event in (consent_recorded, consent_withdrawn) if is_withdrawal else (consent_recorded,):
        for receiver in event.receivers_for(app):
            try:
                app.ensure_sync(receiver)(app, record=record, previous=previous)
            except Exception:  # the site's own code: whatever it raises, closing goes on and opening does not
                log.exception("A receiver of a consent event failed.")
                is_taken = False
    return is_taken
