"""Look at the site's own pages as a visitor would get them, and take note of what got past their templates."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import run_wsgi_app

from consent.core.choice import Action, choose
from consent.core.leak import AUDIT_MARK, Leak
from consent.core.privacy_signal import Signals
from consent.core.record import ConsentRecord
from consent.core.regime import Regime
from consent.web.leak_log import watch
from consent.web.live_markup import find_live_markup
from consent.web.rehearsal import Situation, imagine, run_apart
from consent.web.site import Site
from consent.web.visit import bind_visit, get_site
from consent.wire.shown_response import is_html

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("consent")

# Of a page that never ends, the beginning.
_BODY_LIMIT_BYTES = 8_000_000
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedPage:
    """Say what came of a visit."""

    path: str
    leaks: tuple[Leak, ...] = ()
    trouble: str = ""
    """Why there was no page; empty if there was one."""

    has_failed: bool = False
    """Whether the view failed, and not merely sent the visitor elsewhere or away."""


def audit_pages(app: Flask, paths: Collection[str], *, granted: Collection[str]) -> Iterator[AuditedPage]:
    """Visit pages as somebody who has granted these keys and nothing else, or without a choice for none.

    The views run; the visitor is nobody: nothing is recorded or counted.
    """
    for path in paths:
        yield run_apart(lambda path=path: _audit_page(app, path, granted))  # type: ignore[misc]  # bound at once


def list_plain_pages(app: Flask) -> tuple[str, ...]:
    """Return the addresses of the site's own pages that can be visited as they are: GET, without arguments in the path."""
    rules = (
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments and not rule.build_only and not rule.websocket
    )
    return tuple(dict.fromkeys(rule.rule for rule in rules if not rule.endpoint.startswith("consent.")))


def _audit_page(app: Flask, path: str, granted: Collection[str]) -> AuditedPage:
    site = get_site(app)
    at = site.engine.read_clock()
    visit = imagine(app, Situation(at=at, record=_make_record(site, granted) if granted else None), path)
    environ = dict(visit.environ)
    bind_visit(visit, environ)
    leaks = watch(environ)
    try:
        with _quietly():
            chunks, status, headers = run_wsgi_app(app, environ)
            body = _read(chunks)
    except Exception as error:  # noqa: BLE001 - the site's own code; the other pages are looked at all the same
        return AuditedPage(
            path=path, leaks=tuple(leaks), trouble=f"It failed with a {type(error).__name__}.", has_failed=True
        )
    code = int(status[:3])
    if is_html(headers.get("Content-Type")):
        # Nobody's caches need to be told.
        visit.is_dependent = True
        rule, endpoint = _find_route(app, environ)
        live = find_live_markup(visit, body, where=rule, endpoint=endpoint)
        leaks += (leak for leak in live if leak not in leaks)
    return AuditedPage(
        path=path,
        leaks=tuple(leaks),
        trouble=_describe_status(code, headers.get("Location", "")),
        has_failed=code >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _find_route(app: Flask, environ: WSGIEnvironment) -> tuple[str, str]:
    adapter = app.create_url_adapter(app.request_class(environ))
    try:
        rule, _ = adapter.match(return_rule=True) if adapter else (None, None)
    except HTTPException:
        return "", ""
    return (rule.rule, rule.endpoint) if rule else ("", "")


def _describe_status(code: int, location: str) -> str:
    if code < HTTPStatus.MULTIPLE_CHOICES:
        return ""
    return f"It was answered with {code}{f', to {location}' if location else ''}."


def _read(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > _BODY_LIMIT_BYTES:
                break
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return bytes(body)


def _make_record(site: Site, granted: Collection[str]) -> ConsentRecord:
    """Return the record of somebody who has just granted these keys and refused the rest."""
    engine, now = site.engine, site.engine.read_clock()
    stranger = engine.judge(None, signals=Signals(), jurisdiction=site.jurisdictions.find(None, now=now))
    return ConsentRecord(
        record_id=engine.new_id(),
        decided_at=now,
        valid_until=now + _ONE_DAY,
        regime=Regime.OPT_IN,
        signals=Signals(),
        choices=choose(engine.policy, Action.SAVE, granted=granted, before=stranger.decision),
        fingerprints=engine.policy.fingerprints,
        documents={document.key: document.fingerprint for document in engine.policy.documents},
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep out of the log what is reported anyway."""

    def is_other(record: logging.LogRecord) -> bool:
        return AUDIT_MARK not in record.getMessage()

    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)
