"""Promise 2: whatever cannot be believed means "not granted", and the page works all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from html import escape
from typing import Final

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Browser, BrowserContext, Page, expect

from examples.newsroom.app import create_app
from tests.browser import chromium
from tests.browser.choosing import accept_and_load, press
from tests.browser.newsroom import FILM_ARTICLE, HOST, Newsroom, is_foreign
from tests.browser.plain_site import make_plain_site
from tests.browser.serving import serve, wait_until

_JAR_LIMIT: Final = 200


@pytest.fixture(params=[False, True], ids=["no-js", "js"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A new visitor's tab; what the server does not grant, no script may open."""
    with chromium.visitor(browser, javascript=request.param) as visitor:
        yield visitor.new_page()


def make_consent_cookie(newsroom: Newsroom, *, key: str | None = None, age: timedelta = timedelta()) -> str:
    """Return the cookie of someone who accepted everything, from a twin of the newsroom.

    Args:
        key: Secret key of the twin; None for the newsroom's own.
        age: How long ago that was.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWSROOM_SECRET_KEY", key or newsroom.app.config["SECRET_KEY"])
        app = create_app(tracker_port=newsroom.trackers.port)
    engine = app.extensions["consent"].engine
    clock = engine.read_clock
    engine.read_clock = lambda: clock() - age
    client = app.test_client()
    client.post("/privacy-choices/", data={"action": "accept_all"}, headers={"Sec-Fetch-Site": "same-origin"})
    cookie = client.get_cookie("consent")
    assert cookie is not None
    return cookie.value


def give(context: BrowserContext, value: str, *, path: str = "/", domain: str = HOST) -> None:
    context.add_cookies([{"name": "consent", "value": value, "domain": domain, "path": path}])


def expect_closed(page: Page, newsroom: Newsroom) -> None:
    """The article is there, the banner asks, and no tracker was reached."""
    sent = chromium.record_requests(page.context)
    response = page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    assert response is not None
    assert response.status == 200
    expect(page.locator("article h1")).to_be_visible()
    expect(page.locator("[data-consent-ui=banner]")).to_be_visible()
    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []


def _flip_last(value: str) -> str:
    # Not the last character: of that one, base64 ignores some bits.
    return value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]


def _flip_first(value: str) -> str:
    return ("A" if value[0] != "A" else "B") + value[1:]


def test_a_genuine_cookie_opens_the_gates(page: Page, newsroom: Newsroom) -> None:
    """Prove that the tests beside this one could fail."""
    give(page.context, make_consent_cookie(newsroom))

    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    expect(page.locator("[data-consent-ui=banner]")).to_have_count(0)
    page.locator("iframe[src*='video.localhost']").scroll_into_view_if_needed()
    wait_until(lambda: "video.localhost" in newsroom.hosts_reached)


@pytest.mark.parametrize(
    "damage",
    [_flip_last, _flip_first, lambda value: value[: len(value) // 2], lambda value: value * 4, lambda _: "%00%ff=~!"],
    ids=["signature", "payload", "cut", "repeated", "noise"],
)
def test_tampered_cookie_grants_nothing(page: Page, newsroom: Newsroom, damage: Callable[[str], str]) -> None:
    give(page.context, damage(make_consent_cookie(newsroom)))

    expect_closed(page, newsroom)


def test_cookie_of_another_site_grants_nothing(page: Page, newsroom: Newsroom) -> None:
    give(page.context, make_consent_cookie(newsroom, key="another site's key, long enough"))

    expect_closed(page, newsroom)


@pytest.mark.parametrize("age", [timedelta(days=190), timedelta(minutes=-6)], ids=["expired", "from the future"])
def test_cookie_out_of_its_time_grants_nothing(page: Page, newsroom: Newsroom, age: timedelta) -> None:
    give(page.context, make_consent_cookie(newsroom, age=age))

    expect_closed(page, newsroom)


def test_two_different_cookies_grant_nothing(page: Page, newsroom: Newsroom) -> None:
    give(page.context, make_consent_cookie(newsroom))
    give(page.context, make_consent_cookie(newsroom, age=timedelta(days=1)), path="/article")

    expect_closed(page, newsroom)


def test_cookie_tossed_by_a_subdomain_grants_nothing_beside_ones_own(page: Page, newsroom: Newsroom) -> None:
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    press(page, "reject_all")

    with serve(_make_tossing_site(make_consent_cookie(newsroom))) as attacker:
        page.goto(f"http://evil.{HOST}:{attacker.port}/")

    assert {cookie.get("domain") for cookie in page.context.cookies()} == {HOST, f".{HOST}"}
    expect_closed(page, newsroom)


@pytest.mark.parametrize("javascript", [False, True], ids=["no-js", "js"])
def test_cookie_tossed_by_a_subdomain_cannot_touch_the_prefixed_cookie(browser: Browser, javascript: bool) -> None:
    with (
        serve(make_plain_site("en"), is_secure=True) as site,
        serve(_make_tossing_site("anything", name="__Host-consent"), is_secure=True) as attacker,
        chromium.visitor(browser, javascript=javascript) as visitor,
    ):
        page = visitor.new_page()
        page.goto(f"https://plain.localhost:{site.port}/")
        press(page, "accept_all")
        page.goto(f"https://evil.plain.localhost:{attacker.port}/")

        page.goto(f"https://plain.localhost:{site.port}/")

        cookies = visitor.cookies()
        assert [cookie.get("name") for cookie in cookies] == ["__Host-consent"]
        assert cookies[0].get("domain") == "plain.localhost"
        assert (cookies[0].get("secure"), cookies[0].get("httpOnly"), cookies[0].get("sameSite")) == (True, True, "Lax")
        expect(page.locator("[data-consent-ui=banner]")).to_have_count(0)


def test_overflowing_cookie_jar_closes_the_gates(page: Page, newsroom: Newsroom) -> None:
    accept_and_load(page, newsroom)
    newsroom.forget()

    with serve(_make_flooding_site()) as attacker:
        page.goto(f"http://evil.{HOST}:{attacker.port}/")

    assert "consent" not in {cookie.get("name") for cookie in page.context.cookies(newsroom.url)}
    expect_closed(page, newsroom)


@pytest.mark.parametrize("attacker_host", ["evil.localhost", f"evil.{HOST}"], ids=["other site", "subdomain"])
@pytest.mark.parametrize("action", ["accept_all", "reject_all", "allow"])
def test_form_of_another_origin_is_refused(
    browser: Browser, newsroom: Newsroom, attacker_host: str, action: str
) -> None:
    with (
        serve(_make_posting_site(newsroom.url, action)) as attacker,
        chromium.visitor(browser, javascript=True) as visitor,
    ):
        page = visitor.new_page()
        with page.expect_response(lambda response: response.url == f"{newsroom.url}/privacy-choices/") as answer:
            page.goto(f"http://{attacker_host}:{attacker.port}/")
        page.wait_for_url(f"{newsroom.url}/privacy-choices/")

        assert answer.value.status == 403
        assert visitor.cookies() == []
        expect_closed(page, newsroom)


def test_form_of_another_port_is_refused(browser: Browser, newsroom: Newsroom) -> None:
    """The same host name on another port is the same site, but another origin."""
    with (
        serve(_make_posting_site(newsroom.url, "accept_all")) as attacker,
        chromium.visitor(browser, javascript=True) as visitor,
    ):
        page = visitor.new_page()
        with page.expect_response(lambda response: response.url == f"{newsroom.url}/privacy-choices/") as answer:
            page.goto(f"http://{HOST}:{attacker.port}/")

        assert answer.value.status == 403
        assert visitor.cookies() == []


def test_pages_of_the_library_cannot_be_framed(browser: Browser, newsroom: Newsroom) -> None:
    """Nobody may lay the switches under something else to be clicked."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule(
        "/", "frame", lambda: f"<!doctype html><title>A</title><iframe src='{newsroom.url}/privacy-choices/'></iframe>"
    )
    with serve(app) as attacker, chromium.visitor(browser) as visitor:
        page = visitor.new_page()
        page.goto(f"http://evil.localhost:{attacker.port}/")

        assert page.frame_locator("iframe").locator(".pvc-form").count() == 0


def _make_tossing_site(value: str, *, name: str = "consent") -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/")
    def toss() -> Response:
        parent = request.host.partition(".")[2].partition(":")[0]
        response = Response("<!doctype html><title>Toss</title>", mimetype="text/html")
        secure = "; Secure" if request.is_secure else ""
        response.headers["Set-Cookie"] = f"{name}={value}; Domain={parent}; Path=/{secure}"
        return response

    return app


def _make_flooding_site() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/")
    def flood() -> Response:
        parent = request.host.partition(".")[2].partition(":")[0]
        response = Response("<!doctype html><title>Flood</title>", mimetype="text/html")
        for number in range(_JAR_LIMIT):
            response.headers.add("Set-Cookie", f"junk{number}={number}; Domain={parent}; Path=/junk")
        return response

    return app


def _make_posting_site(target: str, action: str) -> Flask:
    form = (
        "<!doctype html><title>Win</title><body onload='document.forms[0].submit()'>"
        f"<form method=post action='{escape(target)}/privacy-choices/'><input name=action value={action}>"
        "<input name=granted value=analytics></form>"
    )
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "post", lambda: form)
    return app
