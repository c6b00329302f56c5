"""What is kept of choices, and the protocol that every ledger follows: all that the rest knows of storage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from consent.core.notice import NoticeStore
from consent.core.record import ConsentRecord
from consent.core.seal import SealStore
from consent.core.tally import TallyStore
from consent.errors import quote_all


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """Hold one act of one visitor as a ledger keeps it."""

    event_id: str
    """Random UUID, made by the server: the `record_id` of the consent record."""

    subject_id: str
    """Random UUID of the visitor, the same across their choices; nothing else refers to the person.

    Empty for an event that says what was erased, see `consent.core.erasure`.
    """

    revision: int
    """Number of the choice among the subject's, from 1 (of an erasure: 0). The highest wins, in whatever order events arrive."""

    kind: str
    """A value of `consent.core.record.Event`, such as `choice` or `withdrawal`, or `erasure`."""

    recorded_at: datetime
    """Aware UTC instant of the act by the server's clock, whole seconds."""

    valid_until: datetime
    """Aware UTC instant at which the choice ends."""

    text_sha256: str | None
    """Artefact with the words that were shown; None if they are not known."""

    ui_sha256: str | None
    """Artefact with the markup that was shown; None if there was none."""

    payload: str
    """`ConsentRecord.as_dict()` as JSON, written once; the digest covers this very text."""


def make_event(record: ConsentRecord) -> ConsentEvent:
    """Return the event of a record with its account.

    Raises:
        ValueError: If the record has no account or no subject: it was read from a cookie, or made without a ledger. Or if it
            says nothing, not even `undecided`, of a purpose that services had: it would prove less than it seems to.
    """
    account = record.account
    if account is None or record.subject_id is None:
        raise ValueError("Only a record with its account and a subject can be kept in a ledger.")
    if lacking := account.services.keys() - account.bases.keys() - record.choices.keys():
        raise ValueError(
            f"The record says nothing of {quote_all(sorted(lacking))}. Name every optional purpose in 'bases'."
        )
    return ConsentEvent(
        event_id=record.record_id,
        subject_id=record.subject_id,
        revision=record.revision,
        kind=account.event.value,
        recorded_at=account.acted_at or record.decided_at,
        valid_until=record.valid_until,
        text_sha256=account.notice.text_sha256,
        ui_sha256=account.notice.ui_sha256,
        payload=_write_json(record.as_dict()),
    )


# One encoder for all: `json.dumps` with options makes a new one at each call.
_write_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """Hold one row of a ledger: an event, or what is left of it once it was erased."""

    position: int
    """Order of arrival, from 1, with gaps. A later position may become visible before an earlier one."""

    event_id: str
    digest: bytes
    """32 bytes: the leaf hash of the event and its salt, see `consent.core.event_digest`."""

    event: ConsentEvent | None
    """None once it was erased. Content beside `erased_at` is somebody's edit, for `verify` to name."""

    salt: bytes | None
    """32 random bytes, without which nobody can guess an erased event from its digest; None once it was erased."""

    leaf_index: int | None = None
    """Place in the sealed log, from 0, without gaps; None while it is not sealed."""

    erased_at: datetime | None = None
    erasure_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendResult:
    """Say what became of each event of a batch, by event id."""

    stored: frozenset[str] = frozenset()
    """Kept now, and durable."""

    known: frozenset[str] = frozenset()
    """Kept before with the same content, or kept and erased since: nothing was changed."""

    conflicting: frozenset[str] = frozenset()
    """Kept before with other content, which stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Say how a ledger is."""

    is_writable: bool
    problem: str = ""
    """What is wrong, as a sentence; empty for nothing."""

    details: Mapping[str, object] = field(default_factory=dict)
    """Facts for the operator, such as `{"backend": "sqlite", "events": 12, "unsealed": 3, "schema_version": 1}`.

    `events` are all rows of the log: `verify` expects as many to come by.
    """


class Ledger(Protocol):
    """Keep consent events so that they can be proved, and the visitor's own history be shown.

    What every ledger promises is L1 to L7 of docs/ledger.md; `tests/ledger_contract.py` holds each to it. Any method but
    `health` and `close` raises `LedgerError` if the storage cannot do it now; waits are bounded. Whatever else a ledger of a
    site's own raises is taken for that, and logged.
    """

    @property
    def seals(self) -> SealStore:
        """Where seals over the events are kept."""

    @property
    def notices(self) -> NoticeStore:
        """Where what visitors were shown is kept."""

    @property
    def tallies(self) -> TallyStore:
        """Where numbers without identifiers are kept."""

    def prepare(self) -> None:
        """Get ready at start-up: make what an empty storage lacks.

        `close` follows, and leaves no connection and no thread behind: servers fork after the app was made.

        Raises:
            LedgerError: With the reason `newer` or `outdated` if its schema is not that of this version of the library;
                `unsupported` if it can never work as configured; another one if it cannot be reached now.
        """

    def upgrade(self) -> tuple[int, int]:
        """Bring the schema up to date; return its version before and after. Safe to run twice, or by two processes."""

    def append(self, events: Sequence[ConsentEvent]) -> AppendResult:
        """Keep a batch, all of it or nothing; durable when it returns, and idempotent by event id."""

    def find(self, event_id: str) -> StoredEvent | None:
        """Return the row of an event, erased or not; None for none."""

    def current(self, subject_id: str) -> ConsentEvent | None:
        """Return the subject's event of the highest revision, of equal ones the last to arrive; None for none."""

    def history(self, subject_id: str, *, limit: int = 100) -> tuple[ConsentEvent, ...]:
        """Return the subject's events, the newest first. What says that some were erased is no subject's."""

    def scan(self, *, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return rows by position, from the one after `after` on.

        Complete only while nobody writes: a transaction that began earlier may still commit a lower position. To follow a
        ledger, scan what is sealed.
        """

    def scan_sealed(self, *, after: int = -1, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return sealed rows by leaf index, from the one after `after` on: a cursor that skips nothing."""

    def erase(self, subject_id: str, *, reason: str, at: datetime) -> int:
        """Erase content, reference and salt of every event of a subject; return how many there were.

        Event id, digest, position and leaf index stay, so that seals hold. The same transaction adds to the log what was
        erased: an event of `make_erasure`, without a subject, which is sealed like any other and is never erased itself.
        """

    def count_purgeable(self, *, before: datetime, now: datetime) -> int:
        """Return how many events `purge` would erase."""

    def purge(self, *, before: datetime, now: datetime, limit: int = 1000) -> int:
        """Erase up to `limit` events recorded before an instant, oldest first; return how many. 0 means that none is left.

        An event that is its subject's current one and still in force (`valid_until` after `now`) stays. Adds to the log what
        was erased as `erase` does, for the reason `retention`.
        """

    def purge_artefacts(self, *, kept_before: datetime) -> int:
        """Delete notices and artefacts that no event refers to any more; return how many artefacts.

        Args:
            kept_before: What was kept from this instant on stays: an event that refers to it may be on its way.
        """

    def health(self) -> Health:
        """Say how the ledger is; never raises."""

    def close(self) -> None:
        """Write what waits and let go of the storage. May be called twice; a later call to another method opens it again."""
