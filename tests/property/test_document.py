"""`consent.wire.document` against html5lib, and under any bytes in any chunks."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consent.wire.document import DocumentScanner, NotADocument, Places, begins_document, find_end, find_places

moderately = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SPACES = st.sampled_from(["", "", " ", "\n", "\r\n\t", "\f"])
COMMENTS = st.sampled_from(
    [
        "<!-- x -->",
        "<!-->",
        "<!--->",
        "<!----->",
        "<!-- <body> --!>",
        "<!-- <!-- -->",
        "<!x>",
        "<?x?>",
        "</ x>",
        "<!-- -- > -->",
    ]
)
ATTRIBUTES = st.sampled_from(
    [
        "",
        "",
        " class=x",
        " a='>'",
        ' b="<body>"',
        " c = d",
        " e=",
        " /",
        "/f",
        " g'h",
        ' i="1"j=2',
        " lang=de",
        " lang='en-GB'",
        " =k",
    ]
)
SCRIPTS = st.sampled_from(
    [
        "",
        "a < b",
        "'<body>'",
        "<!--",
        "<!-- -->",
        "<!--<script></script>-->",
        "<!--<script>-->",
        "</scriptx>",
        "<!-->",
        "</head>",
    ]
)
RAW_TEXTS = st.sampled_from(["", "x", "a > b", "</head><body>", "<!--", "</stylex>", "&lt;", "</ title>"])
NO_SCRIPTS = st.sampled_from(["", "<link>", "<meta name=a>", "<style>a>b{}</style>", "<!-- x -->", " "])


def tag(*names: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda name, upper, attributes: f"<{name.upper() if upper else name}{attributes}>",
        st.sampled_from(names),
        st.booleans(),
        ATTRIBUTES,
    )


def element(name: str, content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda start, content: f"{start}{content}</{name}>", tag(name), content)


TEMPLATES = element(
    "template", st.sampled_from(["", "x", "<p>", "<body>", "<template></template>", "<script>'</template>'</script>"])
)
HEAD_CONTENT = st.one_of(
    SPACES,
    COMMENTS,
    tag("link", "meta", "base"),
    st.sampled_from(
        ['<meta charset="utf-8">', "<META CHARSET=utf-8>", '<meta http-equiv="content-type" content="text/html">']
    ),
    element("title", RAW_TEXTS),
    element("style", RAW_TEXTS),
    element("noframes", RAW_TEXTS),
    element("script", SCRIPTS),
)
STRAYS = st.sampled_from(
    [
        "</p>",
        "</html>",
        "</body>",
        "</head>",
        "</br>",
        "<head>",
        "<html>",
        "<html lang=fr>",
        "<body>",
        "<!doctype html>",
        "</title>",
        "text",
    ]
)
BODY_CONTENT = st.sampled_from(
    ["", "text", " text", "<p>x</p>", "<div><p>x</div>", "<script>'</body>'</script>", "<br>", "< x", "\v"]
)
OPENINGS = st.sampled_from(["<!doctype html>", '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN">', ""])


@st.composite
def documents(draw: st.DrawFn, head: st.SearchStrategy[str] = HEAD_CONTENT) -> bytes:
    """Documents of all their parts, each of which may be missing, with strays between them."""
    parts = [
        draw(st.sampled_from(["", "\ufeff"])) + draw(SPACES) + draw(COMMENTS | SPACES) + draw(OPENINGS),
        draw(COMMENTS | SPACES),
        draw(tag("html") | SPACES),
        draw(COMMENTS | SPACES),
        draw(tag("head") | SPACES),
        *draw(st.lists(head, max_size=6)),
        draw(st.sampled_from(["</head>", "</HEAD >", ""])),
        *draw(st.lists(head, max_size=2)),
        draw(tag("body") | SPACES),
        draw(BODY_CONTENT),
        draw(st.sampled_from(["</body></html>", ""])),
    ]
    for at in draw(st.lists(st.integers(1, len(parts) - 2), max_size=1)):
        parts.insert(at, draw(STRAYS))
    return "".join(parts).encode()


with_noscript = documents(head=HEAD_CONTENT | element("noscript", NO_SCRIPTS))
with_templates = documents(head=HEAD_CONTENT | element("noscript", NO_SCRIPTS) | TEMPLATES)


def parse(page: bytes, *, scripting: bool) -> ElementTree.Element:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    root: ElementTree.Element = parser.parse(page, transport_encoding="utf-8", scripting=scripting)
    return root


def outline(node: ElementTree.Element) -> tuple[object, ...]:
    """Write a tree as plain values, without white space: the parser moves it between head and body."""
    name = node.tag if isinstance(node.tag, str) else "#comment"
    texts = tuple((text or "").strip() for text in (node.text, node.tail))
    return name, tuple(sorted(node.items())), texts, tuple(outline(child) for child in node)


def insert(page: bytes, at: int, markup: bytes) -> bytes:
    return page[:at] + markup + page[at:]


def take_out(parent: ElementTree.Element, child: ElementTree.Element) -> None:
    before = list(parent)[: list(parent).index(child)]
    tail = child.tail or ""
    parent.remove(child)
    if before:
        before[-1].tail = (before[-1].tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail


def find(root: ElementTree.Element, name: str) -> ElementTree.Element:
    found = root.find(name)
    assert found is not None
    return found


def check_body_place(page: bytes, places: Places, *, scripting: bool) -> None:
    root = parse(insert(page, places.body_at, b"<pvc-mark></pvc-mark>"), scripting=scripting)
    body = find(root, "body")
    mark = find(body, "pvc-mark")

    assert body[0] is mark
    assert not (body.text or "").strip()
    take_out(body, mark)
    assert outline(root) == outline(parse(page, scripting=scripting))


def check_head_place(page: bytes, places: Places, *, scripting: bool) -> None:
    root = parse(insert(page, places.head_at, b"<link pvc-mark>"), scripting=scripting)
    head = find(root, "head")
    mark = find(head, "link[@pvc-mark]")

    before = list(head)[: list(head).index(mark)]
    assert not before or declares_charset(before[-1])
    take_out(head, mark)
    assert outline(root) == outline(parse(page, scripting=scripting))


def declares_charset(node: ElementTree.Element) -> bool:
    return node.tag == "meta" and ("charset" in node.attrib or node.get("http-equiv", "").lower() == "content-type")


@pytest.mark.parametrize("scripting", [False, True])
@moderately
@given(page=with_noscript)
@example(page=b"<html><head><title>x</title></head><script>'<body>'</script><body>x")
def test_parser_puts_the_marks_where_they_belong(page: bytes, scripting: bool) -> None:
    places = find_places(page)

    assert (places is not None) == begins_document(page)
    if places is not None:
        check_body_place(page, places, scripting=scripting)
        check_head_place(page, places, scripting=scripting)
        assert places.language == (parse(page[: places.body_at], scripting=scripting).get("lang") or "")


def chunks(page: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(min(cut, len(page)) for cut in cuts), len(page)]
    return [page[start:end] for start, end in pairwise(bounds)]


def scan(parts: list[bytes]) -> tuple[Places | None, bytes]:
    """Do what a response hook does: the places, and all bytes in the order they came."""
    scanner = DocumentScanner()
    for at, part in enumerate(parts):
        try:
            places = scanner.feed(part)
        except NotADocument:
            return None, scanner.buffered + b"".join(parts[at + 1 :])
        if places is not None:
            return places, scanner.buffered + b"".join(parts[at + 1 :])
    return scanner.finish(), scanner.buffered


@moderately
@given(page=with_templates, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunks_do_not_matter(page: bytes, cuts: list[int]) -> None:
    assert scan(chunks(page, cuts)) == (find_places(page), page)


@moderately
@given(page=with_templates)
def test_single_bytes_do_not_matter(page: bytes) -> None:
    assert scan([page[at : at + 1] for at in range(len(page))]) == (find_places(page), page)


MARKUP = st.lists(
    st.sampled_from(
        [
            b"<",
            b">",
            b"!",
            b"-",
            b"--",
            b"/",
            b"=",
            b"'",
            b'"',
            b" ",
            b"\0",
            b"html",
            b"head",
            b"body",
            b"script",
            b"noscript",
        ]
    )
    | st.sampled_from(
        [
            b"<html>",
            b"<head>",
            b"<script>",
            b"</script>",
            b"<!--",
            b"-->",
            b"<template>",
            b"</template>",
            b"<svg>",
            b"<style>",
        ]
    )
    | st.binary(max_size=3)
).map(b"".join)


@moderately
@given(
    page=st.binary(max_size=200) | MARKUP | MARKUP.map(b"<!doctype html>".__add__),
    cuts=st.lists(st.integers(0, 100), max_size=6),
)
@example(page=b"\xef\xbb", cuts=[])
@example(page=b"<!doctype html><noscript><p a='</noscript>'></noscript>", cuts=[44])
def test_no_bytes_break_the_scan(page: bytes, cuts: list[int]) -> None:
    places = find_places(page)

    assert scan(chunks(page, cuts)) == (places, page)
    assert 0 <= (find_end(page) or 0) <= len(page)
    assert places is None or (begins_document(page) and 0 <= places.head_at <= places.body_at <= len(page))


@moderately
@given(page=with_templates)
def test_output_minus_insertion_is_the_input(page: bytes) -> None:
    places = find_places(page)
    if places is None:
        return

    output = b"".join(
        (page[: places.head_at], b"[H]", page[places.head_at : places.body_at], b"[B]", page[places.body_at :])
    )

    assert output.replace(b"[H]", b"").replace(b"[B]", b"") == page
