"""What each place brings: the banner, what runs, the link on every page, what the preferences show."""

from __future__ import annotations

import re

import pytest
from flask import abort

from consent import Policy, Purpose, Service, requires_consent
from consent.core.declaration import PurposeKind, default_purposes
from tests.conftest import CONTROLLER
from tests.traveller import GPC, PREFERENCES, make_traveller

CHOICE = [("accept_all", "Accept all"), ("reject_all", "Reject all")]
OBJECTION = [("reject_all", "Opt out"), ("acknowledge", "OK")]
NOTICE = [("acknowledge", "I agree")]
HARMLESS = ("preferences", "analytics")
EVERYTHING = (*HARMLESS, "marketing")
OPT_OUT_LINK = "Do Not Sell or Share My Personal Information"
HONOURED = "Opt-Out Request Honored"

PLACES = [
    (None, "opt_in", CHOICE, ()),
    ("XX", "opt_in", CHOICE, ()),
    ("AQ", "opt_in", CHOICE, ()),
    ("FR", "opt_in", CHOICE, ()),
    ("fr", "opt_in", CHOICE, ()),
    ("DE", "opt_in", CHOICE, ()),
    ("GB", "opt_in", CHOICE, HARMLESS),
    ("CH", "opt_in", CHOICE, HARMLESS),
    ("KR", "opt_in", CHOICE, ("preferences",)),
    ("CA-QC", "opt_in", CHOICE, ()),
    ("CA", "opt_in", CHOICE, ()),
    ("CA-ON", "opt_out", OBJECTION, HARMLESS),
    ("US-CA", "opt_out", OBJECTION, HARMLESS),
    ("US", "opt_out", OBJECTION, HARMLESS),
    ("US-CO", "opt_out", OBJECTION, HARMLESS),
    ("US-TX", "opt_out", OBJECTION, HARMLESS),
    ("US-ID", "notice", NOTICE, EVERYTHING),
    ("JP", "notice", NOTICE, EVERYTHING),
]
OPT_OUT_PLACES = [place for place, regime, *_ in PLACES if regime == "opt_out"]


def read_switches(text):
    """Return, by key, whether the switch is on and what it says when it is off."""
    inputs = re.findall(
        r'<input class="pvc-switch"[^>]* value="(\w+)"( checked)?[^>]*>\s*<span[^>]* data-off="([^"]*)"', text
    )
    return {key: (bool(checked), off) for key, checked, off in inputs}


@pytest.mark.parametrize(("place", "regime", "buttons", "runs"), PLACES)
def test_place_decides_banner_regime_and_what_runs(place, regime, buttons, runs):
    visitor = make_traveller(place)
    sight = visitor.look()

    assert (sight.buttons, sight.runs, visitor.state()["regime"]) == (buttons, runs, regime)
    assert visitor.client.get_cookie("consent") is None


@pytest.mark.parametrize(("place", "regime", "buttons", "runs"), PLACES)
def test_signal_closes_marketing_on_that_same_response(place, regime, buttons, runs):
    visitor = make_traveller(place)
    sight = visitor.look(**GPC)

    assert (sight.buttons, sight.runs) == (buttons, tuple(key for key in runs if key != "marketing"))
    assert visitor.state(**GPC)["regime"] == regime
    assert visitor.verdicts(**GPC)["marketing"] == visitor.verdicts(**GPC)["ads"] == "denied"


@pytest.mark.parametrize(("place", "regime", "buttons", "runs"), PLACES)
def test_nothing_waits_for_the_browser_but_what_its_signal_would_close(place, regime, buttons, runs):
    visitor = make_traveller(place)

    assert visitor.look().waits == (("ads", "marketing") if regime == "opt_out" else ())
    assert visitor.look(**GPC).waits == ()


@pytest.mark.parametrize("place", ["US-CA", "US-TX", "JP"])
def test_signal_expires_marketing_cookies_with_the_page_that_it_came_with(place):
    visitor = make_traveller(place)
    visitor.client.set_cookie("_ad", "1")
    visitor.client.set_cookie("other", "1")
    cookies = visitor.look(**GPC).response.headers.getlist("Set-Cookie")

    assert cookies
    assert all(cookie.startswith("_ad=; Expires=Thu, 01 Jan 1970") for cookie in cookies)


def test_cookie_of_what_runs_is_left_alone():
    visitor = make_traveller("US-CA")
    visitor.client.set_cookie("_ad", "1")

    assert visitor.look().response.headers.getlist("Set-Cookie") == []


@pytest.mark.parametrize(
    ("place", "headers", "link"),
    [
        ("US-CA", {}, OPT_OUT_LINK),
        ("US-CA", GPC, f"{OPT_OUT_LINK} {HONOURED}"),
        ("US", GPC, f"{OPT_OUT_LINK} {HONOURED}"),
        ("US-TX", GPC, OPT_OUT_LINK),
        ("CA-ON", GPC, "Privacy choices"),
        ("JP", GPC, "Privacy choices"),
        ("FR", GPC, "Privacy choices"),
        (None, GPC, "Privacy choices"),
    ],
)
@pytest.mark.parametrize("label", [None, ""], ids=["injected", "placed"])
def test_link_on_the_page_has_the_words_of_the_law(place, headers, link, label):
    assert make_traveller(place, label=label).look(**headers).link == link


@pytest.mark.parametrize(("place", "link"), [("US-CA", OPT_OUT_LINK), ("FR", "Cookies"), ("JP", "Cookies")])
def test_label_of_the_site_gives_way_to_the_words_of_the_law(place, link):
    assert make_traveller(place, label="Cookies").look().link == link


def test_link_keeps_its_usual_words_where_nothing_is_sold():
    policy = Policy(controller=CONTROLLER, purposes=default_purposes()[:-1])
    visitor = make_traveller("US-CA", policy=policy)

    assert (visitor.look().link, visitor.look().waits) == ("Privacy choices", ())


@pytest.mark.parametrize("action", ["reject_all", "acknowledge"])
def test_link_and_status_stay_after_the_choice(action):
    visitor = make_traveller("US-CA")
    visitor.press(action, headers=GPC)
    sight = visitor.look(**GPC)

    assert (sight.banner, sight.link) == ("", f"{OPT_OUT_LINK} {HONOURED}")


@pytest.mark.parametrize("path", [PREFERENCES, f"{PREFERENCES}policy", "/missing", "/broken", "/members"])
def test_library_and_error_pages_have_link_and_status_too(path):
    visitor = make_traveller("US-CA")
    visitor.app.register_error_handler(404, lambda _: ("<!doctype html><title>No</title><p>Nothing here", 404))
    visitor.app.add_url_rule("/broken", "broken", lambda: abort(500))
    visitor.app.add_url_rule("/members", "members", requires_consent("marketing")(lambda: "in"))

    assert visitor.look(path, **GPC).link == f"{OPT_OUT_LINK} {HONOURED}"


def test_answer_to_a_malformed_choice_has_link_and_status_too():
    text = make_traveller("US-CA").press("nonsense", headers=GPC).text

    assert f">{OPT_OUT_LINK}</a>" in text
    assert f'<span class="pvc-honoured">{HONOURED}</span>' in text


@pytest.mark.parametrize(
    ("place", "headers", "on", "off"),
    [
        ("US-CA", {}, "preferences analytics marketing", "Opted out"),
        ("US-CA", GPC, "preferences analytics", "Opted out"),
        ("JP", {}, "preferences analytics marketing", "Opted out"),
        ("GB", {}, "preferences analytics", "Off"),
        ("KR", {}, "preferences", "Off"),
        ("FR", {}, "", "Off"),
        (None, GPC, "", "Off"),
    ],
)
def test_switches_show_what_runs(place, headers, on, off):
    switches = read_switches(make_traveller(place).look(PREFERENCES, **headers).response.text)

    assert [key for key, (is_on, _) in switches.items() if is_on] == on.split()
    assert {words for _, words in switches.values()} == {off}


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("US-CA", "What is on runs until you switch it off."),
        ("JP", "What is on runs until you switch it off."),
        ("GB", "What is on runs until you switch it off."),
        ("FR", "What you can choose is off until you do."),
        (None, "What you can choose is off until you do."),
    ],
)
def test_preferences_say_truly_what_holds_before_a_choice(place, told):
    assert f"You have not chosen yet. {told}" in make_traveller(place).look(PREFERENCES).response.text


def test_preferences_say_that_the_signal_keeps_marketing_off():
    text = make_traveller("US-CA").look(PREFERENCES, **GPC).response.text

    assert "Off: your browser sends Global Privacy Control, and that is an opt-out request." in text


@pytest.mark.parametrize("place", OPT_OUT_PLACES)
def test_banner_says_that_the_request_of_the_signal_is_honoured(place):
    words = make_traveller(place).look(**GPC).words

    assert "Your opt-out request is honored: your browser sends Global Privacy Control." in words
    assert "This is off because of it: Marketing." in words


@pytest.mark.parametrize(("place", "runs"), [("GB", "Preferences Analytics"), ("FR", "")])
def test_banner_of_a_choice_names_what_is_on_already(place, runs):
    lines = re.findall(r"<li><strong>(\w+)</strong>(.*?)</li>", make_traveller(place).look().banner, re.DOTALL)

    assert [title for title, rest in lines if "On unless you object." in rest] == runs.split()
    assert [title for title, _ in lines] == ["Preferences", "Analytics", "Marketing"]


@pytest.mark.parametrize(("place", "runs"), [("GB", False), ("US-CA", True), ("JP", True)])
def test_statistics_that_others_use_are_no_exemption(place, runs):
    shared = Service("shared", name="Shared", purposes=("analytics",), third_party_use=True)
    verdicts = make_traveller(place, services=[shared]).verdicts()

    assert (verdicts["analytics"], verdicts["shared"]) == ("granted", "granted" if runs else "denied")


@pytest.mark.parametrize(("regime", "place"), [("opt_in", "US-CO"), ("opt_in", "JP"), ("opt_out", "US-CA")])
def test_sensitive_purpose_has_rules_of_its_own(regime, place):
    health = Purpose("health", title="Health", description="Adapt to your health.", kind=PurposeKind.SENSITIVE)
    visitor = make_traveller(place, purposes=[health])

    assert visitor.state()["regime"] == regime
    assert visitor.verdicts()["health"] == ("denied" if regime == "opt_in" else "granted")
    assert visitor.verdicts()["analytics"] == "granted"
