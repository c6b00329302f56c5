"""A ledger that can be made to fail when it is read, too."""

from __future__ import annotations

from consent.core.ledger import ConsentEvent, StoredEvent
from tests.faulty_ledger import FaultyLedger


class UnreadableLedger(FaultyLedger):
    """A ledger in memory that says nothing of what it keeps, while `is_away`."""

    def history(self, subject_id: str, *, limit: int = 100) -> tuple[ConsentEvent, ...]:
        self._ask("history")
        return super().history(subject_id, limit=limit)

    def find(self, event_id: str) -> StoredEvent | None:
        self._ask("find")
        return super().find(event_id)
