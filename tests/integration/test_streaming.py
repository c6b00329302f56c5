"""Streamed pages: nothing is held back after the head, and generators are closed."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import closing

import pytest
from flask import Response, stream_template_string, stream_with_context

from consent import current_consent
from tests.runtime_tag import count_tags

BANNER = 'data-consent-ui="banner"'
MACROS = '{% from "consent/macros.html" import banner, head, settings_link, gate %}'
WAIT_SECONDS = 10


def read_until(connection, mark):
    received = b""
    while mark not in received:
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk
    return received


def mask(page):
    """Put one page key in the place of each response's own."""
    return re.sub(rb'data-consent-key="[^"]+"', b'data-consent-key=""', page)


def open_page(port, path="/stream"):
    connection = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
    connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    return closing(connection)


@pytest.fixture
def stream(app):
    """Return a function that serves chunks as a streamed page and fetches it."""

    def fetch(chunks, **config):
        path = f"/stream{len(app.view_functions)}"
        app.add_url_rule(path, path[1:], lambda: Response(iter(chunks), **config))
        return app.test_client().get(path)

    return fetch


@pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "bytes"])
def test_chunks_of_either_type_are_injected(stream, kind):
    response = stream([kind("<!doctype html><html><head>"), kind("<title>T</title></head><bo"), kind("dy><p>x</p>é")])

    assert response.text.count(BANNER) == 1
    assert response.text.startswith("<!doctype html><html><head><link ")
    assert response.text.endswith("</section><p>x</p>é")


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_every_split_gives_the_same_page(app, size):
    page = "<!doctype html><html><head><meta charset=utf-8><title>T</title></head><body class=x><p>é</p></body></html>"
    app.view_functions["index"] = lambda: Response(iter([page]))
    whole = mask(app.test_client().get("/").data)
    app.view_functions["index"] = lambda: Response(
        page.encode()[at : at + size] for at in range(0, len(page) + 1, size)
    )

    assert mask(app.test_client().get("/").data) == whole
    assert whole.count(BANNER.encode()) == 1


def test_length_is_not_claimed(stream):
    assert "Content-Length" not in stream(["<!doctype html><body>x"]).headers


def test_streamed_fragment_is_unchanged(stream):
    assert stream(["<p>", "one", "</p>"]).text == "<p>one</p>"


def test_empty_stream_stays_empty(stream):
    assert stream([]).data == b""


def test_stream_of_another_type_is_untouched_and_unmarked(stream):
    response = stream(["<!doctype html><body>"], content_type="text/event-stream")

    assert response.text == "<!doctype html><body>"
    assert "Vary" not in response.headers


def test_decided_visitor_gets_the_stream_as_it_is(app, choose):
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["<!doctype html><body>", "x"])))
    client = app.test_client()
    choose(client, "reject_all")

    assert client.get("/stream").text == "<!doctype html><body>x"


def test_head_arrives_before_the_rest_is_made(app, serve):
    released = threading.Event()

    def generate():
        yield "<!doctype html><head><title>T</title></head><body><p>first</p>"
        assert released.wait(WAIT_SECONDS)
        yield "<p>second</p>"

    app.add_url_rule("/stream", "stream", lambda: Response(generate()))
    with open_page(serve(app)) as connection:
        beginning = read_until(connection, b"<p>first</p>")
        released.set()
        read_until(connection, b"<p>second</p>")

    assert BANNER.encode() in beginning
    assert b"second" not in beginning


def test_each_chunk_after_the_head_arrives_on_its_own(app, serve):
    steps = [threading.Event() for _ in range(3)]

    def generate():
        yield "<!doctype html><body>"
        for number, step in enumerate(steps):
            yield f"<p>{number}</p>"
            assert step.wait(WAIT_SECONDS)

    app.add_url_rule("/stream", "stream", lambda: Response(generate()))
    with open_page(serve(app)) as connection:
        for number, step in enumerate(steps):
            received = read_until(connection, f"<p>{number}</p>".encode())
            assert f"<p>{number + 1}</p>".encode() not in received
            step.set()


def test_generator_is_closed_when_the_visitor_leaves(app, serve):
    closed = threading.Event()

    def generate():
        try:
            yield "<!doctype html><body>"
            while not closed.is_set():
                yield "<p>more</p>" * 1000
        finally:
            closed.set()

    app.add_url_rule("/stream", "stream", lambda: Response(generate()))
    with open_page(serve(app)) as connection:
        read_until(connection, b"<p>more</p>")

    assert closed.wait(WAIT_SECONDS)


def test_generator_is_closed_when_the_response_is(app):
    closed = []

    def generate():
        try:
            yield "<!doctype html><head>"
            yield "<body>"
        finally:
            closed.append(True)

    app.add_url_rule("/stream", "stream", lambda: Response(generate()))
    response = app.test_client().get("/stream", buffered=False)
    next(iter(response.response))
    response.close()

    assert closed == [True]


def test_streamed_template_shows_one_banner_whoever_places_it(app):
    sources = {
        "plain": "<!doctype html><head></head><body><p>x</p>",
        "macro": f"{MACROS}<!doctype html><head></head><body>{{{{ banner() }}}}<p>x</p>",
        "both": f"{MACROS}<!doctype html><head>{{{{ head() }}}}</head><body>{{{{ banner() }}}}{{{{ banner() }}}}<p>x</p>",
        "late": f"{MACROS}<!doctype html><head></head><body><p>x</p>{{{{ banner() }}}}",
    }
    client = app.test_client()
    for name, source in sources.items():
        app.view_functions["index"] = lambda source=source: stream_template_string(source)
        text = client.get("/").text

        assert text.count('<section class="pvc-banner"') == 1, name
        assert text.count('rel="stylesheet"') == count_tags(text) == 1, name


def test_streamed_template_gates(app):
    source = f"<!doctype html><body>{MACROS}{{% call gate('analytics') %}}<b>live</b>{{% endcall %}}"
    app.add_url_rule("/stream", "stream", lambda: stream_template_string(source))
    response = app.test_client().get("/stream")

    assert "<b>live</b>" not in response.text
    assert 'data-consent-gate="analytics"' in response.text
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_streamed_page_speaks_its_own_language(stream):
    text = stream(['<!doctype html><html lang="de">', "<body>"]).text

    assert '<section class="pvc-banner" lang="de"' in text


def test_stream_places_its_settings_link_itself(app):
    app.add_url_rule(
        "/stream",
        "stream",
        lambda: stream_template_string(f"<!doctype html><body>{MACROS}{{{{ settings_link() }}}}</body>"),
    )

    assert app.test_client().get("/stream").text.count("pvc-settings-link") == 1


def test_own_banner_template_has_its_request_in_a_stream(make_app):
    app = make_app(
        {
            "consent/banner.html": '{% extends "consent/default/banner.html" %}'
            "{% block title %}<h2 id=pvc-banner-title>{{ request.args.get('name') }}</h2>{% endblock %}"
        }
    )
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["<!doctype html><body>", "x"])))

    assert "<h2 id=pvc-banner-title>Ann</h2>" in app.test_client().get("/stream?name=Ann").text


@pytest.mark.parametrize("is_read_before", [False, True], ids=["late", "in-time"])
def test_consent_read_after_the_headers_is_warned_of(app, caplog, is_read_before):
    @app.get("/export")
    def export():
        def generate():
            yield "analytics,"
            yield str(current_consent.allows("analytics"))

        if is_read_before:
            current_consent.allows("analytics")
        return Response(stream_with_context(generate()), content_type="text/csv")

    response = app.test_client().get("/export")

    assert response.text == "analytics,False"
    assert ("Vary" in response.headers) is is_read_before
    assert [record.getMessage() for record in caplog.records] == (
        []
        if is_read_before
        else [
            (
                "Consent was read in '/export' after its headers had gone, so no cache was told that the response depends on the "
                "visitor. Read current_consent before the stream begins."
            )
        ]
    )


def test_fault_of_a_generator_is_not_swallowed(app):
    def generate():
        yield "<!doctype html><head>"
        raise LookupError("of the site")

    app.add_url_rule("/stream", "stream", lambda: Response(generate()))
    with pytest.raises(LookupError, match="of the site"):
        app.test_client().get("/stream", buffered=True)


def test_injected_stream_over_a_socket_is_whole(app, serve, exchange):
    app.add_url_rule(
        "/lazy", "lazy", lambda: Response(iter(["<!doctype html><body>", *["<p>x</p>"] * 5000, "</body>"]))
    )
    port = serve(app)
    _, body = exchange(port, b"GET /lazy HTTP/1.0\r\nHost: localhost\r\n\r\n")

    assert body.count(b"<p>x</p>") == 5000
    assert body.count(BANNER.encode()) == 1
    assert b"</body>" in body
