"""A site whose views set cookies of each sort, and what its log says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response
from flask.typing import ResponseReturnValue

from consent import CookieDeclaration, Service
from consent.core.leak import AUDIT_MARK
from tests.conftest import PLAYER, STATS

LOGIN = Service(
    "login",
    name="Login",
    purposes=("necessary",),
    justification="Keeps you signed in.",
    cookies=(
        CookieDeclaration("sid", session=True),
        CookieDeclaration("session", session=True),
        CookieDeclaration("_st_login", session=True),
    ),
)
SHARED = Service("shared", name="Shared", purposes=("marketing",), cookies=(CookieDeclaration("_st_both", days=1),))
SERVICES = (LOGIN, STATS, PLAYER, SHARED)
UNASKED = ["sid", "own"]
"""What is left of `set_cookies` before a choice."""


def set_cookies(response: Response) -> Response:
    """Set cookies: a necessary one, two that need a grant, and between them one that nobody declares."""
    response.set_cookie("sid", "1")
    response.set_cookie("_st", "1", max_age=100)
    response.set_cookie("own", "1")
    response.set_cookie("pl_id", "1")
    return response


def add_view(
    app: Flask, make: Callable[[], ResponseReturnValue] = lambda: Response("x"), path: str = "/set", **options: Any
) -> None:
    """Add a page that sets them all on what `make` gives."""
    app.add_url_rule(path, path.strip("/"), lambda: set_cookies(app.make_response(make())), **options)


def names_of(response: Response) -> list[str]:
    """List the names of the cookies that a response sets, the library's own left out."""
    names = [value.partition("=")[0] for value in response.headers.getlist("Set-Cookie")]
    return [name for name in names if "consent" not in name]


def list_leaks(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """List the leaks in the log, in their order."""
    lines = [record.getMessage() for record in caplog.records if AUDIT_MARK in record.getMessage()]
    return [json.loads(line.partition(AUDIT_MARK)[2]) for line in lines]
