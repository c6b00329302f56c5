"""What a site's logs and visits say of leaks: lines read back, and the same leak counted once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from consent.core.leak import AUDIT_MARK, Leak, LeakKind

# A line that says more than one thing is somebody's invention, or a log within a log.
_MARKS_LIMIT = 8
_NESTING_LIMIT = 3
_TEXT_LIMIT = 4096
_LIST_LIMIT = 64
# Names come from visitors and from what browsers report: what nobody limits, a log need not either.
_ENTRIES_LIMIT = 20_000

_TEXTS = ("element", "page", "endpoint")
_LISTS = ("services", "purposes")
_decode = json.JSONDecoder().raw_decode


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

    def add(self, leak: Leak, position: Position) -> None:
        """Count a leak."""
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

    def add_line(self, line: str, position: Position) -> None:
        """Count the leak of a line of a log, if there is one."""
        if AUDIT_MARK not in line:
            return
        leak = find_leak(line)
        if leak is None:
            self.malformed += 1
        else:
            self.add(leak, position)

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


def find_leak(line: str) -> Leak | None:
    """Return the leak that a line of a log tells of, also one that is a string within JSON; None for none that can be read.

    The last one counts: what stands in front of it can quote a name that somebody made up.
    """
    for text in _find_texts(line, _NESTING_LIMIT):
        for at in _find_marks(text):
            leak = _read_at(text, at)
            if leak is not None:
                return leak
    return None


def read_leak(values: object) -> Leak | None:
    """Return a leak from the plain values that were written; None for what nobody wrote."""
    if not isinstance(values, Mapping):
        return None
    kind, subject = values.get("kind"), values.get("subject")
    texts = {name: values.get(name, "") for name in _TEXTS}
    lists = {name: values.get(name, []) for name in _LISTS}
    if not (subject and all(map(_is_text, (kind, subject, *texts.values()))) and all(map(_is_list, lists.values()))):
        return None
    if kind not in _KINDS:
        return None
    services, purposes = (tuple(lists[name]) for name in _LISTS)
    return Leak(kind=LeakKind(kind), subject=subject, services=services, purposes=purposes, **texts)


def _find_texts(line: str, depth: int) -> Iterator[str]:
    """Yield the line, and if it holds an object of JSON, the marked strings in that, where quotes are escaped no more."""
    yield line
    at = line.find("{")
    if depth and at >= 0:
        for text in _list_strings(_read_json(line, at)):
            if AUDIT_MARK in text:
                yield from _find_texts(text, depth - 1)


def _list_strings(value: object) -> Iterator[str]:
    """Yield the strings of an object, and those of objects right in it: nobody logs deeper."""
    if isinstance(value, Mapping):
        for member in value.values():
            inner = member.values() if isinstance(member, Mapping) else (member,)
            yield from (each for each in inner if isinstance(each, str))


def _find_marks(text: str) -> Iterator[int]:
    """Yield where JSON begins behind a mark, the last first."""
    end = len(text)
    for _ in range(_MARKS_LIMIT):
        end = text.rfind(AUDIT_MARK, 0, end)
        if end < 0:
            return
        yield end + len(AUDIT_MARK)


def _read_at(text: str, at: int) -> Leak | None:
    return read_leak(_read_json(text, at)) if text.startswith("{", at) else None


def _read_json(text: str, at: int) -> object:
    try:
        return _decode(text, at)[0]
    except (ValueError, RecursionError):
        return None


def _is_text(value: object) -> bool:
    # Half of a surrogate pair can be read from JSON, and printed nowhere.
    return (
        isinstance(value, str) and len(value) <= _TEXT_LIMIT and not any("\ud800" <= each <= "\udfff" for each in value)
    )


def _is_list(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _LIST_LIMIT and all(map(_is_text, value))


_KINDS = frozenset(kind.value for kind in LeakKind)
