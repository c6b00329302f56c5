"""What it needs in memory to find and to hold what contacts services: whole pages of 5 MB, and streams of as much."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

from flask import Flask, Response

from consent import Consent, Service
from consent.web.auto_hold import hold_page, hold_response
from consent.web.markup_holding import PageKind
from consent.web.visit import get_visit
from consent.wire.markup_scan import scan
from tests.bench.scan import CHUNK_BYTES, SIZES, make_article

WHOLE_LIMIT, STREAM_LIMIT_BYTES = 2.1, 64 * 1024
_SIZE = SIZES["5 MB"]
_FRONT = b"<!doctype html><html><head><title>Ferries</title></head><body>"


def measure_memory() -> str:
    """Say how much memory whole pages need, each with itself, and streams beside what they send."""
    page = make_article(_SIZE)
    scanned = _find_peak(lambda: _scan(page)) / len(page) + 1
    with _make_app().test_request_context():
        held = _find_peak(lambda: _hold(page)) / len(page) + 1
        streams = [(name, _find_peak_of_stream(data)) for name, data in _make_streams(page)]
    told = ", ".join(f"{name} {size / 1024:.0f} KB ({_judge(size <= STREAM_LIMIT_BYTES)})" for name, size in streams)
    return (
        f"memory, article of 5 MB: scanned {scanned:.2f} times the page, four trackers in it held {held:.2f} times the page "
        f"({_judge(held <= WHOLE_LIMIT)}); in chunks of 8 KB, beside what is sent: {told}"
    )


def _make_app() -> Flask:
    app = Flask("newspaper")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    hosts = ("tracker.example", "pixel.example", "video.example")
    Consent(app, services=[Service("stats", name="Stats", purposes=("analytics",), hosts=hosts)])
    return app


def _make_streams(article: bytes) -> Iterator[tuple[str, bytes]]:
    yield "article", article
    yield "script", _FRONT + b"<script>" + b"a += 1; " * (_SIZE // 8) + b"</script>"
    yield "tag of attributes", _FRONT + b"<img " + b"a=b " * (_SIZE // 4) + b">"
    yield "tag with one value", _FRONT + b'<img src="/' + b"x" * _SIZE + b'">'
    yield "srcset", _FRONT + b'<img srcset="' + b"/a 1x, " * (_SIZE // 7) + b'">'
    yield "comment", _FRONT + b"<!--" + b"x " * (_SIZE // 2) + b"-->"
    yield "script of a service", _FRONT + b"<script>load('//tracker.example/t.js');" + b"a += 1; " * (_SIZE // 8)


def _scan(page: bytes) -> None:
    for _ in scan(page):
        pass


def _hold(page: bytes) -> None:
    hold_page(page, get_visit(), PageKind(encode=str.encode))


def _find_peak_of_stream(page: bytes) -> int:
    """Return what a stream needs beside the longest piece that it sends."""
    longest = 0

    def send() -> None:
        nonlocal longest
        view = memoryview(page)
        chunks = (bytes(view[at : at + CHUNK_BYTES]) for at in range(0, len(page), CHUNK_BYTES))
        response = Response(chunks, content_type="text/html; charset=utf-8")
        hold_response(response, get_visit(), is_injected=False)
        for each in response.response:
            longest = max(longest, len(each))

    return _find_peak(send) - longest


def _find_peak(work: Callable[[], None]) -> int:
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _judge(is_met: bool) -> str:
    return "ok" if is_met else "over"
