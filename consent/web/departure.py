"""What is done to the headers of every response as it leaves the app.

Flask saves the session after every `after_request` function, other extensions set cookies there or in `request_finished`, and
a response whose hooks failed runs through none of them. Only a layer around the app itself sees them all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.datastructures import Headers

from consent.web.caching import is_html, tell_caches
from consent.web.site import Site
from consent.web.visit import Visit, close_visit, has_visit, open_visit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("consent")


class Departing:
    """Hold a response that is about to leave: its headers, which rules may change, and the request that it answers."""

    def __init__(self, site: Site, environ: WSGIEnvironment, status: str, fields: list[tuple[str, str]]) -> None:
        self.site = site
        self.environ = environ
        self.status = status
        self._fields = fields
        self.names = frozenset(name.lower() for name, _ in fields)
        """Names of the headers as the app set them, in lower case."""

        self.is_visit_asked = False
        """Whether a rule has asked for the visit, so that caches may have to be told more."""

    @cached_property
    def headers(self) -> Headers:
        """The headers as they are to leave; made when a rule first looks, since most responses need nothing done."""
        return Headers(self._fields)

    def list_fields(self) -> list[tuple[str, str]]:
        """Return name and value of each header as it leaves."""
        return self.headers.to_wsgi_list() if "headers" in vars(self) else self._fields

    @property
    def is_page(self) -> bool:
        """Whether browsers show it as a page: HTML, not on the way elsewhere, nor without a body."""
        is_shown = self.status[:1] != "3" and self.status[:3] != "204"
        types = (value for name, value in self._fields if name.lower() == "content-type")
        return is_shown and is_html(next(types, None))

    @property
    def visit(self) -> Visit:
        """The visit of the request; what a rule reads of it, caches are told."""
        self.is_visit_asked = True
        return open_visit(self.site, self.environ)


Rule = Callable[[Departing], None]


class Departure:
    """Stand around an app, and let each rule look at the headers of every response."""

    def __init__(self, inner: WSGIApplication, site: Site, *, rules: Iterable[Rule]) -> None:
        self._inner = inner
        self._site = site
        self._rules = tuple(rules)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Run the app."""

        def start(status: str, fields: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
            return start_response(status, self._finish(environ, status, fields), *rest)  # type: ignore[arg-type]  # `exc_info`, or nothing

        return self._inner(environ, start)

    def _finish(self, environ: WSGIEnvironment, status: str, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        departing = Departing(self._site, environ, status, fields)
        for rule in self._rules:
            try:
                rule(departing)
            except Exception:  # a fault of ours must never cost the page
                log.exception("The headers could not be looked at by %r.", getattr(rule, "__name__", rule))
        if has_visit(environ, self._site):
            visit = open_visit(self._site, environ)
            if departing.is_visit_asked:
                tell_caches(departing.headers, visit)
            visit.is_answered = True
            if not visit.is_streamed:
                close_visit(environ)
        return departing.list_fields()


def surround(app: Flask, site: Site, *, rules: Iterable[Rule]) -> None:
    """Put the layer around an app."""
    app.wsgi_app = Departure(app.wsgi_app, site, rules=rules)  # type: ignore[method-assign]  # Flask's own way for middleware
