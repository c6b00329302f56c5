"""What waits until a script has asked the browser for Global Privacy Control, and what need not."""

from __future__ import annotations

import pytest
from flask import render_template_string, request

from consent import Consent, current_consent
from consent.core.lifetime import add_months

PAGE = (
    '{% from "consent/macros.html" import embed, gate %}<!doctype html><body>'
    '{% call gate("marketing") %}<b>advert</b>{% endcall %}{{ embed("youtube", "aqz-KE-bpKQ", title="Film") }}'
)
FRAME = "<iframe"
FETCHED = [
    {"Sec-Fetch-Dest": "empty"},
    {"HX-Request": "true"},
    {"HX-Request": "true", "Sec-Fetch-Dest": "empty"},
    {"Turbo-Frame": "ads"},
]


@pytest.fixture
def client(bare_app):
    app = bare_app()
    Consent(app, services=["youtube"], jurisdiction=lambda: request.headers.get("X-Place", "US-TX"))
    app.add_url_rule("/page", "page", lambda: render_template_string(PAGE))
    app.add_url_rule("/key", "key", lambda: current_consent.cache_key)
    return app.test_client()


@pytest.fixture
def known(client, choose):
    """Return a browser whose visitor has noted what runs."""
    choose(client, "acknowledge")
    return client


def is_shown(client, **headers):
    text = client.get("/page", headers=headers).text
    return "<b>advert</b>" in text and FRAME in text


def test_page_waits_for_the_browser_and_shows_no_frame_without_scripts(client):
    page = client.get("/page").text

    assert "<b>advert</b>" not in page
    assert (FRAME in page, "<noscript" in page) == (False, False)


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_does_not_wait_where_a_record_shows_that_the_browser_was_asked(known, headers):
    answer = known.get("/page", headers=headers)

    assert "<b>advert</b>" in answer.text
    assert FRAME in answer.text
    assert next(iter(headers)) in answer.headers["Vary"] or "Sec-Fetch-Dest" in answer.headers["Vary"]


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_waits_where_nothing_was_recorded(client, headers):
    assert not is_shown(client, **headers)


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_waits_where_the_record_is_over(client, known, headers):
    engine = client.application.extensions["consent"].engine
    later = add_months(engine.read_clock(), 14)
    engine.read_clock = lambda: later

    assert not is_shown(known, **headers)


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_waits_where_it_is_to_be_a_page(known, headers):
    assert not is_shown(known, **headers, **{"Sec-Fetch-Mode": "navigate"})


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_heeds_what_the_page_was_told(known, headers):
    known.post("/privacy-choices/gpc", headers={"Sec-Fetch-Site": "same-origin"})

    assert not is_shown(known, **headers)


@pytest.mark.parametrize("destination", ["document", "iframe", "frame", "embed", "object"])
def test_page_of_its_own_waits_wherever_it_is_shown(known, destination):
    assert not is_shown(known, **{"Sec-Fetch-Dest": destination})


def test_embed_that_was_always_allowed_waits_as_well(client, choose):
    choose(client, "allow", granted="youtube")

    assert FRAME not in client.get("/page").text


@pytest.mark.parametrize("headers", [{"Sec-GPC": "1"}, {"X-Place": "FR"}])
def test_embed_that_is_shut_has_no_frame_anywhere(client, headers):
    assert FRAME not in client.get("/page", headers=headers).text


def test_cached_part_that_waits_is_not_given_to_who_need_not_wait(known):
    page, part = (known.get("/key", headers=headers).text for headers in ({}, {"Sec-Fetch-Dest": "empty"}))

    assert page != part
