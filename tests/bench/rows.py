"""What is measured, against what, and how much it may cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import thread_time

import itsdangerous
from blinker import Signal
from flask import (
    Flask,
    appcontext_popped,
    appcontext_pushed,
    before_render_template,
    request,
    request_finished,
    request_started,
    template_rendered,
)
from werkzeug.test import create_environ

from consent import Policy
from consent.core.privacy_signal import Signals
from consent.jurisdictions import load_table
from consent.web.templating import render_banner
from consent.web.visit import Visit, get_site
from consent.wire.cookie import find_values
from tests.bench.in_process import OTHER_COOKIES, copy_text, get_cookie, request_page, start_response
from tests.bench.pairing import Work
from tests.bench.site import Placed, make_policy, make_site, stream_chunks

_NO_SIGNALS = Signals()
_UNKNOWN = load_table()[0].find(None, now=datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold one comparison."""

    name: str
    target: float | None
    """The ratio it should not pass; None for a row that only informs."""

    work: Work
    base: Work
    count: int = 1
    """How often the work does at once what the row is about."""

    rounds_share: float = 1.0
    """Which part of the rounds it gets: what takes long is an average already."""


def make_rows() -> list[Row]:
    """Build every comparison, in the order of the table."""
    return [*_response_rows(), *_cookie_rows(), _banner_row()]


# --- Whole responses ---------------------------------------------------------------------------------------------------


def _response_rows() -> Iterator[Row]:
    bare, plain, linked, full = (
        make_site(has_library=False),
        make_site(has_library=True),
        make_site(has_library=True, placed=Placed.LINK),
        make_site(has_library=True, placed=Placed.ALL),
    )
    accepted, refused = get_cookie(linked, is_grant=True), get_cookie(linked, is_grant=False)

    def row(name: str, target: float | None, app: Flask, path: str, cookie: str = "") -> Row:
        work, base = request_page(app, path, cookie), _without_receivers(request_page(bare, path, cookie))
        return Row(name=name, target=target, work=work, base=base)

    twin = _without_receivers(request_page(make_site(has_library=False), "/page/5", ""))
    bare_page = _without_receivers(request_page(bare, "/page/5", ""))
    yield Row(name="noise: two bare sites, 5 KB", target=None, work=twin, base=bare_page)
    yield row("JSON", 1.03, full, "/data")
    for kilobytes, decided, first in ((5, 1.04, 1.06), (50, 1.01, 1.02)):
        path = f"/page/{kilobytes}"
        yield row(f"decided (accepted), {kilobytes} KB, link placed", decided, linked, path, accepted)
        yield row(f"decided (refused), {kilobytes} KB, link placed", decided, linked, path, refused)
        yield row(f"decided (refused), {kilobytes} KB, link injected", None, plain, path, refused)
        yield row(f"first visit, {kilobytes} KB, banner placed", first, full, path)
        yield row(f"first visit, {kilobytes} KB, banner injected", first, plain, path)
    yield row("stream of 5 MB, banner injected", 1.2, plain, "/stream")
    # Pages that link to a network, as most do, and load from nowhere.
    holding = make_site(has_library=True, placed=Placed.ALL, config={"CONSENT_AUTO_HOLD": "enforce"})
    for kilobytes, target in ((5, 1.08), (50, 1.04), (500, 1.02)):
        path = f"/page/{kilobytes}"
        yield row(f"first visit, {kilobytes} KB, auto-hold, nothing to hold", target, holding, path)
        held, unheld = request_page(holding, path, ""), request_page(full, path, "")
        yield Row(name=f"auto-hold alone, {kilobytes} KB, nothing to hold", target=None, work=held, base=unheld)


_SIGNALS = (
    request_started,
    request_finished,
    appcontext_pushed,
    appcontext_popped,
    before_render_template,
    template_rendered,
)


def _without_receivers(work: Work) -> Work:
    """Run as in a process without the library: Flask's signals are shared by all apps of a process, and one receiver slows all."""

    def run(repeats: int) -> float:
        with _emptied(_SIGNALS):
            return work(repeats)

    return run


@contextmanager
def _emptied(signals: tuple[Signal, ...]) -> Iterator[None]:
    kept = [signal.receivers for signal in signals]
    for signal in signals:
        signal.receivers = {}
    try:
        yield
    finally:
        for signal, receivers in zip(signals, kept, strict=True):
            signal.receivers = receivers


def check_stream() -> str:
    """Say whether any chunk is held back once the head has gone out."""
    app = make_site(has_library=True)
    taken: list[int] = []

    def count_chunks() -> Iterator[bytes]:
        for number, chunk in enumerate(stream_chunks(), start=1):
            taken.append(number)
            yield chunk

    app.view_functions["stream"] = lambda: app.response_class(count_chunks(), mimetype="text/html")
    body = app(create_environ("/stream"), start_response)
    lags = [len(taken) - sent for sent, _ in enumerate(body, start=1)]
    body.close()  # type: ignore[attr-defined]  # Werkzeug's iterables have it
    is_held = max(lags) > 0
    return f"{'over' if is_held else 'ok'}, {len(lags)} chunks of {len(taken)} sent, at most {max(lags)} held back after the head"


# --- Cookie ------------------------------------------------------------------------------------------------------------


def _cookie_rows() -> Iterator[Row]:
    yield from _check_rows(make_policy("personalisation", "research", "support", services=()), "6 purposes")
    yield from _check_rows(make_policy(), "3 purposes, 6 services")


def _check_rows(policy: Policy, what: str) -> Iterator[Row]:
    app = make_site(has_library=True, policy=policy)
    engine = get_site(app).engine
    header = f"{OTHER_COOKIES}; {get_cookie(app, is_grant=True)}"
    serializer = itsdangerous.URLSafeTimedSerializer("a key that is long enough for every check", salt="bench")
    token = serializer.dumps({"id": str(uuid.uuid4()), "choices": dict.fromkeys(policy.fingerprints, "granted")})

    def load(repeats: int) -> float:
        started = thread_time()
        for _ in range(repeats):
            serializer.loads(token)
        return thread_time() - started

    codec = engine._codecs["consent"]
    (value,) = find_values(header, "consent")

    def time_each(check: Callable[[str], object], text: str) -> Work:
        def run(repeats: int) -> float:
            copies = [copy_text(text) for _ in range(repeats)]
            started = thread_time()
            for each in copies:
                check(each)
            return thread_time() - started

        return run

    def look_up(each: str) -> object:
        return engine.look_up(each, is_secure=False, signals=_NO_SIGNALS, jurisdiction=_UNKNOWN)

    def look_up_anew(each: str) -> object:
        codec.open.cache_clear()
        return look_up(each)

    yield Row(name=f"cookie check, miss, {what}", target=0.4, work=time_each(codec.open.__wrapped__, value), base=load)
    yield Row(name=f"cookie check, repeated, {what}", target=0.01, work=time_each(codec.open, value), base=load)
    yield Row(name=f"header to decision, miss, {what}", target=None, work=time_each(look_up_anew, header), base=load)
    yield Row(name=f"header to decision, repeated, {what}", target=None, work=time_each(look_up, header), base=load)


# --- Banner ------------------------------------------------------------------------------------------------------------


def _banner_row() -> Row:
    app = make_site(has_library=True)
    site = get_site(app)
    template = app.jinja_env.get_template("consent/banner.html")

    def produce(make_banner: Callable[[Visit], str]) -> Work:
        def run(repeats: int) -> float:
            with app.test_request_context("/page/5?from=front"):
                visits = [_read(Visit(site, request.environ)) for _ in range(repeats)]
                started = thread_time()
                for visit in visits:
                    make_banner(visit)
                return thread_time() - started

        return run

    return Row(
        name="banner text, against rendering it",
        target=0.01,
        work=produce(render_banner),
        base=produce(lambda visit: template.render(visit=visit)),
    )


def _read(visit: Visit) -> Visit:
    """Let a visit find its language and path, which is no part of making the text."""
    _ = visit.language, visit.next_path
    return visit
