"""Whether one row of the ledger is what it was when it was recorded, and what it refers to is still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consent.core.event_digest import digest_event
from consent.core.ledger import ConsentEvent, Ledger, StoredEvent


@dataclass(slots=True)
class RowCheck:
    """Check rows, and each text and markup that they refer to once."""

    ledger: Ledger
    _reasons_by_hash: dict[str, str] = field(default_factory=dict)
    """What is wrong with an artefact, as a sentence; empty for nothing."""

    def find_fault(self, row: StoredEvent) -> str:
        """Return what is wrong with a row, as a sentence; nothing for nothing."""
        if row.event is None:
            has_left_salt = f"The event of row {row.position} is marked as erased, and its salt was left."
            return has_left_salt if row.salt is not None else ""
        if row.salt is None:
            return f"The event of row {row.position} has lost its salt, and it was not erased."
        if digest_event(row.event, row.salt) != row.digest:
            return f"The event of row {row.position} was changed after it was recorded: its digest is another one."
        return self._find_missing(row, row.event)

    def find_other_faults(self) -> Iterator[str]:
        """Return what is wrong with artefacts that no row has referred to, as sentences."""
        notices = self.ledger.notices
        for notice in notices.list():
            for sha256 in (notice.text_sha256, notice.ui_sha256, notice.configuration_sha256):
                if sha256 and (reason := self._judge(sha256)) and notice in notices.list(notice.policy_version):
                    yield f"The notice of policy version {notice.policy_version!r} in {notice.language!r}: {reason}"
        for sha256 in notices.list_hashes():
            # One that was purged meanwhile is none.
            if (reason := self._judge(sha256)) and notices.read(sha256):
                yield reason

    def _find_missing(self, row: StoredEvent, event: ConsentEvent) -> str:
        reasons = (self._judge(each) for each in (event.text_sha256, event.ui_sha256) if each)
        reason = next(filter(None, reasons), "")
        if not reason:
            return ""
        # Erased since it was read, and what nothing else referred to purged with it: nothing is wrong with that.
        now = self.ledger.find(row.event_id)
        return (
            f"The event of row {row.position} has lost what its visitor was shown. {reason}"
            if now and now.event
            else ""
        )

    def _judge(self, sha256: str) -> str:
        if self._reasons_by_hash.get(sha256, "?"):
            artefact = self.ledger.notices.read(sha256)
            if artefact is None:
                self._reasons_by_hash[sha256] = f"The artefact {sha256} is not kept any more."
            else:
                is_right = artefact.sha256 == sha256
                self._reasons_by_hash[sha256] = (
                    "" if is_right else f"The artefact {sha256} was changed: its hash is another one."
                )
        return self._reasons_by_hash[sha256]
