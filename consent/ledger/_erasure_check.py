"""Whether what was erased and what the log says was erased are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from consent.core.erasure import read_erasure
from consent.core.field_encoding import encode_fields
from consent.core.ledger import Ledger, StoredEvent
from consent.core.verdict import FoundErasure

# A ledger may have erased millions: no more than this is kept of each that waits for its erasure.
_MARK_BYTES = 16


@dataclass(slots=True)
class ErasureCheck:
    """Hold erased rows against the erasures that name them."""

    ledger: Ledger
    found: dict[str, FoundErasure] = field(default_factory=dict)
    """All erasures by event id, in the order in which they came."""

    _unnamed: dict[bytes, int] = field(default_factory=dict)
    """Positions of erased rows that no erasure has named yet, by mark."""

    _unmet: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    """What erasures have named and nobody has met as erased yet, by mark: position of the erasure, and event id."""

    def note(self, row: StoredEvent) -> None:
        """Take in a row: what was erased, and what says so."""
        if row.erased_at is None:
            self.note_erasure(row)
            return
        mark = _mark(row.event_id, row.erased_at, row.erasure_reason)
        if not self._unmet.pop(mark, None):
            self._unnamed[mark] = row.position

    def note_erasure(self, row: StoredEvent) -> None:
        """Take in a row if it says what was erased."""
        erasure = row.event and read_erasure(row.event)
        if not erasure:
            return
        for event_id in erasure.event_ids:
            mark = _mark(event_id, erasure.erased_at, erasure.reason)
            if self._unnamed.pop(mark, None) is None:
                self._unmet[mark] = (row.position, event_id)
        self.found[row.event_id] = FoundErasure(
            event_id=row.event_id,
            position=row.position,
            leaf_index=row.leaf_index,
            erased_at=erasure.erased_at,
            reason=erasure.reason,
            events=len(erasure.event_ids),
        )

    def find_faults(self) -> Iterator[tuple[str, StoredEvent]]:
        """Return what is wrong, as a sentence, and the row that it is about. To be asked for once all rows were noted."""
        for mark, (position, event_id) in self._unmet.items():
            # The site may have erased it since its row was noted.
            row = self.ledger.find(event_id)
            if fault := self._judge(row, mark, position):
                yield fault, row or self._read(position)
        for position in sorted(self._unnamed.values()):
            yield _tell_unnamed(position), self._read(position)

    def _judge(self, row: StoredEvent | None, mark: bytes, position: int) -> str:
        if row is None:
            return f"An event that the erasure of row {position} names was removed altogether, or its id was changed."
        if row.erased_at is None:
            return f"The event of row {row.position} is there, although the erasure of row {position} names it."
        if _mark(row.event_id, row.erased_at, row.erasure_reason) != mark:
            return f"The event of row {row.position} says another time or reason than the erasure of row {position}, which names it."
        return ""

    def _read(self, position: int) -> StoredEvent:
        return self.ledger.scan(after=position - 1, limit=1)[0]


def _tell_unnamed(position: int) -> str:
    return (
        f"The event of row {position} was erased, and no erasure in the log names it as it is: it was not erased by this library, "
        "or its id, time or reason was changed since."
    )


def _mark(event_id: str, erased_at: datetime, reason: str) -> bytes:
    fields = (event_id, str(int(erased_at.timestamp())), reason)
    return sha256(encode_fields(each.encode() for each in fields)).digest()[:_MARK_BYTES]
