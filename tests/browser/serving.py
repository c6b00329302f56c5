"""Servers of the tests: one thread each, on a port that the system picks."""

from __future__ import annotations

import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import ClassVar, Final, Self
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

# Self-signed, for names under localhost; browsers are told to take it. It guards nothing.
CERTIFICATE: Final = Path(__file__).parent / "certificate.pem"
TIMEOUT_SECONDS: Final = 20.0


class _QuietHandler(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Say nothing: what reached a server is asserted, not printed."""


class Server(ThreadedWSGIServer):
    """A server that also counts connections: a preconnect is one without a request."""

    def __init__(self, app: WSGIApplication, *, ssl_context: ssl.SSLContext | None = None) -> None:
        """Bind to a free port of this machine."""
        self.connections = 0
        super().__init__("127.0.0.1", 0, _answer_whole(app), _QuietHandler, ssl_context=ssl_context)

    def process_request(self, *args: object) -> None:
        """Count, then handle in a thread of its own."""
        self.connections += 1
        super().process_request(*args)  # type: ignore[arg-type]  # passed on as given


def _answer_whole(app: WSGIApplication) -> WSGIApplication:
    """Read each body to its end first: when a browser hangs up, Werkzeug's server may forget to close it."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = app(environ, start_response)
        try:
            return [b"".join(body)]
        finally:
            getattr(body, "close", lambda: None)()

    return answer


@contextmanager
def serve(app: WSGIApplication, *, is_secure: bool = False) -> Iterator[Server]:
    """Run an app until the block ends."""
    server = Server(app, ssl_context=_make_ssl_context() if is_secure else None)
    # How long its end may take: hundreds of tests wait for that.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ServedSite(ABC):
    """A site of the tests that knows its address once it runs, and is an app itself, so that it sees every request."""

    host: ClassVar[str]

    def __init__(self) -> None:
        self.url = ""

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Start it; stop it when the block ends."""
        site = cls()
        with serve(site) as server:
            site.url = f"http://{site.host}:{server.port}"
            yield site

    @abstractmethod
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""


class LoadingSite(ServedSite):
    """A site of one app, which is made once the port is known, and a note of what browsers loaded from others."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        """What browsers have loaded of what the pages name, oldest first."""

        self._app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        self._app = self._app or self._make_app()
        return self._app(environ, start_response)

    @abstractmethod
    def _make_app(self) -> WSGIApplication:
        """Make the app."""


def read_form(environ: WSGIEnvironment) -> Mapping[str, Sequence[str]]:
    """Read what was posted, and leave it to be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return parse_qs(body.decode())


def is_page_load(environ: WSGIEnvironment) -> bool:
    """Whether the browser itself loads a page with a request, not a script."""
    return environ.get("HTTP_SEC_FETCH_MODE") == "navigate"


def _make_ssl_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that a server notes, which no browser event tells.

    Raises:
        TimeoutError: If it does not come about.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not come about within {TIMEOUT_SECONDS:.0f} s.")
        time.sleep(0.02)
