"""Tags written for other consent managers, read as the scan of a page gives them."""

from __future__ import annotations

import re

from consent.wire._markup_attributes import read_attributes
from consent.wire.markup import Element

_NAME = re.compile(rb"<([a-z]+)", re.IGNORECASE)
_TAG = re.compile(rb"""<[a-z]+(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""", re.IGNORECASE)
_RAW_TEXT = frozenset({"script", "iframe", "style"})


def read_element(page: bytes, *, at: int = 0, is_certain: bool = True) -> Element:
    """Return the element that begins at an offset of a page without surprises: no quote outside of a value."""
    name, tag = _NAME.match(page, at), _TAG.match(page, at)
    assert name
    assert tag
    kind = name[1].decode().lower()
    closing = f"</{kind}>".encode()
    text_end = page.lower().index(closing, tag.end()) if kind in _RAW_TEXT else tag.end()
    return Element(
        name=kind,
        start=at,
        name_end=name.end(),
        end=tag.end(),
        attributes=tuple(read_attributes(page, name.end(), tag.end() - 1, 0)),
        text_end=text_end,
        element_end=text_end + len(closing) if kind in _RAW_TEXT else tag.end(),
        is_certain=is_certain,
    )
