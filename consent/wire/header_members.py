"""Headers whose members name addresses in quotation marks: `Reporting-Endpoints`, `Report-To`, `Speculation-Rules`.

Source: Reporting API, section 3.2; Structured Fields (RFC 9651), section 3; JSON header fields, as `Report-To` is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

# What is never closed goes to the end.
_TEXT = r'"(?:[^"\\]|\\.)*+"?'
_find_texts = re.compile(_TEXT, re.DOTALL).findall
_TOKEN = re.compile(rf"{_TEXT}|[][(){{}},]", re.DOTALL)


def remove_members(value: str, is_unwanted: Callable[[str], bool]) -> str:
    """Return a header without the members that name an unwanted address; every other character stays as it is.

    Returns:
        Nothing if no member is left.
    """
    members = list(_split(value))
    kept = [member for member in members if not any(map(is_unwanted, _list_texts(member)))]
    if len(kept) == len(members):
        return value
    return ",".join(kept).strip() if any(member.strip() for member in kept) else ""


def _split(value: str) -> Iterator[str]:
    """Cut at the commas that stand in no text, list or object."""
    depth = begins_at = 0
    for found in _TOKEN.finditer(value):
        mark = found[0]
        if mark == "," and depth <= 0:
            yield value[begins_at : found.start()]
            begins_at = found.end()
        depth += (mark in "{[(") - (mark in "}])")
    yield value[begins_at:]


def _list_texts(member: str) -> Iterator[str]:
    for text in _find_texts(member):
        try:
            yield str(json.loads(text, strict=False))
        except ValueError:
            # No browser reads it as it is, or a more lenient one would.
            yield text.strip('"').replace("\\", "")
