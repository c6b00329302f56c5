"""Every service of the catalogue in a site of its own: held before consent, live after it, and told to the visitor."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape

import html5lib
import pytest
from flask import Flask, render_template_string

import consent.testing
from consent import Consent
from consent.catalogue import load_necessary
from consent.catalogue.description import build_markup
from consent.core.declaration import HostUse
from consent.core.embed import Embed
from tests.catalogue_entries import CANDIDATES, EMBEDDED, KEYS, SCRIPTED, examples, render, service_of

PAGE = """{% from "consent/macros.html" import cookie_table, embed, gate, script %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Page</title></head><body>CONTENT</body></html>"""
each_entry = pytest.mark.parametrize("key", KEYS)


def make_site(service):
    """Return a site with one service: its tag on `/page`, its cookies on `/cookies`."""
    app = Flask("newspaper", static_folder=None)
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=[service])
    for path, content in (("page", build_markup(service)), ("cookies", "{{ cookie_table() }}")):
        source = PAGE.replace("CONTENT", content)
        app.add_url_rule(f"/{path}", path, lambda source=source: render_template_string(source))
    return app


@pytest.fixture(scope="module")
def sites():
    """Return a function that gives the site with a service; each is made once, since that is what takes its time."""
    return cache(lambda key: make_site(service_of(key)))


@pytest.fixture
def client(sites, key):
    """Return a new visitor of the site with that service."""
    return sites(key).test_client()


def read(page):
    """Return the elements of a page, and apart from them the markup that is held in it."""
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    held = [element for element in tree.iter("script") if "data-consent-gate" in element.attrib]
    return [element for element in tree.iter() if element not in held], [json.loads(each.text or "") for each in held]


def find_mentions(elements, service):
    """Return what elements say of the hosts of a service, but for links to its own site and ids in forms, which load nothing."""
    hosts = [host for use, hosts in service.hosts_by_use.items() if use != HostUse.PAGE for host in hosts]
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(host.removeprefix('*.'))}(?![\w-])" for host in hosts))
    values = [
        text
        for element in elements
        if element.tag not in {"a", "input"}
        for text in (*element.attrib.values(), *([element.text] if element.tag in {"script", "style"} else []))
    ]
    return [text for text in values if text and pattern.search(text)]


def find_live(key):
    """Return what the page must hold when the service may run."""
    service = service_of(key)
    if isinstance(service.embed, Embed):
        url = service.embed.url.partition("{id}")[0]
        return f'<iframe class="pvc-embed" src="{url.partition("?")[0]}'
    return render(service, nonce="", **examples(service, only_required=True)) or "…"


@each_entry
def test_nothing_of_it_is_outside_of_held_markup_before_consent(client, key):
    elements, held = read(client.get("/page").text)

    assert find_mentions(elements, service_of(key)) == []
    assert len(held) == 1
    assert find_live(key) in held[0]


@each_entry
def test_refusal_keeps_it_held(client, key):
    consent.testing.refuse(client)
    elements, held = read(client.get("/page").text)

    assert find_mentions(elements, service_of(key)) == []
    assert len(held) == 1


@each_entry
def test_it_is_live_after_consent(client, key):
    consent.testing.grant(client, key)
    text = client.get("/page").text
    elements, held = read(text)

    assert held == []
    assert find_live(key) in text
    assert bool(find_mentions(elements, service_of(key))) == (key in SCRIPTED or key in EMBEDDED)


@pytest.mark.parametrize("key", CANDIDATES)
def test_candidate_for_necessary_is_live_at_once_where_a_site_says_that_it_is(key):
    words = "" if service_of(key).justification else "Without it, what you ask for does not work."
    text = make_site(load_necessary(key, justification=words)).test_client().get("/page").text

    assert read(text)[1] == []
    assert find_live(key) in text


@each_entry
def test_cookie_table_names_its_cookies(client, key):
    table = unescape(client.get("/cookies").text)
    service = service_of(key)

    assert [cookie.name for cookie in service.cookies if cookie.name not in table] == []
    assert service.name in table or not (service.cookies or service.has_unknown_storage)


@each_entry
def test_preferences_name_its_provider(client, key):
    page = unescape(client.get("/privacy-choices/").text)
    service = service_of(key)

    assert service.name in page
    assert service.provider in page
    assert f'href="{service.privacy_url}"' in page
