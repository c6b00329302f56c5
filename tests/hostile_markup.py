"""Pages made to slow a scan down: each repeats what a careless pattern would look at again and again.

    python -m tests.hostile_markup

prints how long each takes to scan, to scan in pieces and to hold, and ten times as much of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import thread_time

from flask import Flask

from consent import Consent
from consent.web.auto_hold import hold_page, may_hold
from consent.web.markup_holding import PageKind
from consent.web.visit import get_visit
from consent.wire.markup_scan import MarkupScanner, scan

# In front, what is repeated, and behind.
HOSTILE: dict[str, tuple[bytes, bytes, bytes]] = {
    "open brackets": (b"", b"<", b""),
    "open tags": (b"", b"<a", b""),
    "open tags with a space": (b"", b"<a ", b""),
    "attributes without end": (b"<img ", b"a ", b""),
    "attributes with values without end": (b"<img ", b'a="b" ', b""),
    "attributes joined": (b"<img ", b'a="b"', b">"),
    "equals signs": (b"<img ", b"=", b">"),
    "spaced equals signs": (b"<img ", b"a = ", b">"),
    "quotes": (b"<img ", b'"', b">"),
    "open quotes": (b"", b'<a b="', b""),
    "slashes in a tag": (b"<img ", b"/", b">"),
    "spaces in a tag": (b"<img", b" ", b""),
    "one long value": (b'<img src="//', b"x", b'">'),
    "one long bare value": (b"<img src=//", b"x/", b">"),
    "many sources": (b"<img ", b"src=//a ", b">"),
    "open comments": (b"", b"<!--", b""),
    "dashes": (b"<!--", b"-", b""),
    "dashes and bangs": (b"<!--", b"--!", b""),
    "open declarations": (b"", b"<!", b""),
    "open questions": (b"", b"<?", b""),
    "open end tags": (b"", b"</", b""),
    "end tags without end": (b"", b"</p ", b""),
    "scripts without end": (b"", b"<script>", b""),
    "scripts in comments": (b"<script>", b"<!--<script>", b""),
    "script ends without end": (b"<script>", b"</script ", b""),
    "slashes in a script": (b"<script>", b"/", b""),
    "styles without end": (b"", b"<style>", b""),
    "colons in a style": (b"<style>", b"a:", b""),
    "titles without end": (b"", b"<title>", b""),
    "areas closed by others": (b"<textarea>", b"</textareas>", b""),
    "noscripts without end": (b"", b"<noscript>", b""),
    "noscripts": (b"", b"<noscript><p></noscript>", b""),
    "noscripts with open comments": (b"", b"<noscript><!--</noscript>", b""),
    "open svgs": (b"", b"<svg>", b""),
    "icons without end": (b"", b"<svg><path/>", b""),
    "groups without end": (b"<svg>", b"<g>", b""),
    "groups closed by others": (b"<svg>" + b"<g>" * 400, b"</x>", b""),
    "styles in svg": (b"<svg>", b"<style>", b""),
    "styles in svg, closed once": (b"<svg>", b"<style>", b"</style>"),
    "styles in svg in doubt": (b"<svg></x>", b"<style>//", b""),
    "scripts in svg in doubt": (b"<svg></x>", b"<script></script>", b""),
    "CDATA in doubt": (b"<svg></x>", b"<![CDATA[>", b""),
    "CDATA without end": (b"<svg>", b"<![CDATA[", b""),
    "paragraphs in svg": (b"<svg><foreignObject>", b"<div>", b""),
    "templates": (b"", b"<template>", b""),
    "templates closed once more": (b"", b"<template></template></template>", b""),
    "selects": (b"", b"<select>", b""),
    "options without end": (b"<select>", b"<option>", b""),
    "styles in a select": (b"<select>", b"<style></style>", b""),
    "styles without end in a select": (b"<select>", b"<style>", b""),
    "references": (b'<img src="', b"&#x2f;", b'">'),
    "references without end": (b'<img src="', b"&am", b'">'),
    "names without end": (b"<", b"a", b""),
    "plain texts": (b"", b"<plaintext>", b""),
    "slashes": (b"", b"//", b""),
    "hosts": (b"", b"//a.b@", b""),
    "host of many labels": (b"<p>//", b"a.", b"</p>"),
    "host of many labels in a tag": (b'<img src="//', b"a.", b'">'),
    "host of many labels in a script": (b"<script>load('//", b"a.", b"')</script>"),
    "host of many labels under a known one": (b'<img src="//', b"a.", b'google.com">'),
    "host of many signs": (b"//", b"%61", b""),
    "host of many references": (b"//", b"&#8203;", b".example"),
    "host of many user names": (b"//", b"a@", b"a.example"),
    "known hosts": (b"", b"//www.youtube.com/ ", b""),
    "known sources of one tag": (b"<img ", b"src=//i.ytimg.com/a ", b">"),
    "known links of one tag": (b"<link rel=icon ", b"href=//i.ytimg.com/a ", b">"),
    "known pixels": (b"", b"<img src=//i.ytimg.com/a>", b""),
    "known addresses in a style": (b"<style>", b"url(//i.ytimg.com/a ", b"</style>"),
    "known addresses in a style of a tag": (b'<p style="', b"url(//i.ytimg.com/a);", b'">'),
    "known addresses in a script": (b"<script>f(1);", b"i.src='//i.ytimg.com/a';", b"</script>"),
    "texts without end in a script": (b"<script>'//i.ytimg.com/a'", b"\\'", b"</script>"),
    "names without end in a script": (b"<script>'//i.ytimg.com/a'", b"a", b"</script>"),
    "links to known hosts": (b"", b"<a href=//www.youtube.com>", b""),
    "links without end": (b"", b'<a " href=//www.youtube.com ', b""),
    "data": (b"", b"data:text/html,%2F%2F", b""),
    "data in base64": (b"", b"data:;base64,Ly9h ", b""),
    "long data in base64": (b"data:;base64,", b"Ly9h", b""),
    "types of data": (b"", b"data:a/", b""),
    "escapes": (b"//", b"\\", b""),
    "escapes behind hosts": (b"", b"//a\\.", b""),
    "broken slashes": (b"", b"/\n", b""),
    "schemes": (b"", b"https:", b""),
}


def make_page(name: str, size_bytes: int) -> bytes:
    front, middle, end = HOSTILE[name]
    return front + middle * max(1, size_bytes // len(middle)) + end


def scan_whole(page: bytes) -> None:
    for _ in scan(page):
        pass


def scan_streamed(page: bytes, chunk_bytes: int = 512) -> None:
    scanner = MarkupScanner()
    for at in range(0, len(page), chunk_bytes):
        scanner.feed(page[at : at + chunk_bytes])
    scanner.finish()


def make_hold() -> Callable[[bytes], None]:
    """Return a function that holds what is in a page, on a site with services and every known host."""
    app = Flask("newspaper")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=["youtube", "google-analytics"])

    def hold(page: bytes) -> None:
        with app.test_request_context():
            visit = get_visit()
            if may_hold(page, visit.site):
                hold_page(page, visit, PageKind(encode=str.encode))

    return hold


def main() -> int:
    size_bytes = 50_000
    works = (scan_whole, scan_streamed, make_hold())
    for name in HOSTILE:
        rows = []
        for work in works:
            seconds = [_time(work, make_page(name, size)) for size in (size_bytes, size_bytes * 10)]
            rows.append(f"{seconds[1] * 1e9 / size_bytes / 10:8.1f} ns a byte, x{seconds[1] / seconds[0]:5.1f}")
        print(name.ljust(40) + " | ".join(rows))
    return 0


def _time(work, page: bytes) -> float:
    started = thread_time()
    work(page)
    return thread_time() - started


if __name__ == "__main__":
    sys.exit(main())
