"""The route that takes browsers' reports: what becomes of them, and of what is none."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from flask_wtf import CSRFProtect
from werkzeug.routing import BaseConverter

import consent.testing
from consent import Service
from consent.web.report_budget import Budget, Memory

OLD, NEW = "application/csp-report", "application/reports+json"
URL = "/privacy-choices/csp-reports"
PAGE = "http://localhost/articles/7?token=secret#part"


@pytest.fixture
def app(make_app):
    app = make_app(CONSENT_CSP="report")
    app.add_url_rule("/articles/<int:number>", "article", lambda number: f"{number}")
    return app


@pytest.fixture
def told(caplog):
    """Return a function that lists the leaks in the log."""
    caplog.set_level(logging.WARNING, "consent")

    def read():
        lines = (record.getMessage().partition("consent-audit ")[2] for record in caplog.records)
        return [json.loads(line) for line in lines if line]

    return read


def report(client, blocked="https://t.example/x?id=1", *, page=PAGE, directive="img-src", **options):
    fields = {"document-uri": page, "blocked-uri": blocked, "effective-directive": directive}
    return client.post(URL, data=json.dumps({"csp-report": fields}), content_type=OLD, **options)


def report_many(client, *requests, directive="img-src"):
    bodies = [{"documentURL": page, "blockedURL": url, "effectiveDirective": directive} for url, page in requests]
    reports = [{"type": "csp-violation", "body": body} for body in bodies]
    return client.post(URL, data=json.dumps(reports), content_type=NEW)


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the clock of a client's site to so many hours after noon."""

    def set_to(client, hours=0):
        now = datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(hours=hours)
        monkeypatch.setattr(client.application.extensions["consent"].engine, "read_clock", lambda: now)

    return set_to


def list_strangers(count, page=PAGE):
    return [(f"https://t{number}.example/", page) for number in range(count)]


@pytest.fixture
def is_patient(monkeypatch):
    """Let all reports of a test come within a minute."""
    monkeypatch.setattr("consent.web.csp_reports._REPORTS_A_MINUTE", 10_000)


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


@pytest.fixture
def convert(make_app):
    """Return a function that makes a site whose pages ask a converter, and one that lists what it was asked."""

    def make(error=None):
        asked = []

        class Asking(BaseConverter):
            def to_python(self, value):
                asked.append(value)
                if error:
                    raise error
                return value

        app = make_app(CONSENT_CSP="report")
        app.url_map.converters["asking"] = Asking
        app.add_url_rule("/articles/<asking:number>", "article", lambda **_: "")
        return app.test_client(), asked

    return make


def test_converter_that_fails_costs_nothing_and_is_told_once(convert, told, caplog):
    client, asked = convert(KeyError("secret"))

    statuses = [report(client, page=f"http://localhost/articles/{number}").status_code for number in range(3)]

    assert statuses == [204, 204, 204]
    assert [leak["page"] for leak in told()] == [""]
    assert caplog.text.count("A URL converter of the site raised KeyError") == 1
    assert "secret" not in caplog.text
    assert len(asked) == 3


def test_page_that_was_reported_is_not_looked_up_again(convert, told):
    client, asked = convert()

    for query in ("", "?visitor=1", "?visitor=2#part"):
        report(client, page=f"http://localhost/articles/7{query}")

    assert asked == ["7"]
    assert len(told()) == 1


def test_long_list_runs_converters_no_more_than_ten_times(convert):
    client, asked = convert(KeyError())

    report_many(client, *(("https://t.example/", f"http://localhost/articles/{number}") for number in range(60)))

    assert len(asked) == 10


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


def test_flood_has_to_wait(client, told, clock):
    clock(client)

    statuses = [report(client, f"https://t{number}.example/").status_code for number in range(61)]
    refused = report(client)

    assert statuses == [204] * 60 + [429]
    assert refused.headers["Retry-After"] == "60"
    assert len(told()) == 60


def test_reports_in_a_list_are_counted_one_by_one(client, told, clock):
    clock(client)

    statuses = [report_many(client, *list_strangers(n * 9 + 9)[n * 9 :]).status_code for n in range(8)]

    assert statuses == [204] * 7 + [429]
    assert len(told()) == 60


def test_first_reports_of_a_long_list_are_told(client, told):
    assert report_many(client, *list_strangers(60)).status_code == 204

    assert [leak["subject"] for leak in told()] == [f"t{number}.example" for number in range(10)]


def test_budget_begins_anew_after_its_period_and_when_the_clock_was_set_back():
    budget, now = Budget(60, timedelta(minutes=1)), datetime(2026, 11, 23, tzinfo=UTC)

    assert [budget.take(now) for _ in range(60)] == [0] * 60
    assert budget.take(now + timedelta(seconds=59.5)) == 1
    assert budget.take(now + timedelta(seconds=60)) == 0
    assert budget.take(now - timedelta(hours=1)) == 0


def test_memory_forgets_the_oldest():
    memory = Memory(2)
    for each in ("a", "b", "b", "c"):
        memory.add(each)

    assert [each in memory for each in ("a", "b", "c", "d")] == [False, True, True, False]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Referer": "https://evil.example/"},
    ],
)
def test_report_from_a_page_of_another_site_is_refused_and_uses_nothing_up(client, told, clock, headers):
    clock(client)

    statuses = [report(client, headers=headers).status_code for _ in range(70)]
    genuine = report(client, headers={"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"})

    assert statuses == [403] * 70
    assert genuine.status_code == 204
    assert len(told()) == 1


@pytest.mark.usefixtures("is_patient")
@pytest.mark.parametrize(("page", "limit"), [(PAGE, 256), ("http://localhost/nowhere", 64)])
def test_made_up_hosts_are_told_up_to_a_number_an_hour(client, told, clock, caplog, page, limit):
    clock(client)
    for at in range(0, 270, 10):
        report_many(client, *list_strangers(270, page)[at : at + 10])
    assert len(told()) == limit
    assert caplog.text.count(f"Browsers reported more than {limit} requests within an hour") == 1

    clock(client, hours=1)
    report(client, "https://t0.example/", page=page)
    report(client, "https://t269.example/", page=page)

    assert [leak["subject"] for leak in told()[limit:]] == ["t269.example"]


@pytest.mark.usefixtures("is_patient")
def test_made_up_reports_silence_no_host_of_a_service(client, told, clock):
    clock(client)
    for page in (PAGE, "http://localhost/nowhere"):
        for at in range(0, 1000, 10):
            report_many(client, *list_strangers(1000, page)[at : at + 10])
    before = len(told())

    report(client, "https://www.youtube-nocookie.com/embed/x", directive="frame-src")
    report(client, "https://connect.facebook.net/x", directive="script-src", page="about")

    assert before == 256 + 64
    assert [leak["services"] for leak in told()[before:]] == [["youtube"], ["meta-pixel"]]


@pytest.mark.usefixtures("is_patient")
def test_reports_of_no_page_silence_none_of_a_page(client, told, clock):
    clock(client)
    for at in range(0, 100, 10):
        report_many(client, *list_strangers(100, "http://localhost/nowhere")[at : at + 10])

    report(client)

    assert (told()[-1]["subject"], told()[-1]["endpoint"]) == ("t.example", "article")


@pytest.mark.usefixtures("is_patient")
def test_made_up_reports_leave_room_for_what_the_server_has_seen(client, told, clock):
    """However long they go on."""
    for hour in range(20):
        clock(client, hour)
        for at in range(0, 260, 10):
            report_many(client, *((f"https://h{hour}-{at + n}.example/", PAGE) for n in range(10)))
    assert len(told()) == 20 * 256

    report(client, "https://www.youtube-nocookie.com/embed/x", directive="frame-src")

    assert told()[-1]["services"] == ["youtube"]


@pytest.mark.usefixtures("is_patient")
def test_hosts_made_up_under_a_wildcard_are_told_as_one(make_app, told):
    service = Service("wide", name="Wide", purposes=("analytics",), hosts=("*.wide.example",))
    client = make_app(services=[service], CONSENT_CSP="report").test_client()

    report_many(client, *((f"https://t{number}.wide.example/", PAGE) for number in range(10)))

    assert [(leak["services"], leak["subject"]) for leak in told()] == [(["wide"], "*.wide.example")]


def test_what_was_told_under_another_host_is_told_here(client, told):
    """Whoever says another host must not silence what is true of this one."""
    report(client, headers={"Host": "evil.example"})
    report(client)

    assert [leak["endpoint"] for leak in told()] == ["", "article"]


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
