"""`CONSENT_HIDE_COOKIES`: cookies of what is not granted are taken out of a request before the app reads it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, Request

from consent.core.cookie_gate import CookieIndex, CookieOwner, is_cookie_open
from consent.core.leak import Leak, LeakKind
from consent.web.own_cookies import list_app_cookies
from consent.web.site import Site
from consent.web.visit import Visit, close_visit, open_visit
from consent.wire.headers import OWN_COOKIE_NAMES, compile_names
from consent.wire.set_cookie import drop_cookies, list_cookie_names

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("consent")


class CookieHiding:
    """Hide from one app the cookies of services that the visitor has not granted."""

    def __init__(self, app: Flask, site: Site, index: CookieIndex) -> None:
        self._app = app
        self._site = site
        self._index = index
        self._names = compile_names(index.optional)

    def hide(self, request: Request) -> None:
        """Rewrite the request's `Cookie` field; the library itself goes on seeing all of it."""
        header = request.environ.get("HTTP_COOKIE", "")
        if self._names is None or not self._names.search(header) or _is_for_file(self._app, request.endpoint or ""):
            return
        try:
            self._hide(request, header)
        except Exception:  # a fault of ours must neither cost the page nor show a cookie
            log.exception("Cookies of the request could not be judged; the app sees none that needs a grant.")
            _write_header(request, drop_cookies(header, self._needs_grant))

    def _hide(self, request: Request, header: str) -> None:
        owners = self._find_owners(header)
        if not owners:
            return
        shut = self._find_shut(request.environ, owners)
        open_visit(self._site, request.environ).full_cookie_header = header
        _write_header(request, drop_cookies(header, shut.__contains__))
        for owner in shut.values():
            leak = Leak(
                kind=LeakKind.COOKIE_HIDDEN,
                # Not the name that came: of a pattern, a visitor could make up names without end.
                subject=owner.declared_name,
                services=owner.services,
                purposes=owner.purposes,
            )
            self._site.leaks.note(leak)

    def _needs_grant(self, name: str) -> bool:
        """Whether a service that the visitor decides on means a cookie, whoever else declares it."""
        return self._names is not None and name not in OWN_COOKIE_NAMES and bool(self._names.search(f"{name}="))

    def _find_owners(self, header: str) -> dict[str, CookieOwner]:
        """Return by name whose the cookies are of those which the visitor decides on."""
        spared = {*OWN_COOKIE_NAMES, *list_app_cookies(self._app)}
        names = [name for name in list_cookie_names(header) if name not in spared]
        found = {name: self._index.find_owner(name) for name in names}
        return {name: owner for name, owner in found.items() if owner and not owner.is_necessary}

    def _find_shut(self, environ: WSGIEnvironment, owners: Mapping[str, CookieOwner]) -> Mapping[str, CookieOwner]:
        """Return which of them are to be hidden.

        The site's functions that are asked meanwhile may need what only a `before_request` function sets up: what they say
        here must not stand for the page, so the visit is a passing one.
        """
        passing = open_visit(self._site, environ)
        try:
            decision, waiting = passing.decision, passing.waiting
            return {
                name: owner for name, owner in owners.items() if not is_cookie_open(owner, decision, waiting=waiting)
            }
        finally:
            close_visit(environ)
            _hand_on(passing, open_visit(self._site, environ))


def _hand_on(passing: Visit, visit: Visit) -> None:
    """Note for caches that what the app sees depends on the visitor already."""
    visit.is_dependent = True
    for name in passing.extra_vary:
        visit.add_vary(name)


def _write_header(request: Request, header: str) -> None:
    if header:
        request.environ["HTTP_COOKIE"] = header
    else:
        request.environ.pop("HTTP_COOKIE", None)
    # What the session has read of it is kept there.
    vars(request).pop("cookies", None)


def _is_for_file(app: Flask, endpoint: str) -> bool:
    """Whether Flask itself sends a file, the same for everyone: nobody there reads a cookie."""
    blueprint_name, _, view_name = endpoint.rpartition(".")
    owner = app.blueprints.get(blueprint_name) if blueprint_name else app
    return view_name == "static" and owner is not None and owner.has_static_folder
