"""Apps, requests and visitors do not get into each other's way."""

from __future__ import annotations

import asyncio

import pytest
from flask import Blueprint, render_template_string

from consent import Policy, Purpose, current_consent
from consent.errors import SetupError, UnknownKeyError
from consent.web.visit import get_visit

STATE = "/privacy-choices/state"


@pytest.fixture
def two_clients(make_app):
    """Visitors of two apps that share a key and differ in their policy."""
    social = Purpose("social", title="Social", description="Share.")
    policies = (
        Policy(controller="First Ltd"),
        Policy(controller="Second Ltd", purposes=(Purpose("necessary"), social)),
    )
    return [make_app(policy=policy).test_client() for policy in policies]


def test_two_apps_with_different_policies_do_not_mix(two_clients, choose):
    first, second = two_clients
    choose(first, "accept_all")

    assert first.get(STATE).json["choices"].keys() == {"necessary", "preferences", "analytics", "marketing"}
    assert second.get(STATE).json["choices"] == {"necessary": "granted", "social": "denied"}


def test_choice_of_one_app_is_undecided_in_another_with_the_same_key(two_clients, choose):
    first, second = two_clients
    choose(first, "accept_all")
    second.set_cookie("consent", first.get_cookie("consent").value)

    assert second.get(STATE).json["choices"]["social"] == "denied"
    assert second.get(STATE).json["needs_prompt"] is True


def test_outer_app_context_does_not_leak_one_visit_into_the_next(app, choose):
    granted, stranger = app.test_client(), app.test_client()
    with app.app_context():
        choose(granted, "accept_all")
        assert granted.get(STATE).json["choices"]["analytics"] == "granted"
        assert stranger.get(STATE).json["choices"]["analytics"] == "denied"
        assert granted.get(STATE).json["choices"]["analytics"] == "granted"


def test_request_within_a_request_does_not_lose_the_outer_visit(app):
    @app.get("/outer")
    def outer():
        seen = current_consent.allows("analytics")
        with app.test_request_context("/inner"):
            current_consent.allows("marketing")
        return {"seen": seen}

    assert app.test_client().get("/outer").headers["Vary"] == "Cookie, Sec-GPC"


def test_consent_outside_a_request_is_refused():
    with pytest.raises(SetupError) as caught:
        current_consent.allows("analytics")

    assert str(caught.value) == (
        "current_consent was read outside a request. Push one with app.test_request_context(), or pass a Visit explicitly."
    )


def test_consent_in_an_app_without_the_extension_is_refused(bare_app):
    with bare_app().test_request_context(), pytest.raises(SetupError) as caught:
        current_consent.allows("analytics")

    assert str(caught.value) == ("This app has no Consent extension. Call Consent(app) or consent.init_app(app) first.")


def test_unknown_key_names_the_known_ones_the_closest_first(app):
    with app.test_request_context(), pytest.raises(UnknownKeyError) as caught:
        current_consent.allows("analitics")

    assert str(caught.value) == (
        "Unknown purpose or service 'analitics'. Declared keys, the closest first: 'analytics', 'google-analytics', "
        "'marketing', 'necessary', 'preferences', 'youtube'. Use one of them, or declare 'analitics' in the policy."
    )
    assert caught.value.key == "analitics"
    assert caught.value.allowed[0] == "analytics"


def test_visit_is_the_same_throughout_a_request(app):
    with app.test_request_context():
        current_consent.allows("analytics")
        visit = get_visit()
        current_consent.allows("marketing")

        assert get_visit() is visit


def test_async_view_reads_consent(app):
    @app.get("/async")
    async def view():
        await asyncio.sleep(0)
        return {"analytics": current_consent.allows("analytics")}

    response = app.test_client().get("/async")

    assert response.json == {"analytics": False}
    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


def test_async_view_is_injected(app, page):
    @app.get("/async")
    async def view():
        await asyncio.sleep(0)
        return page

    assert app.test_client().get("/async").text.count('data-consent-ui="banner"') == 1


def test_page_of_a_blueprint_is_injected_and_gates(make_app):
    app = make_app(
        {"part.html": '{% from "consent/macros.html" import gate %}{% call gate("analytics") %}live{% endcall %}'}
    )
    part = Blueprint("part", "part", url_prefix="/part")

    @part.get("/")
    def view():
        return render_template_string('<!doctype html><body>{% include "part.html" %}')

    app.register_blueprint(part)
    text = app.test_client().get("/part/").text

    assert text.count('data-consent-ui="banner"') == 1
    assert '<input type="hidden" name="next" value="/part/">' in text
    assert "data-consent-gate" in text


def test_script_root_is_in_every_address_and_redirect(app, choose):
    client = app.test_client()
    environ = {"SCRIPT_NAME": "/app"}
    text = client.get("/?a=1", environ_overrides=environ).text
    answer = choose(client, "reject_all", environ_overrides=environ)
    own = client.get("/privacy-choices/", environ_overrides=environ).text

    assert 'action="/app/privacy-choices/"' in text
    assert 'name="next" value="/app/?a=1"' in text
    assert 'href="/app/privacy-choices/policy"' in text
    assert 'href="/app/privacy-choices/assets/banner.' in text
    assert '<a class="pvc-settings-link" href="/app/privacy-choices/"' in text
    assert answer.headers["Location"] == "/app/"
    assert 'href="/privacy-choices' not in own
    assert 'action="/privacy-choices' not in own


def test_kept_banner_of_one_mount_point_is_not_shown_at_another(app):
    client = app.test_client()
    client.get("/")

    assert 'action="/other/privacy-choices/"' in client.get("/", environ_overrides={"SCRIPT_NAME": "/other"}).text


def test_odd_script_root_is_escaped(app):
    text = app.test_client().get("/", environ_overrides={"SCRIPT_NAME": '/"><b>\xc3\xa9'}).text

    assert "<b>" not in text
    assert 'action="/%22%3E%3Cb%3E%C3%A9/privacy-choices/"' in text
