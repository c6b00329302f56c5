"""Headers of a response whose rules fail, or that no server may send: the page goes out, and nothing with it that needs a grant."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, create_environ, run_wsgi_app

import consent.testing
from consent import Consent, CookieDeclaration, Service

COUNTER = Service(
    "counter",
    name="Counter",
    purposes=("analytics", "marketing"),
    hosts=("t.example", "both.example"),
    cookies=(CookieDeclaration("_ga", days=1),),
)
SHOP = Service(
    "shop", name="Shop", purposes=("necessary",), justification="Sells.", hosts=("pay.example", "both.example")
)
STRICT = {
    "CONSENT_CSP": "enforce",
    "CONSENT_AUTO_HOLD": "enforce",
    "CONSENT_PERMISSIONS_POLICY": True,
    "CONSENT_OWN_HOSTS": ["cdn.example"],
}
HEADERS = [
    ("Content-Type", "text/html"),
    ("Set-Cookie", "_ga=1"),
    ("Set-Cookie", "session=1"),
    ("Link", "<https://t.example>;rel=preconnect, </app.css>;rel=preload, <https://pay.example>;rel=preconnect"),
    ("Link", "<https://both.example>;rel=preconnect"),
    ("Refresh", "1;url=https://t.example/"),
    ("Reporting-Endpoints", 'a="https://t.example/r", b="https://pay.example/r"'),
    ("Cache-Control", "public"),
    ("Content-Security-Policy", "img-src https://images.example"),
]


@pytest.fixture
def site(make_app, page):
    """A site with all rules on, whose page needs each of them; and its browser, which has granted everything."""
    app = make_app(services=(COUNTER, SHOP), **STRICT)

    @app.get("/page")
    def view():
        response = Response(page)
        for name, value in HEADERS[1:]:
            response.headers.add(name, value)
        return response

    app.add_url_rule("/w.js", "w", lambda: Response("", mimetype="text/javascript"))
    client = app.test_client()
    consent.testing.grant(client)
    return client


def fail(*_, **__):
    raise RuntimeError("broken")


def test_granted_visitor_gets_it_all(site):
    headers = site.get("/page").headers

    assert headers.getlist("Set-Cookie") == ["_ga=1", "session=1"]
    assert "https://t.example" in headers["Link"]
    assert "t.example" in headers["Refresh"]
    assert "t.example:*" in headers.getlist("Content-Security-Policy")[-1]


def test_fault_leaves_each_header_as_for_nobody(site, monkeypatch):
    monkeypatch.setattr("consent.web.visit.Visit.standing", property(fail))
    response = site.get("/page")
    headers = response.headers
    _, policy = headers.getlist("Content-Security-Policy")

    assert (response.status_code, headers.getlist("Set-Cookie")) == (200, ["session=1"])
    assert headers.getlist("Link") == ["</app.css>;rel=preload, <https://pay.example>;rel=preconnect"]
    assert "Refresh" not in headers
    assert headers["Reporting-Endpoints"] == 'b="https://pay.example/r"'
    assert "t.example" not in policy
    assert "images.example" not in policy
    assert "pay.example:*" in policy
    assert "cdn.example:*" in policy
    assert policy.endswith("; report-uri /privacy-choices/csp-reports")
    assert headers["Permissions-Policy"] == "browsing-topics=()"
    assert headers["Cache-Control"] == "private"
    assert headers["Vary"] == "Cookie, Sec-GPC"


@pytest.mark.parametrize("use", ["worker", "serviceworker"])
def test_fault_leaves_a_workers_file_with_the_policy_of_nobody(site, monkeypatch, use):
    monkeypatch.setattr("consent.web.csp_header.CspHeader._keep", fail)
    headers = site.get("/w.js", headers={"Sec-Fetch-Dest": use}).headers

    assert "t.example" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private"


def test_fault_of_a_response_that_is_no_page_adds_no_policy(site, monkeypatch):
    monkeypatch.setattr("consent.web.csp_header.CspHeader._choose_open", fail)
    headers = site.get("/w.js").headers

    assert "Content-Security-Policy" not in headers
    assert headers["Cache-Control"] == "private"


def test_fault_of_a_closed_answer_costs_nothing_but_caching(site, monkeypatch):
    monkeypatch.setattr("consent.core.host_table.HostTable.find_address_owner", fail)
    response = site.get("/page")

    assert (response.status_code, response.headers["Cache-Control"]) == (200, "private")


def test_visit_that_cannot_be_made_is_kept_by_no_cache(bare_app, monkeypatch):
    get = layer(bare_app(), [("Content-Type", "text/plain"), ("Set-Cookie", "_ga=1"), ("Cache-Control", "public")])
    monkeypatch.setattr("consent.web.departure.open_visit", fail)

    assert get() == ("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])


def test_fault_in_telling_caches_is_kept_by_no_cache(site, monkeypatch):
    monkeypatch.setattr("consent.web.departure.tell_caches", fail)
    response = site.get("/page")

    assert (response.status_code, response.headers.getlist("Cache-Control")) == (200, ["no-store"])


# -- headers that no server may send, from a layer within


def layer(app, sent, **config):
    """Put the library around an app that answers with these headers; return a function that asks it."""

    def answer(_environ, start_response):
        start_response("200 OK", list(sent))
        return [b"x"]

    app.config.update(config)
    app.wsgi_app = answer
    Consent(app, services=(COUNTER, SHOP))

    def get():
        answers = []
        # Not by Werkzeug's client, which itself refuses such headers.
        body = app(create_environ("/"), lambda status, fields, *_: answers.append((status, fields)))
        assert b"".join(body) == b"x"
        return answers[0]

    return get


@pytest.mark.parametrize("config", [{}, STRICT], ids=["default", "strict"])
@pytest.mark.parametrize("value", ["a\r\n b", "a\r\nX-Other: b", "a\nb", "a\r"])
def test_header_with_a_line_break_costs_neither_the_page_nor_the_gate(bare_app, config, value):
    sent = [
        ("Content-Type", "text/html"),
        ("X-Long", value),
        ("Set-Cookie", "_ga=1"),
        ("Link", "<//t.example>;rel=preload"),
    ]
    status, headers = layer(bare_app(), sent, **config)()

    assert status == "200 OK"
    assert ("X-Long", value) in headers
    assert [name for name, _ in headers if name == "Set-Cookie"] == []
    assert ("Cache-Control", "no-store") in headers
    assert [name for name, _ in headers if name in {"Link", "Content-Security-Policy"}] == (
        ["Content-Security-Policy"] if config else ["Link"]
    )


@pytest.mark.parametrize("value", ["\r\n _ga=1", "session=1\r\nSet-Cookie: _ga=1", "session=1;\n _ga=1"])
def test_cookie_with_a_line_break_is_not_sent(bare_app, value, caplog):
    assert layer(bare_app(), [("Set-Cookie", value), ("Set-Cookie", "session=1")])() == (
        "200 OK",
        [("Set-Cookie", "session=1")],
    )
    assert "with a line break in it was not sent" in caplog.text


def test_cookie_with_a_line_break_is_sent_where_the_gate_only_reports(bare_app):
    sent = [("Set-Cookie", "session=1\r\n ;a=b")]

    assert layer(bare_app(), sent, CONSENT_COOKIE_GATE="report")() == ("200 OK", sent)


def test_apps_own_list_of_headers_stays_as_it_is(bare_app):
    sent = [("Set-Cookie", "_ga=1"), ("X-A", "1")]
    app = bare_app()
    app.wsgi_app = lambda _environ, start_response: start_response("200 OK", sent) and []
    Consent(app, services=(COUNTER,))
    run_wsgi_app(app, create_environ("/"))

    assert sent == [("Set-Cookie", "_ga=1"), ("X-A", "1")]


# -- an app within another


def make_inner():
    inner = Flask("inner", static_folder=None)
    inner.add_url_rule("/page", "page", lambda: "<!doctype html><p>Inner")
    inner.add_url_rule("/", "root", lambda: "<!doctype html><p>Inner")
    return inner


def read_report_uri(response):
    return response.headers["Content-Security-Policy"].rpartition("report-uri ")[2]


@pytest.mark.parametrize("path", ["/in/page", "/in/"])
def test_pages_of_a_mounted_app_report_to_the_app_that_it_is_mounted_in(bare_app, path):
    app = bare_app(CONSENT_CSP="enforce")
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/in": make_inner()})
    Consent(app, services=(COUNTER,))
    client = Client(app)

    assert "Inner" in client.get(path).text
    assert read_report_uri(client.get(path)) == "/privacy-choices/csp-reports"
    assert read_report_uri(client.get("/")) == "/privacy-choices/csp-reports"


def test_prefix_of_a_proxy_stays_with_an_app_mounted_behind_it(bare_app):
    app = bare_app(CONSENT_CSP="enforce")
    app.wsgi_app = ProxyFix(DispatcherMiddleware(app.wsgi_app, {"/in": make_inner()}), x_prefix=1)
    Consent(app, services=(COUNTER,))
    client = Client(app)
    headers = {"X-Forwarded-Prefix": "/site"}

    assert read_report_uri(client.get("/in/page", headers=headers)) == "/site/privacy-choices/csp-reports"
    assert read_report_uri(client.get("/", headers=headers)) == "/site/privacy-choices/csp-reports"


def test_mounted_app_finds_its_own_root_again_behind_its_headers(bare_app):
    inner = make_inner()

    def answer(environ, start_response):
        yield_root = inner(environ, start_response)
        return [*yield_root, f" {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    app = bare_app(CONSENT_CSP="enforce")
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/in": answer})
    Consent(app, services=(COUNTER,))
    body, _, _ = run_wsgi_app(app, create_environ("/in/page"))

    assert b"".join(body).endswith(b" /in /page")
