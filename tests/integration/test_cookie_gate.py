"""The `Set-Cookie` gate: whatever sets a cookie, and wherever it leaves, what is not granted is not sent."""

from __future__ import annotations

import io
import json
import logging

import pytest
from flask import Blueprint, Flask, Response, abort, redirect, request_finished, send_file, session, stream_with_context
from flask_caching import Cache
from flask_login import LoginManager, UserMixin, login_user, logout_user
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import create_environ, run_wsgi_app

import consent.testing
from consent import Consent, CookieDeclaration, Service
from consent.core.leak import AUDIT_MARK
from tests.conftest import PLAYER, STATS

LOGIN = Service(
    "login",
    name="Login",
    purposes=("necessary",),
    justification="Keeps you signed in.",
    cookies=(CookieDeclaration("sid", session=True), CookieDeclaration("session", session=True)),
)
SHARED = Service("shared", name="Shared", purposes=("marketing",), cookies=(CookieDeclaration("_st_both", days=1),))
SERVICES = (LOGIN, STATS, PLAYER, SHARED)


@pytest.fixture
def site(make_app):
    """Return a function that makes a site with these services."""
    return lambda **config: make_app(services=SERVICES, **config)


@pytest.fixture
def told(caplog):
    """Return a function that lists the leaks in the log, in their order."""

    def read():
        lines = [record.getMessage() for record in caplog.records if AUDIT_MARK in record.getMessage()]
        return [json.loads(line.partition(AUDIT_MARK)[2]) for line in lines]

    caplog.set_level(logging.WARNING, "consent")
    return read


@pytest.fixture
def names(set_cookies):
    """Return a function that lists the names of the cookies that a response sets, the library's own left out."""

    def read(response):
        found = [value.partition("=")[0] for value in set_cookies(response)]
        return [name for name in found if "consent" not in name]

    return read


def set_all(response):
    """Set a cookie of each sort."""
    response.set_cookie("sid", "1")
    response.set_cookie("_st", "1", max_age=100)
    response.set_cookie("own", "1")
    response.set_cookie("pl_id", "1")
    return response


def answering(headers):
    """Make a WSGI app that answers with these headers once its body is asked for."""

    def answer(_environ, start_response):
        start_response("200 OK", list(headers))
        yield b"x"

    return answer


def add_view(app, make=lambda: Response("x"), path="/set", **options):
    app.add_url_rule(path, path.strip("/").replace("/", "_"), lambda **_: set_all(app.make_response(make())), **options)


# -- what is judged


def test_cookie_of_what_is_undecided_is_not_sent(site, names):
    app = site()
    add_view(app)

    assert names(app.test_client().get("/set")) == ["sid", "own"]


def test_cookie_of_what_is_refused_is_not_sent(site, names):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.refuse(client)

    assert names(client.get("/set")) == ["sid", "own"]


def test_cookie_of_what_is_granted_is_sent(site, names):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.grant(client, "stats")

    assert names(client.get("/set")) == ["sid", "_st", "own"]


def test_cookie_is_not_sent_any_more_after_withdrawal(site, names, choose):
    app = site()
    add_view(app)
    client = app.test_client()
    consent.testing.grant(client)
    choose(client, "withdraw")

    assert "_st" not in names(client.get("/set"))


def test_cookie_that_two_services_declare_is_sent_once_one_is_granted(site, names):
    app = site()
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "_st_both=1")]))
    client = app.test_client()
    consent.testing.grant(client, "marketing")

    assert names(client.get("/set")) == ["_st_both"]


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


def test_other_headers_keep_their_bytes_and_order(bare_app):
    sent = [
        ("X-First", "1"),
        ("set-cookie", " sid=1;  Path=/x ;secure"),
        ("Set-Cookie", "_st=1"),
        ("x-between", ""),
        ("SET-COOKIE", 'own=\xe9,"q'),
        ("SET-COOKIE", "_st=2"),
        ("Set-Cookie", "own=2"),
        ("Vary", "Cookie, Sec-GPC"),
        ("Cache-Control", "private"),
    ]
    app = bare_app()
    app.wsgi_app = answering(sent)
    Consent(app, services=SERVICES)
    _, status, headers = run_wsgi_app(app, create_environ("/"))

    assert status == "200 OK"
    assert list(headers) == [(name, value) for name, value in sent if not value.startswith("_st")]


def test_layer_that_begins_its_answer_late_is_judged_as_well(bare_app):
    """Nothing is left of the request by then."""
    app = bare_app()
    app.wsgi_app = answering([("Set-Cookie", "_st=1"), ("Set-Cookie", "own=1"), ("Cache-Control", "public")])
    Consent(app, services=SERVICES)
    body, _, headers = run_wsgi_app(app, create_environ("/"))

    assert b"".join(body) == b"x"
    assert headers.getlist("Set-Cookie") == ["own=1"]
    assert headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["sid", "own"]),
        ({"CONSENT_COOKIE_GATE": "report"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_COOKIE_GATE": "off"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_UNDECLARED_COOKIES": "block"}, ["sid"]),
        ({"CONSENT_COOKIE_GATE": "report", "CONSENT_UNDECLARED_COOKIES": "block"}, ["sid", "_st", "own", "pl_id"]),
        ({"CONSENT_COOKIE_GATE": "off", "CONSENT_UNDECLARED_COOKIES": "block"}, ["sid", "_st", "own", "pl_id"]),
    ],
)
def test_settings_say_what_is_held_back(site, names, settings, expected):
    app = site(**settings)
    add_view(app)

    assert names(app.test_client().get("/set")) == expected


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
def test_each_cookie_is_told_with_service_purpose_and_endpoint(site, told, settings, denied, undeclared):
    app = site(**settings)
    add_view(app)
    app.test_client().get("/set?name=secret")

    assert told() == [
        leak(denied, "_st", **STATS_LEAK),
        leak(undeclared, "own"),
        leak(denied, "pl_id", **PLAYER_LEAK),
    ]


def test_nothing_is_told_with_the_gate_off(site, told):
    app = site(CONSENT_COOKIE_GATE="off")
    add_view(app)
    app.test_client().get("/set")

    assert told() == []


def test_suppression_is_told_once_an_endpoint_and_what_is_undeclared_once_a_name(site, told):
    app = site()
    add_view(app)
    add_view(app, path="/other")
    app.add_url_rule("/alias", "other", app.view_functions["other"])
    client = app.test_client()
    for path in ("/set", "/set", "/other", "/alias"):
        client.get(path)

    assert [(each["subject"], each["endpoint"]) for each in told()] == [
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
def test_session_and_remember_me_pass_and_are_told_unless_declared(bare_app, names, told, is_consent_first):
    app = bare_app(CONSENT_UNDECLARED_COOKIES="block")
    if is_consent_first:
        Consent(app, services=SERVICES)
    add_login(app)
    if not is_consent_first:
        Consent(app, services=SERVICES)
    client = app.test_client()

    assert sorted(names(client.get("/login"))) == ["remember_token", "session"]
    assert [(each["kind"], each["subject"]) for each in told()] == [("cookie_undeclared", "remember_token")]
    assert sorted(names(client.get("/logout"))) == ["remember_token", "session"]


def test_session_under_another_name_passes(site, names):
    app = site(CONSENT_UNDECLARED_COOKIES="block")
    # Too late for the library's settings, and yet what Flask does from now on.
    app.config["SESSION_COOKIE_NAME"] = "_st"

    @app.get("/set")
    def view():
        session["user"] = 7
        return "x"

    assert names(app.test_client().get("/set")) == ["_st"]


@pytest.mark.parametrize("base_url", ["http://localhost", "https://localhost"])
def test_choice_is_kept_where_every_undeclared_cookie_is_blocked(site, choose, base_url):
    client = site(CONSENT_UNDECLARED_COOKIES="block").test_client()
    choose(client, "accept_all", base_url=base_url)

    assert client.get("/privacy-choices/state", base_url=base_url).json["choices"]["analytics"] == "granted"


def test_cookie_that_remembers_the_signal_passes(make_app, set_cookies):
    app = make_app(services=SERVICES, jurisdiction=lambda: "US-CA", CONSENT_UNDECLARED_COOKIES="block")
    answer = app.test_client().post("/privacy-choices/gpc", headers={"Sec-Fetch-Site": "same-origin"})

    assert [value.partition("=")[0] for value in set_cookies(answer)] == ["consent-gpc"]


# -- whatever sets it, and however the response leaves


def test_cookie_of_another_extension_is_judged_in_after_request_and_in_request_finished(site, names):
    app = site()
    app.after_request(set_all)

    def late(_sender, response, **_):
        response.set_cookie("_st_late", "1")

    with request_finished.connected_to(late, app):
        assert names(app.test_client().get("/")) == ["sid", "own"]


def test_cookie_of_a_blueprint_is_judged(site, names):
    app = site()
    blueprint = Blueprint("shop", __name__)
    blueprint.after_request(set_all)
    blueprint.add_url_rule("/shop", "shop", lambda: "x")
    app.register_blueprint(blueprint)

    assert names(app.test_client().get("/shop")) == ["sid", "own"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: redirect("/"),
        lambda: Response(status=304),
        lambda: Response(status=204),
        lambda: send_file(io.BytesIO(b"x"), mimetype="image/gif"),
        lambda: Response(stream_with_context(iter(["a", "b"])), mimetype="text/html"),
        lambda: Response(iter([b"a"]), mimetype="application/json", direct_passthrough=True),
        lambda: {"json": 1},
    ],
    ids=["redirect", "304", "204", "file", "stream", "passthrough", "json"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_cookie_is_judged_on_every_sort_of_response(site, names, make, method):
    app = site()
    add_view(app, make)

    assert names(app.test_client().open("/set", method=method)) == ["sid", "own"]


def test_cookie_is_judged_on_excluded_endpoints_and_on_pages_of_the_library(site, names):
    app = site(CONSENT_EXCLUDED_ENDPOINTS=["*"], CONSENT_INJECT=False)
    app.after_request(set_all)
    client = app.test_client()

    assert names(client.get("/")) == ["sid", "own"]
    assert names(client.get("/privacy-choices/")) == ["sid", "own"]


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/fault", 500), ("/stop", 403)])
def test_cookie_is_judged_on_error_pages(site, names, path, status):
    app = site()
    app.add_url_rule("/fault", "fault", lambda: 1 / 0)
    app.add_url_rule("/stop", "stop", lambda: abort(403))
    app.register_error_handler(status, lambda _: set_all(Response("oh", status=status)))
    answer = app.test_client().get(path)

    assert answer.status_code == status
    assert names(answer) == ["sid", "own"]


def test_cookie_is_judged_where_a_hook_of_another_extension_fails(site, names):
    """Flask sends such a page without telling `request_finished`."""
    app = site()

    @app.after_request
    def fail(_response):
        raise RuntimeError

    app.register_error_handler(500, lambda _: set_all(Response("oh", status=500)))
    answer = app.test_client().get("/")

    assert (answer.status_code, answer.text) == (500, "oh")
    assert names(answer) == ["sid", "own"]


def test_cookie_of_a_cached_view_is_judged_for_each_visitor(site, names):
    app = site(CACHE_TYPE="SimpleCache")
    cache = Cache(app)
    app.add_url_rule("/set", "set", cache.cached()(lambda: set_all(Response("x"))))
    agreeing, other = app.test_client(), app.test_client()
    consent.testing.grant(agreeing)

    assert names(agreeing.get("/set")) == ["sid", "_st", "own", "pl_id"]
    assert names(other.get("/set")) == ["sid", "own"]
    assert names(agreeing.get("/set")) == ["sid", "_st", "own", "pl_id"]


def test_each_app_judges_its_own_where_one_is_mounted_in_the_other(site, bare_app, names):
    outer, inner = site(), bare_app()
    inner.secret_key = outer.secret_key
    Consent(inner, services=[PLAYER])
    for app in (outer, inner):
        add_view(app)
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    client = outer.test_client()

    assert names(client.get("/set")) == ["sid", "own"]
    assert names(client.get("/inner/set")) == ["sid", "_st", "own"]


def test_app_mounted_below_the_gate_is_judged_by_it(bare_app, names):
    outer, inner = bare_app(), Flask("inner")
    add_view(inner)
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    Consent(outer, services=SERVICES)

    assert names(outer.test_client().get("/inner/set")) == ["sid", "own"]


def test_cookie_is_judged_over_a_real_socket(site, serve, exchange):
    app = site()
    add_view(app, lambda: Response(iter(["a"]), mimetype="text/plain"))
    head, body = exchange(serve(app), b"GET /set HTTP/1.0\r\n\r\n")

    assert [line for line in head.split("\r\n") if line.startswith("Set-Cookie")] == [
        "Set-Cookie: sid=1; Path=/",
        "Set-Cookie: own=1; Path=/",
    ]
    assert b"a" in body


# -- caches


def test_response_whose_cookie_was_judged_says_what_it_depends_on(site):
    app = site()
    add_view(app)
    answer = app.test_client().get("/set")

    assert answer.headers["Vary"] == "Cookie, Sec-GPC"
    assert answer.headers["Cache-Control"] == "private"


def test_response_that_a_view_calls_public_is_sent_as_private_once_its_cookie_was_judged(site, add_page):
    app = site()
    add_page(app, "/set", "x", Cache_Control="public, max-age=60", Set_Cookie="_st=1", Content_Type="text/plain")

    assert app.test_client().get("/set").headers["Cache-Control"] == "max-age=60, private"


@pytest.mark.parametrize("field", ["sid=1", "own=1", "_st=; Max-Age=0"])
def test_response_whose_cookies_need_no_visitor_is_left_to_caches(site, add_page, field):
    app = site()
    add_page(app, "/set", "x", Cache_Control="public", Set_Cookie=field, Content_Type="text/plain")
    answer = app.test_client().get("/set")

    assert answer.headers["Cache-Control"] == "public"
    assert "Vary" not in answer.headers


# -- what waits, and what runs in advance


def test_cookie_waits_where_only_scripts_can_see_the_signal(make_app, names):
    app = make_app(services=SERVICES, jurisdiction=lambda: "US-CA")
    add_view(app)
    client = app.test_client()
    before = names(client.get("/set"))
    consent.testing.grant(client)

    assert before == ["sid", "_st", "own"]
    assert names(client.get("/set")) == ["sid", "_st", "own"]
    assert names(client.get("/set", headers={"Sec-Fetch-Dest": "empty"})) == ["sid", "_st", "own", "pl_id"]


def test_cookie_of_a_service_that_loads_in_advance_is_held_back(make_app, names):
    app = make_app(services=["google-analytics"], CONSENT_ADVANCED=["google-analytics"])
    app.add_url_rule("/set", "set", lambda: Response(headers=[("Set-Cookie", "_ga=1")]))

    assert names(app.test_client().get("/set")) == []


# -- faults


def break_visit(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.visit.Visit.standing", property(fail))


def test_fault_of_ours_costs_neither_the_page_nor_other_cookies_and_lets_no_denied_one_out(
    site, names, monkeypatch, caplog
):
    app = site()
    add_view(app)
    break_visit(monkeypatch)
    answer = app.test_client().get("/set")

    assert (answer.status_code, answer.text) == (200, "x")
    assert names(answer) == ["sid", "own"]
    assert "could not be judged" in caplog.text


def test_fault_in_looking_cookies_up_lets_only_out_what_logs_visitors_in(site, names, monkeypatch):
    app = site()
    add_view(app)

    def fail(*_):
        raise RuntimeError("broken")

    @app.get("/session")
    def view():
        session["user"] = 7
        return set_all(Response("x"))

    monkeypatch.setattr("consent.core.cookie_gate.CookieIndex.find_owner", fail)

    assert names(app.test_client().get("/session")) == ["session"]


def test_fault_drops_nothing_where_the_gate_only_reports(site, names, monkeypatch):
    app = site(CONSENT_COOKIE_GATE="report")
    add_view(app)
    break_visit(monkeypatch)

    assert names(app.test_client().get("/set")) == ["sid", "_st", "own", "pl_id"]


def test_fault_of_the_log_lets_nothing_out(site, names, monkeypatch):
    app = site()
    add_view(app)

    def fail(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.leak_log.LeakLog.note", fail)

    assert names(app.test_client().get("/set")) == ["sid", "own"]


def test_visitor_whom_nobody_can_ask_for_gets_no_cookie(bare_app, names):
    app = bare_app()
    site = Consent(app, services=SERVICES)

    @site.load_choice
    def load():
        raise RuntimeError("the database is away")

    add_view(app)
    client = app.test_client()

    assert names(client.get("/set")) == ["sid", "own"]
