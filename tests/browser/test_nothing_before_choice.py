"""Promise 1: nothing of a third party before a choice, none after refusing, none after withdrawing.

Seen from both ends: what the browser sent, and what reached the trackers.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.browser import chromium
from tests.browser.choosing import accept_and_load, press
from tests.browser.newsroom import FILM_ARTICLE, HOST, MAP_ARTICLE, OTHER_ARTICLE, Newsroom, is_foreign
from tests.browser.serving import wait_until

# What a reader of the film's article meets once everything is granted.
_FILM_TRACKERS = {"stats.localhost", "ads.localhost", "social.localhost", "video.localhost"}
_GATED_STORAGE = "() => [localStorage.length, sessionStorage.length]"


@pytest.fixture(scope="module")
def browser(whole_browser: Browser) -> Browser:
    return whole_browser


@pytest.fixture(params=[False, True], ids=["no-js", "js"])
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor; held markup must stay shut in a browser that runs scripts, too."""
    with chromium.visitor(browser, javascript=request.param) as visitor:
        yield visitor


def read_on(page: Page, newsroom: Newsroom) -> None:
    """Read two more articles to their ends, so that whatever is late or lazy has its chance."""
    for path in (MAP_ARTICLE, OTHER_ARTICLE, FILM_ARTICLE):
        page.goto(f"{newsroom.url}{path}")
        page.locator("footer").last.scroll_into_view_if_needed()


def cookie_names(context: BrowserContext) -> set[str]:
    return {f"{cookie['domain']}:{cookie['name']}" for cookie in context.cookies()}


def test_nothing_of_a_third_party_before_a_choice(reader: BrowserContext, newsroom: Newsroom) -> None:
    sent = chromium.record_requests(reader)
    page = reader.new_page()

    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    read_on(page, newsroom)

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    assert reader.cookies() == []
    assert page.evaluate(_GATED_STORAGE) == [0, 0]
    expect(page.locator("[data-consent-ui=banner]")).to_be_visible()


def test_nothing_of_a_third_party_after_rejecting(reader: BrowserContext, newsroom: Newsroom) -> None:
    sent = chromium.record_requests(reader)
    page = reader.new_page()

    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    press(page, "reject_all")
    read_on(page, newsroom)

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    assert cookie_names(reader) == {f"{HOST}:consent"}
    assert page.evaluate(_GATED_STORAGE) == [0, 0]
    expect(page.locator("[data-consent-ui=banner]")).to_have_count(0)


def test_everything_arrives_after_accepting(reader: BrowserContext, newsroom: Newsroom) -> None:
    """Prove that the tests beside this one could fail."""
    page = reader.new_page()

    accept_and_load(page, newsroom)
    read_on(page, newsroom)

    wait_until(lambda: newsroom.hosts_reached == {*_FILM_TRACKERS, "maps.localhost"})
    assert newsroom.trackers.connections >= len(newsroom.sightings)
    # A tracker notes a request before it answers it, and the cookie comes with the answer.
    expected = {
        f"{HOST}:hp_offers",
        "ads.localhost:ha_profile",
        "social.localhost:hso_user",
        "video.localhost:hv_viewer",
        "maps.localhost:hm_session",
    }
    wait_until(lambda: cookie_names(reader) >= expected)


def test_scripts_of_services_run_after_accepting(browser: Browser, newsroom: Newsroom) -> None:
    with chromium.visitor(browser, javascript=True) as reader:
        accept_and_load(reader.new_page(), newsroom)

        assert {f"{HOST}:hs_id", f"{HOST}:hs_seen"} <= cookie_names(reader)


def test_nothing_of_a_third_party_after_withdrawing(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    accept_and_load(page, newsroom)
    press(page, "settings")
    newsroom.forget()
    sent = chromium.record_requests(reader)

    press(page, "withdraw")
    read_on(page, newsroom)

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    # What third parties keep under their own names, no site can take away.
    assert {name for name in cookie_names(reader) if name.startswith(HOST)} == {f"{HOST}:consent"}
    expect(page.locator("[data-consent-ui=banner]")).to_have_count(0)


def test_loading_an_embed_once_loads_that_embed_alone(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    press(page, "once")

    expect(page.locator("iframe")).to_have_count(1)
    wait_until(lambda: cookie_names(reader) == {"video.localhost:hv_viewer"})
    assert newsroom.sightings == ["video.localhost/embed/first-crossing"]
    newsroom.forget()
    read_on(page, newsroom)
    assert newsroom.sightings == []
    expect(page.locator("[data-consent-ui=banner]")).to_be_visible()


def test_always_allowing_an_embed_opens_that_service_alone(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    press(page, "allow")
    read_on(page, newsroom)

    wait_until(lambda: cookie_names(reader) == {f"{HOST}:consent", "video.localhost:hv_viewer"})
    assert newsroom.hosts_reached == {"video.localhost"}
    # Nothing else was decided, so the question stands.
    expect(page.locator("[data-consent-ui=banner]")).to_be_visible()


def test_no_preconnect_before_a_choice(playwright: Playwright, newsroom: Newsroom) -> None:
    with chromium.lasting_visitor(playwright) as reader:
        page = reader.new_page()
        page.goto(f"{newsroom.url}{FILM_ARTICLE}")
        press(page, "reject_all")
        read_on(page, newsroom)

        assert newsroom.trackers.connections == 0


def test_preconnect_would_be_seen(playwright: Playwright, newsroom: Newsroom, plain_url: str) -> None:
    """Prove that the test above could fail: a connection shows even when no request follows."""
    with chromium.lasting_visitor(playwright) as reader:
        page = reader.new_page()
        page.goto(f"{plain_url}/preconnect?origin=http://stats.localhost:{newsroom.trackers.port}")

        wait_until(lambda: newsroom.trackers.connections > 0)

        assert newsroom.sightings == []


def test_back_button_shows_no_tracker_after_withdrawing(reviving_browser: Browser, newsroom: Newsroom) -> None:
    with chromium.visitor(reviving_browser, javascript=True) as reader:
        page = reader.new_page()
        accept_and_load(page, newsroom)
        # On the page of its own: what withdraws in the dialog leaves no other page behind.
        page.goto(f"{newsroom.url}/privacy-choices/")
        press(page, "withdraw")
        newsroom.forget()

        for _ in range(2):
            chromium.go_back(page)

        assert page.url == f"{newsroom.url}{FILM_ARTICLE}"
        assert page.locator("iframe, script[src^='http://stats.'], script[src^='http://ads.']").count() == 0
        assert newsroom.sightings == []


def test_back_button_revives_pages_otherwise(reviving_browser: Browser, newsroom: Newsroom) -> None:
    """Prove that the back/forward cache is on in the test above."""
    with chromium.visitor(reviving_browser, javascript=True) as reader:
        page = reader.new_page()
        page.goto(f"{newsroom.url}{OTHER_ARTICLE}")
        page.evaluate("() => { window.marked = true }")
        page.goto(f"{newsroom.url}/")

        chromium.go_back(page)

        assert page.evaluate("() => window.marked === true")
