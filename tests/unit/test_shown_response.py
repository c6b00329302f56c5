"""What browsers show as a page, by the `Content-Type` of it."""

from __future__ import annotations

import pytest

from consent.wire.shown_response import is_html, is_page, may_load

_HTML = [
    "text/html",
    "text/html; charset=utf-8",
    "TEXT/HTML;charset=utf-8",
    " text/html",
    "\ttext/html \t;x",
    "text/plain, text/html",
]
_XHTML = ["application/xhtml+xml", "Application/XHTML+XML; charset=utf-8"]
_DOCUMENTS = [
    "text/xml",
    "application/xml;charset=utf-8",
    "image/svg+xml",
    "application/rss+xml",
    "*/*",
    "unknown/unknown",
    "",
    "html",
    " ; x",
]
_OTHERS = [
    "text/plain",
    "application/json",
    "text/javascript",
    "text/css",
    "image/png",
    "application/pdf",
    "text/htmlx",
    "x/text/html",
    "application/octet-stream",
]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        *((each, (True, True, True)) for each in _HTML),
        *((each, (False, True, True)) for each in _XHTML),
        *((each, (False, False, True)) for each in [*_DOCUMENTS, None]),
        *((each, (False, False, False)) for each in _OTHERS),
    ],
)
def test_type_is_read_as_browsers_read_it(content_type, expected):
    assert (is_html(content_type), is_page(content_type), may_load(content_type)) == expected
