"""Headers of pages that depend on the visitor: what caches and browsers are told."""

from __future__ import annotations

import logging

import pytest
from flask import Response, jsonify, make_response, request, session

from consent import current_consent

HTML = "<!doctype html><body><p>x</p></body>"


@pytest.fixture
def get(make_app, add_page):
    def fetch(answer, *, headers=None, **answer_headers):
        app = make_app()
        add_page(app, "/page", answer, **answer_headers)
        return app.test_client().get("/page", headers=headers or {})

    return fetch


@pytest.mark.parametrize(
    "read",
    [
        lambda: current_consent.allows("analytics"),
        lambda: current_consent.decision,
        lambda: current_consent.decision.choices["analytics"],
        lambda: current_consent.needs_prompt,
        lambda: current_consent.record,
        lambda: current_consent.regime,
        lambda: current_consent.jurisdiction,
        lambda: current_consent.cache_key,
        lambda: current_consent.browser_signals,
        lambda: current_consent.signals("google"),
        lambda: current_consent.standing,
    ],
    ids=[
        "allows",
        "decision",
        "choices",
        "needs_prompt",
        "record",
        "regime",
        "jurisdiction",
        "cache_key",
        "browser_signals",
        "signals",
        "standing",
    ],
)
def test_whatever_is_read_of_the_visitor_makes_the_response_private(get, read):
    response = get(lambda: jsonify(bool(read())))

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    "read",
    [
        lambda: current_consent.policy.controller,
        lambda: current_consent.preferences_url,
        lambda: current_consent.text("banner.title"),
        lambda: repr(current_consent),
        lambda: current_consent.next_path,
    ],
    ids=["policy", "preferences_url", "text", "repr", "next_path"],
)
def test_what_is_the_same_for_everyone_leaves_the_headers_alone(get, read):
    response = get(lambda: jsonify(bool(read())))

    assert "Vary" not in response.headers
    assert "Cache-Control" not in response.headers


def test_json_without_consent_is_left_alone(get):
    response = get(lambda: jsonify(1), ETag='"1"', Cache_Control="public, max-age=60")

    assert dict(response.headers) == {
        "Content-Type": "application/json",
        "Content-Length": "2",
        "ETag": '"1"',
        "Cache-Control": "public, max-age=60",
    }


def test_html_document_always_counts_as_dependent(get):
    response = get(HTML)

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    ("view", "sent"),
    [
        ("Accept-Encoding", "Accept-Encoding, Cookie, Sec-GPC"),
        ("cookie", "cookie, Sec-GPC"),
        ("Accept, SEC-GPC", "Accept, SEC-GPC, Cookie"),
        ("*", "*"),
        ("Cookie, Sec-GPC", "Cookie, Sec-GPC"),
    ],
)
def test_vary_of_the_view_is_kept(get, view, sent):
    assert get(HTML, Vary=view).headers["Vary"] == sent


def test_every_vary_line_of_the_view_is_kept(get):
    def view():
        response = make_response(HTML)
        response.headers.add("Vary", "Accept-Encoding")
        response.headers.add("Vary", "X-Edition")
        return response

    vary = ", ".join(get(view).headers.getlist("Vary"))

    assert vary == "Accept-Encoding, X-Edition, Cookie, Sec-GPC"


def test_every_cache_control_line_of_the_view_is_kept(get):
    def view():
        response = make_response(HTML)
        response.headers.add("Cache-Control", "max-age=60")
        response.headers.add("Cache-Control", "no-store")
        return response

    assert ", ".join(get(view).headers.getlist("Cache-Control")) == "max-age=60, no-store"


@pytest.mark.parametrize(
    ("view", "sent"),
    [
        ("max-age=60", "max-age=60, private"),
        ("public, max-age=60", "max-age=60, private"),
        ("max-age=60, s-maxage=600", "max-age=60, private"),
        ("Public", "private"),
        ("no-store", "no-store"),
        ("private, max-age=60", "private, max-age=60"),
        ("no-cache", "no-cache, private"),
    ],
)
def test_cache_control_of_the_view_is_made_private(get, view, sent):
    assert get(HTML, Cache_Control=view).headers["Cache-Control"] == sent


@pytest.mark.parametrize("cache_control", ["public, max-age=60", "s-maxage=60"])
def test_view_that_invites_shared_caches_is_warned_of(get, caplog, cache_control):
    get(HTML, Cache_Control=cache_control)

    # The first one is of the start: no privacy policy is declared.
    assert [(record.levelno, record.getMessage()) for record in caplog.records[1:]] == [
        (
            logging.WARNING,
            (
                f"The view of '/page' allows shared caches ({cache_control!r}), but its page depends on the visitor's consent; "
                "it was sent as private."
            ),
        )
    ]


def test_one_view_is_warned_of_once_whatever_its_address(app, caplog):
    app.add_url_rule("/item/<int:number>", "item", lambda **_: (HTML, {"Cache-Control": "public"}))
    client = app.test_client()
    for number in range(20):
        client.get(f"/item/{number}")

    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "name", ["ETag", "Last-Modified", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest", "Accept-Ranges"]
)
def test_header_that_describes_the_old_body_is_dropped(get, name):
    assert name not in get(HTML, **{name.replace("-", "_"): "x"}).headers


def test_conditional_view_never_revives_an_old_banner(app, choose):
    @app.get("/page")
    def page():
        response = make_response(HTML)
        response.add_etag()
        response.last_modified = 0  # type: ignore[assignment]  # seconds are taken too
        return response.make_conditional(request)

    client = app.test_client()
    first = client.get("/page")
    choose(client, "accept_all")
    second = client.get("/page", headers={name: first.headers[name] for name in ("ETag",) if name in first.headers})

    assert {"ETag", "Last-Modified"}.isdisjoint(first.headers.keys())
    assert second.status_code == 200
    assert "pvc-banner" not in second.text


def test_length_set_by_the_view_is_corrected(get):
    response = get(HTML, Content_Length=str(len(HTML)))

    assert int(response.headers["Content-Length"]) == len(response.data)
    assert len(response.data) > len(HTML)


@pytest.mark.parametrize("path", ["/", "/missing", "/privacy-choices/", "/privacy-choices/state", "/stream"])
def test_head_has_the_headers_of_get(app, serve, exchange, path):
    app.add_url_rule("/stream", "stream", lambda: Response(iter([HTML])))
    port = serve(app)
    request = f"{{}} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    get_head, get_body = exchange(port, request.format("GET").encode())
    head_head, head_body = exchange(port, request.format("HEAD").encode())

    def without_date(head):
        return [line for line in head.split("\r\n") if not line.startswith(("Date:", "Transfer-Encoding:"))]

    # Flask has dropped an error page's body before any hook: a HEAD answer may leave its length out (RFC 9110, 9.3.2).
    left_out = () if path != "/missing" else ("Content-Length:",)
    assert without_date(head_head) == [line for line in without_date(get_head) if not line.startswith(left_out)]
    assert head_body == b""
    assert get_body


def test_session_and_consent_both_vary_and_share_no_cache(app):
    @app.get("/page")
    def page():
        session["seen"] = True
        return HTML

    response = app.test_client().get("/page")

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"
    assert response.headers["Set-Cookie"].startswith("session=")


def test_late_reader_is_seen(app):
    """A hook that runs after ours, and reads consent, still makes the response private."""

    def read(response):
        response.headers["X-Analytics"] = str(current_consent.allows("analytics"))
        return response

    app.after_request_funcs[None].insert(0, read)
    app.add_url_rule("/data", "data", lambda: jsonify(1))
    response = app.test_client().get("/data")

    assert response.headers["X-Analytics"] == "False"
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_cache_key_is_equal_for_visitors_who_get_the_same_page(make_app, choose):
    app = make_app()
    app.add_url_rule("/key", "key", lambda: current_consent.cache_key)

    def key(*granted, headers=None, action="save"):
        client = app.test_client()
        if action:
            choose(client, action, *granted)
        return client.get("/key", headers=headers or {}).text

    keys = [key("analytics"), key("marketing"), key(), key(action=""), key(action="", headers={"Sec-GPC": "1"})]

    assert len(set(keys)) == 5
    assert key("analytics") == keys[0]
    assert all(len(each) == 16 for each in keys)


@pytest.mark.parametrize("name", ["banner.css", "preferences.css", "cookie_table.css"])
def test_asset_is_kept_for_ever_and_the_same_for_everyone(app, name):
    asset = app.extensions["consent"].assets[name]
    response = app.test_client().get(f"/privacy-choices/assets/{asset.file_name}")

    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Vary" not in response.headers
    assert response.data == asset.body


@pytest.mark.parametrize("name", ["banner.css", "banner.000000000000.css", "..%2f..%2fhooks.py", "x"])
def test_unknown_asset_is_not_found(client, name):
    response = client.get(f"/privacy-choices/assets/{name}")

    assert response.status_code == 404
    assert "immutable" not in response.headers.get("Cache-Control", "")


def test_own_pages_cannot_be_framed(client):
    headers = client.get("/privacy-choices/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
