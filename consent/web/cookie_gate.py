"""The gate at the last place that every cookie of the app passes: what no granted service declares does not leave it."""

from __future__ import annotations

import logging

from flask import Flask

from consent.core.cookie_gate import CookieIndex, CookieOwner, is_cookie_open
from consent.core.leak import Leak, LeakKind
from consent.web.departure import Departing
from consent.web.own_cookies import list_app_cookies, list_login_cookies
from consent.web.site import Site
from consent.wire.headers import OWN_COOKIE_NAMES
from consent.wire.set_cookie import find_name, is_deletion

log = logging.getLogger("consent")

_DROPPED = frozenset({LeakKind.COOKIE_SUPPRESSED, LeakKind.COOKIE_BLOCKED})


class CookieGate:
    """Judge the cookies that one app sets."""

    def __init__(self, app: Flask, site: Site, index: CookieIndex) -> None:
        settings = site.settings
        self._app = app
        self._site = site
        self._index = index
        self._is_enforcing = settings.cookie_gate == "enforce"
        self._denied = LeakKind.COOKIE_SUPPRESSED if self._is_enforcing else LeakKind.COOKIE_SENT
        is_blocking = self._is_enforcing and settings.undeclared_cookies == "block"
        self._undeclared = LeakKind.COOKIE_BLOCKED if is_blocking else LeakKind.COOKIE_UNDECLARED
        # What the app is asked for later may be what fails.
        self._names_in_need = frozenset({*OWN_COOKIE_NAMES, *list_login_cookies(app)})

    def check(self, departing: Departing) -> None:
        """Take out of a response what must not be sent, and tell the developer; the other headers stay as they are."""
        if "set-cookie" not in departing.names:
            return
        departing.fields = [
            (name, value)
            for name, value in departing.fields
            if name.lower() != "set-cookie" or self._may_leave(value, departing)
        ]

    def close(self, departing: Departing) -> None:
        """Leave of the cookies only what logs visitors in, and the library's own."""
        if self._is_enforcing:
            kept = [field for field in departing.find_values("Set-Cookie") if find_name(field) in self._names_in_need]
            departing.replace("Set-Cookie", kept)

    def _may_leave(self, field: str, departing: Departing) -> bool:
        if self._is_enforcing and ("\r" in field or "\n" in field):
            # Browsers would read on in the next line, or take it for another header.
            self._site.warn_once(
                "broken cookie",
                "A 'Set-Cookie' header with a line break in it was not sent; no server may send one. Correct it.",
            )
            return False
        leak = self._find_leak_safely(field, departing)
        if leak is not None:
            departing.leaks.append(leak)
        return leak is None or leak.kind not in _DROPPED

    def _find_leak_safely(self, field: str, departing: Departing) -> Leak | None:
        try:
            return self._find_leak(field, departing)
        except Exception:  # a fault of ours, or of the site's own functions, must not let a cookie out
            log.exception("A cookie could not be judged; only what logs visitors in is sent without.")
        departing.is_closed = True
        name = find_name(field)
        return None if name in self._names_in_need else self._make_denial(name, self._index.find_owner(name))

    def _find_leak(self, field: str, departing: Departing) -> Leak | None:
        """Return what is to be told of a cookie, by its kind also whether it is dropped; None if it may be set."""
        name = find_name(field)
        owner = self._index.find_owner(name)
        if name in OWN_COOKIE_NAMES or (owner and owner.is_necessary):
            return None
        if is_deletion(field, now=self._site.engine.read_clock()):
            return None
        is_apps = name in list_app_cookies(self._app)
        if owner is None:
            return Leak(kind=LeakKind.COOKIE_UNDECLARED if is_apps else self._undeclared, subject=name)
        if is_apps:
            return None
        visit = departing.visit
        if is_cookie_open(owner, visit.decision, waiting=visit.waiting):
            return None
        return self._make_denial(name, owner)

    def _make_denial(self, name: str, owner: CookieOwner | None) -> Leak:
        if owner is None:
            return Leak(kind=self._denied, subject=name)
        # Not the name that is set: below a pattern, a view may write whose it is.
        subject = owner.declared_name
        return Leak(kind=self._denied, subject=subject, services=owner.services, purposes=owner.purposes)
