"""The routes for signals: what the browser's scripts saw, what the site says of itself, and what IAB GPP says of the visitor."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, abort, jsonify, request

from consent.core.regime import Regime
from consent.web.expiry import expire_unwanted
from consent.web.service_signals import describe_gpp_state
from consent.web.visit import get_visit
from consent.wire.headers import format_cookie
from consent.wire.origin import CrossSiteError, find_evidence

GPC_FILE_PATH = "/.well-known/gpc.json"

_DAY_CACHE = "public, max-age=86400"


def receive_gpc() -> Response:
    """Take the word of a page's script that Global Privacy Control is on, and remember it until the browser is closed.

    It names nobody, can only close, and counts only where the law makes the signal an objection.
    """
    visit = get_visit()
    try:
        find_evidence(dict(request.headers), host=request.host, scheme=request.scheme)
    except CrossSiteError:
        return Response(status=HTTPStatus.FORBIDDEN)
    response = Response(status=HTTPStatus.NO_CONTENT)
    if visit.rules.regime is not Regime.OPT_OUT:
        return response
    visit.heed_gpc()
    remembered = format_cookie(
        visit.gpc_cookie_name,
        "1",
        # The signal may be switched off in the browser, so a new session asks it again.
        max_age_seconds=None,
        is_secure=visit.is_secure,
        domain=visit.cookie_domain,
    )
    for each in (remembered, *expire_unwanted(visit)):
        response.headers.add("Set-Cookie", each)
    return response


def show_gpc_file() -> Response:
    """Answer with the site's word that it heeds Global Privacy Control.

    Source:
        Global Privacy Control, GPC support resource: `gpc` and `lastUpdate`, an RFC 3339 full-date.
    """
    site = get_visit().site
    if not site.settings.gpc_file:
        abort(HTTPStatus.NOT_FOUND)
    response = jsonify({"gpc": True, "lastUpdate": site.rules_checked_on.isoformat()})
    response.headers["Cache-Control"] = _DAY_CACHE
    return response


def show_gpp() -> Response:
    """Answer with the visitor's IAB GPP string and its parts, as JSON; `null` where it does not apply.

    Who asks has scripts, and says `gpc` if they see the signal: there is nothing to wait for.
    """
    visit = get_visit()
    if "gpc" in request.args:
        visit.heed_gpc()
    return jsonify(describe_gpp_state(visit))
