"""What is done to the headers of every response as it leaves the app.

Flask saves the session after every `after_request` function, other extensions set cookies there or in `request_finished`, and
a response whose hooks failed runs through none of them. Only a layer around the app itself sees them all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.datastructures import Headers

from consent.core.leak import Leak
from consent.web.caching import tell_caches
from consent.web.site import Site
from consent.web.visit import Visit, close_visit, has_visit, open_visit
from consent.wire.shown_response import is_page, may_load

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("consent")

# Those that browsers follow (Fetch Standard, "redirect status").
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})


class Departing:
    """Hold a response that is about to leave: its headers, which rules may change, and the request that it answers."""

    def __init__(self, site: Site, environ: WSGIEnvironment, status: str, fields: list[tuple[str, str]]) -> None:
        self.site = site
        self.environ = environ
        self.status = status
        self.fields = fields
        """Name and value of each header as it is to leave. The list is the app's own: put another in its place.

        Plain: Werkzeug's `Headers` refuses all of them for one with a line break, which a layer within may send.
        """

        self.names = frozenset(name.lower() for name, _ in fields)
        """Names of the headers as the app set them, in lower case; not of those that a rule before this one added."""

        self.leaks: list[Leak] = []
        """What rules found; the developer is told last, so that whatever a handler of the log does, the headers are right."""

        self.is_visit_asked = False
        """Whether a rule has asked for the visit, so that caches may have to be told more."""

        self.is_closed = False
        """Whether something failed, and whoever gets the response gets less than may be theirs: no cache may hand it to others."""

    def find_values(self, name: str) -> list[str]:
        """Return the values of a header, in the order of the response."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def replace(self, name: str, values: Iterable[str] = ()) -> None:
        """Put values in place of those that a header has; the other headers stay as they are."""
        kept = [(each, value) for each, value in self.fields if each.lower() != name.lower()]
        self.fields = [*kept, *((name, value) for value in values)]

    def add(self, name: str, value: str) -> None:
        """Add a header, beside those of its name."""
        self.fields = [*self.fields, (name, value)]

    @property
    def is_page(self) -> bool:
        """Whether browsers show it as a page: HTML, not on the way elsewhere, nor without a body."""
        return is_page(self._content_type) and self._is_shown

    @property
    def may_load(self) -> bool:
        """Whether browsers may show it as a document that loads something, such as SVG; every page is one."""
        return may_load(self._content_type) and self._is_shown

    @property
    def _content_type(self) -> str | None:
        return ",".join(self.find_values("Content-Type")) if "content-type" in self.names else None

    @property
    def _is_shown(self) -> bool:
        code = self.status[:3]
        # Without a place to go to, browsers show what a redirect says.
        return code not in ("204", "304") and not (code in _REDIRECTS and "location" in self.names)

    @property
    def visit(self) -> Visit:
        """The visit of the request; what a rule reads of it, caches are told."""
        self.is_visit_asked = True
        return open_visit(self.site, self.environ)


@dataclass(frozen=True, slots=True)
class Rule:
    """Say what is done to the headers of every response."""

    apply: Callable[[Departing], None]
    close: Callable[[Departing], None]
    """What is done where that fails: the answer for a visitor who has granted nothing. It asks nothing of the visit."""


class Departure:
    """Stand around an app, and let each rule look at the headers of every response."""

    def __init__(self, inner: WSGIApplication, site: Site, *, rules: Iterable[Rule]) -> None:
        self._inner = inner
        self._site = site
        self._rules = tuple(rules)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Run the app."""
        path = environ.get("PATH_INFO", "")

        def start(status: str, fields: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
            departing = Departing(self._site, environ, status, fields)
            mount = _find_mount(environ, path)
            _move(environ, mount, "")
            try:
                self._finish(departing)
            finally:
                _move(environ, "", mount)
            return start_response(status, departing.fields, *rest)  # type: ignore[arg-type]  # `exc_info`, or nothing

        return self._inner(environ, start)

    def _finish(self, departing: Departing) -> None:
        for rule in self._rules:
            _apply(rule, departing)
        try:
            _let_go(departing)
        except Exception:  # a fault of ours must never cost the page; no cache may keep it, though
            log.exception("Caches could not be told what the response depends on; it was sent as 'no-store'.")
            departing.replace("Cache-Control", ["no-store"])
        try:
            for leak in departing.leaks:
                self._site.leaks.note(leak)
        except Exception:  # nor may a fault of the log
            log.exception("What got past the templates could not be told.")


def surround(app: Flask, site: Site, *, rules: Iterable[Rule]) -> None:
    """Put the layer around an app."""
    app.wsgi_app = Departure(app.wsgi_app, site, rules=rules)  # type: ignore[method-assign]  # Flask's own way for middleware


def _apply(rule: Rule, departing: Departing) -> None:
    try:
        rule.apply(departing)
    except Exception:  # a fault of ours must never cost the page
        log.exception("The headers could not be looked at by %r; they leave as for nobody.", _name(rule))
    else:
        return
    departing.is_closed = True
    try:
        rule.close(departing)
    except Exception:  # as above
        log.exception("Nor could they be closed.")


def _name(rule: Rule) -> str:
    return getattr(rule.apply, "__qualname__", repr(rule.apply))


def _let_go(departing: Departing) -> None:
    """Tell caches what the response depends on, and close the visit, as far as anything has asked for it."""
    site, environ = departing.site, departing.environ
    if departing.is_closed:
        departing.visit.is_dependent = True
    if not has_visit(environ, site):
        return
    visit = open_visit(site, environ)
    try:
        if departing.is_visit_asked:
            headers = Headers(departing.fields)
            tell_caches(headers, visit)
            departing.fields = headers.to_wsgi_list()
    finally:
        visit.is_answered = True
        if not visit.is_streamed:
            close_visit(environ)


def _find_mount(environ: WSGIEnvironment, path: str) -> str:
    """Return what an app that is mounted in this one has moved from the path of the request to its root; empty for nothing.

    A proxy's prefix, which `ProxyFix` puts into the root, was never in the path.
    """
    moved: str = path.removesuffix(environ.get("PATH_INFO", ""))
    return moved if moved and environ.get("SCRIPT_NAME", "").endswith(moved) else ""


def _move(environ: WSGIEnvironment, mount: str, back: str) -> None:
    """Take a mount from the root of a request and put it in front of its path, or the other way round."""
    if mount:
        environ["SCRIPT_NAME"] = environ["SCRIPT_NAME"].removesuffix(mount)
        environ["PATH_INFO"] = mount + environ["PATH_INFO"]
    if back:
        environ["SCRIPT_NAME"] += back
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(back)
