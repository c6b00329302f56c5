"""What closing takes with it: the cookies of refused services, and pages kept by the browser."""

from __future__ import annotations

import pytest

from consent import CookieDeclaration, Policy, Service

STATE = "/privacy-choices/state"
BASE = "http://www.news.example"
GONE = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"


def declare(*cookies, key="counter", purposes=("analytics",)):
    return Service(key, name=key.title(), purposes=purposes, cookies=cookies)


@pytest.fixture
def expired_by():
    """Return a function that lists what a response expires, the consent cookie left out."""

    def read(response):
        return [
            cookie
            for cookie in response.headers.getlist("Set-Cookie")
            if not cookie.startswith(("consent=", "__Host-consent="))
        ]

    return read


@pytest.fixture
def post(make_app, choose):
    """Return a function that posts a choice with cookies in the request."""

    def send(action, *granted, services, cookies, base_url=BASE, **fields):
        app = make_app(services=services)
        headers = {"Sec-Fetch-Site": "same-origin", "Cookie": cookies}
        return choose(
            app.test_client(use_cookies=False), action, *granted, headers=headers, base_url=base_url, **fields
        )

    return send


def test_sent_cookie_is_expired_for_the_host_and_its_parents(post, expired_by):
    response = post("reject_all", services=[declare(CookieDeclaration("_seen", months=1))], cookies="_seen=1; other=2")

    assert expired_by(response) == [
        f"_seen=; {GONE}; Path=/",
        f"_seen=; {GONE}; Path=/; Domain=www.news.example",
        f"_seen=; {GONE}; Path=/; Domain=news.example",
    ]


def test_cookie_that_was_not_sent_is_not_expired(post, expired_by):
    response = post("reject_all", services=[declare(CookieDeclaration("_seen", months=1))], cookies="other=2")

    assert expired_by(response) == []


def test_pattern_expires_each_name_that_matches(post, expired_by):
    response = post(
        "reject_all",
        services=[declare(CookieDeclaration("_ga_*", months=1))],
        cookies="_ga_ABC=1; _ga_=2; _gat=3; x_ga_1=4; _GA_A=5",
        base_url="http://localhost",
    )

    assert expired_by(response) == [f"_ga_ABC=; {GONE}; Path=/", f"_ga_=; {GONE}; Path=/"]


def test_exact_name_under_another_path_is_expired_unseen(post, expired_by):
    response = post(
        "reject_all",
        services=[declare(CookieDeclaration("_seen", months=1, path="/shop"))],
        cookies="",
        base_url="http://localhost",
    )

    assert expired_by(response) == [f"_seen=; {GONE}; Path=/shop"]


def test_expiry_over_https_is_secure(post, expired_by):
    response = post(
        "reject_all",
        services=[declare(CookieDeclaration("__Host-seen", months=1))],
        cookies="__Host-seen=1",
        base_url="https://www.news.example",
    )

    assert expired_by(response) == [f"__Host-seen=; {GONE}; Path=/; Secure"]


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:5000", "http://[::1]:5000", "http://localhost:5000"])
def test_address_has_no_parent_domains(post, expired_by, base_url):
    response = post(
        "reject_all", services=[declare(CookieDeclaration("_seen", months=1))], cookies="_seen=1", base_url=base_url
    )

    assert expired_by(response) == [f"_seen=; {GONE}; Path=/"]


@pytest.mark.parametrize(
    "cookie",
    [
        CookieDeclaration("_seen", months=1, third_party=True),
        CookieDeclaration("_seen", months=1, kind="local_storage"),
    ],
    ids=["third-party", "local-storage"],
)
def test_what_the_server_cannot_clear_is_left(post, expired_by, cookie):
    assert expired_by(post("reject_all", services=[declare(cookie)], cookies="_seen=1")) == []


def test_cookie_shared_with_a_granted_service_is_kept(post, expired_by):
    services = [
        declare(CookieDeclaration("_shared", months=1), CookieDeclaration("_own", months=1), key="counter"),
        declare(CookieDeclaration("_shared", months=1), key="player", purposes=("marketing",)),
    ]
    response = post("save", "player", services=services, cookies="_shared=1; _own=2", base_url="http://localhost")

    assert expired_by(response) == [f"_own=; {GONE}; Path=/"]


def test_cookie_of_a_granted_service_that_a_pattern_of_a_refused_one_matches_is_kept(post, expired_by):
    services = [
        declare(CookieDeclaration("_st_*", months=1), key="counter"),
        declare(CookieDeclaration("_st_player", months=1), key="player", purposes=("marketing",)),
    ]
    response = post("save", "player", services=services, cookies="_st_player=1; _st_a=2", base_url="http://localhost")

    assert expired_by(response) == [f"_st_a=; {GONE}; Path=/"]


def test_cookie_of_the_site_itself_is_never_expired(post, expired_by):
    services = [
        declare(CookieDeclaration("con*", months=1), key="counter"),
        declare(CookieDeclaration("consent", session=True), key="login", purposes=("analytics",)),
    ]
    response = post("reject_all", services=services, cookies="consent=1", base_url="http://localhost")

    assert [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")].count("consent") == 1


def test_undecided_visitor_keeps_what_is_there(app, expired_by):
    response = app.test_client(use_cookies=False).get("/", headers={"Cookie": "_ga=1"})

    assert expired_by(response) == []


def test_refused_visitor_whose_cookie_came_back_loses_it_on_the_next_page(client, choose, expired_by):
    choose(client, "reject_all")
    client.set_cookie("_ga", "GA1.1")
    response = client.get("/")

    assert expired_by(response) == [f"_ga=; {GONE}; Path=/"]
    assert response.headers["Cache-Control"] == "private"


def test_too_many_cookies_are_expired_over_several_responses(make_app, choose, expired_by):
    app = make_app(services=[declare(CookieDeclaration("track_*", months=1))])
    client = app.test_client()
    names = {f"track_{number:03}" for number in range(100)}
    for name in names:
        client.set_cookie(name, "1")
    responses = [choose(client, "reject_all"), *(client.get("/") for _ in range(9))]

    assert all(sum(map(len, expired_by(response))) <= 3072 for response in responses)
    assert {cookie.partition("=")[0] for response in responses for cookie in expired_by(response)} == names
    assert len(expired_by(responses[0])) > 30
    assert expired_by(responses[-1]) == []


def test_rest_is_expired_although_the_site_places_everything_itself(make_app, choose, expired_by):
    client = make_app(services=[declare(CookieDeclaration("_seen", months=1))], CONSENT_INJECT=False).test_client()
    choose(client, "reject_all")
    client.set_cookie("_seen", "1")

    assert expired_by(client.get("/privacy-choices/")) or expired_by(client.get("/"))


def test_expiry_comes_from_the_policy_alone(client, choose, expired_by):
    client.set_cookie("mine", "1")
    response = client.post(
        "/privacy-choices/",
        json={"action": "reject_all", "cookies": ["mine"], "expire": "mine"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert expired_by(response) == []


def test_withdrawal_closes_and_does_not_ask_again(client, choose):
    choose(client, "accept_all")
    state = choose(client, "withdraw", json=True).json

    assert {*state["services"].values()} == {"denied"}
    assert state["choices"] == {
        "necessary": "granted",
        "preferences": "denied",
        "analytics": "denied",
        "marketing": "denied",
    }
    assert state["needs_prompt"] is False
    assert "pvc-banner" not in client.get("/").text


@pytest.mark.parametrize(
    ("action", "granted", "closes"),
    [
        ("withdraw", (), True),
        ("reject_all", (), True),
        ("save", (), True),
        ("save", ("analytics",), True),
        ("save", ("preferences", "analytics", "marketing"), False),
        ("accept_all", (), False),
        ("allow", ("youtube",), False),
    ],
)
def test_kept_pages_are_cleared_on_closing_only(client, choose, action, granted, closes):
    choose(client, "accept_all")
    response = choose(client, action, *granted)

    assert response.headers.get("Clear-Site-Data") == ('"cache"' if closes else None)


def test_first_refusal_closes_nothing(client, choose):
    assert "Clear-Site-Data" not in choose(client, "reject_all").headers


def test_withdrawal_takes_effect_on_its_own_response(make_app, choose):
    policy = Policy(controller="Example", services=(declare(CookieDeclaration("_seen", months=1)),))
    client = make_app(policy=policy).test_client()
    choose(client, "accept_all")
    client.set_cookie("_seen", "1")
    response = choose(client, "withdraw")

    assert [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")] == ["consent", "_seen"]
    assert client.get_cookie("_seen") is None


def test_gpc_closes_what_was_granted_without_it_but_not_what_was_granted_in_spite_of_it(client, choose):
    gpc = {"Sec-GPC": "1"}
    choose(client, "accept_all")

    assert client.get(STATE, headers=gpc).json["choices"]["marketing"] == "denied"
    assert client.get(STATE, headers=gpc).json["choices"]["analytics"] == "granted"
    choose(client, "accept_all", headers={"Sec-Fetch-Site": "same-origin", **gpc})
    assert client.get(STATE, headers=gpc).json["choices"]["marketing"] == "granted"


def test_gpc_never_suppresses_the_prompt(client):
    assert client.get(STATE, headers={"Sec-GPC": "1"}).json["needs_prompt"] is True
