"""What a response says it depends on, and that nothing a visitor writes can loosen the rules (L47)."""

from __future__ import annotations

import pytest
from flask import current_app

from consent import consent_recorded

STATE = "/privacy-choices/state"
CLOUDFLARE = {"CONSENT_JURISDICTION_HEADERS": ["CF-IPCountry", "CF-Region-Code"]}
SAYS_JAPAN = {
    "CF-IPCountry": "JP",
    "CF-Region-Code": "13",
    "CloudFront-Viewer-Country": "JP",
    "X-Vercel-IP-Country": "JP",
    "X-AppEngine-Country": "JP",
    "X-Country-Code": "JP",
    "X-Forwarded-For": "203.0.113.7",
}
LOOSE = ("JP", "opt_out", "notice", "US-CA")


def vary_of(response):
    return response.headers["Vary"].split(", ")


def regime_of(client, path=STATE, **arguments):
    return client.get(path, **arguments).json["regime"]


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, []),
        ({"CONSENT_JURISDICTION_HEADERS": ["CF-IPCountry"]}, ["CF-IPCountry"]),
        (CLOUDFLARE, ["CF-IPCountry", "CF-Region-Code"]),
        ({"CONSENT_DNT": True}, ["DNT"]),
        ({"CONSENT_DNT": True, "CONSENT_JURISDICTION_HEADERS": ["X-Country"]}, ["DNT", "X-Country"]),
    ],
)
@pytest.mark.parametrize("path", ["/", STATE, "/privacy-choices/", "/privacy-choices/policy"])
def test_vary_has_the_headers_that_decide_and_no_others(make_app, config, names, path):
    response = make_app(**config).test_client().get(path, headers=SAYS_JAPAN | {"DNT": "1"})

    assert sorted(vary_of(response)) == sorted(["Cookie", "Sec-GPC", *names])


def test_asset_varies_with_nothing(make_app):
    client = make_app(**CLOUDFLARE).test_client()
    asset = client.get("/").text.partition('href="')[2].partition('"')[0]

    assert "Vary" not in client.get(asset).headers


def test_page_that_asked_nothing_varies_with_nothing(make_app, page):
    response = make_app(CONSENT_INJECT=False, **CLOUDFLARE).test_client().get("/")

    assert "Vary" not in response.headers


def test_function_of_the_site_adds_nothing_to_vary(make_app):
    response = make_app(jurisdiction=lambda: "JP").test_client().get("/")

    assert vary_of(response) == ["Cookie", "Sec-GPC"]


@pytest.mark.parametrize(
    ("headers", "regime"),
    [
        ({"CF-IPCountry": "JP"}, "notice"),
        ({"CF-IPCountry": "jp"}, "notice"),
        ({"CF-IPCountry": "US", "CF-Region-Code": "TX"}, "opt_out"),
        ({"CF-IPCountry": "US", "CF-Region-Code": "US-TX"}, "opt_out"),
        ({"CF-IPCountry": "US", "CF-Region-Code": "ID"}, "notice"),
        ({"CF-IPCountry": "FR"}, "opt_in"),
        ({}, "opt_in"),
        ({"CF-IPCountry": ""}, "opt_in"),
        ({"CF-IPCountry": "XX"}, "opt_in"),
        ({"CF-IPCountry": "T1"}, "opt_in"),
        ({"CF-IPCountry": "JPN"}, "opt_in"),
        ({"CF-IPCountry": "JP, FR"}, "opt_in"),
        ({"CF-IPCountry": "JP, JP"}, "notice"),
        ({"CF-Region-Code": "TX"}, "opt_in"),
    ],
)
def test_configured_header_decides(make_app, headers, regime):
    assert regime_of(make_app(**CLOUDFLARE).test_client(), headers=headers) == regime


def test_two_fields_of_a_configured_header_that_differ_are_not_believed(make_app):
    headers = [("CF-IPCountry", "JP"), ("CF-IPCountry", "FR")]

    assert regime_of(make_app(**CLOUDFLARE).test_client(), headers=headers) == "opt_in"


@pytest.mark.parametrize("config", [{}, {"CONSENT_JURISDICTION_HEADERS": ["X-Our-Country"]}], ids=["none", "other"])
def test_header_that_is_not_configured_changes_nothing(make_app, config):
    client = make_app(**config).test_client()

    assert regime_of(client, headers=SAYS_JAPAN) == "opt_in"
    assert client.get("/", headers=SAYS_JAPAN).text.count('value="reject_all"') == 1


@pytest.mark.parametrize("name", ["country", "region", "regime", "jurisdiction", "place", "gpc", "lang"])
@pytest.mark.parametrize("value", LOOSE)
def test_query_and_cookie_cannot_loosen_the_rules(app, name, value):
    client = app.test_client()
    client.set_cookie(name, value)

    assert regime_of(client, f"{STATE}?{name}={value}") == "opt_in"


@pytest.mark.parametrize("name", ["country", "region", "regime", "jurisdiction", "mode"])
@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
def test_body_cannot_loosen_the_rules(app, name, json):
    client = app.test_client()
    body = {"action": "acknowledge", name: "JP"}
    client.post("/privacy-choices/", **{"json" if json else "data": body}, headers={"Sec-Fetch-Site": "same-origin"})
    state = client.get(STATE).json

    assert (state["regime"], state["choices"]["marketing"], state["needs_prompt"]) == ("opt_in", "denied", True)


def test_forged_memory_of_the_signal_can_only_close(make_app):
    client = make_app(jurisdiction=lambda: "US-CA").test_client()
    client.set_cookie("consent-gpc", "1")

    assert client.get(STATE).json["choices"]["marketing"] == "denied"
    client.set_cookie("consent-gpc", "0")
    assert regime_of(client) == "opt_out"


def test_do_not_track_is_not_heeded_by_default(make_app):
    client = make_app(jurisdiction=lambda: "US-TX").test_client()

    assert client.get(STATE, headers={"DNT": "1"}).json["choices"]["marketing"] == "granted"


@pytest.mark.parametrize(
    ("value", "verdict"), [("1", "denied"), ("0", "granted"), ("null", "granted"), ("", "granted")]
)
def test_do_not_track_closes_what_the_signal_would_where_the_site_says_so(make_app, value, verdict):
    client = make_app(jurisdiction=lambda: "US-TX", CONSENT_DNT=True).test_client()
    choices = client.get(STATE, headers={"DNT": value}).json["choices"]

    assert (choices["marketing"], choices["analytics"]) == (verdict, "granted")


def test_do_not_track_is_recorded_under_its_own_name(make_app, choose):
    heard = []
    client = make_app(jurisdiction=lambda: "US-CA", CONSENT_DNT=True).test_client()
    with consent_recorded.connected_to(lambda _, record, **_rest: heard.append(record.as_dict()["signals"])):
        choose(client, "acknowledge", headers={"Sec-Fetch-Site": "same-origin", "DNT": "1"})

    assert heard == [{"gpc": False, "dnt": True, "sec_gpc": False, "dom_gpc": False}]


def test_do_not_track_is_no_request_that_california_wants_shown(make_app):
    client = make_app(jurisdiction=lambda: "US-CA", CONSENT_DNT=True).test_client()

    assert "Opt-Out Request Honored" not in client.get("/", headers={"DNT": "1"}).text
    assert "Do Not Track" in client.get("/privacy-choices/", headers={"DNT": "1"}).text


def test_function_is_asked_once_a_request_and_within_it(make_app):
    asked = []

    def ask():
        asked.append(current_app.name)
        return "JP"

    make_app(jurisdiction=ask).test_client().get("/")

    assert asked == ["newspaper"]
