"""Many visitors who choose at once: from threads of this process, and over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from time import perf_counter
from typing import TypeVar

from flask import Flask

from tests.bench.in_process import ChoiceForm, consume, find_form
from tests.bench.pairing import Work

THREADS = 16
CHOICES_PER_THREAD = 8
CHOICES = THREADS * CHOICES_PER_THREAD

Item = TypeVar("Item")


def run_in_threads(pool: ThreadPoolExecutor, work: Callable[[Item], object], shares: Sequence[Iterable[Item]]) -> float:
    """Do the work with every item of each share, a share in a thread; return the seconds until the last is done."""

    def do_share(share: Iterable[Item]) -> None:
        for item in share:
            work(item)

    started = perf_counter()
    for each in [pool.submit(do_share, share) for share in shares]:
        each.result()
    return perf_counter() - started


def post_in_process(app: Flask) -> Work:
    """Post `CHOICES` at a time to an app, from as many threads as a server would have."""
    form = find_form(app.test_client().get("/page/5").text)
    pool = ThreadPoolExecutor(THREADS)

    def run(repeats: int) -> float:
        shares = [[form.make_environ() for _ in range(repeats * CHOICES_PER_THREAD)] for _ in range(THREADS)]
        return run_in_threads(pool, partial(consume, app), shares)

    return run


class ServedSite:
    """Run the site in a process of its own, behind Werkzeug's server with a thread for each connection."""

    def __init__(self, ledger_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serve", ledger_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> None:
        """End the server, which writes what waits."""
        self._process.communicate()

    def post(self) -> Work:
        """Post `CHOICES` at a time, over connections that stay open."""
        port = self._read_port()
        connections = [HTTPConnection("127.0.0.1", port) for _ in range(THREADS)]
        connections[0].request("GET", "/page/5")
        form = find_form(connections[0].getresponse().read().decode())
        pool = ThreadPoolExecutor(THREADS)

        def run(repeats: int) -> float:
            shares = [[(each, form)] * (repeats * CHOICES_PER_THREAD) for each in connections]
            return run_in_threads(pool, _post, shares)

        return run

    def _read_port(self) -> int:
        if self._process.stdout is None:
            raise RuntimeError("The server's output is not read.")
        return int(self._process.stdout.readline())


def _post(item: tuple[HTTPConnection, ChoiceForm]) -> None:
    connection, form = item
    connection.request("POST", form.path, form.write_body(), dict(form.headers))
    answer = connection.getresponse()
    answer.read()
    if answer.status != 303:
        raise RuntimeError(f"A choice was answered with {answer.status}.")
