"""Whether a grant in a cookie still stands by the ledger: a cookie that was kept aside can come back after a withdrawal."""

from __future__ import annotations

import json
import logging

from consent.core.ledger import Ledger
from consent.core.merge import restrict
from consent.core.record import ConsentRecord, read_record
from consent.engine import Standing
from consent.errors import LedgerError, RecordError
from consent.web.site import Site

log = logging.getLogger("consent")


def heed_ledger(site: Site, standing: Standing) -> Standing:
    """Return the standing by what the ledger says of the visitor, where the site wants each grant compared with it.

    A grant counts only while the ledger has that very record as the visitor's current one; else what both grant does. A
    ledger that does not answer, or does not know the visitor, leaves no grant. What is denied stays so: it needs no proof.

    Source:
        The replay of an older cookie: no signature can tell it from a cookie that is in force.
    """
    if site.ledger is None or not site.settings.ledger_strict_revocation:
        return standing
    # Not before: reading the record is what a decided page is spared as a rule.
    record = standing.record
    if record is None or not record.is_grant:
        return standing
    current = _find_current(site.ledger, record)
    if current is record:
        return standing
    outcome = standing.outcome
    restricted = restrict(record, current)
    return site.engine.judge(restricted, signals=outcome.signals, jurisdiction=outcome.jurisdiction)


def _find_current(ledger: Ledger, record: ConsentRecord) -> ConsentRecord | None:
    """Return the visitor's current record by the ledger, the given one itself if it is that; None for none."""
    try:
        event = ledger.current(record.subject_id) if record.subject_id else None
        if event is None or event.event_id == record.record_id:
            return record if event else None
        return read_record(json.loads(event.payload))
    except (LedgerError, RecordError, ValueError) as error:
        log.error("The ledger could not be asked whether a grant still stands; it does not count: %s", error)  # noqa: TRY400 - the message says it all
        return None
