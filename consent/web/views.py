"""The routes of the library: preferences, state, declaration, receipt, assets."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify, render_template, request

from consent.core.choice import find_switched_on
from consent.web.back_url import find_back_url, find_stay_url
from consent.web.choice_views import receive_choice
from consent.web.receipt_views import show_receipt
from consent.web.signal_views import receive_gpc, show_gpp
from consent.web.state import describe_state
from consent.web.visit import get_visit

_ASSET_CACHE = "public, max-age=31536000, immutable"


def make_blueprint(name: str, *, url_prefix: str) -> Blueprint:
    """Return a new blueprint with every route of the library."""
    blueprint = Blueprint(name, __name__, url_prefix=url_prefix, template_folder="../templates")
    blueprint.add_url_rule("/", "preferences", show_preferences)
    blueprint.add_url_rule("/", "choose", receive_choice, methods=["POST"])
    blueprint.add_url_rule("/gpc", "gpc", receive_gpc, methods=["POST"])
    blueprint.add_url_rule("/state", "state", show_state)
    blueprint.add_url_rule("/gpp", "gpp", show_gpp)
    blueprint.add_url_rule("/policy", "policy", show_policy)
    blueprint.add_url_rule("/receipt", "receipt", show_receipt)
    blueprint.add_url_rule("/assets/<file_name>", "asset", send_asset)
    blueprint.before_request(_mark_own_page)
    blueprint.after_request(_protect)
    return blueprint


def show_preferences() -> str:
    """Answer with the preferences page."""
    visit = get_visit()
    back_url = find_back_url(visit)
    return render_template(
        "consent/preferences.html",
        visit=visit,
        switched_on=find_switched_on(visit.policy, visit.decision),
        saved="saved" in request.args,
        back_url=back_url,
        stay_url=find_stay_url(visit, back_url),
    )


def show_state() -> Response:
    """Answer with the current decision as JSON."""
    visit = get_visit()
    # The runtime asks so on a page whose scripts could not say that Global Privacy Control is off.
    is_unasked = "gpc" in request.args
    return jsonify(describe_state(visit, shut=visit.standing.outcome.closed_by_gpc if is_unasked else ()))


def show_policy() -> str:
    """Answer with the cookie declaration."""
    visit = get_visit()
    return render_template("consent/policy.html", visit=visit, back_url=find_back_url(visit))


def send_asset(file_name: str) -> Response:
    """Answer with a stylesheet or script, to be kept for ever: its name changes with its content."""
    asset = get_visit().site.assets_by_file_name.get(file_name)
    if asset is None:
        abort(HTTPStatus.NOT_FOUND)
    response = Response(asset.body, content_type=asset.content_type)
    response.headers["Cache-Control"] = _ASSET_CACHE
    return response


def _mark_own_page() -> None:
    visit = get_visit()
    visit.is_own_page = True
    visit.is_asset = (request.endpoint or "").rpartition(".")[2] in ("asset", "gpc_file")


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.mimetype == "text/html":
        # Nobody may lay the switches under something else to be clicked.
        response.headers["X-Frame-Options"] = "DENY"
    return response
