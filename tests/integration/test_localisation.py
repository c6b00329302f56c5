"""Which language the visitor is spoken to in."""

from __future__ import annotations

import re

import pytest
from flask import render_template_string
from flask_babel import Babel

from consent import Consent, Purpose, accept_language

GERMAN = '<!doctype html><html lang="{}"><head></head><body><p>x</p></body></html>'


def language_of(response):
    found = re.search(r'<section class="pvc-banner" lang="([^"]+)" dir="([^"]+)"', response.text)
    assert found
    return found[1], found[2]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", ("de", "ltr")),
        ("de-AT", ("de", "ltr")),
        ("DE", ("de", "ltr")),
        ("fr-CA", ("fr", "ltr")),
        ("es", ("es", "ltr")),
        ("zh", ("zh-Hans", "ltr")),
        ("zh-CN", ("zh-Hans", "ltr")),
        ("ar", ("ar", "rtl")),
        ("ar-EG", ("ar", "rtl")),
        ("tlh", ("en", "ltr")),
        ("", ("en", "ltr")),
        ("../../x", ("en", "ltr")),
    ],
)
def test_page_language_is_followed(app, add_page, tag, language):
    add_page(app, "/page", GERMAN.format(tag))

    assert language_of(app.test_client().get("/page")) == language


def test_setting_is_the_last_resort(make_app, add_page):
    app = make_app(CONSENT_LANGUAGE="fr")
    add_page(app, "/page", "<!doctype html><body>")

    assert language_of(app.test_client().get("/page")) == ("fr", "ltr")


def test_page_language_counts_before_the_setting(make_app):
    assert language_of(make_app(CONSENT_LANGUAGE="fr").test_client().get("/")) == ("en", "ltr")


@pytest.mark.parametrize(
    ("named", "language"),
    [
        ("de", "de"),
        ("de_AT", "de"),
        ("zh_Hans_CN", "zh-Hans"),
        (None, "en"),
        ("", "en"),
        ("xx", "en"),
        ("../../x", "en"),
    ],
)
def test_locale_function_is_followed_and_may_be_wrong(make_app, named, language):
    assert language_of(make_app(CONSENT_LOCALE=lambda: named).test_client().get("/"))[0] == language


def test_locale_function_counts_before_babel_and_babel_before_the_page(bare_app):
    def build(**config):
        app = bare_app(**config)
        Babel(app, locale_selector=lambda: "de")
        Consent(app)
        return app

    assert language_of(build().test_client().get("/"))[0] == "de"
    assert language_of(build(CONSENT_LOCALE=lambda: "es").test_client().get("/"))[0] == "es"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-CH, en;q=0.5", "de"),
        ("xx, fr;q=0.1", "fr"),
        ("", "en"),
        ("*", "en"),
        ("zh-SG", "zh-Hans"),
        (";q=x,,", "en"),
    ],
)
def test_accept_language_is_followed_on_request_and_joins_vary(make_app, accepted, language):
    response = make_app(CONSENT_LOCALE=accept_language).test_client().get("/", headers={"Accept-Language": accepted})

    assert language_of(response)[0] == language
    assert sorted(response.headers["Vary"].split(", ")) == ["Accept-Language", "Cookie", "Sec-GPC"]


def test_accept_language_is_ignored_unless_asked_for(client):
    response = client.get("/", headers={"Accept-Language": "de"})

    assert language_of(response)[0] == "en"
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_link_in_the_language_of_the_browser_varies_although_no_consent_was_read(make_app):
    app = make_app(CONSENT_LOCALE=accept_language, CONSENT_INJECT=False)
    source = '{% from "consent/macros.html" import settings_link %}{{ settings_link() }}'
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    response = app.test_client().get("/page", headers={"Accept-Language": "de"})

    assert "Accept-Language" in response.headers.get("Vary", "")


def test_kept_banner_of_one_language_is_not_shown_in_another(make_app):
    client = make_app(CONSENT_LOCALE=accept_language).test_client()
    languages = [language_of(client.get("/", headers={"Accept-Language": tag}))[0] for tag in ("de", "ar", "de", "en")]

    assert languages == ["de", "ar", "de", "en"]


@pytest.mark.parametrize("path", ["/privacy-choices/", "/privacy-choices/policy", "/privacy-choices/receipt"])
def test_own_pages_are_in_the_language_and_direction(make_app, path):
    text = make_app(CONSENT_LANGUAGE="ar").test_client().get(path).text

    assert '<html lang="ar" dir="rtl">' in text


def test_words_of_a_declaration_follow_the_language(make_app):
    purpose = Purpose(
        "social", title={"en": "Social", "de": "Netzwerke"}, description={"en": "Share.", "de": "Teilen."}
    )
    app = make_app(purposes=[purpose], CONSENT_LOCALE=accept_language)
    text = app.test_client().get("/", headers={"Accept-Language": "de"}).text

    assert "<strong>Netzwerke</strong> <span>Teilen.</span>" in text


def test_decided_page_gets_its_link_in_the_language_of_the_page(app, add_page, choose):
    add_page(app, "/page", GERMAN.format("de"))
    client = app.test_client()
    first = client.get("/page").text
    choose(client, "reject_all")
    links = [re.search(r'class="pvc-settings-link"[^>]*>([^<]+)<', text) for text in (first, client.get("/page").text)]

    assert links[0]
    assert links[1]
    assert links[0][1] == links[1][1] != "Privacy choices"
