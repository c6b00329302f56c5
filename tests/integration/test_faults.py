"""A fault of ours, or of what we were given, costs the banner and never the page."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Response, jsonify, render_template_string

IMPORT = '{% from "consent/macros.html" import gate %}'
GATE = IMPORT + "{% call gate('analytics') %}<b>live</b>{% endcall %}"


def fail():
    raise LookupError("of the site")


def errors(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@pytest.mark.parametrize("testing", [False, True])
def test_page_is_served_without_banner_and_the_error_is_logged(make_app, caplog, page, testing, monkeypatch):
    monkeypatch.setattr("consent.web.injection.render_banner", lambda _: fail())
    app = make_app()
    app.testing = testing
    response = app.test_client().get("/")

    assert (response.status_code, response.text) == (200, page)
    assert response.headers["Cache-Control"] == "private"
    assert errors(caplog) == ["The banner could not be inserted; the page was sent without it."]


def test_stream_is_served_without_banner_and_the_error_is_logged(make_app, caplog, monkeypatch):
    monkeypatch.setattr("consent.web.injection.render_banner", lambda _: fail())
    app = make_app()
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["<!doctype html><body>", "x"])))
    response = app.test_client().get("/stream")

    assert (response.status_code, response.text) == (200, "<!doctype html><body>x")
    assert len(errors(caplog)) == 1


def test_fault_of_the_nonce_costs_the_nonce_only(make_app, caplog):
    client = make_app(CONSENT_CSP_NONCE=fail).test_client()

    assert '<section class="pvc-banner"' in client.get("/").text
    assert client.get("/privacy-choices/").status_code == 200
    assert set(errors(caplog)) == {"The CSP nonce could not be found out; markup was sent without it."}


def test_fault_of_the_locale_costs_the_language_only(make_app, caplog):
    text = make_app(CONSENT_LOCALE=fail, CONSENT_LANGUAGE="fr").test_client().get("/").text

    assert '<section class="pvc-banner" lang="' in text
    assert errors(caplog)


def test_fault_of_the_locale_leaves_gates_shut(make_app, caplog):
    app = make_app(CONSENT_LOCALE=fail)
    app.add_url_rule("/page", "page", lambda: render_template_string("<!doctype html><body>" + GATE))
    response = app.test_client().get("/page")

    assert response.status_code == 200
    assert "<b>live</b>" not in response.text
    assert 'data-consent-gate="analytics"' in response.text


@pytest.mark.parametrize(
    "source", ["{% block", "{{ nothing.at.all }}", "{{ 1 / 0 }}", '{% extends "missing.html" %}'], ids=repr
)
def test_broken_banner_template_costs_the_banner_only(make_app, caplog, page, source):
    client = make_app({"consent/banner.html": source}).test_client()
    responses = [client.get("/") for _ in range(2)]

    assert [(response.status_code, response.text) for response in responses] == [(200, page)] * 2
    assert errors(caplog)


def test_fault_within_the_template_of_a_stream_costs_the_banner_only(make_app, caplog):
    app = make_app({"consent/banner.html": "{{ 1 / 0 }}"})
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["<!doctype html><body>", "x"])))

    assert app.test_client().get("/stream").text == "<!doctype html><body>x"
    assert errors(caplog) == ["The banner could not be inserted; the page was sent without it."]


def test_fault_while_cookies_are_expired_costs_nothing_else(app, choose, caplog, monkeypatch, page):
    client = app.test_client()
    choose(client, "reject_all")
    client.set_cookie("_ga", "1")
    monkeypatch.setattr("consent.web.hooks.expire_leftovers", lambda *_, **__: fail())
    response = client.get("/")

    assert response.status_code == 200
    assert errors(caplog)


def test_page_that_reads_no_consent_is_not_touched_by_a_fault(make_app):
    app = make_app(CONSENT_LOCALE=fail)
    app.add_url_rule("/data", "data", lambda: jsonify(1))

    assert app.test_client().get("/data").json == 1


def test_second_request_does_not_overtake_the_setup_of_the_first(make_app, monkeypatch):
    """Other extensions are looked for at the first request; until that is done, the second one has to wait."""
    entered, released = threading.Event(), threading.Event()

    def find_slowly(app, site):
        entered.set()
        released.wait(0.5)
        return lambda: "abc"

    monkeypatch.setattr("consent.web.hooks.find_nonce_source", find_slowly)
    app = make_app()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(app.test_client().get, "/")
        assert entered.wait(10)
        second = app.test_client().get("/")
        released.set()
        texts = [first.result().text, second.text]

    assert [text.count(' nonce="abc"') for text in texts] == [2, 2]  # stylesheet and script
