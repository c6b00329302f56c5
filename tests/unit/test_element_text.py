"""What stands in a script or style, as browsers read it."""

from __future__ import annotations

import pytest

from consent.wire.element_text import read_text
from consent.wire.markup_scan import scan


def read(page: str) -> list[str]:
    data = page.encode()
    return [read_text(each, data) for each in scan(data) if each.name in ("script", "style")]


@pytest.mark.parametrize(
    "text",
    [
        "@import '/<!-- -->/t/a'",
        "@import '/</b>/t/a'",
        "@import '/<?x?>/t/a'",
        "@import '<![CDATA[/]]>/t/a'",
        "@import '/<g>b</g>/t/a'",
        "@import '/<g/>/t/a'",
        "@import '//<!-- > -->t<!---->/a'",
        "@import '&#x2f;<!-- -->&sol;t/a'",
        "@import '/<g><g>b</g><path/></g>/t/a'",
        "<g>x</g>@import '/<!-- -->/t/a'",
        "x<style>@import '/<g>b</g>/t/a'</style>",
    ],
)
def test_address_in_svg_is_whole_however_markup_cuts_it(text: str) -> None:
    assert "@import '//t/a'" in read(f"<svg><style>{text}</style></svg>")[0].splitlines()


def test_host_that_a_tag_ends_is_not_joined_with_what_follows() -> None:
    assert "@import '//t" in read("<svg><style>@import '//t</svg>x</style>")[0].splitlines()


def test_references_are_not_made_of_two_texts() -> None:
    assert "a&#47;b" in read("<svg><script>'//t' a&<!-- -->#47;b</script></svg>")[0]


def test_text_outside_of_svg_is_as_it_stands() -> None:
    text = "load('//t'); /<!-- -->/ a && b &#47; <b>"

    assert read(f"<script>{text}</script><select><script>{text}</script></select>") == [text, text]


def test_style_within_another_in_svg_is_told_with_its_own_text() -> None:
    page = b"<svg><style>a{}<g><style>@import '//t'</style></g><script src=//u><script>load('//v')</script>"
    found = [(each.name, page[each.end : each.text_end]) for each in scan(page)]

    assert (b"style", b"@import '//t'") in [(name.encode(), text) for name, text in found]
    assert (b"script", b"load('//v')") in [(name.encode(), text) for name, text in found]


def test_depth_of_markup_has_a_limit() -> None:
    text = "<g>" * 100_000 + "@import '//t/a'"

    assert "@import '//t/a'" in read(f"<svg><style>{text}</style></svg>")[0].splitlines()
