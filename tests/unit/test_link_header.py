"""Hints in `Link:` headers: which are taken out, and that all of the rest stays as it is."""

from __future__ import annotations

import pytest

from consent.wire.link_header import Hint, remove_hints

AD = "<https://ads.example/x>"


def remove(value):
    return remove_hints(value, lambda hint: "ads." in hint.url)


@pytest.mark.parametrize(
    "rel",
    [
        *("preconnect", "dns-prefetch", "preload", "prefetch", "modulepreload", "prerender"),
        "compression-dictionary",
    ],
)
def test_hint_is_taken_out(rel):
    assert remove(f"{AD}; rel={rel}; as=script") == ""


@pytest.mark.parametrize(
    "parameters",
    [
        "; rel=preconnect",
        ";rel=PreConnect",
        " ; REL = preconnect ; crossorigin",
        '; rel="preconnect"',
        '; crossorigin; rel="dns-prefetch preconnect"',
        "; rel='preconnect'",
        "; rel=next preconnect",
        '; rel="next  preload"; as=font',
        '; rel=next; rel="preconnect"',
        '; rel="pre\\connect"',
        '; title="a, b; c"; rel=preconnect',
        "; anchor=x; rel=preconnect",
        ';\trel="\tpreconnect\n"',
        '; rel="preconnect',
    ],
)
def test_hint_is_taken_out_however_it_is_written(parameters):
    assert remove(f"{AD}{parameters}") == ""


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",,",
        "nonsense",
        f"{AD}",
        f"{AD}; rel=next",
        f"{AD}; rel=preconnectx",
        f"{AD}; title=preconnect",
        "<>; rel=preconnect",
        "<https://own.example/a,b>; rel=preconnect",
        '</style.css>; rel=preload; as=style ,  <b>;rel=next;title="x, y"',
        "https://ads.example; rel=preconnect",
        "<https://own.example>; rel=preconnect,",
    ],
)
def test_everything_else_stays_byte_for_byte(value):
    assert remove(value) == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{AD}; rel=preconnect, <b>; rel=next", "<b>; rel=next"),
        (f"<a>;rel=next ,  {AD}; rel=preconnect", "<a>;rel=next"),
        (f'<a>; title="x, y",{AD};rel=preload , <b,c> ; rel=next', '<a>; title="x, y", <b,c> ; rel=next'),
        (f"<a>;rel=next, {AD};rel=preload, {AD};rel=prefetch,<b>;rel=next", "<a>;rel=next,<b>;rel=next"),
        # Whatever is never closed must not hide the next link.
        (f'<a>; title="open, {AD};rel=preload, <b>;rel=next', '<a>; title="open, <b>;rel=next'),
        (f"<a; rel=next, {AD};rel=preload", "<a; rel=next"),
        (f"<a>; x=<, {AD};rel=preload", "<a>; x=<"),
    ],
)
def test_rest_of_a_header_stays_byte_for_byte(before, after):
    assert remove(before) == after


def test_hint_is_shown_with_its_address_and_types():
    expected = Hint("//a.example", frozenset({"preload", "next"}))

    assert remove_hints('<//a.example>; rel="Preload NEXT"', lambda hint: hint == expected) == ""


@pytest.mark.parametrize(
    "value",
    [
        "<" * 50_000,
        '"' * 50_001,
        ", " * 50_000,
        "<a>" + ";rel=" * 10_000,
        "<a>;" + " " * 50_000,
        '<a>;rel="' + "\\" * 50_001,
    ],
)
def test_hostile_header_is_read_in_linear_time(value):
    assert remove(value) == value
