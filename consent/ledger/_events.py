"""Events as rows: what is appended, found and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from os import urandom

from consent.core.erasure import KIND
from consent.core.event_digest import digest_event
from consent.core.ledger import AppendResult, ConsentEvent, StoredEvent
from consent.ledger._database import Dialect, Row, Transaction, Value, split_batches, write_list

SALT_BYTES = 32
_BATCH = 250

_CONTENT = (
    *("event_id", "subject_id", "revision", "kind", "recorded_at", "valid_until"),
    *("text_sha256", "ui_sha256", "payload"),
)
_COLUMNS = (*_CONTENT, "salt", "digest", "erasure_reason")
_SELECT = (
    f"SELECT position, leaf_index, erased_at, erasure_reason, digest, salt, {', '.join(_CONTENT)} FROM consent_events"  # noqa: S608 - constants
)


def make_salts(events: Sequence[ConsentEvent]) -> Mapping[str, bytes]:
    """Return a salt for each event by its id. Made before the transaction: one that is run again must know its own rows."""
    return {event.event_id: urandom(SALT_BYTES) for event in events}


def append(transaction: Transaction, events: Sequence[ConsentEvent], salts: Mapping[str, bytes]) -> AppendResult:
    """Insert what is not there yet, and say which of it was."""
    salted: dict[str, tuple[ConsentEvent, bytes]] = {}
    for event in events:
        salted.setdefault(event.event_id, (event, salts[event.event_id]))
    values = [_to_values(event, salt) for event, salt in salted.values()]
    if transaction.execute_many(_write_insert(transaction.dialect), values) == len(events):
        return AppendResult(stored=frozenset(salted))
    # The salt tells whose row it is. The rest of a row is read only where it was there before.
    found = _fetch_all(transaction, "SELECT event_id, salt FROM consent_events", list(salted))
    stored = {str(event_id) for event_id, salt in found if to_bytes(salt) == salted[str(event_id)][1]}
    known: set[str] = set()
    conflicting: set[str] = set()
    for row in _find_all(transaction, [event_id for event_id in salted if event_id not in stored]):
        is_same = row.event is None or row.event == salted[row.event_id][0]
        (known if is_same else conflicting).add(row.event_id)
    conflicting |= {each.event_id for each in events if each != salted[each.event_id][0]}
    return AppendResult(stored=frozenset(stored), known=frozenset(known), conflicting=frozenset(conflicting))


@cache
def _write_insert(dialect: Dialect) -> str:
    return dialect.write_insert("consent_events", _COLUMNS)


def find(transaction: Transaction, event_id: str) -> StoredEvent | None:
    """Return one row; None for none."""
    rows = _find_all(transaction, [event_id])
    return rows[0] if rows else None


def list_subject(transaction: Transaction, subject_id: str, *, limit: int) -> tuple[ConsentEvent, ...]:
    """Return the events of a subject, the one that counts first."""
    rows = transaction.fetch(
        f"{_SELECT} WHERE subject_id = :subject ORDER BY revision DESC, position DESC LIMIT :limit",
        {"subject": subject_id, "limit": limit},
    )
    return tuple(event for row in rows if (event := _to_stored(row).event))


def scan(transaction: Transaction, *, by: str, after: int, limit: int) -> tuple[StoredEvent, ...]:
    """Return rows in the order of a column, `position` or `leaf_index`, beyond a value."""
    rows = transaction.fetch(
        f"{_SELECT} WHERE {by} > :after ORDER BY {by} LIMIT :limit", {"after": after, "limit": limit}
    )
    return tuple(map(_to_stored, rows))


def count(transaction: Transaction) -> Mapping[str, int]:
    """Return how many rows there are, and of them those erased, those that say so, and those without a seal."""
    rows = transaction.fetch(
        "SELECT count(*), count(erased_at), count(CASE WHEN kind = :kind THEN 1 END), count(leaf_index) FROM consent_events",
        {"kind": KIND},
    )
    total, erased, erasures, sealed = (int(each or 0) for each in rows[0])
    return {"events": total, "erased": erased, "erasures": erasures, "unsealed": total - sealed}


def probe(transaction: Transaction) -> None:
    """Write to no row: fails where nothing may be written."""
    transaction.execute("UPDATE consent_events SET erasure_reason = '' WHERE position < 0")


def to_seconds(instant: datetime) -> int:
    """Return an instant as whole seconds since 1970."""
    return int(instant.timestamp())


def to_number(value: Value) -> int:
    """Return what a column of numbers holds; -1, of which no digest is, for what is none.

    SQLite lets anybody put other things there, some of which Python would take for the number that was recorded.
    """
    return value if type(value) is int else -1


def to_instant(seconds: Value) -> datetime:
    """Return whole seconds since 1970 as an aware UTC instant; what is no such number, as one of which no digest is."""
    try:
        return datetime.fromtimestamp(to_number(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(-1, UTC)


def to_bytes(value: Value) -> bytes:
    """Return what a column of bytes holds: of text, which somebody has put there, the bytes of it."""
    # psycopg gives memoryview for BYTEA in some modes.
    return value if isinstance(value, bytes) else bytes(value) if isinstance(value, memoryview) else str(value).encode()


def _find_all(transaction: Transaction, event_ids: Sequence[str]) -> list[StoredEvent]:
    return [_to_stored(row) for row in _fetch_all(transaction, _SELECT, event_ids)]


def _fetch_all(transaction: Transaction, select: str, event_ids: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for batch in split_batches(event_ids, _BATCH):
        names, values = write_list("id", batch)
        rows += transaction.fetch(f"{select} WHERE event_id IN ({names})", values)
    return rows


def _to_values(event: ConsentEvent, salt: bytes) -> dict[str, Value]:
    return {
        "event_id": event.event_id,
        # An erasure has none: no search for a subject finds it.
        "subject_id": event.subject_id or None,
        "revision": event.revision,
        "kind": event.kind,
        "recorded_at": to_seconds(event.recorded_at),
        "valid_until": to_seconds(event.valid_until),
        "text_sha256": event.text_sha256,
        "ui_sha256": event.ui_sha256,
        "payload": event.payload,
        "salt": salt,
        "digest": digest_event(event, salt),
        "erasure_reason": "",
    }


def _to_stored(row: Row) -> StoredEvent:
    position, leaf_index, erased_at, reason, digest, salt, event_id, *content = row
    # Erased is what nothing is left of: a mark beside content that is there is for `verify` to name.
    is_erased = erased_at is not None and not any(each is not None for each in content)
    return StoredEvent(
        position=to_number(position),
        event_id=str(event_id),
        digest=to_bytes(digest),
        event=None if is_erased else _to_event(str(event_id), content),
        salt=None if salt is None else to_bytes(salt),
        leaf_index=None if leaf_index is None else to_number(leaf_index),
        erased_at=None if erased_at is None else to_instant(erased_at),
        erasure_reason=str(reason),
    )


def _to_event(event_id: str, content: Sequence[Value]) -> ConsentEvent:
    subject_id, revision, kind, recorded_at, valid_until, text_sha256, ui_sha256, payload = content
    return ConsentEvent(
        event_id=event_id,
        # Whoever edited the row may have left nothing, or text for a number: that the digest is another one is for `verify`
        # to say, not for reading to fail.
        subject_id=str(subject_id or ""),
        revision=to_number(revision),
        kind=str(kind or ""),
        recorded_at=to_instant(recorded_at),
        valid_until=to_instant(valid_until),
        text_sha256=None if text_sha256 is None else str(text_sha256),
        ui_sha256=None if ui_sha256 is None else str(ui_sha256),
        payload=str(payload or ""),
    )
