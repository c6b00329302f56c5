"""The consent cookie as browsers get it: its attributes, its life, and which scheme reads which."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from consent.core.lifetime import add_months

STATE = "/privacy-choices/state"
HTTPS = "https://news.example"
HTTP = "http://news.example"


def read_cookie(response):
    (cookie,) = response.headers.getlist("Set-Cookie")
    return cookie


def test_attributes_over_https(client, choose):
    cookie = read_cookie(choose(client, "accept_all", base_url=HTTPS))

    assert re.fullmatch(
        r"__Host-consent=[\w-]+\.[\w-]{43}; Max-Age=\d+; Path=/; HttpOnly; Secure; SameSite=Lax", cookie
    )


def test_attributes_over_http(client, choose):
    cookie = read_cookie(choose(client, "accept_all", base_url=HTTP))

    assert re.fullmatch(r"consent=[\w-]+\.[\w-]{43}; Max-Age=\d+; Path=/; HttpOnly; SameSite=Lax", cookie)


def test_attributes_do_not_follow_the_settings_of_the_session(make_app, choose):
    app = make_app(
        SESSION_COOKIE_SAMESITE="None",
        SESSION_COOKIE_DOMAIN="example",
        SESSION_COOKIE_PATH="/a",
        SESSION_COOKIE_HTTPONLY=False,
        APPLICATION_ROOT="/a",
    )
    cookie = read_cookie(choose(app.test_client(), "accept_all", base_url=HTTPS))

    assert cookie.endswith("; Path=/; HttpOnly; Secure; SameSite=Lax")


@pytest.mark.parametrize(
    ("posted_at", "name", "read_at"),
    [(HTTP, "consent", HTTPS), (HTTPS, "__Host-consent", HTTP)],
    ids=["http-cookie-on-https", "https-cookie-on-http"],
)
def test_neither_scheme_reads_the_cookie_of_the_other(app, choose, posted_at, name, read_at):
    cookie = read_cookie(choose(app.test_client(), "accept_all", base_url=posted_at)).partition(";")[0]
    value = cookie.removeprefix(f"{name}=")
    stranger = app.test_client(use_cookies=False)

    def needs_prompt(base_url, cookies):
        return stranger.get(STATE, base_url=base_url, headers={"Cookie": cookies}).json["needs_prompt"]

    assert needs_prompt(posted_at, cookie) is False
    assert needs_prompt(read_at, cookie) is True
    assert needs_prompt(read_at, f"consent={value}; __Host-consent={value}") is True


@pytest.mark.parametrize(("action", "months"), [("accept_all", 12), ("reject_all", 2), ("withdraw", 2)])
def test_max_age_is_what_the_record_says(make_app, choose, action, months):
    client = make_app(CONSENT_ACCEPT_MONTHS=12, CONSENT_REFUSE_MONTHS=2).test_client()
    response = choose(client, action, json=True)
    decided_at = datetime.fromisoformat(response.json["decided_at"])
    max_age = re.search(r"Max-Age=(\d+)", read_cookie(response))

    assert max_age
    assert decided_at + timedelta(seconds=int(max_age[1])) == add_months(decided_at, months)
    assert abs(datetime.now(UTC) - decided_at) < timedelta(seconds=60)


def test_partial_grant_lasts_as_long_as_an_acceptance(make_app, choose):
    client = make_app(CONSENT_ACCEPT_MONTHS=12, CONSENT_REFUSE_MONTHS=1).test_client()
    max_age = re.search(r"Max-Age=(\d+)", read_cookie(choose(client, "save", "youtube")))

    assert max_age
    assert int(max_age[1]) > 300 * 86400


def test_choice_lasts_till_its_end_and_no_longer(app, choose):
    engine = app.extensions["consent"].engine
    start = datetime(2026, 8, 31, 12, tzinfo=UTC)
    engine.read_clock = lambda: start
    client = app.test_client()
    choose(client, "accept_all")
    cookie = client.get_cookie("consent")
    stranger = app.test_client(use_cookies=False)

    def needs_prompt(now):
        engine.read_clock = lambda: now
        return stranger.get(STATE, headers={"Cookie": f"consent={cookie.value}"}).json["needs_prompt"]

    end = datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert needs_prompt(start - timedelta(hours=1)) is True
    assert needs_prompt(start - timedelta(seconds=120)) is False
    assert needs_prompt(end - timedelta(seconds=1)) is False
    assert needs_prompt(end) is True


def test_no_cookie_before_a_choice(make_app):
    app = make_app(CONSENT_LOCALE=lambda: "en")
    client = app.test_client()
    paths = ("/", "/missing", "/privacy-choices/", "/privacy-choices/policy", STATE)

    assert [client.get(path).headers.getlist("Set-Cookie") for path in paths] == [[]] * len(paths)


def test_a_get_neither_sets_nor_renews_the_cookie(app, choose):
    client = app.test_client()
    choose(client, "accept_all")
    paths = ("/", "/missing", "/privacy-choices/", "/privacy-choices/policy", STATE)

    assert [client.get(path).headers.getlist("Set-Cookie") for path in paths] == [[]] * len(paths)


def test_cookie_of_an_old_key_is_not_renewed_by_a_get(make_app, choose):
    old = make_app(SECRET_KEY="o" * 32).test_client()
    choose(old, "accept_all")
    new = make_app(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["o" * 32]).test_client()
    new.set_cookie("consent", old.get_cookie("consent").value)

    assert new.get("/").headers.getlist("Set-Cookie") == []


def test_new_choice_gets_a_new_record_id(app, choose):
    client = app.test_client()
    first = read_cookie(choose(client, "accept_all"))
    second = read_cookie(choose(client, "accept_all"))

    assert first != second


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-1],
        lambda value: value + "A",
        lambda value: value.replace(".", "", 1),
        lambda value: ".".join(reversed(value.split("."))),
        lambda value: value.split(".")[0] + ".",
        lambda value: ("B" if value[0] == "A" else "A") + value[1:],
        lambda value: f".{value}",
        lambda value: f'"{value}',
        lambda _value: "",
        lambda _value: "%ff%00",
        lambda _value: "\xe9\xff",
        lambda _value: "A" * 20_000,
        lambda _value: "eyJhbGciOiJub25lIn0..",
    ],
    ids=[
        "cut", "extended", "no-dot", "swapped", "no-signature", "flipped", "leading-dot", "open-quote", "empty",
        "escapes", "latin", "long", "unsigned",
    ],
)  # fmt: skip
def test_spoilt_cookie_is_unknown_and_no_error(app, choose, spoil):
    client = app.test_client()
    choose(client, "accept_all")
    header = f"consent={spoil(client.get_cookie('consent').value)}"
    stranger = app.test_client(use_cookies=False)
    response = stranger.get(STATE, headers={"Cookie": header})

    assert response.status_code == 200
    assert response.json["needs_prompt"] is True
    assert response.json["choices"]["analytics"] == "denied"


@pytest.mark.parametrize(
    "build",
    [
        lambda value: f"Consent={value}",
        lambda value: f"CONSENT={value}",
        lambda value: f"xconsent={value}",
        lambda value: f"consent2={value}",
        lambda value: f"=consent={value}",
        lambda value: f"\x85consent={value}",
        lambda value: f"\xa0consent={value}",
        lambda value: f"\x0bconsent={value}",
        lambda value: f'a="; consent={value}; b="',
        lambda value: f"consent={value}; consent=other",
        lambda value: f"consent=other; consent={value}",
    ],
    ids=[
        "capital", "capitals", "prefix", "suffix", "nameless", "0x85", "0xa0", "0x0b", "sandwich", "other-after",
        "other-before",
    ],
)  # fmt: skip
def test_cookie_that_may_be_tossed_is_unknown(app, choose, build):
    client = app.test_client()
    choose(client, "accept_all")
    header = build(client.get_cookie("consent").value)
    stranger = app.test_client(use_cookies=False)

    assert stranger.get(STATE, headers={"Cookie": header}).json["needs_prompt"] is True


def test_same_cookie_twice_is_believed(app, choose):
    client = app.test_client()
    choose(client, "accept_all")
    pair = f"consent={client.get_cookie('consent').value}"
    stranger = app.test_client(use_cookies=False)

    assert stranger.get(STATE, headers={"Cookie": f"{pair}; a=b; {pair}"}).json["needs_prompt"] is False


def test_next_choice_clears_a_second_cookie_of_the_name(app, choose):
    headers = {"Sec-Fetch-Site": "same-origin", "Cookie": "consent=one; consent=two"}
    response = choose(
        app.test_client(use_cookies=False), "reject_all", headers=headers, base_url="http://www.news.example"
    )

    assert any(
        cookie.startswith("consent=; ") and "Max-Age=0" in cookie and "Domain=news.example" in cookie
        for cookie in response.headers.getlist("Set-Cookie")
    )


@pytest.mark.parametrize(
    "cookies", [";" * 65536, "; ".join(f"c{number}=v" for number in range(5000))], ids=["semicolons", "many"]
)
def test_huge_cookie_header_is_no_error(app, cookies):
    response = app.test_client(use_cookies=False).get("/", headers={"Cookie": cookies})

    assert response.status_code == 200
    assert 'data-consent-ui="banner"' in response.text
