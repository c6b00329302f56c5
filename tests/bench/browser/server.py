"""Serve the pages and their files as they were made beforehand, so that no server's work is measured."""

from __future__ import annotations

from collections.abc import Callable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import brotli  # type: ignore[import-untyped]  # ships no types

from tests.bench.browser.pages import File, Scene

# The highest, as for files compressed once. The same for every answer, the pages included.
_QUALITY = 11


def make_server_app(scene: Scene) -> WSGIApplication:
    """Return an app that answers with brotli, whatever the path."""
    pages = {
        f"/{page.name}": File(body=page.html.encode(), content_type="text/html; charset=utf-8") for page in scene.pages
    }
    answers = {path: _prepare(file) for path, file in (scene.files | pages).items()}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if "br" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
            start_response("406 Not Acceptable", [("Content-Length", "0")])
            return [b""]
        send = answers.get(environ["PATH_INFO"], _send_nothing)
        return send(start_response)

    return answer


def _prepare(file: File) -> Callable[[StartResponse], list[bytes]]:
    body = brotli.compress(file.body, quality=_QUALITY)
    headers = [
        ("Content-Type", file.content_type),
        ("Content-Encoding", "br"),
        ("Content-Length", str(len(body))),
        ("Vary", "Accept-Encoding"),
    ]

    def send(start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", headers)
        return [body]

    return send


def _send_nothing(start_response: StartResponse) -> list[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]
