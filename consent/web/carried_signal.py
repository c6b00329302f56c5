"""Global Privacy Control of a browser, carried over to the choice of the user who is logged in there."""

from __future__ import annotations

from dataclasses import replace

from consent.core.lifetime import add_months
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from consent.web.account import make_signal_account
from consent.web.filing import Filing
from consent.web.tallying import count_choice
from consent.web.visit import Visit


def carry_signal(visit: Visit) -> None:
    """Have an objection by Global Privacy Control reach the user's own choice, once, and the ledger with it.

    Only on a page that is looked at, and where the law makes the signal an objection.

    Source:
        11 CCR 7025(c)(1): a known consumer, and their profile, are opted out with the browser.
    """
    user, environ = visit.user, visit.environ
    is_looked_at = environ.get("REQUEST_METHOD") == "GET" and "HTTP_SEC_PURPOSE" not in environ
    if visit.site.users.save is None or not is_looked_at or not visit.browser_signals.gpc:
        return
    if user.text is None or visit.rules.regime is not Regime.OPT_OUT:
        return
    stored = visit.site.engine.read_user(user.text)
    record = _find_objection(visit, stored)
    # Asked again: a choice that was made in the meantime must not be written over.
    if record is not None and user.is_unchanged():
        user.save(_file(visit, record))


def _find_objection(visit: Visit, stored: ConsentRecord | None) -> ConsentRecord | None:
    """Return the user's record with what the signal closes denied; None if it leaves nothing of that open."""
    engine = visit.site.engine
    elsewhere = engine.judge(stored, signals=Signals(), jurisdiction=visit.rules)
    # What is open here in spite of the signal was granted in spite of it.
    closed = [key for key in elsewhere.outcome.closed_by_gpc if not visit.allows(key)]
    if not closed:
        return None
    now = engine.read_clock().replace(microsecond=0)
    objection = ConsentRecord(
        record_id=engine.new_id(),
        decided_at=now,
        valid_until=add_months(now, visit.months.refuse),
        regime=visit.regime,
        signals=visit.browser_signals,
        choices=dict.fromkeys(closed, Choice.DENIED),
        fingerprints={key: visit.policy.fingerprints[key] for key in closed},
        is_complete=False,
    )
    merged = engine.merge(stored, objection)
    # Of two acts in one second, the merged record may have either's id.
    return merged and replace(merged, record_id=objection.record_id)


def _file(visit: Visit, record: ConsentRecord) -> ConsentRecord:
    """Keep the objection in the ledger, and count it; closing goes on where it cannot be kept."""
    before = visit.standing
    previous = before.last_record
    account = make_signal_account(visit, previous_id=previous.record_id if previous else None)
    now = visit.site.engine.read_clock().replace(microsecond=0)
    filing = Filing(visit)
    kept = filing.keep(replace(record, account=replace(account, acted_at=now)), before=before)
    count_choice(visit, kept, shown=before, is_recorded=bool(filing.is_kept))
    return kept
