"""Cookies of refused services, expired by the server: HttpOnly ones too."""

from __future__ import annotations

from flask import request

from consent.web.visit import Visit
from consent.wire.headers import expire_cookies


def expire_unwanted(visit: Visit) -> list[str]:
    """Return `Set-Cookie` values for what the visitor has just said no to."""
    return expire_cookies(
        visit.standing.outcome.cookies, sent=request.cookies, host=request.host, is_secure=visit.is_secure
    )


def expire_leftovers(visit: Visit) -> list[str]:
    """Return `Set-Cookie` values for refused cookies that a later request still carries."""
    names = visit.standing.outcome.unwanted_names if visit.cookie_header else None
    return expire_unwanted(visit) if names is not None and names.search(visit.cookie_header) else []
