"""Single addresses go from a style, and the rest of it stays."""

from __future__ import annotations

import pytest

from consent.wire.markup_edit import apply_edits
from consent.wire.style_edit import blank_addresses
from consent.wire.url_reading import read_url


def is_unwanted(url):
    address = read_url(url)
    return address is not None and address.host == "t.example"


def blank(style):
    """Return a style without the addresses of a host; None where they cannot be taken out of it alone."""
    page = f"<style>{style}</style>".encode()
    edits = blank_addresses(page, 7, len(page) - 8, is_unwanted)
    return None if edits is None else apply_edits(page, edits)[7:-8].decode()


@pytest.mark.parametrize(
    ("style", "left"),
    [
        ("@import url(https://t.example/a?b=c&d=e);b{}", "@import url(about:invalid&d=e);b{}"),
        ("@import 'https://t.example/a';b{}", "@import 'about:invalid';b{}"),
        ('@import "//t.example/a" screen', '@import "about:invalid" screen'),
        (
            "@font-face{src:url( '//t.example/f.woff2' ) format('woff2'),url(/f.woff)}",
            "@font-face{src:url( 'about:invalid' ) format('woff2'),url(/f.woff)}",
        ),
        ("a{b:url(//t.example/a) , url(//u.example/b)}", "a{b:url(about:invalid) , url(//u.example/b)}"),
        (".é::before{content:'\\f101';b:URL(//t.example/é)}", ".é::before{content:'\\f101';b:URL(about:invalidé)}"),
        ('a{b:image-set("//t.example/a" 1x)}', 'a{b:image-set("about:invalid" 1x)}'),
        ("/* '//t.example/a/*/b{c:d}/*' */", "/* 'about:invalid/*/b{c:d}/*' */"),
        ("a{b:url(//T.EXAMPLE:443/\\29 x)}", "a{b:url(about:invalid\\29 x)}"),
    ],
)
def test_address_goes_and_the_rest_stays(style, left):
    assert blank(style) == left


@pytest.mark.parametrize(
    "style",
    [
        "a{b:url(//t.ex\\61mple/a)}",
        "a{b:u\\72l(//t.example/a)}",
        "a{b:url(/\t/t.example/a)}",
        "a{b:url(//user;x@t.example/a)}",
        "a{b:url(//\ufb01le@t.example/a)}",
    ],
)
def test_address_that_cannot_be_taken_out_alone_is_left_to_the_caller(style):
    assert blank(style) is None


def test_reference_in_an_attribute_is_no_end_of_an_address():
    page = b'<p style="a:url(\'//t.example/a&#39;);b:url(//u.example)">'

    edited = apply_edits(page, blank_addresses(page, 8, len(page) - 1, is_unwanted) or ())

    assert edited == b'<p style="a:url(\'about:invalid&#39;);b:url(//u.example)">'
    assert blank_addresses(b'<p style="a:url(&quot;//t.example/a&quot;)">', 8, 43, is_unwanted) is None
