"""Whether one row of the ledger is what it was when it was recorded, and what it refers to is still there."""

from __future__ import annotations

from dataclasses import dataclass, field

from consent.core.erasure import is_erasure, read_erasure
from consent.core.event_digest import digest_event
from consent.core.ledger import ConsentEvent, Ledger, StoredEvent
from consent.ledger._erasure_check import ErasureCheck
from consent.ledger._notice_check import NoticeCheck


@dataclass(slots=True)
class RowCheck:
    """Check rows, one after the other, and what they say of other ones."""

    ledger: Ledger
    erasures: ErasureCheck = field(init=False)
    notices: NoticeCheck = field(init=False)

    def __post_init__(self) -> None:
        self.erasures = ErasureCheck(self.ledger)
        self.notices = NoticeCheck(self.ledger)

    def find_fault(self, row: StoredEvent) -> str:
        """Return what is wrong with a row by itself, as a sentence; nothing for nothing."""
        self.erasures.note(row)
        if row.erased_at is not None:
            return _find_rest(row)
        if row.event is None or row.salt is None:
            return f"The event of row {row.position} has lost its salt, and it was not erased."
        if digest_event(row.event, row.salt) != row.digest:
            return f"The event of row {row.position} was changed after it was recorded: its digest is another one."
        if is_erasure(row.event):
            return "" if read_erasure(row.event) else f"The erasure of row {row.position} does not say what was erased."
        return self._find_missing(row, row.event)

    def _find_missing(self, row: StoredEvent, event: ConsentEvent) -> str:
        reason = self.notices.find_missing(event)
        if not reason:
            return ""
        # Erased since it was read, and what nothing else referred to purged with it: nothing is wrong with that.
        now = self.ledger.find(row.event_id)
        return (
            f"The event of row {row.position} has lost what its visitor was shown. {reason}"
            if now and now.event
            else ""
        )


def _find_rest(row: StoredEvent) -> str:
    left = "content" if row.event else "salt" if row.salt is not None else ""
    return f"The event of row {row.position} is marked as erased, and its {left} was left." if left else ""
