"""What `consent.wire.markup_scan` finds, case by case.

`*` behind a name says that it is not certain, `…` that it is not closed.
"""

from __future__ import annotations

import sys

import pytest

from consent.wire.markup_scan import scan
from tests.hostile_markup import HOSTILE, make_page, scan_streamed, scan_whole
from tests.scanned_markup import WANTED, feed_all, write

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
    '<link rel="canonical" href="https://t/">': "",
    '<link rel="alternate" type="application/rss+xml" title="a > b" href="https://t/">': "",
    '<link rel="alternate stylesheet" href="https://t/">': "link",
    '<link rel="canonical" rel="stylesheet" href="https://t/">': "",
    '<link REL=stylesheet rel="canonical" href="https://t/">': "link",
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
    "<svg><style>@import '/<!-- -->/t'</style></svg>": "style*",
    "<svg><script>load('/</b>/t')</script></svg>": "script*",
    "<svg><style>a{top:0}</style></svg>": "",
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


def list_in(name: str, page: str) -> list[str]:
    """Return what of the elements found is in a form, or in a noscript, by the name of its first attribute."""
    return [each.attributes[0].name for each in scan(page.encode()) if getattr(each, f"is_in_{name}")]


IN_FORMS = {
    "<form><img a src=//t></form><img b src=//t>": "a",
    "<FORM action='/x' id=y><p><img a src=//t></p></FORM ><img b src=//t>": "a",
    "<form><img a src=//t><form><img b src=//t></form><img c src=//t></form><img d src=//t>": "a b",
    "</form><img a src=//t>": "",
    "<form><img a src=//t>": "a",
    "<formula><img a src=//t></formula>": "",
    '<script>var t="<form>"</script><img a src=//t>': "",
    "<!-- <form> --><img a src=//t>": "",
    "<textarea><form></textarea><img a src=//t>": "",
    "<title><form></title><p title='<form>'><img a src=//t>": "",
    '<form><script>var t="</form>"</script><!-- </form> --><textarea></form></textarea><img a src=//t></form>': "a",
    "<form><svg></form><path/></svg><img a src=//t></form><img b src=//t>": "a",
    "<svg><form></svg><img a src=//t>": "",
    "<select><form></select><img a src=//t></form><img b src=//t>": "a",
}


@pytest.mark.parametrize(("page", "found"), IN_FORMS.items())
def test_element_knows_whether_it_is_in_a_form(page: str, found: str) -> None:
    assert list_in("form", page) == found.split()


IN_NOSCRIPTS = {
    "<noscript><img a src=//t></noscript><img b src=//t>": "a",
    "<NoScript><p><img a src=//t></p></noscript ><img b src=//t>": "a",
    '<script>x="<noscript>"</script><img a src=//t>': "",
    "<!-- <noscript> --><textarea><noscript></textarea><img a src=//t>": "",
    "<noscript><!--</noscript><img a src=//t>--><img b src=//t>": "",
    "<noscript><p title='</noscript><img a src=//t>'></noscript><img b src=//t>": "",
    "<noscript><title></noscript></title><img a src=//t></noscript>": "",
    "<noscript><style a>b{c:url(//t)}</style><img b src=//t></noscript>": "a b",
}


@pytest.mark.parametrize(("page", "found"), IN_NOSCRIPTS.items())
def test_element_knows_whether_only_browsers_without_scripts_read_it(page: str, found: str) -> None:
    assert list_in("noscript", page) == found.split()


def test_form_and_noscript_are_known_in_chunks_too() -> None:
    page = b"".join(
        f"<p>x</p>{each}</form></noscript></title></textarea>".encode() for each in (*IN_FORMS, *IN_NOSCRIPTS)
    )

    for chunk_bytes in (1, 7, 100):
        assert feed_all(page, chunk_bytes)[1] == list(scan(page))


def test_wanted_tags_are_found_and_texts_passed_over() -> None:
    page = b"<p>data-cookieconsent<!-- data-cookieconsent --><p><b data-cookieconsent=a><i>x<img src=//t><q data-cookieconsent>"

    assert write(list(scan(page, wants=WANTED))) == "b img q"
    assert write(list(scan(b"<svg><g data-cookieconsent></g></svg>", wants=WANTED))) == "g*"
    assert write(list(scan(b"<noscript><img data-cookieconsent></noscript>", wants=WANTED))) == "img*"


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


def test_very_long_tag_tells_what_it_loads_and_no_more() -> None:
    page = b"<img id=i src=//t " + b"x=y " * 20_000 + b"class=late rel=x src=//u onload=f>"
    (element,) = scan(page)

    assert [each.value for each in element.attributes if each.name == "src"] == ["//t", "//u"]
    assert (element.find("id"), element.find("rel"), element.find("class")) == ("i", "x", None)
    assert len(element.attributes) < 5000
