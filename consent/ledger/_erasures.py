"""Erasing rows: what goes, and the event that says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from consent.core.erasure import EVENTS_LIMIT, make_erasure
from consent.ledger._database import Row, Transaction, Value, split_batches, write_list
from consent.ledger._events import append, make_salts, to_seconds

_BATCH = 250

# All that says who and what; the digest, the places and the event's own random id stay.
_ERASE = (
    "UPDATE consent_events SET subject_id = NULL, revision = NULL, kind = NULL, recorded_at = NULL, valid_until = NULL, "
    "text_sha256 = NULL, ui_sha256 = NULL, payload = NULL, salt = NULL, erased_at = :at, erasure_reason = :reason"
)
_SUBJECTS_OWN = "SELECT position, event_id FROM consent_events WHERE subject_id = :subject ORDER BY position"
# Erased rows have no time, erasures no subject, and what is in force is the subject's latest row while it lasts.
_PURGEABLE = """
    FROM consent_events AS e WHERE e.recorded_at < :before AND e.subject_id IS NOT NULL AND NOT (
        e.valid_until > :now AND NOT EXISTS (
            SELECT 1 FROM consent_events AS later WHERE later.subject_id = e.subject_id AND (
                later.revision > e.revision OR (later.revision = e.revision AND later.position > e.position))))
"""
OLDEST = f"SELECT e.position, e.event_id {_PURGEABLE} ORDER BY e.recorded_at, e.position LIMIT :limit"
"""Finds what is to be purged first, by the index of times: by position, each batch would walk through all that went before."""


def erase(transaction: Transaction, subject_id: str, *, reason: str, at: datetime) -> int:
    """Erase what is kept of a subject; return how many rows that were."""
    rows = transaction.fetch(f"{_SUBJECTS_OWN}{transaction.dialect.lock_rows}", {"subject": subject_id})
    return _erase(transaction, rows, reason=reason, at=at)


def count_purgeable(transaction: Transaction, *, before: datetime, now: datetime) -> int:
    """Return how many rows are too old to be kept."""
    rows = transaction.fetch(
        f"SELECT count(*) {_PURGEABLE}",
        {"before": to_seconds(before), "now": to_seconds(now)},
    )
    return int(rows[0][0] or 0)


def purge(transaction: Transaction, *, before: datetime, now: datetime, limit: int) -> int:
    """Erase up to `limit` rows that are too old, the oldest first; return how many."""
    rows = transaction.fetch(
        f"{OLDEST}{transaction.dialect.lock_rows}",
        {"before": to_seconds(before), "now": to_seconds(now), "limit": limit},
    )
    return _erase(transaction, rows, reason="retention", at=now)


def _erase(transaction: Transaction, rows: Sequence[Row], *, reason: str, at: datetime) -> int:
    """Erase rows, each a position and an event id, which nobody else can erase meanwhile: each is named once."""
    values: dict[str, Value] = {"at": to_seconds(at), "reason": reason}
    for batch in split_batches([row[0] for row in rows], _BATCH):
        names, positions = write_list("p", batch)
        transaction.execute(f"{_ERASE} WHERE position IN ({names})", {**positions, **values})
    event_ids = [str(row[1]) for row in rows]
    erasures = [
        make_erasure(str(uuid4()), event_ids=batch, reason=reason, at=at)
        for batch in split_batches(event_ids, EVENTS_LIMIT)
    ]
    if erasures:
        append(transaction, erasures, make_salts(erasures))
    return len(rows)
