"""What waits until a script has asked the browser for Global Privacy Control, and what need not."""

from __future__ import annotations

import pytest
from flask import render_template_string, request

from consent import Consent

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
    return app.test_client()


def test_page_waits_for_the_browser(client):
    page = client.get("/page").text

    assert "<b>advert</b>" not in page
    assert page.count(FRAME) == page.count(f"<noscript>{FRAME}") == 1


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_does_not_wait_since_its_page_has_asked(client, headers):
    answer = client.get("/page", headers=headers)

    assert "<b>advert</b>" in answer.text
    assert "<noscript>" not in answer.text
    assert next(iter(headers)) in answer.headers["Vary"] or "Sec-Fetch-Dest" in answer.headers["Vary"]


@pytest.mark.parametrize("headers", FETCHED)
def test_part_that_a_script_fetches_heeds_what_the_page_was_told(client, headers):
    client.post("/privacy-choices/gpc", headers={"Sec-Fetch-Site": "same-origin"})

    assert "<b>advert</b>" not in client.get("/page", headers=headers).text


@pytest.mark.parametrize("destination", ["document", "iframe", "frame", "embed", "object"])
def test_page_of_its_own_waits_wherever_it_is_shown(client, destination):
    assert "<b>advert</b>" not in client.get("/page", headers={"Sec-Fetch-Dest": destination}).text


def test_embed_that_was_always_allowed_is_there_without_scripts(client, choose):
    choose(client, "allow", granted="youtube")

    assert f"<noscript>{FRAME}" in client.get("/page").text


@pytest.mark.parametrize("headers", [{"Sec-GPC": "1"}, {"X-Place": "FR"}])
def test_embed_that_is_shut_has_no_frame_for_browsers_without_scripts(client, headers):
    assert FRAME not in client.get("/page", headers=headers).text
