"""What is found in a page that comes in chunks, and what is held of it."""

from __future__ import annotations

import tracemalloc

import pytest

from consent.wire.markup import Element
from consent.wire.markup_scan import HOLD_LIMIT_BYTES, MarkupScanner, scan
from tests.scanned_markup import WANTED, feed_all, write

LONG = b"x " * HOLD_LIMIT_BYTES
LONG_PAGES = {
    "script": (b"<script>load('//t');" + LONG + b"</script><img src=//u>", "script*… img"),
    "style": (b"<style>a{b:url(//t)}" + LONG + b"</style><img src=//u>", "style*… img"),
    "title": (b"<title>" + LONG + b"<img src=//t></title><img src=//u>", "img"),
    "comment": (b"<!--" + LONG + b"<img src=//t>--><img src=//u>", "img"),
    "declaration": (b"<?" + LONG + b"><img src=//u>", "img"),
    "CDATA": (b"<svg><![CDATA[" + LONG + b"<img src=//t>]]></svg><img src=//u>", "img"),
    "value": (b'<img src="//t" alt="' + LONG + b'<i>" srcset="//t"><img src=//u>', "img*… img*… img"),
    "bare value": (b"<img src=//t alt=" + LONG.replace(b" ", b"x") + b" srcset=//t><img src=//u>", "img*… img*… img"),
    "URL": (b'<img src="data:' + LONG + b'"><img src=//u>', "img*… img"),
    "names": (b"<img " + LONG + b"src=//t><img src=//u>", "img*… img"),
    "name": (b"<img " + LONG.replace(b" ", b"x") + b"=a src=//t><img src=//u>", "img*… img"),
    "end tag": (b"</p " + LONG + b"src=//t><img src=//u>", "img"),
    "tag of a script": (b"<script " + LONG + b"></p><img src=//t></script><img src=//u>", "img"),
    "script in comments": (b"<script><!--<script>" + LONG + b"</script>" + LONG + b"--></script><img src=//u>", "img"),
    "noscript": (b"<noscript>" + LONG + b"</noscript><img src=//u>", "img*"),
    "plain text": (b"<plaintext>" + LONG + b"<img src=//u>", ""),
}


@pytest.mark.parametrize("name", LONG_PAGES)
def test_long_tokens_go_by_and_what_follows_is_found(name: str) -> None:
    page, found = LONG_PAGES[name]

    data, elements = feed_all(page, 4096)

    assert data == page
    assert write(elements) == found


def test_stream_sends_what_is_settled_at_once() -> None:
    scanner = MarkupScanner()

    assert scanner.feed(b"<p>x</p>y<im").data == b"<p>x</p>y"
    piece = scanner.feed(b"g src=//t>z")

    assert (piece.start, piece.data) == (9, b"<img src=//t>z")
    assert write(list(piece.elements)) == "img"


@pytest.mark.parametrize("name", ["script", "value", "comment"])
def test_stream_holds_no_more_than_its_limit(name: str) -> None:
    front, _ = LONG_PAGES[name]
    page = front[: len(front) // 2] + LONG * 8
    scanner = MarkupScanner()
    held = 0
    for at in range(0, len(page), 1024):
        piece = scanner.feed(page[at : at + 1024])
        held = max(held, at + 1024 - piece.start - len(piece.data))

    assert held <= HOLD_LIMIT_BYTES + 1024


def scan_tag_in_stream(front: bytes, rest: bytes) -> list[Element]:
    return feed_all(front + rest * (2 * HOLD_LIMIT_BYTES // len(rest)) + b'"></iframe><img src=//u>', 4096)[1]


@pytest.mark.parametrize(
    ("front", "rest", "is_open"),
    [
        (b'<iframe srcdoc="', b"<p>x</p>", True),
        (b'<img srcset="', b"/a 1x, ", True),
        (b'<a ping="', b"/a ", True),
        (b'<img src="', b" ", True),
        (b'<img src="https://', b"x", True),
        (b'<img src="https://t/', b"x", False),
        (b'<img src="data:image/png;base64,', b"x", False),
        (b'<img src="/a//', b"x", False),
        (b'<img src="/', b"x", False),
        (b'<img src="a', b"x", False),
        (b'<img src="//', b"x", True),
        (b'<img src="https:', b"x", True),
        (b'<img src="https://a@', b"b", True),
        (b'<p style="b:url(//t);', b"top:0;", False),
    ],
)
def test_value_that_is_cut_says_whether_more_hosts_may_follow(front: bytes, rest: bytes, *, is_open: bool) -> None:
    elements = scan_tag_in_stream(front, rest)
    values = [each for element in elements[:-1] for each in element.attributes]

    assert [each.is_open for each in values] in ([is_open], [] if not is_open else [True])
    assert elements[-1].is_certain


def test_cut_value_that_leads_nowhere_is_not_told() -> None:
    for front, rest in (
        (b'<a href="//t', b"x"),
        (b'<img alt="//t', b"x"),
        (b'<img data-x="', b"//t "),
        (b'<p style="', b"a:b;"),
    ):
        assert write(scan_tag_in_stream(front, rest)) == "img"


def test_wanted_tag_that_is_long_is_told_only_where_it_is_wanted() -> None:
    long = b"x=y " * HOLD_LIMIT_BYTES
    scanner = MarkupScanner(wants=WANTED)
    pieces = [scanner.feed(each) for each in (b"<img " + long, long, b"data-cookieconsent=a ", long + b">")]
    told = [element for piece in pieces for element in piece.elements]

    assert len(told) == 1
    assert told[0].find("data-cookieconsent") == "a"


LONG_STREAMS = {
    "script": (b"<script>", b"a += 1; "),
    "comment": (b"<!--", b"x "),
    "attributes": (b"<img ", b"a=b "),
    "quoted attributes": (b"<img ", b'class="a" '),
    "value": (b"<img alt='", b"x "),
    "title": (b"<title>", b"<p>"),
}


@pytest.mark.parametrize("name", LONG_STREAMS)
def test_stream_of_one_long_token_needs_less_than_64_kb(name: str) -> None:
    front, rest = LONG_STREAMS[name]
    chunk = rest * (8192 // len(rest))
    scanner = MarkupScanner()
    scanner.feed(front)
    tracemalloc.start()
    try:
        for _ in range(40):
            # A new one each time, as a view makes it.
            scanner.feed(bytes(bytearray(chunk)))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes <= 64 * 1024


def test_stream_needs_little_memory() -> None:
    chunk = b"<p class='a'>22:04 ferry 12 has left</p><img src=//t alt=b>" * 120
    for _ in scan(chunk):
        pass
    scanner = MarkupScanner()
    tracemalloc.start()
    try:
        for _ in range(40):
            scanner.feed(chunk[:-7])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Beside the elements of one chunk, about a hundred.
    assert peak_bytes <= 256 * 1024
