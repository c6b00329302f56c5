"""The route that takes browsers' reports: what becomes of them, and of what is none."""

from __future__ import annotations

import json
import logging
from functools import partial

import pytest
from flask_wtf import CSRFProtect

import consent.testing
from tests.csp_reporting import NEW, OLD, PAGE, URL, add_articles, list_told, report


@pytest.fixture
def app(make_app):
    return add_articles(make_app(CONSENT_CSP="report"))


@pytest.fixture
def told(caplog):
    """Return a function that lists the leaks in the log."""
    caplog.set_level(logging.WARNING, "consent")
    return partial(list_told, caplog)


def test_report_is_told_with_the_rule_of_the_page(client, told):
    response = report(client)

    assert (response.status_code, response.data) == (204, b"")
    assert told() == [
        {
            "kind": "host_blocked",
            "subject": "t.example",
            "services": [],
            "purposes": [],
            "element": "img-src",
            "page": "/articles/<int:number>",
            "endpoint": "article",
        }
    ]


def test_nothing_of_the_visitor_is_logged(client, told, caplog):
    report(client)

    assert told()
    assert "secret" not in caplog.text
    assert "id=1" not in caplog.text


def test_reports_in_a_list_are_told(client, told):
    body = {"documentURL": PAGE, "blockedURL": "https://t.example/x", "effectiveDirective": "script-src-elem"}
    reports = [{"type": "csp-violation", "body": body}, {"type": "deprecation", "body": {}}]

    response = client.post(URL, data=json.dumps(reports), content_type=f"{NEW}; charset=utf-8")

    assert response.status_code == 204
    assert [(leak["subject"], leak["element"]) for leak in told()] == [("t.example", "script-src-elem")]


def test_service_of_a_known_host_is_told(client, told):
    report(client, "https://www.youtube-nocookie.com/embed/x", directive="frame-src")

    assert (told()[0]["services"], told()[0]["purposes"]) == (["youtube"], ["marketing"])


def test_same_report_is_told_once(client, told):
    for _ in range(3):
        report(client)

    assert len(told()) == 1


@pytest.mark.parametrize(
    "page",
    [
        "",
        "about:blank",
        "http://other.example/articles/7",
        "http://localhost:8080/articles/7",
        "http://localhost/nowhere",
        "http://localhost/articles/\ud800",
        "http://[::1/articles/7",
        "x" * 9000,
    ],
)
def test_page_that_is_none_of_the_site_is_not_told(client, told, page):
    assert report(client, page=page).status_code == 204

    assert [(leak["page"], leak["endpoint"]) for leak in told()] == [("", "")]


def test_page_that_answers_a_form_is_told(client, told):
    report(client, page="http://localhost/privacy-choices/")

    assert told()[0]["page"] == "/privacy-choices/"


def test_page_under_a_prefix_is_told(client, told):
    at_prefix = {"SCRIPT_NAME": "/shop"}

    report(client, page="http://localhost/shop/articles/7", environ_overrides=at_prefix)
    report(client, page="http://localhost/articles/7", environ_overrides=at_prefix)

    assert [leak["page"] for leak in told()] == ["/articles/<int:number>", ""]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"{}", "text/plain", 415),
        (b"csp-report=1", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
        (b"x" * 16_385, OLD, 413),
        (b"x" * 16_384, OLD, 400),
        (b"", OLD, 400),
        (b"[" * 16_000, NEW, 400),
        (b'{"csp-report": {"line-number": NaN}}', OLD, 400),
        (b"\xff\xfe", OLD, 400),
    ],
)
def test_what_is_no_report_is_refused(client, told, body, content_type, status):
    response = client.post(URL, data=body, content_type=content_type)

    assert (response.status_code, response.data) == (status, b"")
    assert told() == []


def test_body_without_a_length_is_read_to_the_limit(app, serve, exchange):
    port = serve(app)
    head = f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {OLD}\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer, _ = exchange(port, head.encode() + b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n")

    assert answer.startswith(("HTTP/1.1 413", "HTTP/1.0 413"))


def test_other_methods_are_refused(client):
    assert client.get(URL).status_code == 405


def test_answer_is_kept_nowhere_and_asks_for_no_consent(client):
    consent.testing.grant(client, "analytics")

    headers = report(client).headers

    assert headers["Cache-Control"] == "no-store"
    assert {"Vary", "Set-Cookie", "Content-Security-Policy-Report-Only"}.isdisjoint(headers.keys())


def test_reports_need_no_csrf_token(app, told):
    CSRFProtect(app)

    assert report(app.test_client()).status_code == 204
    assert len(told()) == 1


@pytest.mark.parametrize("blocked", ["http://localhost/go?to=x", "http://LOCALHOST", "https://cdn.example.com:8443/a"])
def test_address_of_the_sites_own_that_redirects_is_told_as_such(make_app, told, caplog, blocked):
    report(make_app(CONSENT_CSP="report", CONSENT_OWN_HOSTS=["*.example.com"]).test_client(), blocked)

    (leak,) = told()
    assert (leak["kind"], leak["services"]) == ("host_redirected", [])
    assert f"an address of {leak['subject']!r} redirects to a host that 'img-src' does not allow." in caplog.text


def test_other_port_of_the_sites_host_is_another_host(client, told):
    report(client, "http://localhost:9000/x")

    assert [(leak["kind"], leak["subject"]) for leak in told()] == [("host_blocked", "localhost")]


@pytest.mark.parametrize("blocked", ["https://t.example/x", "http://localhost/go"])
def test_page_without_an_address_has_no_route(client, told, blocked):
    report(client, blocked, page="about")

    assert [(leak["page"], leak["endpoint"]) for leak in told()] == [("", "")]
