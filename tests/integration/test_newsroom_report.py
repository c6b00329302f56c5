"""The newsroom's "What the trackers saw": the page, and the part of it that its script asks for."""

from __future__ import annotations

import re

import pytest

from examples.newsroom.app import create_app
from examples.newsroom.trackers import create_tracker_app

PAGE = "/what-the-trackers-saw"
PART = f"{PAGE}?part=sightings"
# A port on which nothing answers.
CLOSED_PORT = 9


@pytest.fixture
def tracker_app():
    return create_tracker_app()


@pytest.fixture
def newsroom(tracker_app, serve):
    return create_app(tracker_port=serve(tracker_app))


@pytest.fixture
def reader(newsroom):
    return newsroom.test_client()


@pytest.fixture
def send(tracker_app):
    """Return a function that lets a request reach a tracker."""

    def reach(page="/article/night-tram", host="stats.localhost", **fields):
        tracker_app.test_client().get("/pixel.gif", query_string={"page": page, **fields}, base_url=f"http://{host}")

    return reach


def version_of(response):
    return re.findall(r'data-version="(\w+)"', response.text)[0]


def look_again(client, response):
    return client.get(f"{PART}&version={version_of(response)}")


def test_page_holds_the_part_as_it_is_sent_alone(reader, send):
    send()
    part = reader.get(PART).text

    assert part.strip()
    assert part in reader.get(PAGE).text


def test_part_begins_with_its_element_and_has_nothing_of_the_library(reader):
    response = reader.get(PART)

    assert response.text.lstrip().startswith('<div id="sightings"')
    assert "data-consent" not in response.text
    assert "pvc-" not in response.text


def test_part_counts_requests_and_choices(reader, send, choose):
    send()
    choose(reader, "accept_all")
    send()

    assert 'data-requests="2" data-choices="1"' in reader.get(PART).text


def test_part_tells_caches_to_keep_nothing(reader):
    first = reader.get(PART)
    unchanged = look_again(reader, first)

    for response in (first, unchanged):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_answer_is_empty_while_nothing_is_new(reader, send):
    send()
    response = look_again(reader, reader.get(PAGE))

    assert response.status_code == 204
    assert response.data == b""


def test_answer_brings_a_new_request(reader, send):
    page = reader.get(PAGE)
    send(page="/article/harbour-lights")
    response = look_again(reader, page)

    assert response.status_code == 200
    assert "/article/harbour-lights" in response.text
    assert version_of(response) != version_of(page)


def test_answer_brings_a_choice_although_no_request_came(newsroom, reader, choose):
    page = reader.get(PAGE)
    choose(newsroom.test_client(), "reject_all")

    assert "After refusing everything" in look_again(reader, page).text


def test_acknowledged_notice_is_no_refusal(tracker_app, serve, choose):
    reader = create_app(tracker_port=serve(tracker_app), is_development=True).test_client()
    reader.post("/development", data={"place": "JP"})
    choose(reader, "acknowledge")

    assert "After a notice was acknowledged" in reader.get(PAGE).text


def test_answer_brings_the_note_on_a_choice_that_the_log_does_not_know(newsroom, reader, choose):
    """Another start of the trackers, or the log emptied: the reader's cookie is all that tells."""
    choose(reader, "reject_all")
    newsroom.extensions["newsroom"].timeline.clear()
    page = newsroom.test_client().get(PAGE)

    assert "The log begins later" in look_again(reader, page).text


def test_answer_brings_an_emptied_log(reader, send):
    send()
    page = reader.get(PAGE)
    reader.post(f"{PAGE}/reset")

    assert 'data-requests="0" data-choices="0"' in look_again(reader, page).text


def test_trackers_that_do_not_answer_are_named_and_asked_again():
    reader = create_app(tracker_port=CLOSED_PORT).test_client()
    page = reader.get(PAGE)

    assert "The trackers’ server does not answer." in page.text
    assert "data-requests" not in page.text
    assert look_again(reader, page).status_code == 204


def test_what_trackers_were_sent_is_escaped(reader, send):
    send(page="<b>page", id="<b>id")

    assert "<b>" not in reader.get(PART).text
    assert "&lt;b&gt;page" in reader.get(PART).text


def test_script_is_a_file_of_the_site_and_carries_its_nonce(newsroom, reader):
    newsroom.jinja_env.globals["csp_nonce"] = lambda: "n0nce"

    assert '<script type="module" src="/static/live_report.js" nonce="n0nce"></script>' in reader.get(PAGE).text


def test_page_can_be_reloaded_by_hand(reader):
    page = reader.get(PAGE).text

    assert f'<a class="button" href="{PAGE}">Look again</a>' in page
    assert '<p class="live" hidden>' in page
