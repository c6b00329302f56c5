"""The `Set-Cookie` gate: whatever sets a cookie, however the response leaves, and whatever fails."""

from __future__ import annotations

import io

import pytest
from flask import Blueprint, Flask, Response, abort, redirect, request_finished, send_file, session, stream_with_context
from flask_caching import Cache
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import create_environ, run_wsgi_app

import consent.testing
from consent import Consent
from tests.conftest import PLAYER
from tests.cookie_site import SERVICES, UNASKED, add_view, names_of, set_cookies


@pytest.fixture
def site(make_app):
    """Return a function that makes a site with services of each sort."""
    return lambda **config: make_app(services=SERVICES, **config)


def answering(headers):
    """Make a WSGI app that answers with these headers once its body is asked for."""

    def answer(_environ, start_response):
        start_response("200 OK", list(headers))
        yield b"x"

    return answer


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


# -- whatever sets it, and however the response leaves


def test_cookie_of_another_extension_is_judged_in_after_request_and_in_request_finished(site):
    app = site()
    app.after_request(set_cookies)

    def late(_sender, response, **_):
        response.set_cookie("_st_late", "1")

    with request_finished.connected_to(late, app):
        assert names_of(app.test_client().get("/")) == UNASKED


def test_cookie_of_a_blueprint_is_judged(site):
    app = site()
    blueprint = Blueprint("shop", __name__)
    blueprint.after_request(set_cookies)
    blueprint.add_url_rule("/shop", "shop", lambda: "x")
    app.register_blueprint(blueprint)

    assert names_of(app.test_client().get("/shop")) == UNASKED


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
def test_cookie_is_judged_on_every_sort_of_response(site, make, method):
    app = site()
    add_view(app, make)

    assert names_of(app.test_client().open("/set", method=method)) == UNASKED


def test_cookie_is_judged_on_excluded_endpoints_and_on_pages_of_the_library(site):
    app = site(CONSENT_EXCLUDED_ENDPOINTS=["*"], CONSENT_INJECT=False)
    app.after_request(set_cookies)
    client = app.test_client()

    assert names_of(client.get("/")) == UNASKED
    assert names_of(client.get("/privacy-choices/")) == UNASKED


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/fault", 500), ("/stop", 403)])
def test_cookie_is_judged_on_error_pages(site, path, status):
    app = site()
    app.add_url_rule("/fault", "fault", lambda: 1 / 0)
    app.add_url_rule("/stop", "stop", lambda: abort(403))
    app.register_error_handler(status, lambda _: set_cookies(Response("oh", status=status)))
    answer = app.test_client().get(path)

    assert answer.status_code == status
    assert names_of(answer) == UNASKED


def test_cookie_is_judged_where_a_hook_of_another_extension_fails(site):
    """Flask sends such a page without telling `request_finished`."""
    app = site()

    @app.after_request
    def fail(_response):
        raise RuntimeError

    app.register_error_handler(500, lambda _: set_cookies(Response("oh", status=500)))
    answer = app.test_client().get("/")

    assert (answer.status_code, answer.text) == (500, "oh")
    assert names_of(answer) == UNASKED


def test_cookie_of_a_cached_view_is_judged_for_each_visitor(site):
    app = site(CACHE_TYPE="SimpleCache")
    cache = Cache(app)
    app.add_url_rule("/set", "set", cache.cached()(lambda: set_cookies(Response("x"))))
    agreeing, other = app.test_client(), app.test_client()
    consent.testing.grant(agreeing)

    assert names_of(agreeing.get("/set")) == ["sid", "_st", "own", "pl_id"]
    assert names_of(other.get("/set")) == UNASKED
    assert names_of(agreeing.get("/set")) == ["sid", "_st", "own", "pl_id"]


def test_each_app_judges_its_own_where_one_is_mounted_in_the_other(site, bare_app):
    outer, inner = site(), bare_app()
    inner.secret_key = outer.secret_key
    Consent(inner, services=[PLAYER])
    for app in (outer, inner):
        add_view(app)
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    client = outer.test_client()

    assert names_of(client.get("/set")) == UNASKED
    assert names_of(client.get("/inner/set")) == ["sid", "_st", "own"]


def test_app_mounted_below_the_gate_is_judged_by_it(bare_app):
    outer, inner = bare_app(), Flask("inner")
    add_view(inner)
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    Consent(outer, services=SERVICES)

    assert names_of(outer.test_client().get("/inner/set")) == UNASKED


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


# -- faults


def break_visit(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.visit.Visit.standing", property(fail))


def test_fault_of_ours_costs_neither_the_page_nor_other_cookies_and_lets_no_denied_one_out(site, monkeypatch, caplog):
    app = site()
    add_view(app)
    break_visit(monkeypatch)
    answer = app.test_client().get("/set")

    assert (answer.status_code, answer.text) == (200, "x")
    assert names_of(answer) == UNASKED
    assert "could not be judged" in caplog.text


def test_fault_in_looking_cookies_up_lets_only_out_what_logs_visitors_in(site, monkeypatch):
    app = site()
    add_view(app)

    def fail(*_):
        raise RuntimeError("broken")

    @app.get("/session")
    def view():
        session["user"] = 7
        return set_cookies(Response("x"))

    monkeypatch.setattr("consent.core.cookie_gate.CookieIndex.find_owner", fail)

    assert names_of(app.test_client().get("/session")) == ["session"]


def test_fault_drops_nothing_where_the_gate_only_reports(site, monkeypatch):
    app = site(CONSENT_COOKIE_GATE="report")
    add_view(app)
    break_visit(monkeypatch)

    assert names_of(app.test_client().get("/set")) == ["sid", "_st", "own", "pl_id"]


def test_fault_of_the_log_lets_nothing_out(site, monkeypatch):
    app = site()
    add_view(app)

    def fail(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.leak_log.LeakLog.note", fail)

    assert names_of(app.test_client().get("/set")) == UNASKED


def test_visitor_whom_nobody_can_ask_for_gets_no_cookie(bare_app):
    app = bare_app()
    site = Consent(app, services=SERVICES)

    @site.load_choice
    def load():
        raise RuntimeError("the database is away")

    add_view(app)
    client = app.test_client()

    assert names_of(client.get("/set")) == UNASKED
