"""Cookies of refused services, expired by the server: HttpOnly ones too."""

from __future__ import annotations

from flask import request

from consent.web.visit import Visit
from consent.wire.headers import expire_cookies
from consent.wire.set_cookie import list_cookie_names


def expire_unwanted(visit: Visit) -> list[str]:
    """Return `Set-Cookie` values for what the visitor has just said no to; where the app is not to see it, also for what is undecided."""
    outcome = visit.standing.outcome
    return expire_cookies(
        outcome.closed_cookies if visit.site.settings.hide_cookies else outcome.cookies,
        sent=list_cookie_names(visit.cookie_header),
        host=request.host,
        is_secure=visit.is_secure,
    )


def expire_leftovers(visit: Visit) -> list[str]:
    """Return `Set-Cookie` values for unwanted cookies that a later request still carries."""
    header, outcome = visit.cookie_header, visit.standing.outcome
    if not header:
        return []
    names = outcome.closed_names if visit.site.settings.hide_cookies else outcome.unwanted_names
    return expire_unwanted(visit) if names is not None and names.search(header) else []
