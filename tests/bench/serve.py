"""Serve the measured site until the input ends: `python -m tests.bench.serve [LEDGER_URL]`; prints the port."""

from __future__ import annotations

import sys
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.bench.ledgers import make_ledger_site


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write no line for each request: production servers have it done elsewhere, or not at all."""


def main() -> None:
    """Serve on a free port of this machine."""
    app = make_ledger_site(sys.argv[1])
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
