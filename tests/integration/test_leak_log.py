"""The log of leaks: visitors can neither fill it, nor silence it, nor put what is theirs into it."""

from __future__ import annotations

import pytest
from flask import Response

from consent import CookieDeclaration, Service
from consent.core.leak import Leak, LeakKind
from consent.web.leak_log import LeakLog
from consent.wire.leak_line import find_leak
from tests.cookie_site import list_leaks

READER = Service(
    "reader",
    name="Reader",
    purposes=("analytics",),
    hosts=("t.example", "*.t.example"),
    cookies=(CookieDeclaration("reader_*", days=1), CookieDeclaration("late", days=1)),
)


@pytest.fixture
def site(make_app):
    """A site whose page sets the cookies that it is asked to, and shows what it is told to."""
    app = make_app(services=(READER,), CONSENT_AUTO_HOLD="enforce")

    @app.get("/<names>")
    def view(names):
        response = Response(f"<!doctype html><body>{app.config.get('BODY', '')}")
        for name in app.config.get("NAMES", [names]):
            response.headers.add("Set-Cookie", f"{name}=1")
        return response

    return app


def test_names_below_a_pattern_are_one_leak_under_the_name_of_the_pattern(site, caplog):
    site.config["NAMES"] = [f"reader_alice{number}@example.org" for number in range(5000)]
    client = site.test_client()
    client.get("/x")
    site.config["NAMES"] = ["late", "nobodys"]
    client.get("/x")

    assert [(each["kind"], each["subject"]) for each in list_leaks(caplog)] == [
        ("cookie_suppressed", "reader_*"),
        ("cookie_suppressed", "late"),
        ("cookie_undeclared", "nobodys"),
    ]
    assert "alice" not in caplog.text


def test_names_below_a_pattern_stay_out_of_the_log_where_judging_fails(site, caplog, monkeypatch):
    def fail(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("consent.web.visit.Visit.standing", property(fail))
    response = site.test_client().get("/reader_alice")

    assert "Set-Cookie" not in response.headers
    assert [each["subject"] for each in list_leaks(caplog)] == ["reader_*"]


def test_hosts_below_a_pattern_are_one_leak_under_the_name_of_the_pattern(site, caplog):
    site.config["NAMES"] = []
    site.config["BODY"] = "".join(f'<img src="//alice{number}.t.example/x">' for number in range(300))
    site.config["BODY"] += '<img src="//t.example/x">'
    client = site.test_client()

    assert b' src="//' not in client.get("/x").data
    assert [(each["kind"], each["subject"]) for each in list_leaks(caplog)] == [
        ("markup_held", "*.t.example"),
        ("markup_held", "t.example"),
    ]
    assert "alice" not in caplog.text


def test_made_up_names_are_told_up_to_a_limit_and_that_is_said_once(caplog):
    log = LeakLog()
    for number in range(2000):
        log.note(Leak(kind=LeakKind.COOKIE_UNDECLARED, subject=f"name{number}"))

    assert len(list_leaks(caplog)) == 512
    assert caplog.text.count("no more of these are logged") == 1
    assert "There were 512 different leaks of the kind 'cookie_undeclared' and of no known service" in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        Leak(kind=LeakKind.COOKIE_SUPPRESSED, subject="late", services=("reader",)),
        Leak(kind=LeakKind.COOKIE_BLOCKED, subject="name"),
        Leak(kind=LeakKind.COOKIE_UNDECLARED, subject="late", services=("reader",)),
    ],
    ids=["of a service", "of another kind", "of this kind, of a service"],
)
def test_limit_of_one_kind_silences_no_other_leak(caplog, other):
    log = LeakLog()
    for number in range(2000):
        log.note(Leak(kind=LeakKind.COOKIE_UNDECLARED, subject=f"name{number}"))
    log.note(other)

    assert list_leaks(caplog)[-1] == list_leaks(caplog)[512]
    assert (list_leaks(caplog)[-1]["kind"], list_leaks(caplog)[-1]["subject"]) == (other.kind, other.subject)


def test_leaks_of_services_silence_none_of_what_nobody_declares(caplog):
    log = LeakLog()
    for number in range(600):
        log.note(Leak(kind=LeakKind.HINT_REMOVED, subject="t.example", services=("reader",), page=f"/{number}"))
    log.note(Leak(kind=LeakKind.HINT_REMOVED, subject="nobody.example"))

    assert list_leaks(caplog)[-1]["subject"] == "nobody.example"


def test_leaks_of_services_have_a_limit_too(caplog):
    log = LeakLog()
    for number in range(4200):
        log.note(Leak(kind=LeakKind.MARKUP_HELD, subject="t.example", services=("reader",), element=f"x-{number}"))

    assert len(list_leaks(caplog)) == 4096
    assert "There were 4096 different leaks of the kind 'markup_held' and of services" in caplog.text


@pytest.mark.parametrize("name", ["=", "x" * 5000, "\xc3\xa9" * 3000], ids=["none", "long", "long, beyond ASCII"])
def test_every_line_that_is_written_is_read_by_the_audit(site, caplog, name):
    site.config["NAMES"] = [name]
    site.test_client(use_cookies=False).get("/x")
    (line,) = [record.getMessage() for record in caplog.records if "consent-audit" in record.getMessage()]

    leak = find_leak(line)
    assert leak is not None
    assert leak.kind is LeakKind.COOKIE_UNDECLARED
    assert len(line) < 5000
