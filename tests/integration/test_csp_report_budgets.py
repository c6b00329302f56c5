"""Reports that anybody can make up: they neither fill the log nor keep real ones out, nor run the site's code at will."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from werkzeug.routing import BaseConverter

from consent import Service
from consent.web.report_budget import Budget, Memory
from tests.csp_reporting import PAGE, add_articles, list_strangers, list_told, report, report_many


@pytest.fixture
def app(make_app):
    return add_articles(make_app(CONSENT_CSP="report"))


@pytest.fixture
def told(caplog):
    """Return a function that lists the leaks in the log."""
    caplog.set_level(logging.WARNING, "consent")
    return partial(list_told, caplog)


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the clock of a client's site to so many hours after noon."""

    def set_to(client, hours=0):
        now = datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(hours=hours)
        monkeypatch.setattr(client.application.extensions["consent"].engine, "read_clock", lambda: now)

    return set_to


@pytest.fixture
def is_patient(monkeypatch):
    """Let all reports of a test come within a minute."""
    monkeypatch.setattr("consent.web.csp_reports._REPORTS_A_MINUTE", 10_000)


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
