"""Other extensions in the same app: each alone and all together, whoever was set up first."""

from __future__ import annotations

import gzip
import re
import zlib

import pytest
from flask import jsonify, render_template_string, request, session
from flask_caching import Cache
from flask_compress import Compress
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

import consent.testing
from consent import Consent, current_consent
from tests.runtime_tag import TAG, read_tags

BANNER = 'data-consent-ui="banner"'
GATED = (
    "<!doctype html><html><head><title>T</title></head><body>"
    '{% from "consent/macros.html" import gate %}{% call gate("analytics") %}<script src="/s.js"></script>{% endcall %}'
    "<p>" + "long " * 200 + "</p></body></html>"
)
HTTPS = "https://localhost"
CSP = {"default-src": "'none'", "style-src": "'self'", "script-src": "'self'", "form-action": "'self'"}


def add_csrf(app):
    CSRFProtect(app)


def add_talisman(app):
    Talisman(app, content_security_policy=CSP, content_security_policy_nonce_in=["script-src", "style-src"])


def add_login(app):
    manager = LoginManager(app)
    manager.user_loader(make_user)


def add_compress(app):
    app.config["COMPRESS_MIN_SIZE"] = 100
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    app.config["COMPRESS_ALGORITHM_STREAMING"] = ["deflate"]
    Compress(app)


def add_caching(app):
    app.config["CACHE_TYPE"] = "SimpleCache"
    app.extensions["our_cache"] = Cache(app)


def make_user(user_id):
    user = UserMixin()
    user.id = user_id
    return user


NEIGHBOURS = {
    "csrf": (add_csrf,),
    "talisman": (add_talisman,),
    "login": (add_login,),
    "compress": (add_compress,),
    "caching": (add_caching,),
    "all": (add_csrf, add_talisman, add_login, add_compress, add_caching),
}


@pytest.fixture
def build(bare_app):
    """Return a function that sets up a site with neighbours, before or after the library."""

    def make(*neighbours, first):
        app = bare_app()
        if first == "consent":
            Consent(app, services=["google-analytics", "youtube"])
        for add in neighbours:
            add(app)
        if first != "consent":
            Consent(app, services=["google-analytics", "youtube"])
        app.add_url_rule("/page", "page", lambda: render_template_string(GATED))
        app.add_url_rule("/own", "own", lambda: jsonify(1), methods=["POST"])
        return app

    return make


both_orders = pytest.mark.parametrize("first", ["consent", "neighbour"])


@both_orders
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_page_asks_and_choice_opens(build, choose, name, first):
    client = build(*NEIGHBOURS[name], first=first).test_client()
    before = client.get("/page", base_url=HTTPS)
    answer = choose(client, "accept_all", next="/page", base_url=HTTPS)
    after = client.get("/page", base_url=HTTPS)

    assert before.text.count(BANNER) == 1
    assert '<script src="/s.js">' not in before.text
    assert (answer.status_code, answer.headers["Location"]) == (303, "/page")
    assert '<script src="/s.js">' in after.text
    assert BANNER not in after.text
    assert {"Cookie", "Sec-GPC"} <= {name.strip() for name in before.headers["Vary"].split(",")}
    assert "private" in before.headers["Cache-Control"]


@both_orders
@pytest.mark.parametrize("name", ["csrf", "all"])
def test_our_post_needs_no_token_and_the_own_of_the_app_still_does(build, choose, name, first):
    client = build(*NEIGHBOURS[name], first=first).test_client()

    assert choose(client, "reject_all", base_url=HTTPS).status_code == 303
    assert client.post("/own", base_url=HTTPS).status_code == 400


@both_orders
def test_form_with_a_token_of_the_site_is_taken_too(build, first):
    app = build(add_csrf, first=first)
    app.add_url_rule("/token", "token", generate_csrf)
    client = app.test_client()
    body = {"action": "reject_all", "csrf_token": client.get("/token").text}

    assert client.post("/privacy-choices/", data=body, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


@both_orders
@pytest.mark.parametrize("name", ["talisman", "all"])
def test_everything_of_ours_carries_the_nonce_of_the_response(build, name, first):
    response = build(*NEIGHBOURS[name], first=first).test_client().get("/page", base_url=HTTPS)
    nonce = re.search(r"style-src 'self' 'nonce-([^']+)'", response.headers["Content-Security-Policy"])

    assert nonce
    assert re.search(rf'<link rel="stylesheet" href="[^"]+" nonce="{re.escape(nonce[1])}">', response.text)
    assert re.search(
        rf'data-consent-gate="analytics" data-consent-key="[^"]+" nonce="{re.escape(nonce[1])}">', response.text
    )
    assert {tag["nonce"] for tag in read_tags(response.text)} == {nonce[1]}
    assert not re.search(r"<style| style=| on\w+=|javascript:", response.text)


@both_orders
def test_own_pages_obey_the_policy_of_talisman(build, first):
    client = build(add_talisman, first=first).test_client()
    for path in ("/privacy-choices/", "/privacy-choices/policy"):
        response = client.get(path, base_url=HTTPS)
        nonces = set(re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"]))

        assert {*re.findall(r'<link rel="stylesheet"[^>]* nonce="([^"]+)">', response.text)} == nonces
        assert {tag["nonce"] for tag in read_tags(response.text)} <= nonces
        assert not re.search(r"<style| style=| on\w+=|<script", TAG.sub("", response.text))


@both_orders
@pytest.mark.parametrize("name", ["compress", "all"])
def test_page_is_injected_and_then_compressed(build, caplog, name, first):
    headers = {"Accept-Encoding": "gzip"}
    response = build(*NEIGHBOURS[name], first=first).test_client().get("/page", headers=headers, base_url=HTTPS)

    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data).count(BANNER.encode()) == 1
    assert "Accept-Encoding" in response.headers["Vary"]
    assert "ETag" not in response.headers
    assert [record for record in caplog.records if "compressed inside its view" in record.getMessage()] == []


@both_orders
def test_stream_is_injected_and_then_compressed(build, first):
    app = build(add_compress, first=first)
    app.add_url_rule("/stream", "stream", lambda: app.response_class(iter(["<!doctype html><body>", "<p>x</p>" * 500])))
    response = app.test_client().get("/stream", headers={"Accept-Encoding": "deflate"})

    assert response.headers["Content-Encoding"] == "deflate"
    assert zlib.decompress(response.data).count(BANNER.encode()) == 1


@both_orders
def test_signed_in_visitor_keeps_session_and_choice(build, choose, first):
    app = build(add_login, first=first)
    app.add_url_rule("/sign-in", "sign_in", lambda: jsonify(login_user(make_user("ann"))))
    app.add_url_rule("/me", "me", login_required(lambda: f"<!doctype html><body><p>{current_user.id}</p></body>"))
    client = app.test_client()
    client.get("/sign-in")
    choose(client, "accept_all")
    response = client.get("/me")

    assert "<p>ann</p>" in response.text
    assert BANNER not in response.text
    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


@both_orders
def test_signed_in_visitor_and_stranger_see_their_own_pages(build, first):
    app = build(add_login, first=first)

    @app.get("/count")
    def count():
        session["count"] = session.get("count", 0) + 1
        return f"<!doctype html><body><p>{session['count']}</p></body>"

    client = app.test_client()
    texts = [client.get("/count").text for _ in range(2)]

    assert ["<p>1</p>" in texts[0], "<p>2</p>" in texts[1]] == [True, True]
    assert all(text.count(BANNER) == 1 for text in texts)


@both_orders
def test_cached_view_is_kept_apart_by_cache_key(build, choose, first):
    app = build(add_caching, first=first)
    cache = app.extensions["our_cache"]
    made = []

    @cache.cached(make_cache_key=lambda *_, **__: f"{request.path} {current_consent.cache_key}")
    def cached():
        made.append(1)
        return render_template_string(GATED)

    app.add_url_rule("/cached", "cached", cached)
    clients = [app.test_client() for _ in range(3)]
    consent.testing.grant(clients[0], "analytics")
    consent.testing.grant(clients[1], "analytics")
    texts = [client.get("/cached").text for client in clients]

    assert ['<script src="/s.js">' in text for text in texts] == [True, True, False]
    assert [text.count(BANNER) for text in texts] == [0, 0, 1]
    assert len(made) == 2


@both_orders
def test_cached_page_without_gates_asks_only_who_has_not_chosen(build, choose, page, first):
    app = build(add_caching, first=first)
    cached = app.extensions["our_cache"].cached()(lambda: page)
    app.add_url_rule("/cached", "cached", cached)
    decided, stranger = app.test_client(), app.test_client()
    choose(decided, "reject_all")

    assert [client.get("/cached").text.count(BANNER) for client in (decided, stranger, decided, stranger)] == [
        0,
        1,
        0,
        1,
    ]


@both_orders
def test_caching_is_warned_of_once(build, caplog, first):
    client = build(add_caching, first=first).test_client()
    caplog.clear()
    client.get("/")
    client.get("/")

    assert [record.getMessage() for record in caplog.records if record.name == "consent"] == [
        (
            "Flask-Caching is in use. A cached view or fragment with a gate in it is one visitor's: add "
            "current_consent.cache_key to its cache key."
        )
    ]


def test_answer_of_an_earlier_hook_is_injected_too(app, page):
    app.before_request(lambda: (page, 503))
    response = app.test_client().get("/")

    assert response.status_code == 503
    assert response.text.count(BANNER) == 1
