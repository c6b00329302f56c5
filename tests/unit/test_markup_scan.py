"""What `consent.wire.markup_scan` finds, case by case.

`*` behind a name says that it is not certain, `…` that it is not closed.
"""

from __future__ import annotations

import re
import sys
import tracemalloc

import pytest

from consent.wire.markup import Element
from consent.wire.markup_scan import HOLD_LIMIT_BYTES, MarkupScanner, Wants, scan
from tests.hostile_markup import HOSTILE, make_page, scan_streamed, scan_whole

FOUND = {
    # Attributes
    "<img src=//t>": "img",
    "<img src='//t'>": "img",
    '<IMG SRC = "//t" >': "img",
    '<img alt="a > b" src="//t">': "img",
    "<img/src=//t>": "img",
    '<img alt="x"src="//t">': "img",
    "<img src=a src=//t>": "img",
    "<img =src=//t>": "",
    "<img src>": "",
    "<img src=>": "",
    "<img src=//t": "",
    '<img src="//t>': "",
    '<img"y src=//t>': 'img"y',
    "<img src=&#x2f;&#47;t>": "img",
    "<img src=&sol;/t>": "img",
    "<img src='/a?b=1&amp;c=2'>": "",
    "<img src='/a?x=1&copy=2'>": "",
    "<img src='/\t/t'>": "img",
    "<img src='h\nttps:t'>": "img",
    "<img src=\\\\t>": "img",
    "<img src=/\\t>": "img",
    "<img src=https:t>": "img",
    "<img src=/a//b>": "img",
    "<img src=\x00//t>": "img",
    "<img srcset='a 1x, //t 2x'>": "img",
    "<img srcset='a 1x,b 2x'>": "",
    "<p style='background:url(//t)'>": "p",
    "<p style='background:url(\\2f\\2ft)'>": "p",
    "<p style='top:0;color:red'>": "",
    "<body background=//t>": "body*",
    "<link rel=preconnect href=//t>": "link",
    "<base href=//t>": "base",
    "<meta http-equiv=refresh content='0;url=//t'>": "meta",
    "<meta property=og:image content=https://t>": "",
    "<a href=//t>": "",
    "<a ping=//t href=/a>": "a",
    "<area href=//t>": "",
    "<object data=//t></object>": "object",
    "<iframe srcdoc='&lt;img src=//t>'></iframe>": "iframe",
    "<image src=//t>": "img",
    # Comments and declarations
    "<!-- <img src=//t> -->": "",
    "<!--><img src=//t>-->": "img",
    "<!---><img src=//t>-->": "img",
    "<!-- --!><img src=//t>": "img",
    "<!-- --! ><img src=//t>-->": "",
    "<!x <img src=//t>": "",
    "<?x ><img src=//t>": "img",
    "</ <img src=//t>": "",
    "<![CDATA[><img src=//t>]]>": "img",
    "<!--[if IE]><img src=//t><![endif]-->": "",
    "<!--[if !IE]><!--><img src=//t><!--<![endif]-->": "img",
    "<!doctype html public '><img src=//t>'>": "img",
    "< img src=//t>": "",
    # Raw text
    "<title><img src=//t></title>": "",
    "<textarea><img src=//t></textarea>": "",
    "<textarea></textareas><img src=//t></textarea>": "",
    "<style><img src=//t></style>": "style",
    "<style>a{top:0}</style>": "",
    "<style>a{b:url(//t)}": "style*…",
    "<xmp><img src=//t></xmp>": "",
    "<iframe><img src=//t></iframe>": "",
    "<noembed><img src=//t></noembed>": "",
    "<noframes><img src=//t></noframes>": "",
    "<plaintext><img src=//t>": "",
    "<noscript><img src=//t></noscript><img src=//t>": "img* img",
    "<noscript><!--</noscript><img src=//t>--><img src=//t>": "img* img*",
    "<noscript><p title='</noscript><img src=//t>'></noscript>": "img*",
    # Scripts
    "<script src=//t></script>": "script",
    "<script src=/a></script>": "",
    "<script/src=//t></script>": "script",
    "<script>a()</script>": "",
    "<script>load('//t')</script>": "script",
    '<script>{"a":"https:\\/\\/t"}</script>': "script",
    "<script>'</p>'</script><img src=//t>": "img",
    "<script><!--</script><img src=//t>": "img",
    "<script><!--<script></script><img src=//t></script>": "script",
    "<script><!--<script>--></script><img src=//t>": "img",
    "<script><!--><script></script><img src=//t>": "img",
    "<script><!--<scripty></script><img src=//t>": "img",
    "<script></script/x='><img src=//t>'>": "",
    "<scr\0ipt src=//t></script>": "scr\ufffdipt",
    # svg, math, template, select
    "<svg><image href=//t /></svg><img src=//t>": "image* img",
    "<svg><style>a{b:url(//t)}</style></svg>": "style*",
    "<svg><style>&#x2f;/t</style></svg>": "style*",
    "<svg><style><img src=//t></style></svg>": "style* img*",
    "<svg><title><img src=//t></title></svg>": "img*",
    "<svg><title><b>x</b></title><style><img src=//t></style></svg>": "style* img*",
    "<svg><desc></svg><style><img src=//t></style>": "style",
    "<svg></x><style><img src=//t></style>": "style* img*",
    "<svg></x><![CDATA[><img src=//t>]]>": "img*",
    "<svg><![CDATA[<img src=//t>]]></svg>": "",
    "<svg><foreignObject><style><img src=//t></style></foreignObject></svg>": "style*",
    "<svg><p><style><img src=//t></style>": "style",
    "<svg></p><img src=//t>": "img*",
    "<svg/><img src=//t>": "img",
    "<svg xmlns='http://w3/'><path d='M0'/></svg>": "",
    "<svg><rect fill='url(//t)'/></svg>": "rect*",
    "<svg><animate attributeName=href to=//t /></svg>": "animate*",
    "<math><mi><img src=//t></mi></math><img src=//t>": "img* img",
    "<template><img src=//t></template><img src=//t>": "img* img",
    "<template><template></template><img src=//t></template>": "img*",
    "<select><option>a<option>b</select><img src=//t>": "img",
    "<select><img src=//t></select><img src=//t>": "img* img",
    "<select><style><img src=//t></style></select><img src=//t>": "style* img* img",
    "<select><style></select><img src=//t>": "style*… img*",
}


def write(elements: list[Element]) -> str:
    return " ".join(each.name + ("" if each.is_certain else "*") + ("" if each.is_closed else "…") for each in elements)


@pytest.mark.parametrize(("page", "found"), FOUND.items())
def test_scan_finds(page: str, found: str) -> None:
    assert write(list(scan(page.encode()))) == found


def test_element_says_where_everything_stands() -> None:
    page = b"<p>x</p><script async SRC='//t' >a</script >y"

    (element,) = scan(page)

    assert page[element.start : element.name_end] == b"<script"
    assert page[element.end : element.text_end] == b"a"
    assert page[element.text_end : element.element_end] == b"</script >"
    assert [(each.name, each.value) for each in element.attributes] == [("async", ""), ("src", "//t")]
    assert page[element.attributes[1].name_at : element.attributes[1].name_end] == b"SRC"
    assert page[element.attributes[1].name_at : element.attributes[1].end] == b"SRC='//t'"


def test_all_duplicates_are_told() -> None:
    (element,) = scan(b"<img src=a SRC=//t src=b>")

    assert [each.value for each in element.attributes if each.name == "src"] == ["a", "//t", "b"]
    assert element.find("src") == "a"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"a&amp;b", "a&b"),
        (b"a&ampb", "a&ampb"),
        (b"a&amp=b", "a&amp=b"),
        (b"a&amp", "a&"),
        (b"&#128;&#x41;&#0;&#xd800;&#99999999999;", "€A\ufffd\ufffd\ufffd"),
        (b"&NotThere;&;&#;", "&NotThere;&;&#;"),
        (b"a\r\nb\rc\xff", "a\nb\nc\ufffd"),
    ],
)
def test_value_is_read_as_browsers_read_it(raw: bytes, value: str) -> None:
    (element,) = scan(b'<img src=//t alt="' + raw + b'">')

    assert element.find("alt") == value


WANTED = Wants(pattern=re.compile(rb"data-cookieconsent"))


def test_wanted_tags_are_found_and_texts_passed_over() -> None:
    page = b"<p>data-cookieconsent<!-- data-cookieconsent --><p><b data-cookieconsent=a><i>x<img src=//t><q data-cookieconsent>"

    assert write(list(scan(page, wants=WANTED))) == "b img q"
    assert write(list(scan(b"<svg><g data-cookieconsent></g></svg>", wants=WANTED))) == "g*"
    assert write(list(scan(b"<noscript><img data-cookieconsent></noscript>", wants=WANTED))) == "img*"


def feed_all(page: bytes, chunk_bytes: int) -> tuple[bytes, list[Element]]:
    scanner = MarkupScanner()
    pieces = [scanner.feed(page[at : at + chunk_bytes]) for at in range(0, len(page), chunk_bytes)]
    pieces.append(scanner.finish())
    return b"".join(piece.data for piece in pieces), [each for piece in pieces for each in piece.elements]


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


def count_calls(work, page: bytes) -> int:
    calls = 0

    def count(_frame, event: str, _argument) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work(page)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_page_takes_steps_in_proportion_to_its_length(name: str) -> None:
    for work in (scan_whole, scan_streamed):
        few, many = (count_calls(work, make_page(name, size)) for size in (600, 6000))

        assert many <= 14 * few + 200


def test_tag_of_five_megabytes_is_read() -> None:
    page = b'<img alt="' + b"x" * 5_000_000 + b'" src=//t>'

    assert write(list(scan(page))) == "img"
