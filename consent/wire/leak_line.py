"""A leak as a part of one line of a log, and back: whatever else is in that line, and whatever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from consent.core.leak import AUDIT_MARK, Leak, LeakKind

# A line that says more than one thing is somebody's invention, or a log within a log.
_MARKS_LIMIT = 8
_NESTING_LIMIT = 3
# Names of cookies come from views, and hosts from markup: of one that is longer, the beginning tells enough.
_WRITTEN_LIMIT = 512
_TEXT_LIMIT = 4096
_LIST_LIMIT = 64
_NAMELESS = "(no name)"
_CUT = "…"

_TEXTS = ("element", "page", "endpoint")
_LISTS = ("services", "purposes")
_KINDS = frozenset(kind.value for kind in LeakKind)
_decode = json.JSONDecoder().raw_decode


def fit_leak(leak: Leak) -> Leak:
    """Return a leak as it can be written and read back: equal, if nothing of it is too long, missing or no text."""
    return replace(
        leak,
        subject=_fit(leak.subject) or _NAMELESS,
        services=tuple(map(_fit, leak.services[:_LIST_LIMIT])),
        purposes=tuple(map(_fit, leak.purposes[:_LIST_LIMIT])),
        element=_fit(leak.element),
        page=_fit(leak.page),
        endpoint=_fit(leak.endpoint),
    )


def encode_leak(leak: Leak) -> str:
    """Return a leak that fits as JSON in one line of ASCII, to stand behind the mark: nothing in it can begin another line (T44)."""
    return json.dumps(asdict(leak))


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


def _fit(text: str) -> str:
    if len(text) > _WRITTEN_LIMIT:
        text = f"{text[: _WRITTEN_LIMIT - len(_CUT)]}{_CUT}"
    # Half of a surrogate pair stands for nothing, and can be printed nowhere.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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
