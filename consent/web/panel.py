"""The developer's panel: at the corner of each page, in debug mode alone, what got past its templates.

Which cookies are sent is known once the headers are done, so a layer around everything puts it in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from consent.core.record import Choice
from consent.web.caching import STALE_HEADERS
from consent.web.fragment import find_fragment_header
from consent.web.injection import splice
from consent.web.leak_log import describe_leak, watch
from consent.web.live_markup import find_live_markup
from consent.web.site import Site
from consent.web.visit import Visit, open_visit
from consent.wire.document import begins_document, find_end
from consent.wire.headers import join_fields
from consent.wire.shown_response import BODILESS, is_html

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("consent")

Fields = list[tuple[str, str]]
# Any: what a template is given.
Facts = dict[str, Any]

# They describe the page without the panel, or let caches keep it.
_REPLACED = STALE_HEADERS | {"content-length", "cache-control"}
_POLICY_STATES = {
    "off": "off",
    "report": "browsers report what it would block",
    "enforce": "browsers block what it does not allow",
}
_POLICY_HEADERS = {"report": "content-security-policy-report-only", "enforce": "content-security-policy"}
_ON_OFF = {Choice.GRANTED: "on", Choice.DENIED: "off"}


def add_panel(app: Flask, site: Site) -> None:
    """Put the panel around an app, if the site wants it."""
    if site.settings.panel:
        app.wsgi_app = Panel(app, app.wsgi_app, site)  # type: ignore[method-assign]  # Flask's own way for middleware


class Panel:
    """Stand around an app in debug mode; out of it, leave at the first request: only then is known whether it is.

    Where another layer has been put around it, it cannot leave, and passes everything on.
    """

    def __init__(self, app: Flask, inner: WSGIApplication, site: Site) -> None:
        self._app = app
        self._inner = inner
        self._site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Run the app, and put the panel into a page that is whole."""
        if not self._app.debug:
            if self._app.wsgi_app is self:
                self._app.wsgi_app = self._inner  # type: ignore[method-assign,assignment]  # as above
            return self._inner(environ, start_response)
        leaks = watch(environ)
        # Kept here: the request lets go of its visit when the headers are sent.
        visit = open_visit(self._site, environ)
        held = _HeldHead(visit, environ, start_response)
        chunks = self._inner(environ, held.start)
        if held.facts is None:
            held.is_late = True
            return chunks
        body = b"".join((*held.written, _join(chunks)))
        return held.send(body, self._insert_safely(body, visit, {**held.facts, "leaks": leaks}))

    def _insert_safely(self, body: bytes, visit: Visit, facts: Facts) -> bytes:
        try:
            return self._insert(body, visit, facts)
        except Exception:  # a fault of ours must never cost the page
            log.exception("The panel could not be put into a page.")
            return body

    def _insert(self, body: bytes, visit: Visit, facts: Facts) -> bytes:
        end = find_end(body) if begins_document(body) else None
        if end is None:
            return body
        leaks = (*facts["leaks"], *find_live_markup(visit, body))
        template = self._site.environment.get_template("consent/panel.html")
        markup = template.render({**facts, "leaks": [describe_leak(leak) for leak in leaks]})
        # In ASCII, so that it fits the encoding of any page.
        return splice(body, [(end, markup.encode("ascii", "xmlcharrefreplace"))])


class _HeldHead:
    """Hold back the head of a page until its body is there."""

    def __init__(self, visit: Visit, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._visit = visit
        self._environ = environ
        self._start_response = start_response
        self._status = ""
        self._fields: Fields = []
        self.written: list[bytes] = []
        """What an old kind of app writes instead of returning it."""

        self.facts: Facts | None = None
        """What the panel says of visitor and policy; None if the head is not held."""

        self.is_late = False
        """Whether the body is on its way already."""

    def start(self, status: str, fields: Fields, *rest: object) -> Callable[[bytes], object]:
        """Take the head, while there is a request: what the site's own functions know can be asked now alone."""
        is_held = not (self.is_late or rest or self._visit.is_own_page) and _is_page(self._environ, status, fields)
        self.facts = _describe_safely(self._visit, fields) if is_held else None
        if self.facts is None:
            return self._start_response(status, fields, *rest)  # type: ignore[arg-type]  # `exc_info`, or nothing
        self._status, self._fields = status, fields
        return self.written.append

    def send(self, before: bytes, after: bytes) -> list[bytes]:
        """Send the head that fits the body, and return the body."""
        fields = self._fields
        if before != after:
            # The panel belongs to this visitor and this moment.
            fields = [
                *((name, value) for name, value in fields if name.lower() not in _REPLACED),
                ("Content-Length", str(len(after))),
                ("Cache-Control", "no-store"),
            ]
        self._start_response(self._status, fields)
        return [after]


def _is_page(environ: WSGIEnvironment, status: str, fields: Fields) -> bool:
    """Whether it is a page that is sent whole: what is streamed says no length, and goes out as it comes."""
    known = join_fields(fields)
    return (
        is_html(known.get("content-type"))
        and "content-length" in known
        and "content-encoding" not in known
        and not known.get("content-disposition", "").lower().startswith("attachment")
        and environ["REQUEST_METHOD"] != "HEAD"
        and not find_fragment_header(environ)
        and int(status[:3]) not in BODILESS
    )


def _join(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _describe_safely(visit: Visit, fields: Fields) -> Facts | None:
    try:
        return _describe(visit, fields)
    except Exception:  # a fault of ours must never cost the page
        log.exception("The panel has nothing to say of a page.")
        return None


def _describe(visit: Visit, fields: Fields) -> Facts:
    # Caches need not be told: a page with the panel in it is for none.
    visit.is_dependent = True
    decision, mode = visit.decision, visit.site.settings.csp
    verdicts = {**decision.choices, **decision.services}
    policies = [value for name, value in fields if name.lower() == _POLICY_HEADERS.get(mode)]
    return {
        "stylesheet_url": visit.asset_url("panel.css"),
        "nonce": visit.nonce,
        "regime": decision.regime.value,
        "place": visit.jurisdiction or "unknown",
        "prompt": decision.prompt and f"{decision.prompt.kind.value}, {decision.prompt.reason.value}",
        "decisions": [(key, _ON_OFF[verdict], decision.reasons[key].value) for key, verdict in verdicts.items()],
        "policy_state": _POLICY_STATES[mode],
        # Ours comes after those of the app.
        "policy": policies[-1] if policies else "",
    }
