"""What a ledger must hold, as a dictionary: the judge of the state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from consent.core.erasure import Erasure, is_erasure, read_erasure
from consent.core.ledger import AppendResult, ConsentEvent, StoredEvent


@dataclass
class Kept:
    """Hold one event as it should be kept, and the digest that was seen first."""

    event: ConsentEvent
    is_erased: bool = False
    digest: bytes | None = None

    @property
    def is_visitors(self) -> bool:
        """Whether it is there and a visitor's, and not what says that others were erased."""
        return not self.is_erased and not is_erasure(self.event)


@dataclass
class Model:
    """Keep events by id, in the order of their arrival, and do with them what a ledger should."""

    rows: dict[str, Kept] = field(default_factory=dict)
    sealed: list[str] = field(default_factory=list)
    """Event ids by leaf index."""

    erasures: list[Erasure] = field(default_factory=list)
    """What the ledger has to say next of what it has erased, under ids of its own."""

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
        own = [kept.event for kept in self.list_visitors() if kept.event.subject_id == subject_id]
        # Sorting is stable: turned round, of equal revisions the last to arrive comes first.
        return sorted(own, key=lambda event: event.revision)[::-1]

    def list_visitors(self) -> list[Kept]:
        """Return the events of visitors that are not erased, in the order of arrival."""
        return [kept for kept in self.rows.values() if kept.is_visitors]

    def erase(self, subject_id: str, *, reason: str, at: datetime) -> int:
        """Erase a subject."""
        own = [kept.event.event_id for kept in self.list_visitors() if kept.event.subject_id == subject_id]
        return self._erase(own, reason=reason, at=at)

    def purgeable(self, before: datetime, now: datetime) -> list[str]:
        """Return the ids of what is too old, by the time of the act and then in the order of arrival."""
        live = sorted((kept.event for kept in self.list_visitors()), key=lambda each: each.recorded_at)
        return [each.event_id for each in live if each.recorded_at < before and not self._is_in_force(each, now)]

    def purge(self, before: datetime, now: datetime, limit: int) -> int:
        """Erase the oldest of what is too old."""
        return self._erase(self.purgeable(before, now)[:limit], reason="retention", at=now)

    def seal(self) -> int:
        """Seal what is not sealed, in the order of arrival."""
        waiting = [event_id for event_id in self.rows if event_id not in set(self.sealed)]
        self.sealed += waiting
        return len(waiting)

    def check(self, stored: Sequence[StoredEvent]) -> None:
        """Compare with all rows of the ledger."""
        for each in stored:
            if each.event_id not in self.rows:
                assert each.event, "what nobody has sent is an erasure"
                assert read_erasure(each.event) == self.erasures.pop(0)
                self.rows[each.event_id] = Kept(each.event)
        assert not self.erasures, "something was erased, and the log does not say so"
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

    def _erase(self, event_ids: list[str], *, reason: str, at: datetime) -> int:
        for event_id in event_ids:
            self.rows[event_id].is_erased = True
        if event_ids:
            at = at.replace(microsecond=0)
            self.erasures.append(Erasure(event_ids=tuple(event_ids), erased_at=at, reason=reason))
        return len(event_ids)
