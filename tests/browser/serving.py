"""Servers of the tests: one thread each, on a port that the system picks."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

# Self-signed, for names under localhost; browsers are told to take it. It guards nothing.
CERTIFICATE: Final = Path(__file__).parent / "certificate.pem"


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: what reached a server is asserted, not printed."""


class Server(ThreadedWSGIServer):
    """A server that also counts connections: a preconnect is one without a request."""

    def __init__(self, app: WSGIApplication, *, ssl_context: ssl.SSLContext | None = None) -> None:
        """Bind to a free port of this machine."""
        self.connections = 0
        super().__init__("127.0.0.1", 0, app, _QuietHandler, ssl_context=ssl_context)

    def process_request(self, *args: object) -> None:
        """Count, then handle in a thread of its own."""
        self.connections += 1
        super().process_request(*args)  # type: ignore[arg-type]  # passed on as given


@contextmanager
def serve(app: WSGIApplication, *, is_secure: bool = False) -> Iterator[Server]:
    """Run an app until the block ends."""
    server = Server(app, ssl_context=_make_ssl_context() if is_secure else None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _make_ssl_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
