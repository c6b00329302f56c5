"""What a ledger must hold, as a dictionary: the judge of the state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from consent.core.ledger import AppendResult, ConsentEvent, StoredEvent


@dataclass
class Kept:
    """Hold one event as it should be kept, and the digest that was seen first."""

    event: ConsentEvent
    is_erased: bool = False
    digest: bytes | None = None


@dataclass
class Model:
    """Keep events by id, in the order of their arrival, and do with them what a ledger should."""

    rows: dict[str, Kept] = field(default_factory=dict)
    sealed: list[str] = field(default_factory=list)
    """Event ids by leaf index."""

    def append(self, events: list[ConsentEvent]) -> AppendResult:
        """Keep what is new; say what became of each."""
        new = {each.event_id for each in events} - self.rows.keys()
        for each in events:
            self.rows.setdefault(each.event_id, Kept(each))
        conflicting = {each.event_id for each in events if not self._is_same(each)}
        known = {each.event_id for each in events} - new - conflicting
        return AppendResult(stored=frozenset(new), known=frozenset(known), conflicting=frozenset(conflicting))

    def history(self, subject_id: str) -> list[ConsentEvent]:
        """Return a subject's events, the one that counts first."""
        own = [kept.event for kept in self.rows.values() if not kept.is_erased and kept.event.subject_id == subject_id]
        # Sorting is stable: turned round, of equal revisions the last to arrive comes first.
        return sorted(own, key=lambda event: event.revision)[::-1]

    def erase(self, subject_id: str) -> int:
        """Erase a subject."""
        return self._erase([each.event_id for each in self.history(subject_id)])

    def purgeable(self, before: datetime, now: datetime) -> list[str]:
        """Return the ids of what is too old, in the order of arrival."""
        live = [kept.event for kept in self.rows.values() if not kept.is_erased]
        return [each.event_id for each in live if each.recorded_at < before and not self._is_in_force(each, now)]

    def purge(self, before: datetime, now: datetime, limit: int) -> int:
        """Erase the oldest of what is too old."""
        return self._erase(self.purgeable(before, now)[:limit])

    def seal(self) -> int:
        """Seal what is not sealed, in the order of arrival."""
        waiting = [event_id for event_id in self.rows if event_id not in set(self.sealed)]
        self.sealed += waiting
        return len(waiting)

    def check(self, stored: Sequence[StoredEvent]) -> None:
        """Compare with all rows of the ledger."""
        assert [each.event_id for each in stored] == list(self.rows)
        assert all(one.position < other.position for one, other in pairwise(stored))
        places = {event_id: at for at, event_id in enumerate(self.sealed)}
        for each in stored:
            kept = self.rows[each.event_id]
            kept.digest = kept.digest or each.digest
            assert each.digest == kept.digest, "a digest has changed"
            assert each.event == (None if kept.is_erased else kept.event)
            assert (each.salt is None, each.erased_at is not None) == (kept.is_erased, kept.is_erased)
            assert each.leaf_index == places.get(each.event_id)

    def _is_same(self, event: ConsentEvent) -> bool:
        kept = self.rows[event.event_id]
        return kept.is_erased or kept.event == event

    def _is_in_force(self, event: ConsentEvent, now: datetime) -> bool:
        return event.valid_until > now and self.history(event.subject_id)[0] == event

    def _erase(self, event_ids: list[str]) -> int:
        for event_id in event_ids:
            self.rows[event_id].is_erased = True
        return len(event_ids)
