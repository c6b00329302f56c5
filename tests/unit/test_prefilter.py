"""What a quick look at a page says."""

from __future__ import annotations

import pytest

from consent.wire.prefilter import names_listed_host

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
    # Nobody writes so but to hide.
    b"https:t.example/",
    b"HTTPS:/t.example/",
    b"http:///t.example",
    b"/\n/t.example",
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
