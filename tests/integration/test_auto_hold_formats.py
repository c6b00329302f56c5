"""What a view returns as HTML, by Flask's default, and is none: JSON, feeds, and pages that browsers read as UTF-16."""

from __future__ import annotations

import json

import pytest

from consent.web.live_markup import find_live_markup
from consent.web.visit import get_visit
from tests.held_markup import END, HEAD, PIXEL, SERVICES, VIDEO, ask_for, list_blocks

RECORD = json.dumps({"html": VIDEO.replace('"', "'"), "next": [PIXEL]})
FEED = f'<?xml version="1.0"?>\n<rss><item><![CDATA[{VIDEO}{PIXEL}]]></item></rss>'


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce")


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a response of this body."""

    def ask(body, **how):
        return ask_for(site, add_page, body, **how)

    return ask


@pytest.mark.parametrize("body", [RECORD, FEED], ids=["json", "feed"])
def test_what_is_no_page_is_left_alone(get, body):
    response = get(body)

    assert response.text == body
    assert response.content_type == "text/html; charset=utf-8"
    assert "Vary" not in response.headers


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize("body", [RECORD, FEED], ids=["json", "feed"])
def test_stream_of_what_is_no_page_is_left_alone(site, body, size):
    site.add_url_rule("/s", "s", lambda: (body[at : at + size] for at in range(0, len(body), size)))

    assert site.test_client().get("/s").text == body


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_stream_of_xhtml_is_held(site, size):
    page = '<?xml version="1.0"?>\n<!-- x -->' + HEAD + PIXEL + END
    site.add_url_rule("/s", "s", lambda: (page[at : at + size] for at in range(0, len(page), size)))

    assert list_blocks(site.test_client().get("/s").text) == [PIXEL]


def test_text_that_only_begins_like_json_is_held(get):
    assert list_blocks(get(f'["A quotation"] {PIXEL}').text) == [PIXEL]


def test_what_is_no_page_is_none_for_the_audit(site):
    with site.test_request_context():
        assert find_live_markup(get_visit(), FEED.encode()) == ()


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
def test_page_that_browsers_read_as_utf_16_is_left_alone_with_a_warning(site, caplog, is_streamed):
    body = (HEAD + PIXEL + END).encode("utf-16")
    site.add_url_rule("/u", "u", lambda: iter([body[:1], body[1:]]) if is_streamed else body)
    client = site.test_client()
    answers = [client.get("/u").data for _ in range(2)]

    assert answers == [body, body]
    [warning] = [record.getMessage() for record in caplog.records if "UTF-16" in record.getMessage()]
    assert warning.startswith(
        "A page is sent as 'text/html; charset=utf-8' and begins with the byte order mark of UTF-16"
    )
