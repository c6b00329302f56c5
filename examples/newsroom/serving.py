"""Run both servers in one process, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType
from wsgiref.types import WSGIApplication

from werkzeug.serving import BaseWSGIServer, make_server

from consent.errors import ConsentError

from .app import NEWS_PORT, TRACKER_PORT, create_development_site
from .ledger_file import LedgerAddressError, describe_ledger, find_ledger_address
from .trackers import create_tracker_app

HOST = "127.0.0.1"

_WELCOME = """
  The Harbour Post       http://news.localhost:{news}/
  Arabic edition         http://news.localhost:{news}/ar/
  What the trackers saw  http://news.localhost:{news}/what-the-trackers-saw

  Try this:
    1. Read a story before you choose anything, then look at what the trackers saw: nothing.
    2. Reject all, read on, look again. Then accept all, and look once more.
    3. Load the film of the ferry alone, from its placeholder.
    4. See, under the trackers' log, what the tag of Harbour Ads was told by Google's consent mode: denied, then an update.
    5. Withdraw under "Privacy choices", at the foot of every page, and look a last time.

  At the foot of every page, for developers:
    6. Visit from Japan, California or France: the same site informs, offers an opt-out, or asks.
    7. Choose the earlier privacy policy, answer the banner, choose the revised one: it is announced.
       build/venv-demo/bin/flask --app examples.newsroom consent explain --country JP   says why.
    8. Read the receipt of your choice, and, as the operator, the numbers of all choices.
{ledger}
  Most services run on this machine. Google Analytics, YouTube and OpenStreetMap are the real ones, once you allow them.
  Ctrl-C stops both servers.
"""


class PortError(OSError):
    """A port cannot be had."""


def main(arguments: list[str] | None = None) -> int:
    options = _read_options(arguments)
    try:
        with _bind(options.port, "--port") as news, _bind(options.tracker_port, "--tracker-port") as trackers:
            _run(news, trackers)
    except (PortError, LedgerAddressError, ConsentError) as error:
        print(error, file=sys.stderr)
        return 1
    print("Stopped.")
    return 0


def _run(news: socket.socket, trackers: socket.socket) -> None:
    news_port, tracker_port = (bound.getsockname()[1] for bound in (news, trackers))
    address = find_ledger_address()
    site = create_development_site(tracker_port=tracker_port, ledger=address)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    servers = [_serve(site, news), _serve(create_tracker_app(), trackers)]
    ledger = describe_ledger(address, key=site.revised.config["SECRET_KEY"])
    print(_WELCOME.format(news=news_port, ledger=ledger), flush=True)
    _wait_for_signal()
    for server in servers:
        server.shutdown()
        server.server_close()


def _read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.newsroom", description="A news site that asks before it tracks."
    )
    parser.add_argument(
        "--port", type=int, default=os.environ.get("NEWSROOM_PORT", str(NEWS_PORT)), help="of the site; 0 for any"
    )
    parser.add_argument(
        "--tracker-port",
        type=int,
        default=os.environ.get("NEWSROOM_TRACKER_PORT", str(TRACKER_PORT)),
        help="of the third parties; 0 for any",
    )
    return parser.parse_args(arguments)


def _bind(port: int, option: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortError(
            f"Port {port} cannot be used: {error}. Choose another with {option}, or NEWSROOM_{option[2:].replace('-', '_').upper()} before 'make demo'."
        ) from error
    return listener


def _serve(app: WSGIApplication, listener: socket.socket) -> BaseWSGIServer:
    server = make_server(HOST, listener.getsockname()[1], app, threaded=True, fd=listener.fileno())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _wait_for_signal() -> None:
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    stopped.wait()
