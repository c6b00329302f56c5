"""What a site's logs and visits say of leaks: the same one counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from consent.core.leak import Leak, LeakKind

# Names come from visitors and from what browsers report: what nobody limits, a log need not either.
_ENTRIES_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Position:
    """Say where a leak was met."""

    source: str
    """Name of a log file, or the address of a page that was visited."""

    line: int = 0
    """Number of the line, from 1; 0 where there are no lines."""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Hold one leak, and how often and where it was met."""

    leak: Leak
    count: int
    first: Position
    last: Position


class Audit:
    """Collect leaks. The same kind, subject, services, page and element are one entry."""

    def __init__(self) -> None:
        self.malformed = 0
        """Number of lines that are marked and cannot be read."""

        self.left_out = 0
        """Number of leaks that came when there were too many different ones."""

        self._entries: dict[tuple[object, ...], AuditEntry] = {}

    def add(self, leak: Leak | None, position: Position) -> None:
        """Count a leak, or, if it is None, a line that is marked and cannot be read."""
        if leak is None:
            self.malformed += 1
            return
        key = (leak.page, leak.kind, leak.subject, leak.services, leak.element)
        known = self._entries.get(key)
        if known is None and len(self._entries) >= _ENTRIES_LIMIT:
            self.left_out += 1
            return
        self._entries[key] = AuditEntry(
            leak=known.leak if known else leak,
            count=known.count + 1 if known else 1,
            first=known.first if known else position,
            last=position,
        )

    def list_entries(self, kinds: frozenset[LeakKind] = frozenset()) -> tuple[AuditEntry, ...]:
        """Return the entries of some kinds, of all if none is named: by page, then kind, then subject."""
        order = {kind: number for number, kind in enumerate(LeakKind)}
        entries = (each for each in self._entries.values() if not kinds or each.leak.kind in kinds)
        return tuple(
            sorted(
                entries, key=lambda each: (each.leak.page, order[each.leak.kind], each.leak.subject, each.leak.element)
            )
        )


def count_kinds(entries: tuple[AuditEntry, ...]) -> Mapping[LeakKind, int]:
    """Return how many entries there are of each kind that there is."""
    found = Counter(each.leak.kind for each in entries)
    return {kind: found[kind] for kind in LeakKind if found[kind]}
