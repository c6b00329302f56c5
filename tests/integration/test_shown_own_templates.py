"""Templates of the site's own: kept as nobody's request has them, or not at all; a choice never waits for them."""

from __future__ import annotations

import logging

import pytest
from flask import request, url_for
from flask_babel import Babel, get_locale

from tests.notice_site import CHOICES, RETENTION, SAME_ORIGIN, Ledger, press, read_form, set_up

OWN_BANNER = '{% extends "consent/default/banner.html" %}{% block title %}TITLE{% endblock %}'


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def build(bare_app, ledger):
    """Return a function that makes a site with the ledger, by what stands in its banner's title and by settings."""

    def make(title="", **config):
        templates = {"consent/banner.html": OWN_BANNER.replace("TITLE", title)} if title else {}
        return set_up(bare_app(templates, **(RETENTION | config)), ledger)

    return make


def test_own_template_is_kept_as_a_request_of_nobody_has_it(build, ledger):
    app = build("<h2>{{ greeting }} at {{ request.path }} {{ url_for('index') }}</h2>")
    app.context_processor(lambda: {"greeting": f"Hello {request.args.get('name', 'reader')}"})

    fields = press(app.test_client(), "/?name=Ada", "accept_all")

    assert "<h2>Hello reader at / /</h2>" in ledger.shown
    assert ledger.records[0]["notice"]["ui_sha256"].startswith(fields["shown"])


def test_own_template_that_fails_without_a_visitor_costs_nobody_their_choice(build, ledger, caplog):
    app = build("{{ raise_for_nobody() }}")

    def raise_for_nobody():
        return f"Hello {request.headers['X-Reader']}"

    app.jinja_env.globals["raise_for_nobody"] = raise_for_nobody
    client = app.test_client()
    caplog.set_level(logging.ERROR, logger="consent")
    for _ in range(2):
        page = client.get("/", headers={"X-Reader": "Ada"}).text
        fields = read_form(page, "accept_all")
        client.post(CHOICES, data={"action": "accept_all", **fields}, headers=SAME_ORIGIN)
        client.delete_cookie("consent")

    assert [each["notice"]["ui_sha256"] for each in ledger.records] == [None, None]
    assert [bool(each["notice"]["text_sha256"]) for each in ledger.records] == [True, True]
    assert "shown" not in fields
    told = [each.message for each in caplog.records if "could not be rendered" in each.message]
    assert told == ["What visitors are shown (banner) could not be rendered, so records do not say it."]


def test_own_template_that_is_never_the_same_is_not_kept(build, ledger, caplog):
    app = build("{{ next_number() }}")
    numbers = iter(range(10_000))
    app.jinja_env.globals["next_number"] = lambda: next(numbers)

    press(app.test_client(), "/", "accept_all")

    notice = ledger.records[0]["notice"]
    assert (notice["ui_sha256"], bool(notice["text_sha256"])) == (None, True)
    assert sum("differently each time" in each.message for each in caplog.records) == 1


def test_own_template_speaks_the_visitors_language_where_babel_translates(build, ledger):
    app = build("<h2>{{ locale() }}</h2>", CONSENT_LOCALE=lambda: "fr")
    Babel(app, locale_selector=lambda: request.args.get("lang", "en"))
    app.jinja_env.globals["locale"] = get_locale

    press(app.test_client(), "/?lang=fr", "accept_all")

    assert "<h2>fr</h2>" in ledger.shown


def test_context_processors_are_not_asked_for_the_librarys_own_templates(build, ledger):
    app = build()

    @app.context_processor
    def greet():
        return {"greeting": url_for("nowhere")}

    fields = {"action": "accept_all", "next": "/"}
    app.test_client().post(CHOICES, data=fields, headers=SAME_ORIGIN)

    assert ledger.records[0]["notice"]["ui_sha256"]


def test_record_of_one_visitor_that_an_own_banner_shows_is_blank(build, ledger, choose):
    app = build("{% if visit.record %}{{ visit.record.decided_at }} {{ visit.record.record_id }}{% endif %}")
    client = app.test_client()
    choose(client, "allow", "youtube")
    allowed = ledger.records[0]

    fields = press(client, "/", "reject_all")

    assert ledger.records[1]["notice"]["ui_sha256"].startswith(fields["shown"])
    assert "1970-01-01" in ledger.shown
    assert allowed["record_id"] not in ledger.shown
