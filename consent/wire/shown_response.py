"""What browsers make of a response: whether they show it as a page, and whether it may load anything.

Source: Fetch Standard, "extract a MIME type"; MIME Sniffing Standard, sections 4.6 and 7; HTML Standard, 7.4.5 (loading a document).
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Methods whose answer browsers ask for again by themselves."""

BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED})
"""Statuses of answers without a body, or without all of it."""

_HTML = "text/html"
_XHTML = "application/xhtml+xml"
_XML = frozenset({"text/xml", "application/xml"})
# What browsers take for no type at all: they look at the bytes, and find HTML in them.
_UNKNOWN = frozenset({"*/*", "unknown/unknown", "application/unknown"})
_BLANKS = " \t\r\n"


def is_html(content_type: str | None) -> bool:
    """Whether it says HTML. Of several types in one value, browsers take the last that they can read: any of them counts."""
    return content_type is not None and _HTML in _list_types(content_type)


def is_page(content_type: str | None) -> bool:
    """Whether it says HTML, or HTML that is written as XML."""
    return content_type is not None and any(each in (_HTML, _XHTML) for each in _list_types(content_type))


def may_load(content_type: str | None) -> bool:
    """Whether browsers may show it as a document that loads something: besides pages XML, SVG, and what says no type that they know."""
    if content_type is None:
        return True
    return any(
        each == _HTML or each in _XML or each.endswith("+xml") or each in _UNKNOWN or "/" not in each
        for each in _list_types(content_type)
    )


def _list_types(content_type: str) -> Iterator[str]:
    return (part.partition(";")[0].strip(_BLANKS).lower() for part in content_type.split(","))
