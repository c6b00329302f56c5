"""What it costs to find what may contact another host: rows of the bench.

Real pages are those of PostgreSQL's documentation, from Debian's package; it is unpacked into `build/`, never installed:

    mkdir -p build/doc-pages && cd build/doc-pages && apt-get download postgresql-doc-15 && dpkg -x postgresql-doc-15_*.deb .
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from random import Random
from time import thread_time

from consent.wire.markup_scan import scan
from consent.wire.prefilter import names_listed_host
from tests.bench.pairing import Work
from tests.bench.rows import Row

DOC_PAGES = Path(__file__).resolve().parents[2] / "build" / "doc-pages"
DOC_PAGES_COUNT = 60
CHUNK_BYTES = 8 * 1024
SIZES = {"5 KB": 5_000, "50 KB": 50_000, "500 KB": 500_000, "5 MB": 5_000_000}
PARSER_TARGET, SOUP_TARGET = 1 / 7, 1 / 25


def make_scan_rows() -> Iterator[Row]:
    """Compare the scan with parsers on generated pages, and on real ones if they are there."""
    for name, size_bytes in SIZES.items():
        share = min(1.0, 50_000 / size_bytes)
        yield from _compare([make_article(size_bytes)], f"article of {name}", share)
    pages = list(load_doc_pages())
    if pages:
        yield from _compare(pages, f"{len(pages)} pages of PostgreSQL's manual", 0.05)


def _compare(pages: list[bytes], what: str, share: float) -> Iterator[Row]:
    ours, parser = _time(_scan_whole, pages), _time(_parse, pages)
    yield Row(
        name=f"scan, {what}, against html.parser", target=PARSER_TARGET, work=ours, base=parser, rounds_share=share
    )
    if find_spec("bs4"):
        soup = _time(_make_soup, pages)
        yield Row(
            name=f"scan, {what}, against BeautifulSoup",
            target=SOUP_TARGET,
            work=ours,
            base=soup,
            rounds_share=share / 4,
        )
    quick = _time(_look_quickly, pages)
    yield Row(name=f"quick look, {what}, against the scan", target=None, work=quick, base=ours, rounds_share=share)


def load_doc_pages() -> Iterator[bytes]:
    """Give real pages; none if they were not fetched."""
    paths = sorted(DOC_PAGES.glob("**/*.html"))
    for path in paths[:: max(1, len(paths) // DOC_PAGES_COUNT)]:
        yield path.read_bytes()


def say_what_is_missing() -> str:
    """Say what the rows need that this machine lacks; empty for nothing."""
    missing = []
    if not any(load_doc_pages()):
        missing.append("Pages of PostgreSQL's manual: left out. How to fetch them stands in tests/bench/scan.py.")
    if not find_spec("bs4"):
        missing.append("BeautifulSoup: left out, since beautifulsoup4 is not installed.")
    return "\n".join(missing)


def _time(work: Callable[[bytes], None], pages: list[bytes]) -> Work:
    def run(repeats: int) -> float:
        started = thread_time()
        for _ in range(repeats):
            for page in pages:
                work(page)
        return thread_time() - started

    return run


def _scan_whole(page: bytes) -> None:
    for _ in scan(page):
        pass


def _look_quickly(page: bytes) -> None:
    names_listed_host(page, lambda _: False)


class _Parser(HTMLParser):
    """Find the same start tags, as a reader of `html.parser` would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a" and any(name in ("src", "href") and value and "//" in value for name, value in attrs):
            self.found += 1


def _parse(page: bytes) -> None:
    parser = _Parser()
    parser.feed(page.decode())
    parser.close()


def _make_soup(page: bytes) -> None:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page, "html.parser")
    for tag in soup.find_all(["script", "img", "iframe", "link"]):
        tag.get("src")


def make_article(size_bytes: int) -> bytes:
    """Return an article page with four trackers at its end, and much on the way that looks like one."""
    random = Random(size_bytes)
    parts, length = [_FRONT], len(_FRONT)
    while length < size_bytes - len(_END):
        part = random.choice(_PARTS).replace(b"[n]", str(random.randrange(10_000)).encode())
        parts.append(part)
        length += len(part)
    return b"".join((*parts, _END))


_FRONT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ferries</title><meta name="viewport" content="width=device-width">
<meta property="og:url" content="https://own.example/ferries"><link rel="canonical" href="https://own.example/ferries">
<link rel="stylesheet" href="/static/site.css"><style>body{color:#123;margin:0}.a>b{top:1px}</style>
<script type="application/ld+json">{"headline":"Ferries"}</script></head><body class="page">
"""
_PARTS = (
    (
        b'<p class="text">The evening crossing waited for the tide, the mail and the choir; all three came within the hour. It left '
        b'at <b>22:04</b>, with <a href="/boats/[n]" class="link">boat [n]</a> in its wake &amp; nobody aboard.</p>\n'
    ),
    b'<h2 id="s[n]">Boat [n] runs late</h2>\n<ul class="tags"><li>harbour</li><li>ferry</li></ul>\n',
    (
        b'<figure><img src="/img/[n].jpg" width="640" height="360" alt="Boat [n] at the quay" loading="lazy"><figcaption>By M. Lind'
        b"</figcaption></figure>\n"
    ),
    b'<p>See <a href="https://www.example.org/[n]?a=1&amp;b=2" rel="noopener">what others wrote</a> about boat [n].</p>\n',
    b'<svg class="icon" viewBox="0 0 8 8" xmlns="http://www.w3.org/2000/svg"><path d="M0 0h8v8z"/></svg><!-- boat [n] -->\n',
    b'<div class="share" data-id="[n]"><button type="button" aria-label="Share">Share</button><span style="color:#222">[n]</span></div>\n',
    b"<script>window.boats = window.boats || []; window.boats.push([n] < 3);</script>\n",
    b'<table class="times"><tr><th>From</th><th>To</th></tr><tr><td>22:04</td><td>23:10</td></tr></table>\n',
)
_END = b"""<script async src="https://tracker.example/t.js"></script><img src="https://pixel.example/p.gif" width="1" height="1" alt="">
<iframe src="https://video.example/embed/1" title="Boat"></iframe><noscript><img src="https://pixel.example/n.gif"></noscript></body></html>
"""
