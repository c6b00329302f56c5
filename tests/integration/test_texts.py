"""Words that a site or a declaration gives are text, wherever they are shown."""

from __future__ import annotations

import pytest
from flask import render_template_string
from markupsafe import Markup

import consent.testing
from consent import CookieDeclaration, Embed, Policy, Purpose, Service
from consent.errors import ConfigError

PAYLOADS = (
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "</title></textarea><b>",
    "{{ 7 * 7 }}{% raw %}",
    "%(x)s %s",
    "{0.__class__}{controller.__class__}",
    "a\u2028b\u2029c",
    "\u202eright to left",
    "' onmouseover='alert(1)",
    "<!-- x",
    Markup("<b>from a translator</b>"),
    "long " * 20_000,
)
PATHS = ("/", "/page", "/privacy-choices/", "/privacy-choices/policy")
SOURCE = (
    '<!doctype html><body>{% from "consent/macros.html" import cookie_table, embed, settings_link %}'
    "{{ embed('youtube', 'aqz-KE-bpKQ', title='T') }}{{ settings_link() }}{{ cookie_table() }}"
)
PLAYER = Embed(
    url="https://player.example/{id}",
    source_url="https://www.example/{id}",
    id_pattern="[A-Za-z0-9_-]{11}",
    id_example="aqz-KE-bpKQ",
)
SLOTS = ("controller", "purpose", "service", "provider", "cookie", "justification", "text")
# Texts that appear on the pages above; placeholders may be left out.
TEXT_KEYS = (
    "banner.title",
    "banner.text",
    "banner.accept_all",
    "banner.third_parties",
    "settings.link",
    "preferences.title",
    "preferences.intro",
    "preferences.save",
    "preferences.on",
    "page.more",
    "cookie_table.title",
    "cookie_table.name",
    "embed.label",
    "embed.text",
    "policy.title",
    "receipt.title",
    "receipt.unrecorded",
    "receipt.numbers_text",
)


def build(make_app, words, slots):
    """Make a site that shows `words` in some slots and harmless ones in the others."""

    def fill(name):
        return words if name in slots else "Harmless"

    youtube = Service(
        "youtube",
        name=fill("service"),
        purposes=("marketing",),
        provider=fill("provider"),
        hosts=("player.example",),
        description=fill("service"),
        cookies=(CookieDeclaration("a_cookie", months=1, description=fill("cookie")),),
        embed=PLAYER,
    )
    login = Service("login", name=fill("service"), purposes=("necessary",), justification=fill("justification"))
    purposes = (
        Purpose("necessary", title=fill("purpose"), description=fill("purpose")),
        Purpose("marketing", title=fill("purpose"), description=fill("purpose")),
    )
    policy = Policy(controller=fill("controller"), purposes=purposes, services=(youtube, login))
    app = make_app(policy=policy, CONSENT_TEXTS={"en": dict.fromkeys(TEXT_KEYS, fill("text"))})
    app.add_url_rule("/page", "page", lambda: render_template_string(SOURCE))
    return app.test_client()


def read_structures(client, structure):
    answers = [client.get(path) for path in PATHS]

    assert [answer.status_code for answer in answers] == [200] * len(PATHS)
    return [structure(answer.text) for answer in answers]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload[:30]))
def test_hostile_words_change_no_structure(make_app, structure, payload):
    hostile, harmless = build(make_app, payload, SLOTS), build(make_app, "Harmless", SLOTS)

    assert read_structures(hostile, structure) == read_structures(harmless, structure)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload[:30]))
def test_hostile_words_change_no_structure_of_a_receipt(make_app, structure, payload):
    pages = []
    for words in (payload, "Harmless"):
        client = build(make_app, words, SLOTS)
        consent.testing.grant(client)
        pages.append(structure(client.get("/privacy-choices/receipt").text))

    assert pages[0] == pages[1]
    assert ("code", ["dir"]) in pages[0]


@pytest.mark.parametrize("slot", SLOTS)
def test_hostile_words_in_one_place_change_no_structure(make_app, structure, slot):
    hostile, harmless = build(make_app, Markup(PAYLOADS[0]), {slot}), build(make_app, "Harmless", {slot})

    assert read_structures(hostile, structure) == read_structures(harmless, structure)


@pytest.mark.parametrize("payload", ["{{ 7 * 7 }}", "{0.__class__}", "{controller}", "{link}", "%(x)s"])
def test_nothing_in_a_declaration_is_evaluated(make_app, payload):
    client = make_app(policy=Policy(controller=payload)).test_client()

    assert f"{payload} asks to store and read data on your device." in client.get("/").text


def test_own_text_replaces_the_shipped_one_in_its_language_alone(make_app, add_page):
    app = make_app(CONSENT_TEXTS={"en": {"banner.title": "May we?"}})
    add_page(app, "/de", '<!doctype html><html lang="de"><body>')
    client = app.test_client()

    assert 'id="pvc-banner-title">May we?</h2>' in client.get("/").text
    assert "May we?" not in client.get("/de").text


def test_own_text_may_use_the_placeholders_of_the_shipped_one(make_app):
    client = make_app(CONSENT_TEXTS={"en": {"banner.text": "{controller}, {controller}!"}}).test_client()

    assert '<p class="pvc-banner__lead">Example News Ltd, Example News Ltd!</p>' in client.get("/").text


def test_language_of_the_site_falls_back_and_is_warned_of(make_app, caplog):
    client = make_app(CONSENT_TEXTS={"nl": {"banner.title": "Uw keuze"}}, CONSENT_LANGUAGE="nl").test_client()
    client.application.view_functions["index"] = lambda: "<!doctype html><body>"
    text = client.get("/").text

    assert '<section class="pvc-banner" lang="nl" dir="ltr"' in text
    assert "Uw keuze" in text
    assert "Accept all" in text
    assert any("texts are missing in 'nl'" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "\x01javascript:alert(1)", " javascript:x", "data:text/html,x", "vbscript:x", "//evil.example", "/\\evil.example", "ftp://a.example", "https://a b", "/a\nb"],
    ids=ascii,
)  # fmt: skip
def test_unsafe_link_is_refused_with_its_name(url):
    with pytest.raises(ConfigError, match="'privacy_url' of service 'own' holds the URL"):
        Service("own", name="Own", purposes=("analytics",), privacy_url=url)
    with pytest.raises(ConfigError, match="'policy_url' holds the URL"):
        Policy(controller="Example", policy_url=url)
