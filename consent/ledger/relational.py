"""The ledger over a relational database, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from consent.core.ledger import AppendResult, ConsentEvent, Health, StoredEvent
from consent.errors import LedgerError
from consent.ledger import _erasures, _events, _notices
from consent.ledger._database import Database
from consent.ledger._notices import RelationalNotices
from consent.ledger._schema import check_version, migrate, read_version
from consent.ledger._seals import RelationalSeals
from consent.ledger._tallies import RelationalTallies
from consent.ledger.waiting import waiting


class RelationalLedger:
    """Keep events, seals, notices and tallies in the tables of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @cached_property
    def seals(self) -> RelationalSeals:
        """Where seals over the events are kept."""
        return RelationalSeals(self.database)

    @cached_property
    def notices(self) -> RelationalNotices:
        """Where what visitors were shown is kept."""
        return RelationalNotices(self.database)

    @cached_property
    def tallies(self) -> RelationalTallies:
        """Where numbers without identifiers are kept."""
        return RelationalTallies(self.database)

    def prepare(self) -> None:
        """Make the tables of an empty database, and refuse one that this version of the library cannot work with.

        Raises:
            LedgerError: If its schema is newer, or older: upgrading takes a command of its own.
        """
        version = read_version(self.database)
        if version:
            check_version(version)
        else:
            migrate(self.database)

    def upgrade(self) -> tuple[int, int]:
        """Bring the tables up to date; return the schema version before and after.

        Raises:
            LedgerError: If the schema is newer than this version of the library.
        """
        return migrate(self.database)

    def append(self, events: Sequence[ConsentEvent]) -> AppendResult:
        """Keep a batch, all of it or nothing; durable when it returns, and idempotent by event id."""
        if not events:
            return AppendResult()
        salts = _events.make_salts(events)
        return self.database.write(lambda transaction: _events.append(transaction, events, salts))

    def find(self, event_id: str) -> StoredEvent | None:
        """Return the row of an event, erased or not; None for none."""
        return self.database.read(lambda transaction: _events.find(transaction, event_id))

    def current(self, subject_id: str) -> ConsentEvent | None:
        """Return the subject's event of the highest revision; None for none.

        Raises:
            LedgerError: If somebody has put something else than a number there, which SQLite takes for the highest.
        """
        found = self.history(subject_id, limit=1)
        if found and found[0].revision < 1:
            raise LedgerError(
                f"The event {found[0].event_id!r} was edited: its revision is no number, so that nobody can tell which choice "
                "counts. Run: flask consent ledger verify",
                reason="corrupt",
            )
        return found[0] if found else None

    def history(self, subject_id: str, *, limit: int = 100) -> tuple[ConsentEvent, ...]:
        """Return the subject's events, the newest first."""
        return self.database.read(lambda transaction: _events.list_subject(transaction, subject_id, limit=limit))

    def scan(self, *, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return rows by position, from the one after `after` on."""
        return self.database.read(
            lambda transaction: _events.scan(transaction, by="position", after=after, limit=limit)
        )

    def scan_sealed(self, *, after: int = -1, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """Return sealed rows by leaf index, from the one after `after` on."""
        return self.database.read(
            lambda transaction: _events.scan(transaction, by="leaf_index", after=after, limit=limit)
        )

    def erase(self, subject_id: str, *, reason: str, at: datetime) -> int:
        """Erase content, reference and salt of every event of a subject; return how many there were."""
        return self.database.write(
            lambda transaction: _erasures.erase(transaction, subject_id, reason=reason, at=at), is_erasing=True
        )

    def count_purgeable(self, *, before: datetime, now: datetime) -> int:
        """Return how many events `purge` would erase."""
        return self.database.read(lambda transaction: _erasures.count_purgeable(transaction, before=before, now=now))

    def purge(self, *, before: datetime, now: datetime, limit: int = 1000) -> int:
        """Erase up to `limit` events recorded before an instant, oldest first; return how many."""
        return self.database.write(
            lambda transaction: _erasures.purge(transaction, before=before, now=now, limit=limit), is_erasing=True
        )

    def purge_artefacts(self, *, kept_before: datetime) -> int:
        """Delete notices and artefacts that no event refers to any more; return how many artefacts."""
        return _notices.purge(self.database, kept_before=kept_before)

    def health(self) -> Health:
        """Say how the ledger is; never raises."""
        try:
            # Whoever asks may wait for long; whether choices can be recorded is a question of a request's time.
            with waiting(None):
                version = read_version(self.database)
                details = {**self.database.describe(), "schema_version": version}
                check_version(version)
                self.database.write(_events.probe)
        except LedgerError as error:
            return Health(is_writable=False, problem=str(error))
        try:
            return Health(is_writable=True, details={**details, **self.database.read(_events.count)})
        except LedgerError as error:
            return Health(is_writable=True, problem=f"Its events could not be counted. {error}", details=details)

    def close(self) -> None:
        """Write what waits and let go of the storage."""
        self.database.close()
