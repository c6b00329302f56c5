"""What a ledger costs: choices that are posted, events that are appended, pages that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from consent.core.ledger import Ledger
from consent.ledger import open_ledger
from consent.web.visit import get_site
from tests.bench.choices import CHOICES, THREADS, ServedSite, post_in_process
from tests.bench.in_process import get_cookie, request_page
from tests.bench.ledgers import append, make_ledger_site
from tests.bench.pairing import Work
from tests.bench.rows import Row
from tests.bench.sealer import Sealer
from tests.postgres import find_program, run_server

# The targets are rates, and ratios here are of time: 0.55 of the choices a second take 1.82 times as long.
_POST_TARGET = 1 / 0.55
_GROUP_TARGET = 1 / 2.5
_BATCH_TARGET = 1 / 6
_SEALING_TARGET = 1.1

_CALLERS = 64
_BATCH = 100
# Tenths of a second each time, in which many threads have their turns: a few rounds are enough.
_APPENDED, _BATCHED = 256, 200
_ROUNDS_SHARE = 0.12


def make_ledger_rows(stack: ExitStack) -> Iterator[Row]:
    """Build the comparisons; files and processes end with the stack."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="consent-bench-")))
    address = f"sqlite:///{folder}/"
    yield _post_row("SQLite", lambda: f"{address}posted.db", stack, target=_POST_TARGET)
    yield _served_row(f"{address}served.db", stack)
    yield from _append_rows(f"{address}appended.db", stack)
    yield from _page_rows(f"{address}pages.db", stack)
    if has_postgresql():
        find_url = cache(lambda: stack.enter_context(run_server()).url())
        yield _post_row("PostgreSQL", find_url, stack)
        yield _batch_row("PostgreSQL", cache(lambda: _open(find_url(), stack)))


def has_postgresql() -> bool:
    """Whether a server can be started."""
    try:
        find_program("initdb")
    except RuntimeError:
        return False
    return True


def _post_row(name: str, find_url: Callable[[], str], stack: ExitStack, *, target: float | None = None) -> Row:
    return Row(
        name=f"choice posted, {name}, {THREADS} threads, against no ledger",
        target=target,
        work=_later(lambda: post_in_process(_make_site(find_url(), stack))),
        base=_later(lambda: post_in_process(make_ledger_site(""))),
        count=CHOICES,
        rounds_share=_ROUNDS_SHARE,
    )


def _served_row(url: str, stack: ExitStack) -> Row:
    def serve(url: str) -> Work:
        site = ServedSite(url)
        stack.callback(site.stop)
        return site.post()

    return Row(
        name=f"choice posted, SQLite, {THREADS} connections over HTTP, against no ledger",
        target=_POST_TARGET,
        work=_later(lambda: serve(url)),
        base=_later(lambda: serve("")),
        count=CHOICES,
        rounds_share=_ROUNDS_SHARE,
    )


def _append_rows(url: str, stack: ExitStack) -> Iterator[Row]:
    find_ledger = cache(lambda: _open(url, stack))
    append_row = partial(Row, count=_APPENDED, rounds_share=_ROUNDS_SHARE)
    append_at_once = partial(append, count=_APPENDED, threads=_CALLERS)
    yield append_row(
        name=f"event appended, SQLite, {_CALLERS} threads, against one",
        target=_GROUP_TARGET,
        work=_later(lambda: append_at_once(find_ledger())),
        base=_later(lambda: append(find_ledger(), count=_APPENDED)),
    )
    yield _batch_row("SQLite", find_ledger)

    def append_to_another(name: str, *, is_sealed: bool) -> Work:
        # A file of its own for either: what was appended before is as much in both.
        other = url.replace("appended", name)
        sealer = Sealer(other) if is_sealed else None
        if sealer:
            stack.callback(sealer.stop)
        return append_at_once(_open(other, stack), sealer=sealer)

    yield append_row(
        name=f"event appended, SQLite, {_CALLERS} threads, while others are sealed",
        target=_SEALING_TARGET,
        work=_later(lambda: append_to_another("sealed", is_sealed=True)),
        base=_later(lambda: append_to_another("unsealed", is_sealed=False)),
    )


def _batch_row(name: str, find_ledger: Callable[[], Ledger]) -> Row:
    return Row(
        name=f"event appended, {name}, {_BATCH} in a batch, against one by one",
        target=_BATCH_TARGET,
        work=_later(lambda: append(find_ledger(), count=_BATCHED, batch=_BATCH)),
        base=_later(lambda: append(find_ledger(), count=_BATCHED)),
        count=_BATCHED,
        rounds_share=_ROUNDS_SHARE,
    )


def _page_rows(url: str, stack: ExitStack) -> Iterator[Row]:
    plain, kept, strict = (
        cache(partial(make_ledger_site, "")),
        cache(partial(_make_site, url, stack)),
        cache(partial(_make_site, url, stack, CONSENT_LEDGER_STRICT_REVOCATION=True)),
    )
    find_cookie = cache(lambda: get_cookie(kept(), is_grant=True))
    yield Row(
        name="decided (accepted), 5 KB, strict revocation, against without it",
        target=None,
        work=_later(lambda: request_page(strict(), "/page/5", find_cookie())),
        base=_later(lambda: request_page(kept(), "/page/5", find_cookie())),
    )
    yield Row(
        name="first visit, 5 KB, counted in the ledger, against no ledger",
        target=None,
        work=_later(lambda: request_page(kept(), "/page/5", "")),
        base=_later(lambda: request_page(plain(), "/page/5", "")),
    )
    yield Row(
        name="receipt, SQLite, against the page of 5 KB",
        target=None,
        work=_later(lambda: request_page(kept(), "/privacy-choices/receipt", find_cookie())),
        base=_later(lambda: request_page(kept(), "/page/5", find_cookie())),
    )


def _make_site(url: str, stack: ExitStack, **config: object) -> Flask:
    app = make_ledger_site(url, **config)
    site = get_site(app)
    if site.ledger and site.tallying:
        stack.callback(site.ledger.close)
        # What it has counted is written before its file goes away, not at exit.
        stack.callback(site.tallying.flush)
    return app


def _open(url: str, stack: ExitStack) -> Ledger:
    ledger = open_ledger(url, folder=Path())
    ledger.prepare()
    stack.callback(ledger.close)
    return ledger


def _later(make: Callable[[], Work]) -> Work:
    """Make the work when it is done for the first time: a row that nobody asked for starts no server."""
    find = cache(make)

    def run(repeats: int) -> float:
        return find()(repeats)

    return run
