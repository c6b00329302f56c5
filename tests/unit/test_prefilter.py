"""What a quick look at a page says."""

from __future__ import annotations

from base64 import b64encode

import pytest

from consent.wire.prefilter import names_listed_host

SCRIPT = b64encode(b"load('https://t.example')")
NAMED = [
    b"//t.example",
    b'<img src="https://t.example/a">',
    b"//T.Example:80/",
    b"//t.example.",
    b"//user:word@t.example/",
    b"\\\\t.example",
    b"https:\\/\\/t.example\\/x",
    b"//t.ex\nample",
    b"//t.example\nand more",
    b"//t.example&quot;",
    b"`//t.example`",
    b"//%74.example",
    "//\uff54.example".encode(),
    b"&#x2f;/t.example",
    b"//t&#46;example",
    b"&sol;/t.example",
    b"url('\\2f\\2f t.example')",
    b"@IMPORT '//t\\.example'",
    b"//t\\65xample",
    b"u\\72l(https:\\2f\\2ft.example/a)",
    b'image-set("https:\\00002F/t.example" 1x)',
    b'@im\\70ort "\\2f\\2ft.example";',
    b'<script src="data:text/javascript;base64,' + SCRIPT + b'">',
    b"<script src=data:;base64," + SCRIPT.rstrip(b"=") + b" defer>",
    b'<script src="data:text/javascript;charset=utf-8;base64,' + SCRIPT[:9] + b"\n" + SCRIPT[9:] + b'">',
    b'<script src="data:text/javascript;base64,' + SCRIPT.replace(b"=", b"%3D") + b'">',
    b'<object data="data:image/svg+xml;base64,' + SCRIPT + b'">',
    b'<iframe src="data:text/html,%3Cimg%20src%3D%22https%3A%2F%2Ft.example%2Fa%22%3E">',
    b"<iframe src=data:,%3Cimg%20src=%2f%2f%74.example>",
    b"<iframe src=\"data:image/svg+xml,<image href='%2f/t.example%22'/>\">",
    b"//&#116;.example",
    b"//&#8203;t.example",
    b"//&ZeroWidthSpace;t.example/a",
    b"//t&NoBreak;.example/a",
    b"//&#65364;.example",
    b"//&#65364;.example&#34;",
    b"[//&#65364;.example]",
    "//\uff54.example,".encode(),
    b"//&#xff54;.example:80/",
    b"//&tscr;.example",
    b"//t.example&#34;x",
    b"//a:b@c@t.example/a",
    b"//t.example, //x.example",
    b'<a href="https://t.example/">x</a> <img src="https://t.example/p">',
    b'<a href="/x" ping="https://t.example/">x</a>',
    b'<a href="https://t.example/" ping="/y">x</a>',
    b'<img alt="<a href=" src="https://t.example/p">',
    b'<a title="https://t.example/" href="/x">x</a>',
    b'<link href="https://t.example/a.css" rel=stylesheet>',
]
NOT_NAMED = [
    b"",
    b"//",
    b"t.example",
    b"/t.example",
    b"//x.example/t.example",
    b"//t.example.net",
    b"//a.t.example",
    b"// t.example &#39;quoted&#39; &amp; *//*",
    b"a \\n b",
    "// \u6f2e\u6c50".encode(),
    b"//\xff\xfe",
    b'<a href="https://t.example/share?u=1">Share</a>',
    b"<A class='x' HREF=//t.example/a>x</A> <a\nhref=\"http://T.example/b\">y</a>",
    b'<a href="https://x.example/?u=https%3A%2F%2Ft.example%2F">x</a>',
    b'<a href="/?u=https%3A%2F%2Ft.example%2F">x</a> <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    # Pictures load nothing, nor do they run.
    b'<img src="data:image/png;base64,' + SCRIPT + b'">',
    b"url(data:font/woff2;base64," + SCRIPT + b")",
    b"{data:e,url:t}",
    b"data:text/html;base64,====",
    b"data:text/html;base64,A",
    b"data:text/html;base64,AAAA%3CA",
    b"data:text/html,%2F%2F",
    b'a:before{content:"\\f101\\2014"} /\\d+\\.js/',
    b"//" + b"a." * 126 + b"t.example",
    b"//" + b"%61" * 5000 + b".t.example",
    # Nobody writes so but to hide.
    b"https:t.example/",
    b"HTTPS:/t.example/",
    b"http:///t.example",
    b"/\n/t.example",
    b"/<!-- -->/t.example",
    b"//a b@t.example",
    b"//a(b)@t.example",
    b"DATA:text/html;base64," + SCRIPT,
]


@pytest.mark.parametrize("body", NAMED)
def test_listed_host_is_seen(body: bytes) -> None:
    assert names_listed_host(b"<p>x " + body + b" y", {"t.example"}.__contains__)


@pytest.mark.parametrize("body", NOT_NAMED)
def test_what_names_no_listed_host_is_passed(body: bytes) -> None:
    assert not names_listed_host(b"<p>x " + body + b" y", {"t.example"}.__contains__)


def test_each_host_is_looked_up_once() -> None:
    asked: list[str] = []

    def has_host(host: str) -> bool:
        asked.append(host)
        return False

    assert not names_listed_host(b"//a.example/1 //b.example //a.example/2", has_host)
    assert sorted(asked) == ["a.example", "b.example"]


def test_page_of_more_hosts_than_anybody_names_is_read_tag_by_tag() -> None:
    asked: list[str] = []

    def has_host(host: str) -> bool:
        asked.append(host)
        return False

    assert names_listed_host(b"".join(b"//%d%%" % number for number in range(1001)), has_host)
    assert asked == []
