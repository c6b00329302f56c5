"""All that an element loads, whichever way it names it."""

from __future__ import annotations

from html import escape

import pytest

from consent.wire.loaded_urls import list_loaded
from consent.wire.markup_scan import scan

PIXEL = '<img src="//a.example/p.gif">'


def load(page):
    """Return address and attribute of all that the elements of a page load."""
    encoded = page.encode()
    return {(found.url, found.attribute) for element in scan(encoded) for found in list_loaded(element, encoded)}


def nest(markup, times):
    for _ in range(times):
        markup = f'<iframe srcdoc="{escape(markup)}"></iframe>'
    return markup


@pytest.mark.parametrize(
    ("markup", "url", "attribute"),
    [
        (PIXEL, "//a.example/p.gif", "src"),
        ("<style>@import '//a.example/a.css'</style>", "//a.example/a.css", ""),
        ("<script>load('//a.example/a.js')</script>", "//a.example/a.js", ""),
        ("<svg><style>@import '/&#x2f;a.example/a.css'</style></svg>", "//a.example/a.css", ""),
        ("<svg><script>load('/&#47;a.example/a.js')</script></svg>", "//a.example/a.js", ""),
        ("<svg><style>@import '/<!-- -->/a.example/a.css'</style></svg>", "//a.example/a.css", ""),
        ("<svg><script>load('/</b>/a.example/a.js')</script></svg>", "//a.example/a.js", ""),
        (nest(PIXEL, 1), "//a.example/p.gif", "srcdoc"),
        (nest(PIXEL, 3), "//a.example/p.gif", "srcdoc"),
        (nest("<script>load('//a.example/a.js')</script>", 2), "//a.example/a.js", "srcdoc"),
    ],
)
def test_address_is_found(markup, url, attribute):
    assert (url, attribute) in load(markup)


def test_document_that_is_too_deep_is_read_as_text():
    assert {attribute for _, attribute in load(nest(PIXEL, 4))} == {"srcdoc"}


def test_references_in_a_text_of_html_mean_nothing():
    assert load("<style>@import '/&#x2f;a.example/a.css'</style>") == set()
