"""What a developer has and a reader has not: a choice of place, and of the privacy policy's version.

Cookies of the newsroom's own remember both. Whoever can write such a cookie chooses the law that holds for them, so a site in
production has none of this: no function that reads the cookie, no route that sets it, no bar.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.http import parse_cookie

from consent import current_consent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLACES = ("FR", "DE", "GB", "US-CA", "US-TX", "JP")
VERSIONS = ("earlier", "revised")
PLACE_COOKIE = "hp_dev_place"
VERSION_COOKIE = "hp_dev_version"

development = Blueprint("development", __name__, url_prefix="/development")

_SAME_SITE_PATH = re.compile(r"/(?![/\\])[^\x00-\x20]*")


class VersionSwitch:
    """Answer with the paper under the version of its privacy policy that the developer chose.

    A policy never changes while an app runs, so there are two apps.
    """

    def __init__(self, *, earlier: Flask, revised: Flask) -> None:
        self.earlier = earlier
        self.revised = revised

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_earlier = parse_cookie(environ).get(VERSION_COOKIE) == "earlier"
        return (self.earlier if is_earlier else self.revised)(environ, start_response)


def is_on_this_machine() -> bool:
    """Whether a request comes from this machine, whose developer may see the numbers. A real site asks who is logged in."""
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def read_place() -> str | None:
    """Return the place that the developer chose; None for unknown."""
    place = request.cookies.get(PLACE_COOKIE)
    return place if place in PLACES else None


@development.post("")
def choose() -> Response:
    response = make_response(redirect(f"{_find_way_back()}#development", 303))
    if "place" in request.form:
        _remember(response, PLACE_COOKIE, request.form["place"], allowed=PLACES)
    if "version" in request.form:
        _remember(response, VERSION_COOKIE, request.form["version"], allowed=VERSIONS)
    if "start_over" in request.form:
        for name in (current_consent.cookie_name, current_consent.gpc_cookie_name):
            response.delete_cookie(name, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def render_bar(*, is_revised: bool) -> Markup:
    """Return the bar at the foot of every page."""
    bar = render_template(
        "development_bar.html",
        places=(*PLACES, "unknown"),
        place=read_place() or "unknown",
        versions=VERSIONS,
        version="revised" if is_revised else "earlier",
        command=_write_command(),
        next_path=request.full_path.rstrip("?") if request.method == "GET" else "/",
    )
    return Markup(bar)  # noqa: S704 - autoescaped by the template


def _write_command() -> str:
    country, _, region = (read_place() or "").partition("-")
    options = {"--country": country, "--region": region}
    words = [f"{name} {value}" for name, value in options.items() if value]
    gpc = ["--gpc"] if current_consent.browser_signals.gpc else []
    return " ".join(["flask --app examples.newsroom consent explain", *words, *gpc])


def _find_way_back() -> str:
    path = request.form.get("next", "")
    return path if _SAME_SITE_PATH.fullmatch(path) and "#" not in path else "/"


def _remember(response: Response, name: str, value: str, *, allowed: tuple[str, ...]) -> None:
    if value in allowed:
        response.set_cookie(name, value, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(name)
