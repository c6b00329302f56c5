"""What Flask and Werkzeug really do, and that the library survives it: the sixteen experiments its design rests on.

The number in each name is the experiment's. What is shown here once is tested in detail in the file of its subject.
"""

from __future__ import annotations

import gzip
from io import BytesIO

import pytest
from flask import Response, make_response, render_template, request, send_file, session

import consent.testing

BANNER = 'data-consent-ui="banner"'
HTML = "<!doctype html><html><head></head><body><p>x</p></body></html>"
STATE = "/privacy-choices/state"


def test_01_session_cookie_is_written_after_every_hook_and_survives(app):
    seen = []

    @app.after_request
    def look(response):
        seen.extend(response.headers.getlist("Set-Cookie"))
        return response

    @app.get("/page")
    def page():
        session["a"] = 1
        return HTML

    response = app.test_client().get("/page")

    assert seen == []
    assert [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")] == ["session"]
    assert BANNER in response.text


def test_02_headers_are_finished_after_the_session(app):
    @app.get("/page")
    def page():
        session["a"] = 1
        return HTML

    response = app.test_client().get("/page")

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


@pytest.mark.parametrize("place", ["before", "after"])
def test_03_hook_that_compresses_gets_the_injected_page_whoever_was_set_up_first(bare_app, place):
    from consent import Consent

    app = bare_app()

    def compress(response):
        response.set_data(gzip.compress(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        return response

    if place == "before":
        app.after_request(compress)
    Consent(app)
    if place == "after":
        app.after_request(compress)

    assert BANNER.encode() in gzip.decompress(app.test_client().get("/").data)


def test_04_streamed_view_is_injected_although_a_tag_is_split(app):
    app.add_url_rule(
        "/page", "page", lambda: Response(iter(["<!doctype html><bo", "dy cl", "ass=x><p>x</p></bo", "dy>"]))
    )

    assert "<body class=x><section " in app.test_client().get("/page").text


@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=0-5"}, {"If-None-Match": '"1"'}], ids=["whole", "range", "conditional"]
)
def test_05_file_is_left_alone(app, headers):
    def page():
        return send_file(BytesIO(HTML.encode()), mimetype="text/html", conditional=True, etag="1")

    app.add_url_rule("/page", "page", page)
    response = app.test_client().get("/page", headers=headers)

    assert response.data in {HTML.encode(), HTML.encode()[:6], b""}
    assert response.headers["ETag"] == '"1"'


def test_06_conditional_view_does_not_revive_the_banner(app, choose):
    @app.get("/page")
    def page():
        response = make_response(HTML)
        response.add_etag()
        return response.make_conditional(request)

    client = app.test_client()
    first = client.get("/page")
    choose(client, "reject_all")

    assert "ETag" not in first.headers
    assert BANNER not in client.get("/page").text


def test_07_head_has_the_length_of_get(client):
    assert client.head("/").headers["Content-Length"] == str(len(client.get("/").data))


def test_08_length_set_by_the_view_is_corrected(app):
    app.add_url_rule("/page", "page", lambda: (HTML, {"Content-Length": str(len(HTML))}))
    response = app.test_client().get("/page")

    assert response.headers["Content-Length"] == str(len(response.data))


def test_09_error_pages_are_injected_without_an_endpoint(app):
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)
    client = app.test_client()

    assert [client.get(path).text.count(BANNER) for path in ("/missing", "/broken")] == [1, 1]


def test_10_hook_that_answers_early_is_injected(app):
    app.before_request(lambda: HTML)

    assert app.test_client().get("/").text.count(BANNER) == 1


def test_11_imported_macros_find_the_visit_without_context(make_app):
    app = make_app(
        {
            "page.html": '{% import "parts.html" as parts %}{{ parts.part() }}',
            "parts.html": '{% from "consent/macros.html" import gate %}'
            '{% macro part() %}{% call gate("analytics") %}live{% endcall %}{% endmacro %}',
        }
    )
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))
    client = app.test_client()
    before = client.get("/page").text
    consent.testing.grant(client, "analytics")

    assert "data-consent-gate" in before
    assert client.get("/page").text == "live"


def test_12_two_different_cookies_are_unknown(app, choose):
    client = app.test_client()
    choose(client, "accept_all")
    value = client.get_cookie("consent").value
    stranger = app.test_client(use_cookies=False)

    for header in (f"consent={value}; consent=2", f"consent=2; consent={value}"):
        assert stranger.get(STATE, headers={"Cookie": header}).json["needs_prompt"] is True


@pytest.mark.parametrize(
    "value", ["%zz%", '"open', "\xff\xfe", "x" * 20_000, "a=b=c", ";;;"], ids=lambda value: ascii(value[:8])
)
def test_13_malformed_cookie_is_no_error(app, value):
    response = app.test_client(use_cookies=False).get("/", headers={"Cookie": f"consent={value}"})

    assert response.status_code == 200
    assert BANNER in response.text


def test_14_vary_is_merged_without_repeats(app):
    app.add_url_rule("/page", "page", lambda: (HTML, {"Vary": "accept-encoding, COOKIE"}))

    assert app.test_client().get("/page").headers["Vary"] == "accept-encoding, COOKIE, Sec-GPC"


def test_15_test_client_with_its_own_jar_keeps_the_choice(client, choose):
    choose(client, "accept_all")
    response = client.get(STATE, headers={"Cookie": "consent=replaced-by-the-jar"})

    assert response.json["choices"]["analytics"] == "granted"


def test_16_cookie_stays_small_with_twenty_services(make_app, choose):
    from consent import Service

    services = [
        Service(f"a-service-with-a-long-name-{number}", name="S", purposes=("analytics",)) for number in range(20)
    ]
    client = make_app(services=services).test_client()
    cookie = choose(client, "accept_all", base_url="https://localhost").headers["Set-Cookie"].partition(";")[0]

    assert len(cookie) <= 300
