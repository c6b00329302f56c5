"""The `Set-Cookie` gate: what is sent, what is held back, and what the developer is told."""

from __future__ import annotations

import pytest
from flask import Response, session
from flask_login import LoginManager, UserMixin, login_user, logout_user

import consent.testing
from consent import Consent
from tests.cookie_site import SERVICES, UNASKED, add_view, list_leaks, names_of


@pytest.fixture
def site(make_app):
    """Return a function that makes a site with services of each sort."""
    return lambda **config: make_app(services=SERVICES, **config)


# -- what is judged


def test_cookie_of_what_is_undecided_is_not_sent(site):
    app = site()
    add_view(app)

    assert names_of(app.test_client().get("/set")) == UNASKED


def test_cookie_of_what_is_refused_is_not_sent(site):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.refuse(client)

    assert names_of(client.get("/set")) == UNASKED


def test_cookie_of_what_is_granted_is_sent(site):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.grant(client, "stats")

    assert names_of(client.get("/set")) == ["sid", "_st", "own"]


def test_cookie_is_not_sent_any_more_after_withdrawal(site, choose):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.grant(client)
    choose(client, "withdraw")

    assert "_st" not in names_of(client.get("/set"))


def test_cookie_that_two_services_declare_is_sent_once_one_is_granted(site):
    app = site()
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "_st_both=1")]))
    client = app.test_client()
    consent.testing.grant(client, "marketing")

    assert names_of(client.get("/set")) == ["_st_both"]


@pytest.mark.parametrize(
    "field",
    [
        "_st=",
        "=_st=1",
        "_st",
        " _st =1",
        "_st_x=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "_st=1; Expires=0",
        "_st=1; Max-Age=0; Max-Age=9",
        "_st=;Max-Age=x",
        "_st=a; _ga=b",
        "_st=\xff; Domain=.example.com",
        f"_st={'x' * 5000}",
    ],
)
def test_cookie_is_held_back_however_it_is_written(site, set_cookies, field):
    app = site()
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", field)]))

    assert set_cookies(app.test_client().get("/set")) == []


def test_deletion_passes_untouched(site, set_cookies):
    fields = [
        "_st=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
        "_st_1=x; expires=Thu, 01-Jan-70 00:00:10 GMT",
    ]
    app = site(CONSENT_UNDECLARED_COOKIES="block")
    headers = [("Set-Cookie", field) for field in (*fields, "own=; Max-Age=0")]
    app.add_url_rule("/set", "set", lambda: Response(headers=headers))

    assert set_cookies(app.test_client().get("/set")) == [*fields, "own=; Max-Age=0"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, UNASKED),
        ({"CONSENT_COOKIE_GATE": "report"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_COOKIE_GATE": "off"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_UNDECLARED_COOKIES": "block"}, ["sid"]),
        ({"CONSENT_COOKIE_GATE": "report", "CONSENT_UNDECLARED_COOKIES": "block"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_COOKIE_GATE": "off", "CONSENT_UNDECLARED_COOKIES": "block"}, ["sid", "_st", "own", "pl_id"]),
    ],
)
def test_settings_say_what_is_held_back(site, settings, expected):
    app = site(**settings)
    add_view(app)

    assert names_of(app.test_client().get("/set")) == expected


# -- what the developer is told


def leak(kind, subject, *, endpoint="set", page="/set", services=(), purposes=()):
    return {
        "kind": kind,
        "subject": subject,
        "services": list(services),
        "purposes": list(purposes),
        "element": "",
        "page": page,
        "endpoint": endpoint,
    }


STATS_LEAK = {"services": ["stats"], "purposes": ["analytics"]}
PLAYER_LEAK = {"services": ["player"], "purposes": ["marketing"]}


@pytest.mark.parametrize(
    ("settings", "denied", "undeclared"),
    [
        ({}, "cookie_suppressed", "cookie_undeclared"),
        ({"CONSENT_UNDECLARED_COOKIES": "block"}, "cookie_suppressed", "cookie_blocked"),
        ({"CONSENT_COOKIE_GATE": "report"}, "cookie_sent", "cookie_undeclared"),
        (
            {"CONSENT_COOKIE_GATE": "report", "CONSENT_UNDECLARED_COOKIES": "block"},
            "cookie_sent",
            "cookie_undeclared",
        ),
    ],
)
def test_each_cookie_is_told_with_service_purpose_and_endpoint(site, caplog, settings, denied, undeclared):
    app = site(**settings)
    add_view(app)
    app.test_client().get("/set?name=secret")

    assert list_leaks(caplog) == [
        leak(denied, "_st", **STATS_LEAK),
        leak(undeclared, "own"),
        leak(denied, "pl_id", **PLAYER_LEAK),
    ]


def test_nothing_is_told_with_the_gate_off(site, caplog):
    app = site(CONSENT_COOKIE_GATE="off")
    add_view(app)
    app.test_client().get("/set")

    assert list_leaks(caplog) == []


def test_suppression_is_told_once_an_endpoint_and_what_is_undeclared_once_a_name(site, caplog):
    app = site()
    add_view(app)
    add_view(app, path="/other")
    app.add_url_rule("/alias", "other", app.view_functions["other"])
    client = app.test_client()
    for path in ("/set", "/set", "/other", "/alias"):
        client.get(path)

    assert [(each["subject"], each["endpoint"]) for each in list_leaks(caplog)] == [
        ("_st", "set"),
        ("own", "set"),
        ("pl_id", "set"),
        ("_st", "other"),
        ("pl_id", "other"),
    ]


def test_value_of_a_cookie_is_told_to_nobody(site, caplog):
    app = site()
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "_st=topsecret; Path=/topsecret")]))
    app.test_client().get("/set/?q=topsecret")
    app.test_client().get("/set?q=topsecret")

    assert "_st" in caplog.text
    assert "topsecret" not in caplog.text


def test_name_of_a_cookie_cannot_write_to_the_terminal_or_begin_a_line_of_the_log(site, caplog):
    app = site()
    name = "own\x1b[31m\x85\u2028".encode().decode("latin-1")
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", f"{name}=1")]))
    app.test_client().get("/set")
    (message,) = [record.getMessage() for record in caplog.records if "consent-audit" in record.getMessage()]

    assert "\x1b" not in message
    assert len(message.splitlines()) == 1
    assert list_leaks(caplog)[0]["subject"] == name


# -- the cookies that nobody holds back


def add_login(app):
    manager = LoginManager(app)

    @manager.user_loader
    def load(user_id):
        user = UserMixin()
        user.id = user_id
        return user

    app.add_url_rule("/login", "login", lambda: str(login_user(load("7"), remember=True)))
    app.add_url_rule("/logout", "logout", lambda: str(logout_user()))


@pytest.mark.parametrize("is_consent_first", [True, False])
def test_session_and_remember_me_pass_and_are_told_unless_declared(bare_app, caplog, is_consent_first):
    app = bare_app(CONSENT_UNDECLARED_COOKIES="block")
    if is_consent_first:
        Consent(app, services=SERVICES)
    add_login(app)
    if not is_consent_first:
        Consent(app, services=SERVICES)
    client = app.test_client()

    assert sorted(names_of(client.get("/login"))) == ["remember_token", "session"]
    assert [(each["kind"], each["subject"]) for each in list_leaks(caplog)] == [("cookie_undeclared", "remember_token")]
    assert sorted(names_of(client.get("/logout"))) == ["remember_token", "session"]


def test_name_of_what_remembers_users_says_nothing_without_flask_login(site, caplog):
    app = site(CONSENT_UNDECLARED_COOKIES="block")
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "remember_token=7")]))

    assert names_of(app.test_client().get("/set")) == []
    assert [(each["kind"], each["subject"]) for each in list_leaks(caplog)] == [("cookie_blocked", "remember_token")]


def test_session_under_another_name_passes(site):
    app = site(CONSENT_UNDECLARED_COOKIES="block")
    # Too late for the library's settings, and yet what Flask does from now on.
    app.config["SESSION_COOKIE_NAME"] = "_st"

    @app.get("/set")
    def view():
        session["user"] = 7
        return "x"

    assert names_of(app.test_client().get("/set")) == ["_st"]


@pytest.mark.parametrize("base_url", ["http://localhost", "https://localhost"])
def test_choice_is_kept_where_every_undeclared_cookie_is_blocked(site, choose, base_url):
    client = site(CONSENT_UNDECLARED_COOKIES="block").test_client()
    choose(client, "accept_all", base_url=base_url)

    assert client.get("/privacy-choices/state", base_url=base_url).json["choices"]["analytics"] == "granted"


def test_cookie_that_remembers_the_signal_passes(make_app, set_cookies):
    app = make_app(services=SERVICES, jurisdiction=lambda: "US-CA", CONSENT_UNDECLARED_COOKIES="block")
    answer = app.test_client().post("/privacy-choices/gpc", headers={"Sec-Fetch-Site": "same-origin"})

    assert [value.partition("=")[0] for value in set_cookies(answer)] == ["consent-gpc"]


# -- what waits, and what runs in advance


def test_cookie_waits_where_only_scripts_can_see_the_signal(make_app):
    app = make_app(services=SERVICES, jurisdiction=lambda: "US-CA")
    add_view(app)
    client = app.test_client()
    before = names_of(client.get("/set"))
    consent.testing.grant(client)

    assert before == ["sid", "_st", "own"]
    assert names_of(client.get("/set")) == ["sid", "_st", "own"]
    assert names_of(client.get("/set", headers={"Sec-Fetch-Dest": "empty"})) == ["sid", "_st", "own", "pl_id"]


def test_cookie_of_a_service_that_loads_in_advance_is_held_back(make_app):
    app = make_app(services=["google-analytics"], CONSENT_ADVANCED=["google-analytics"])
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "_ga=1")]))

    assert names_of(app.test_client().get("/set")) == []
