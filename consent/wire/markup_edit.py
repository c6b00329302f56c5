"""Edits of a page: which bytes go, and what stands in their place. Every byte outside of them stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from consent.wire.element_urls import TEXT
from consent.wire.markup import Element

RENAMED = b"data-consent-"
"""Stands in front of the name of an attribute that no browser is to heed."""

# In front of all others: of an attribute that comes twice, browsers heed the first.
_INERT_TYPE = b' type="text/plain"'


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of the bytes from `start` to `end`."""

    start: int
    end: int
    text: bytes


def replace_element(element: Element, text: bytes) -> Edit:
    """Put something in the place of an element, with what is in it where it is raw text, or of one tag."""
    return Edit(element.start, element.element_end, text)


def disarm(element: Element, names: Collection[str]) -> tuple[Edit, ...]:
    """Take the meaning from attributes of these names, all that a tag has of each, and from what a script or style holds.

    Args:
        names: In lower case; `TEXT` for what is between the tags.
    """
    edits = [Edit(each.name_at, each.name_at, RENAMED) for each in element.attributes if each.name in names]
    # A script whose `src` alone went would run what stands between its tags.
    if TEXT in names or (element.name == "script" and edits):
        edits.insert(0, Edit(element.name_end, element.name_end, _INERT_TYPE))
    return tuple(edits)


def apply_edits(page: bytes, edits: Iterable[Edit]) -> bytes:
    """Return a page with every edit made, each once.

    Where browsers disagree on what an element is, it comes up twice; what is in the place of another edit goes with it.

    Args:
        edits: By where they start; of those that start at the same place, the first stands first.
    """
    view, parts = memoryview(page), list[bytes | memoryview]()
    done = 0
    for edit in dict.fromkeys(edits):
        if edit.start >= done:
            parts += (view[done : edit.start], edit.text)
            done = edit.end
    parts.append(view[done:])
    return b"".join(parts)


def move_element(element: Element, by: int) -> Element:
    """Return an element whose offsets count from another byte."""
    return element._replace(
        start=element.start + by,
        name_end=element.name_end + by,
        end=element.end + by,
        text_end=element.text_end + by,
        element_end=element.element_end + by,
        attributes=tuple(
            each._replace(name_at=each.name_at + by, name_end=each.name_end + by, end=each.end + by)
            for each in element.attributes
        ),
    )
