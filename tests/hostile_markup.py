"""Pages made to slow a scan down: each repeats what a careless pattern would look at again and again.

    python -m tests.hostile_markup

prints how long each takes, and ten times as much of it.
"""

from __future__ import annotations

import sys
from time import thread_time

from consent.wire.markup_scan import MarkupScanner, scan
from consent.wire.prefilter import names_listed_host

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


def look_quickly(page: bytes) -> None:
    names_listed_host(page, lambda _: False)


def main() -> int:
    size_bytes = 50_000
    for name in HOSTILE:
        rows = []
        for work in (scan_whole, scan_streamed, look_quickly):
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
