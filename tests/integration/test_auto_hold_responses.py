"""Which responses are looked through for markup that nobody tagged: streams, parts of pages, errors; and faults on the way."""

from __future__ import annotations

import gzip
import logging
from typing import Any

import pytest
from flask import Response, abort, make_response, redirect

import consent.testing
from tests.held_markup import END, HEAD, PIXEL, SCRIPT, SERVICES, VIDEO, ask_for, contacts, list_blocks


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce")


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a page of this markup, as a visitor who granted these keys."""

    def ask(markup, *granted, app=None, **how):
        return ask_for(app or site, add_page, markup, *granted, **how)

    return ask


# --- Which responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["HX-Request", "Turbo-Frame"])
def test_part_of_a_page_is_held_without_a_runtime_of_its_own(get, header):
    text = get(PIXEL, headers={header: "true"}).text

    assert list_blocks(text) == [PIXEL]
    assert "data-consent-page" not in text


def test_framed_document_is_held(get):
    assert contacts(get(HEAD + PIXEL + END, headers={"Sec-Fetch-Dest": "iframe"}).text) == set()


@pytest.mark.parametrize("status", [400, 404, 500])
def test_error_page_is_held(site, status):
    site.register_error_handler(status, lambda _error: (HEAD + PIXEL + END, status))
    site.add_url_rule("/broken", "broken", lambda: abort(status))
    response = site.test_client().get("/broken")

    assert response.status_code == status
    assert list_blocks(response.text) == [PIXEL]


def test_error_page_that_the_view_raises_is_held(site):
    site.add_url_rule("/broken", "broken", lambda: abort(make_response(HEAD + PIXEL + END, 403)))

    assert list_blocks(site.test_client().get("/broken").text) == [PIXEL]


def test_head_is_answered_like_get(get):
    page = HEAD + PIXEL + END
    headers = [dict(get(page).headers), dict(get(None, method="HEAD").headers)]

    assert headers[0].keys() == headers[1].keys()
    assert abs(int(headers[0]["Content-Length"]) - int(headers[1]["Content-Length"])) < 5


_UNCHANGED: dict[str, dict[str, Any]] = {
    "text": {"mimetype": "text/plain"},
    "JSON": {"mimetype": "application/json"},
    "XHTML": {"mimetype": "application/xhtml+xml"},
    "no-transform": {"headers": {"Cache-Control": "no-transform"}},
    "download": {"headers": {"Content-Disposition": "attachment; filename=a.html"}},
    "range": {"status": 206},
    "file": {"direct_passthrough": True},
}


@pytest.mark.parametrize("kind", _UNCHANGED)
def test_response_that_is_not_to_be_changed_is_not(get, kind):
    options: dict[str, Any] = {"mimetype": "text/html", **_UNCHANGED[kind]}

    assert get(lambda: Response(PIXEL, **options)).text == PIXEL


def test_compressed_body_is_left_alone_and_told_of(get, caplog):
    body = gzip.compress((HEAD + PIXEL + END).encode())

    assert get(lambda: make_response(body), Content_Encoding="gzip").data == body
    assert "compressed inside its view" in caplog.text


def test_page_in_an_encoding_that_could_be_misread_is_left_alone_and_told_of(get, caplog):
    body = (HEAD + PIXEL + END).encode("utf-16")

    assert get(lambda: make_response(body), Content_Type="text/html; charset=utf-16").data == body
    assert "an encoding in which markup cannot be found safely" in caplog.text


def test_page_in_another_encoding_holds_ascii_and_loads_again_for_the_rest(get):
    markup = PIXEL + '<img alt="é" src="https://www.facebook.com/tr?id=2">'
    response = get(
        lambda: make_response((HEAD + markup + END).encode("latin-1")), Content_Type="text/html; charset=iso-8859-1"
    )
    text = response.data.decode("latin-1")

    assert list_blocks(text) == [PIXEL, ""]
    assert contacts(text) == set()


def test_redirect_and_excluded_endpoint_are_left_alone(make_app, add_page):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_EXCLUDED_ENDPOINTS=["admin"])
    add_page(app, "/admin", PIXEL)
    add_page(app, "/away", lambda: redirect("https://www.facebook.com/"))
    client = app.test_client()

    assert client.get("/admin").text == PIXEL
    assert client.get("/away").status_code == 302


def test_own_pages_of_the_library_are_left_alone(site):
    client = site.test_client()
    consent.testing.refuse(client)
    answer = client.post(
        "/privacy-choices/",
        data={"action": "once", "service": "youtube", "id": "aqz-KE-bpKQ"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert "youtube-nocookie.com" in "".join(contacts(answer.text))


# --- A nonce -------------------------------------------------------------------------------------------------------------------


def test_only_a_script_that_has_the_nonce_of_the_page_may_get_it_from_the_runtime(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_CSP_NONCE=lambda: "n0nce")
    trusted = SCRIPT.replace("<script", '<script nonce="n0nce"')
    text = get(HEAD + SCRIPT + trusted + END, app=app).text

    assert [block for block in list_blocks(text) if "gtag/js" in block] == [
        block for block in list_blocks(text) if trusted in block
    ]
    assert 'data-consent-gate="google-analytics" data-consent-key="" nonce="n0nce">""</script>' in text


# --- Streams -------------------------------------------------------------------------------------------------------------------


def _cut(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_stream_is_held_however_it_is_cut(get, size):
    page = HEAD + SCRIPT + "<p>é</p>" + VIDEO + f"<svg><image href=//i.ytimg.com/a /></svg>{PIXEL}" + END
    response = get(lambda: Response(iter(_cut(page, size))))

    assert contacts(response.text) == set()
    assert any(PIXEL in block for block in list_blocks(response.text))
    assert "<p>é</p>" in response.text
    assert "data-consent-page=" in response.text
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_stream_of_what_is_granted_is_as_it_was(get):
    page = HEAD + SCRIPT + VIDEO + '<a class="pvc-settings-link" href="/privacy-choices/">x</a>' + END

    assert get(lambda: Response(iter(_cut(page, 10))), *SERVICES).text == page


def test_stream_keeps_flowing_and_tells_the_view_that_it_is_over(site):
    told = []

    class Chunks:
        def __init__(self):
            self.left = iter([HEAD, "<p>1</p>", PIXEL, "<p>2</p>", END])

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.left)

        def close(self):
            told.append("closed")

    site.add_url_rule("/stream", "stream", lambda: Response(Chunks()))
    client = site.test_client()
    consent.testing.refuse(client)
    response = client.get("/stream", buffered=False)
    chunks = list(response.response)
    response.close()

    assert len(chunks) >= 4
    assert b"<p>1</p>" in b"".join(chunks[:2])
    assert told == ["closed"]


@pytest.mark.parametrize("place", ["wire.markup_scan._Readings.read", "web.held_stream.apply_edits"])
def test_fault_in_a_stream_sends_the_rest_as_it_is(get, monkeypatch, caplog, place):
    def fail(*_, **__):
        raise RuntimeError("fault")

    monkeypatch.setattr(f"consent.{place}", fail)
    page = HEAD + "<p>x</p>" + PIXEL + "<p>y</p>" + END

    assert get(lambda: Response(iter(_cut(page, 10)))).text.endswith("<p>x</p>" + PIXEL + "<p>y</p>" + END)
    assert "the rest of the page was sent as it is" in caplog.text


# --- Faults ----------------------------------------------------------------------------------------------------------------------


def test_element_that_cannot_be_judged_loses_its_addresses(get, monkeypatch, caplog):
    from consent.web.markup_judge import MarkupJudge

    def fail(self, element, page):
        raise RuntimeError("fault")

    monkeypatch.setattr(MarkupJudge, "find_shut", fail)
    text = get(HEAD + PIXEL + END).text

    assert contacts(text) == set()
    assert "could not be judged" in caplog.text


def test_placeholder_that_cannot_be_rendered_leaves_the_frame_held(make_app, get, caplog):
    app = make_app({"consent/placeholder.html": "{{ 1 / 0 }}"}, services=SERVICES, CONSENT_AUTO_HOLD="enforce")
    text = get(HEAD + VIDEO + END, app=app).text

    assert list_blocks(text) == [VIDEO]
    assert "The placeholder of 'youtube' could not be rendered" in caplog.text


def test_page_is_served_when_nothing_can_be_held(get, monkeypatch, caplog):
    import consent.web.auto_hold

    def fail(page):
        raise RuntimeError("fault")

    monkeypatch.setattr(consent.web.auto_hold, "scan", fail)

    assert PIXEL in get(HEAD + PIXEL + END).text
    assert [record.levelno for record in caplog.records if record.levelno > logging.WARNING] == [logging.ERROR]
