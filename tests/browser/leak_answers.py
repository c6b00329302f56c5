"""What the leaking site answers besides its pages: cookies in every way a server has, and files of its own."""

from __future__ import annotations

import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

from flask import Flask, Response, abort, redirect, request, request_finished, send_file, stream_with_context
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug import Response as PlainResponse

from consent import guard
from tests.browser.leak_ways import WAYS

Fill = Callable[[str, str], str]
"""Fills in a text of a way, by its key."""

_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "part": "text/html",
    "svg": "image/svg+xml",
    # Browsers find out by themselves what it is.
    "untyped": "",
    "wav": "audio/wav",
    "xhtml": "application/xhtml+xml",
    "xml": "text/xml",
}
_FILES: Final = {f"{way.key}{suffix}": (way.key, text) for way in WAYS for suffix, text in way.files.items()}


def add_answers(app: Flask, fill: Fill) -> None:
    """Add all of it to an app."""
    app.session_interface = _Sessions()
    _add_files(app, fill)
    _add_cookies(app)

    @app.get("/go")
    def go() -> PlainResponse:
        return redirect(request.args["to"])


def add_calls(app: Flask, find_host: Callable[[str], str], *, port: int, has_library: bool) -> None:
    """Add views that send something to the third party themselves, one of them with a guard around it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def send(key: str) -> None:
        address = socket.create_connection(("127.0.0.1", port))
        context.wrap_socket(address, server_hostname=find_host(key)).close()

    @app.get("/calls/server-call")
    def call() -> str:
        send("server-call")
        return ""

    @app.get("/calls/guarded-call")
    def call_with_guard() -> str:
        if not has_library or guard("tracker"):
            send("guarded-call")
        return ""


def _add_files(app: Flask, fill: Fill) -> None:
    @app.get("/<any(own, missing, streamed, compressed):folder>/<name>")
    def send_own(folder: str, name: str) -> Response:
        if name not in _FILES:
            abort(404)
        key, text = _FILES[name]
        text = fill(text, key)
        body: str | bytes | Iterator[str] = text
        if folder == "streamed":
            body = stream_with_context(text[at : at + 7] for at in range(0, len(text), 7))
        if folder == "compressed":
            body = gzip.compress(text.encode())
        response = Response(body, mimetype=_TYPES[name.rpartition(".")[2]])
        response.status_code = 404 if folder == "missing" else 200
        if not response.mimetype:
            del response.headers["Content-Type"]
        if folder == "compressed":
            response.headers["Content-Encoding"] = "gzip"
        if key != "kept-worker":
            response.headers["Cache-Control"] = "no-store"
            return response
        # Browsers keep it, and ask each time whether it is the same still.
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response


class _Sessions(SecureCookieSessionInterface):
    """A session extension that counts visitors by the session, and by a cookie beside it."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        super().save_session(app, session, response)
        if request.path == "/cookies/session":
            _set(response, "session")
        if request.path == "/cookies/own":
            response.set_cookie(self.get_cookie_name(app), request.args.get("visit", ""))


def _add_cookies(app: Flask) -> None:
    @app.get("/cookies/<kind>")
    def set_cookie(kind: str) -> PlainResponse:
        if kind in {"missing", "error"}:
            abort(404 if kind == "missing" else 500)
        response = _make(kind)
        if kind not in {"session", "own", "extension", "late"}:
            _set(response, kind)
        return response

    @app.errorhandler(404)
    @app.errorhandler(500)
    def fail(error: Exception) -> tuple[Response, int]:
        response = Response("Not here")
        kind = request.path.rpartition("/")[2]
        _set(response, kind)
        return response, getattr(error, "code", 500)

    @app.after_request
    def count(response: Response) -> Response:
        if request.path == "/cookies/extension":
            _set(response, "extension")
        return response

    _count_late(app)


def _count_late(app: Flask) -> None:
    def count(_sender: Flask, response: Response, **_: object) -> None:
        if request.path == "/cookies/late":
            _set(response, "late")

    # The app holds it: signals are weak.
    app.extensions["late"] = count
    request_finished.connect(count, app)


def _make(kind: str) -> PlainResponse:
    if kind == "redirect":
        return redirect("/own/track.wav")
    if kind == "streamed":
        return Response(iter(["a", "b"]), mimetype="text/plain")
    if kind == "file":
        return send_file(BytesIO(b"file"), mimetype="application/pdf")
    if kind == "image":
        return Response(b"GIF89a", mimetype="image/gif")
    return Response("Here")


def _set(response: PlainResponse, kind: str) -> None:
    beginning = "other" if kind == "stray" else "leak"
    response.set_cookie(f"{beginning}-cookie-{kind}", request.args.get("visit", ""), max_age=3600)
