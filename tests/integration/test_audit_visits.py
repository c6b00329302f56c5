"""`flask consent audit --visit`: the app's own pages, asked for by nobody, and what got past their templates."""

from __future__ import annotations

import json
import logging
from datetime import date

import pytest
from flask import Response, abort, current_app, g, redirect, request
from flask.cli import ScriptInfo

from consent import current_consent
from consent.cli import group
from consent.web.visit import get_site
from tests.command_runner import make_runner

TRACKER = '<script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
UNKNOWN = '<img src="https://pixel.nobody.example/p.gif"><link rel="stylesheet" href="//cdn.nobody.example/a.css">'
OWN = '<img src="/a.png"><script src="https://localhost/s.js"></script><a href="https://elsewhere.example/">away</a>'


@pytest.fixture
def make_site(make_app, page):
    """Return a function that makes a site with a page of each kind."""

    def make(**config):
        app = make_app(**config)
        app.add_url_rule("/plain", "plain", lambda: page.replace("Hello", OWN))
        app.add_url_rule("/tracked", "tracked", lambda: page.replace("Hello", TRACKER))
        app.add_url_rule("/unknown/<int:number>", "unknown", lambda **_: page.replace("Hello", UNKNOWN))
        app.add_url_rule("/fail", "fail", lambda: 1 // 0)
        app.add_url_rule("/moved", "moved", lambda: redirect("/plain"))
        app.add_url_rule("/closed", "closed", lambda: abort(403))
        app.add_url_rule("/posted", "posted", lambda: page, methods=["POST"])
        return app

    return make


@pytest.fixture
def run():
    """Return a function that runs the command on an app, and gives what it prints."""

    def invoke(app, *options, code=0):
        result = make_runner().invoke(group, ["audit", *options], obj=ScriptInfo(create_app=lambda: app))
        assert result.exit_code == code, result.output + result.stderr
        return result.stderr if code > 1 else result.stdout

    return invoke


@pytest.fixture
def fail():
    """Return a function that runs the command on an app where it must fail, and gives the reason that it prints."""

    def invoke(app, *options):
        result = make_runner().invoke(group, ["audit", *options], obj=ScriptInfo(create_app=lambda: app))
        assert result.exit_code == 1, result.output
        return result.stderr

    return invoke


@pytest.fixture
def visit(run):
    """Return a function that visits pages of an app, and gives kind, subject and page of each leak."""

    def look(app, *paths, granted=()):
        options = [word for path in paths for word in ("--visit", path)]
        options += [word for key in granted for word in ("--granted", key)]
        found = json.loads(run(app, *options, "--json"))
        return {(each["kind"], each["subject"], each["page"]) for each in found["leaks"]}

    return look


def test_markup_that_nobody_gated_is_found(make_site, visit):
    assert visit(make_site(), "/tracked") == {("markup_sent", "www.googletagmanager.com", "/tracked")}


def test_markup_of_what_is_granted_is_none(make_site, visit):
    assert visit(make_site(), "/tracked", granted=["analytics"]) == set()
    assert visit(make_site(), "/tracked", granted=["youtube"]) != set()


def test_hosts_that_nobody_knows_are_found_by_route(make_site, visit):
    assert visit(make_site(), "/unknown/7") == {
        ("markup_unknown", "pixel.nobody.example", "/unknown/<int:number>"),
        ("markup_unknown", "cdn.nobody.example", "/unknown/<int:number>"),
    }


def test_own_hosts_are_nobodys(make_site, visit):
    assert visit(make_site(), "/plain") == set()
    assert visit(make_site(CONSENT_OWN_HOSTS=["*.nobody.example"]), "/unknown/7") == set()


def test_service_that_the_site_does_not_declare_is_named(make_site, run, page):
    app = make_site()
    app.add_url_rule(
        "/other",
        "other",
        lambda: page.replace("Hello", '<script src="https://static.hotjar.com/c/hotjar-1.js"></script>'),
    )

    assert "Declare it: flask consent services show hotjar" in run(app, "--visit", "/other")


def test_cookie_that_the_session_comes_with_is_found(make_site, visit, page):
    app = make_site()

    @app.after_request
    def track(response):
        if request.path == "/":
            response.set_cookie("_ga", "1")
            response.set_cookie("of_nobody", "1")
        return response

    assert visit(app, "/", "/plain") == {("cookie_suppressed", "_ga", "/"), ("cookie_undeclared", "of_nobody", "/")}


def test_page_of_what_is_gated_is_clean(make_site, visit, add_page):
    app = make_site(
        templates={
            "t": '{% from "consent/macros.html" import gate %}{% call gate("analytics") %}' + TRACKER + "{% endcall %}"
        }
    )
    add_page(app, "/gated", lambda: current_app.jinja_env.get_template("t").render())

    assert visit(app, "/gated") == set()


def test_view_that_fails_is_told_and_the_others_go_on(make_site, run):
    printed = run(make_site(), "--visit", "/fail", "--visit", "/tracked", "--visit", "/none")

    assert "  /fail: It was answered with 500." in printed
    assert "  /none: It was answered with 404." in printed
    assert "www.googletagmanager.com (google-analytics) by script: /tracked" in printed
    assert "3 pages (2 not seen): 1 leak on 1 route." in printed


def test_exception_that_the_app_lets_pass_is_told(make_site, run):
    app = make_site()
    app.testing = True

    assert "/fail: It failed with a ZeroDivisionError." in run(app, "--visit", "/fail")


@pytest.mark.parametrize("path", ["/fail", "/closed", "/moved", "/none", "/posted"])
def test_page_that_was_named_and_not_seen_is_no_clean_one(make_site, run, path):
    run(make_site(), "--visit", path, "--fail-on", "cookie_sent", code=1)
    run(make_site(), "--visit", path, "--visit-all", "--fail-on", "cookie_sent", code=1)
    run(make_site(), "--visit", path)


def test_pages_of_all_that_lead_elsewhere_or_are_closed_fail_nothing(make_site, run):
    app = make_site()
    app.view_functions["fail"] = lambda: ""
    printed = run(app, "--visit-all", "--fail-on", "cookie_sent")

    assert "/moved: It was answered with 302, to /plain." in printed
    assert "/closed: It was answered with 403." in printed


def test_pages_of_all_that_fail_are_no_clean_ones(make_site, fail):
    assert fail(make_site(), "--visit-all", "--fail-on", "cookie_sent") == "Failed by --fail-on: not seen: /fail\n"


def test_what_fails_is_said_though_it_is_not_listed(make_site, fail):
    app = make_site()
    paths = ("--visit", "/tracked", "--visit", "/unknown/7", "--visit", "/none\x1b")

    assert fail(app, *paths, "--kind", "markup_unknown", "--fail-on", "markup_sent") == (
        "Failed by --fail-on: 1 markup_sent; not seen: /none\\x1b\n"
    )


def test_redirect_and_refusal_are_told(make_site, run):
    printed = run(make_site(), "--visit", "/moved", "--visit", "/closed")

    assert "  /moved: It was answered with 302, to /plain." in printed
    assert "  /closed: It was answered with 403." in printed
    assert printed.endswith("2 pages (2 not seen): nothing got past the templates.\n")


def test_every_page_without_arguments_is_visited(make_site, run):
    found = json.loads(run(make_site(), "--visit-all", "--visit", "/plain", "--json"))

    assert sorted(found["visits"]) == ["/", "/closed", "/fail", "/moved", "/plain", "/tracked"]


def test_nothing_is_recorded_counted_or_told_twice(make_site, run, ledger, heard, caplog):
    app = make_site(ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=12)
    app.add_url_rule("/cookie", "cookie", lambda: ("", {"Set-Cookie": "_ga=1"}))
    with caplog.at_level(logging.WARNING, "consent"):
        printed = run(app, "--visit", "/tracked", "--visit", "/cookie", "--granted", "youtube")
    tallying = get_site(app).tallying
    assert tallying is not None
    tallying.flush()

    assert "2 leaks" in printed
    assert "consent-audit" not in caplog.text
    assert (ledger.asked, heard) == ([], [])
    assert ledger.tallies.read(since=date.min, until=date.max) == {}


def test_visit_is_a_request_of_its_own(make_site, run):
    """What a view keeps on `g` is gone with its request, as in a server."""
    app = make_site()
    seen = []

    def count():
        seen.append("before" in g)
        g.before = True
        return ""

    app.add_url_rule("/count", "count", count)
    run(app, "--visit", "/count", "--visit", "/count?again=1")

    assert seen == [False, False]


def test_view_sees_the_visitor_that_was_asked_for(make_site, run):
    app = make_site()
    seen = []

    @app.get("/see")
    def see():
        seen.append((current_consent.allows("youtube"), request.query_string))
        return ""

    run(app, "--visit", "/see?page=1")
    run(app, "--visit", "/see", "--granted", "youtube")

    assert seen == [(False, b"page=1"), (True, b"")]


def test_stream_is_read_to_its_end_and_closed(make_site, visit, page):
    app = make_site()
    closed = []

    def stream():
        def parts():
            try:
                yield page.partition("Hello")[0]
                yield UNKNOWN
                yield "</p></body></html>"
            finally:
                closed.append(True)

        return Response(parts(), mimetype="text/html")

    app.add_url_rule("/stream", "stream", stream)

    assert len(visit(app, "/stream")) == 2
    assert closed == [True]


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "about", ""])
def test_path_of_another_site_is_refused(make_site, run, path):
    assert "begins with one slash, such as /about" in " ".join(run(make_site(), "--visit", path, code=2).split())


def test_unknown_key_is_refused(make_site, run):
    assert "'analitics'" in run(make_site(), "--visit", "/", "--granted", "analitics", code=2)


def test_site_under_a_name_of_its_own_is_visited(make_site, visit):
    assert visit(make_site(SERVER_NAME="news.example"), "/tracked") != set()


def test_panel_of_debug_mode_takes_nothing_away(make_site, visit, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = make_site(CONSENT_PANEL=True)
    app.add_url_rule("/cookie", "cookie", lambda: ("<p>", {"Set-Cookie": "_ga=1"}))

    assert visit(app, "/cookie") == {("cookie_suppressed", "_ga", "/cookie")}
