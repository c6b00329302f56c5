"""Global Privacy Control by header and by the page's script, where the law makes it an objection; and `DNT` beside it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from flask import render_template_string, request

from consent import Consent, CookieDeclaration, Service, consent_recorded
from tests.runtime_tag import read_page, read_tags

GPC = "/privacy-choices/gpc"
STATE = "/privacy-choices/state"
FILE = "/.well-known/gpc.json"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PAGE = (
    '{% from "consent/macros.html" import gate %}<!doctype html><body>'
    '{% call gate("analytics") %}<b>count</b>{% endcall %}{% call gate("marketing") %}<b>advert</b>{% endcall %}'
)
ADVERT = Service(
    "advert",
    name="Advert",
    purposes=("marketing",),
    provider="Advert Ltd",
    provider_country="US",
    cookies=(CookieDeclaration("_ad", months=1),),
)


@pytest.fixture
def make_site(bare_app):
    """Return a function that makes a site whose visitors are where `X-Place` says, in California by default."""

    def make(**config):
        app = bare_app(**config)
        Consent(app, services=[ADVERT], jurisdiction=lambda: request.headers.get("X-Place", "US-CA"))
        app.add_url_rule("/page", "page", lambda: render_template_string(PAGE), methods=["GET", "POST"])
        return app

    return make


@pytest.fixture
def client(make_site):
    return make_site().test_client()


def report(client, headers=SAME_ORIGIN, **more):
    return client.post(GPC, data={"gpc": "1"}, headers=headers, **more)


def choices_of(client, query="", **headers):
    return client.get(STATE + query, headers=headers).json["choices"]


def read_told(text):
    """Return what the page tells the script that asks the browser; None for no such script."""
    found = re.search("data-consent-signal='([^']*)'", text)
    return found and found[1]


# --- By header ---


@pytest.mark.parametrize("value", ["1", " 1", "0, 1", "1,1"])
def test_marketing_is_absent_from_the_very_response_to_a_request_with_the_signal(client, value):
    text = client.get("/page", headers={"Sec-GPC": value}).text

    assert "<b>count</b>" in text
    assert "<b>advert</b>" not in text
    assert read_told(text) is None


@pytest.mark.parametrize("value", ["", "0", "11", "true", "?1", '"1"', "1;1"])
def test_other_values_are_no_signal(client, value):
    assert choices_of(client, **{"Sec-GPC": value})["marketing"] == "granted"


def test_cookies_of_what_the_signal_closes_are_expired_on_that_response(client, set_cookies):
    client.set_cookie("_ad", "1")
    response = client.get("/page", headers={"Sec-GPC": "1"})

    assert [cookie.partition(";")[0] for cookie in set_cookies(response)] == ["_ad="]


def test_signal_by_header_closes_in_every_regime(client):
    places = ["FR", "GB", "US-CA", "US-TX", "JP", "unknown"]

    assert {choices_of(client, **{"X-Place": place, "Sec-GPC": "1"})["marketing"] for place in places} == {"denied"}


def test_response_varies_with_the_signal_and_no_shared_cache_keeps_it(client):
    headers = client.get("/page").headers

    assert (headers["Vary"], headers["Cache-Control"]) == ("Cookie, Sec-GPC", "private")


# --- Before the browser was asked ---


def test_page_without_the_header_holds_what_the_signal_would_close(client):
    text = client.get("/page").text

    assert "<b>count</b>" in text
    assert "<b>advert</b>" not in text
    assert "u003cb\\u003eadvert" in text


def test_tag_says_no_until_the_browser_was_asked_and_so_does_the_state_it_names(client):
    page = read_page(client.get("/page").text)

    assert page["state"]["choices"]["marketing"] == page["state"]["services"]["advert"] == "denied"
    assert page["state_url"] == f"{STATE}?gpc=unasked"
    assert client.get(page["state_url"]).json == page["state"]
    assert choices_of(client)["marketing"] == "granted"


def test_script_that_asks_is_told_what_opens_and_stands_right_before_the_runtime(make_site):
    text = make_site(CONSENT_CSP_NONCE=lambda: "r4nd0m").test_client().get("/page").text

    assert re.search(
        r'<script src="/privacy-choices/assets/signal\.[0-9a-f]{12}\.js" defer nonce="r4nd0m" data-consent-signal=\''
        f'{{"url":"{GPC}","state_url":"{STATE}","opens":\\["advert","marketing"\\],"reload":true}}\'></script>'
        '<script src="/privacy-choices/assets/consent[^>]+ nonce="r4nd0m" data-consent-key=',
        text,
    )


def test_answer_to_a_form_is_not_to_be_loaded_again(client):
    assert '"reload":false' in read_told(client.post("/page").text)


@pytest.mark.parametrize("place", ["FR", "GB", "US-WY", "JP", "unknown"])
def test_browser_is_asked_only_where_the_signal_is_an_objection(client, place):
    text = client.get("/page", headers={"X-Place": place}).text

    assert read_told(text) is None
    assert read_page(text)["state_url"] == STATE if read_tags(text) else True


def test_browser_is_not_asked_after_an_objection(client, choose):
    choose(client, "reject_all")

    assert read_told(client.get("/page").text) is None


@pytest.mark.parametrize("query", ["", "?gpc=unasked"])
def test_state_with_the_signal_is_the_same_whoever_asks(client, query):
    assert choices_of(client, query, **{"Sec-GPC": "1"})["marketing"] == "denied"


def test_unasked_opens_nothing_elsewhere(client):
    assert choices_of(client, "?gpc=unasked", **{"X-Place": "FR"}) == choices_of(client, **{"X-Place": "FR"})


# --- What the page's script says ---


@pytest.mark.parametrize(
    ("config", "url", "cookie"),
    [
        ({}, "http://localhost", "consent-gpc=1; Path=/; HttpOnly; SameSite=Lax"),
        ({}, "https://localhost", "__Host-consent-gpc=1; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (
            {"CONSENT_COOKIE_DOMAIN": "example.com"},
            "https://www.example.com",
            "__Secure-consent-gpc=1; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
        ),
    ],
    ids=["http", "https", "domain"],
)
def test_word_is_remembered_for_the_session_and_names_nobody(make_site, set_cookies, config, url, cookie):
    response = report(make_site(**config).test_client(), base_url=url)

    assert (response.status_code, response.data) == (204, b"")
    assert set_cookies(response) == [cookie]
    assert response.headers["Cache-Control"] == "no-store"


def test_memory_closes_from_the_next_request_on(client):
    report(client)
    text = client.get("/page").text

    assert "<b>advert</b>" not in text
    assert read_told(text) is None
    assert "Opt-Out Request Honored" in text
    assert choices_of(client)["marketing"] == "denied"


@pytest.mark.parametrize("value", ["", "0", "01", "true", "1.signature"])
def test_other_memory_is_none(client, value):
    client.set_cookie("consent-gpc", value)

    assert choices_of(client)["marketing"] == "granted"


def test_memory_of_the_other_scheme_is_not_read(client):
    report(client)
    client.set_cookie("consent-gpc", "1", secure=False)
    answer = client.get(STATE, base_url="https://localhost").json

    assert answer["choices"]["marketing"] == "granted"


def test_word_expires_the_cookies_of_what_it_closes(client, set_cookies):
    client.set_cookie("_ad", "1")

    assert [cookie.partition(";")[0] for cookie in set_cookies(report(client))] == ["consent-gpc=1", "_ad="]


def test_word_closes_a_grant_that_was_made_without_the_signal(client, choose):
    choose(client, "accept_all")
    report(client)

    assert choices_of(client)["marketing"] == "denied"


def test_grant_made_in_spite_of_the_memory_stays_a_grant(client, choose):
    report(client)
    choose(client, "accept_all")

    assert choices_of(client)["marketing"] == "granted"


@pytest.mark.parametrize("place", ["FR", "GB", "US-WY", "JP", "unknown"])
def test_word_is_kept_only_where_the_signal_is_an_objection(client, set_cookies, place):
    response = report(client, SAME_ORIGIN | {"X-Place": place})

    assert (response.status_code, set_cookies(response)) == (204, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8080"},
    ],
    ids=str,
)
def test_word_from_another_site_is_refused(client, set_cookies, headers):
    response = report(client, headers)

    assert (response.status_code, set_cookies(response)) == (403, [])
    assert choices_of(client)["marketing"] == "granted"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "none"}], ids=str)
def test_word_needs_no_proof_since_it_can_only_close(client, headers):
    assert report(client, headers).status_code == 204
    assert choices_of(client)["marketing"] == "denied"


def test_word_is_not_taken_by_get(client):
    assert client.get(GPC).status_code == 405


# --- The site's own word ---


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_file_says_that_the_signal_is_heeded(client, set_cookies, method):
    response = client.open(FILE, method=method)

    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert "Vary" not in response.headers
    assert set_cookies(response) == []


def test_file_holds_the_word_and_a_date(client):
    content = client.get(FILE).json

    assert content == {"gpc": True, "lastUpdate": content["lastUpdate"]}
    assert content["lastUpdate"] == date.fromisoformat(content["lastUpdate"]).isoformat()


def test_file_is_at_the_root_whatever_the_prefix(make_site):
    assert make_site(CONSENT_URL_PREFIX="/choices").test_client().get(FILE).status_code == 200


def test_file_can_be_left_out(make_site):
    assert make_site(CONSENT_GPC_FILE=False).test_client().get(FILE).status_code == 404


# --- DNT ---


def test_dnt_is_not_heeded_by_default(client):
    response = client.get(STATE, headers={"DNT": "1"})

    assert response.json["choices"]["marketing"] == "granted"
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_dnt_closes_where_the_site_heeds_it_and_joins_vary(make_site):
    client = make_site(CONSENT_DNT=True).test_client()
    response = client.get("/page", headers={"DNT": "1"})

    assert "<b>advert</b>" not in response.text
    assert response.headers["Vary"] == "Cookie, Sec-GPC, DNT"
    assert choices_of(client, DNT="0")["marketing"] == "granted"


def test_dnt_is_recorded_as_itself_and_never_as_the_other(make_site, choose):
    client = make_site(CONSENT_DNT=True).test_client()
    heard = []

    def note(_app, record, previous):
        heard.append(record)

    with consent_recorded.connected_to(note):
        choose(client, "acknowledge", headers=SAME_ORIGIN | {"DNT": "1"})

    assert [(record.signals.dnt, record.signals.gpc) for record in heard] == [(True, False)]
    assert [record.account.has_header_gpc for record in heard] == [False]


def test_dnt_is_not_shown_as_an_honoured_opt_out(make_site):
    client = make_site(CONSENT_DNT=True).test_client()

    assert "Opt-Out Request Honored" not in client.get("/page", headers={"DNT": "1"}).text
