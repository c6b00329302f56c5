"""`CONSENT_HIDE_COOKIES`: the app does not get to see cookies of what is not granted, and browsers lose them."""

from __future__ import annotations

import pytest
from flask import Flask, g, request, request_started, session
from flask_login import LoginManager, UserMixin, current_user, login_user

import consent.testing
from consent import Consent, current_consent
from tests.conftest import PLAYER, STATS
from tests.cookie_site import SERVICES, list_leaks

SENT = 'sid=1; _st="a b"; own=1;  _st_x=2 ;pl_id=3; _st=4; own=2'
LEFT = "sid=1; own=1; own=2"


@pytest.fixture
def site(make_app):
    """Return a function that makes a site that hides cookies, and has a page that shows what its view sees of them."""

    def make(**config):
        app = make_app(services=SERVICES, **{"CONSENT_HIDE_COOKIES": True} | config)
        add_page(app)
        return app

    return make


def add_page(app):
    @app.get("/seen")
    def seen():
        return {
            "names": sorted(request.cookies),
            "field": request.headers.get("Cookie"),
            "wsgi": request.environ.get("HTTP_COOKIE"),
        }


def carry(client, header):
    """Return a function that gets a page with these cookies beside the ones that the client was given."""
    own = "; ".join(f"{cookie.key}={cookie.value}" for cookie in client._cookies.values())
    field = f"{own}; {header}" if own else header
    plain = client.application.test_client(use_cookies=False)
    return lambda path="/seen", **options: plain.get(path, headers={"Cookie": field, **options.pop("headers", {})})


def expired(response, set_cookies):
    return sorted({value.partition("=")[0] for value in set_cookies(response) if "Max-Age=0" in value})


# -- what the app sees


def test_cookies_of_what_is_undecided_are_hidden_and_the_others_keep_their_bytes(site):
    seen = carry(site().test_client(), SENT)().json

    assert seen == {"names": ["own", "sid"], "field": LEFT, "wsgi": LEFT}


def test_cookies_of_what_is_granted_are_seen(site):
    client = site().test_client()
    consent.testing.grant(client, "stats")
    seen = carry(client, SENT)().json

    assert seen["names"] == ["_st", "_st_x", "consent", "own", "sid"]
    assert seen["field"].endswith('; sid=1; _st="a b"; own=1;  _st_x=2 ; _st=4; own=2')


def test_request_with_nothing_but_hidden_cookies_has_none(site):
    assert carry(site().test_client(), "_st=1")().json == {"names": [], "field": None, "wsgi": None}


def test_cookie_that_a_necessary_service_declares_is_seen_though_a_pattern_means_it_too(site):
    assert carry(site().test_client(), "_st_login=1")().json["names"] == ["_st_login"]


@pytest.mark.parametrize("header", ["own=_st=1", "x_st=1", "_ST=1", "own=1; sid=2", ";;", "=", "own", "_s", 'a="_st'])
def test_field_without_a_declared_name_is_left_as_it_is(site, header):
    answer = carry(site().test_client(), header)()

    assert answer.json["wsgi"] == header
    assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    "header",
    [
        "_st",
        "_st =1",
        "\t_st\t=\t1",
        "_st=",
        '_st="',
        'own="; _st=1; "',
        'own="a; _st=1',
        "own=1;;_st=1;",
        "own=\xff; _st=\xfe",
        "_st_\x00=1",
    ],
)
def test_cookie_is_hidden_however_the_field_is_written(site, header):
    app = site()
    answer = app.test_client(use_cookies=False).get("/seen", environ_overrides={"HTTP_COOKIE": header})

    assert answer.status_code == 200
    assert "_st" not in (answer.json["wsgi"] or "")


def test_cookies_are_seen_without_the_option(site):
    app = site(CONSENT_HIDE_COOKIES=False)

    assert carry(app.test_client(), SENT)().json["wsgi"] == SENT


def test_cookies_are_hidden_from_every_hook_that_comes_after_the_session(site):
    app = site()
    seen = []
    app.before_request(lambda: seen.append(sorted(request.cookies)))
    app.teardown_request(lambda _: seen.append(sorted(request.cookies)))
    carry(app.test_client(), SENT)("/missing")

    assert seen == [["own", "sid"], ["own", "sid"]]


def test_session_and_login_go_on(site):
    app = site()
    manager = LoginManager(app)
    manager.user_loader(make_user)
    app.add_url_rule("/login", "login", lambda: str(login_user(make_user("7"), remember=True)))

    @app.get("/me")
    def me():
        return f"{current_user.id} {session['_user_id']} {sorted(request.cookies)}"

    client = app.test_client()
    client.get("/login")

    assert carry(client, "_st=1")("/me").text == "7 7 ['remember_token', 'session']"


def make_user(user_id):
    user = UserMixin()
    user.id = user_id
    return user


def test_choice_of_the_visitor_is_read_whatever_is_hidden(site):
    app = site()
    app.add_url_rule("/ask", "ask", lambda: str(current_consent.allows("stats")))
    client = app.test_client()
    consent.testing.grant(client, "stats")

    assert carry(client, "pl_id=1; _st=1")("/ask").text == "True"


# -- what browsers lose


def test_cookies_of_what_is_undecided_are_expired(site, set_cookies):
    answer = carry(site().test_client(), SENT)()

    assert expired(answer, set_cookies) == ["_st", "_st_x", "pl_id"]


def test_cookies_of_what_is_undecided_stay_without_the_option(site, set_cookies, add_page):
    app = site(CONSENT_HIDE_COOKIES=False)
    app.add_url_rule("/ask", "ask", lambda: str(current_consent.allows("stats")))

    assert expired(carry(app.test_client(), SENT)("/ask"), set_cookies) == []


def test_refused_cookies_are_expired_and_granted_ones_stay(site, set_cookies):
    client = site().test_client()
    consent.testing.grant(client, "stats")

    assert expired(carry(client, SENT)(), set_cookies) == ["pl_id"]


def test_cookie_is_not_expired_by_the_choice_that_grants_it(site, set_cookies):
    app = site()
    answer = app.test_client(use_cookies=False).post(
        "/privacy-choices/",
        data={"action": "allow", "granted": "stats"},
        headers={"Cookie": SENT, "Sec-Fetch-Site": "same-origin"},
    )

    assert answer.status_code == 303
    assert expired(answer, set_cookies) == ["pl_id"]


def test_cookie_that_waits_for_the_signal_is_hidden_and_not_expired(make_app, set_cookies):
    app = make_app(services=SERVICES, jurisdiction=lambda: "US-CA", CONSENT_HIDE_COOKIES=True)
    add_page(app)
    answer = carry(app.test_client(), SENT)()

    assert answer.json["names"] == ["_st", "_st_x", "own", "sid"]
    assert expired(answer, set_cookies) == []


# -- what the developer and caches are told


def test_each_declaration_is_told_once_whatever_names_visitors_make_up(site, caplog):
    app = site()
    for number in range(5):
        carry(app.test_client(), f"_st=1; _st_{number}=1; _st_x{number}=1")()

    assert [(each["kind"], each["subject"], each["services"], each["endpoint"]) for each in list_leaks(caplog)] == [
        ("cookie_hidden", "_st", ["stats"], "seen"),
        ("cookie_hidden", "_st_*", ["stats"], "seen"),
    ]


def test_caches_are_told_that_the_response_depends_on_the_visitor(site):
    client = site().test_client()
    before = carry(client, SENT)()
    consent.testing.grant(client)
    after = carry(client, SENT)()

    for answer in (before, after):
        assert answer.headers["Vary"] == "Cookie, Sec-GPC"
        assert answer.headers["Cache-Control"] == "private"


def test_files_stay_the_same_for_everyone(tmp_path):
    (tmp_path / "a.css").write_text("a{}")
    app = Flask("newspaper", static_folder=tmp_path, static_url_path="/static")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd", CONSENT_HIDE_COOKIES=True)
    Consent(app, services=SERVICES)
    asset = app.extensions["consent"].assets["banner.css"].file_name
    get = carry(app.test_client(), SENT)

    for path in ("/static/a.css", f"/privacy-choices/assets/{asset}"):
        answer = get(path)
        assert answer.status_code == 200
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert "Set-Cookie" not in answer.headers
        answer.close()


# -- the site's own functions, and faults


def test_function_that_needs_a_later_hook_is_asked_again_for_the_page(make_app):
    app = make_app(services=SERVICES, jurisdiction=lambda: g.get("place"), CONSENT_HIDE_COOKIES=True)
    app.before_request(lambda: setattr(g, "place", "US-CA"))
    app.add_url_rule("/ask", "ask", lambda: f"{current_consent.jurisdiction} {sorted(request.cookies)}")

    assert carry(app.test_client(), SENT)("/ask").text == "US-CA ['own', 'sid']"


def test_user_who_has_refused_elsewhere_has_their_cookies_hidden(bare_app):
    app = bare_app(CONSENT_HIDE_COOKIES=True)
    extension = Consent(app, services=SERVICES)
    kept: dict[str, str | None] = {"text": None}
    extension.load_choice(lambda: kept["text"])
    extension.save_choice(lambda text: kept.update(text=text))
    add_page(app)
    client = app.test_client()
    consent.testing.grant(client)
    kept["text"] = ""
    consent.testing.refuse(app.test_client())
    seen = carry(client, SENT)().json

    assert kept["text"]
    assert seen["names"] == ["consent", "own", "sid"]


def test_fault_hides_what_needs_a_grant_and_does_not_cost_the_page(site, monkeypatch, caplog):
    app = site()

    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.hidden_cookies.is_cookie_open", fail)
    answer = carry(app.test_client(), SENT)()

    assert (answer.status_code, answer.json["wsgi"]) == (200, LEFT)
    assert "could not be judged" in caplog.text


def test_fault_in_looking_cookies_up_leaves_what_logs_visitors_in(site, monkeypatch):
    app = site()

    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.core.cookie_gate.CookieIndex.find_owner", fail)
    answer = carry(app.test_client(), f"session=x; {SENT}; consent=y")()

    assert (answer.status_code, answer.json["wsgi"]) == (200, f"session=x; {LEFT}; consent=y")


def test_fault_of_the_log_does_not_cost_the_page(site, monkeypatch):
    app = site()

    def fail(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.leak_log.LeakLog.note", fail)
    answer = carry(app.test_client(), SENT)()

    assert (answer.status_code, answer.json["wsgi"]) == (200, LEFT)


def test_who_reads_cookies_before_the_library_does_not_keep_it_from_hiding_them(make_app):
    app = make_app(services=SERVICES, CONSENT_HIDE_COOKIES=True)
    add_page(app)
    read = []

    def early(_sender, **_):
        read.append(sorted(request.cookies))
        current_consent.allows("stats")

    with request_started.connected_to(early, app):
        seen = carry(app.test_client(), SENT)().json

    assert seen["names"] == ["own", "sid"]
    assert len(read) == 1


def test_two_apps_hide_by_their_own_policies(make_app):
    hiding, showing = (make_app(services=services, CONSENT_HIDE_COOKIES=True) for services in ((STATS,), (PLAYER,)))
    for app in (hiding, showing):
        add_page(app)

    assert carry(hiding.test_client(), "_st=1; pl_id=1")().json["names"] == ["pl_id"]
    assert carry(showing.test_client(), "_st=1; pl_id=1")().json["names"] == ["_st"]


def test_policy_without_cookies_hides_nothing(make_app):
    app = make_app(services=(), CONSENT_HIDE_COOKIES=True)
    add_page(app)

    assert carry(app.test_client(), SENT)().json["wsgi"] == SENT
