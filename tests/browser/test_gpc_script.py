"""Global Privacy Control that only the page's scripts can see: whatever fails, what it would close stays shut."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium, prerendering
from tests.browser.place_site import BARE_PATH, GPC_PATH, PlaceSite
from tests.browser.places import BANNER, SIGNAL_SCRIPT
from tests.browser.serving import wait_until
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, noted

_REPORT = f"POST {GPC_PATH}"
_STORY = "GET /page/story"
_UNSOLD = ("stats", "weather")
_ALLOWS_SALE = "() => flaskConsent.allows('marketing')"
# By a round trip of its own, the page has taken in whatever came before.
_ROUND_TRIP = "async () => (await fetch('/bare')).text()"
_REVIVE = "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"


@pytest.fixture(scope="module")
def running() -> Iterator[PlaceSite]:
    with PlaceSite.open() as site:
        yield site


@pytest.fixture
def site(running: PlaceSite) -> PlaceSite:
    """The site in California, behind a proxy that drops the header."""
    running.reset("US-CA", drops_signal=True)
    return running


@pytest.fixture
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor with JavaScript on, and the signal for scripts alone."""
    with chromium.visitor(browser, javascript=True) as visitor:
        visitor.add_init_script(SIGNAL_SCRIPT)
        yield visitor


def read_state_again(page: Page) -> None:
    """Have the runtime do what it does when a page comes back, and wait until it is done."""
    with page.expect_response("**/state?gpc=unasked"):
        page.evaluate(_REVIVE)
    page.evaluate(_ROUND_TRIP)


@pytest.mark.parametrize("has_signal", [True, False], ids=["signal", "none"])
@pytest.mark.parametrize("engine", ENGINES)
def test_asking_violates_nothing(
    open_tab_of: Callable[[Engine], OpenTab], site: PlaceSite, engine: Engine, has_signal: bool
) -> None:
    with open_tab_of(engine)(SIGNAL_SCRIPT if has_signal else "") as tab:
        tab.open(f"{site.url}/page/story")
        tab.wait_until(lambda tab: tab.count(".pvc-honoured" if has_signal else "iframe") == 1)

        assert [noted(tab, kind) for kind in ("violation", "uncaught", "error")] == [[], [], []]
    assert site.seen.count(_REPORT) == has_signal


def test_signal_is_reported_once_and_the_page_says_that_it_was_honoured(
    reader: BrowserContext, site: PlaceSite
) -> None:
    page = reader.new_page()
    page.goto(f"{site.url}/page/story")
    expect(page.locator(".pvc-honoured")).to_have_text("Opt-Out Request Honored")
    page.goto(f"{site.url}/page/other")

    assert (site.seen.count(_REPORT), site.seen.count(_STORY)) == (1, 2)
    assert site.hosts_reached == _UNSOLD
    (cookie,) = reader.cookies()
    assert (cookie["name"], cookie["value"], cookie["expires"]) == ("consent-gpc", "1", -1)


def test_page_without_the_signal_opens_in_place_and_reports_nothing(browser: Browser, site: PlaceSite) -> None:
    with chromium.visitor(browser, javascript=True) as visitor:
        page = visitor.new_page()
        page.goto(f"{site.url}/page/story")
        expect(page.locator("iframe")).to_have_count(1)

        assert page.evaluate(_ALLOWS_SALE) is True
        assert visitor.cookies() == []
    assert (site.seen.count(_REPORT), site.seen.count(_STORY)) == (0, 1)


@pytest.mark.parametrize("has_signal", [True, False], ids=["signal", "none"])
def test_nothing_opens_where_the_script_that_asks_is_blocked(
    browser: Browser, site: PlaceSite, has_signal: bool
) -> None:
    site.fault = "missing script"
    with chromium.visitor(browser, javascript=True) as visitor:
        visitor.add_init_script(SIGNAL_SCRIPT if has_signal else "")
        page = visitor.new_page()
        page.goto(f"{site.url}/page/story")
        read_state_again(page)

        assert page.evaluate(_ALLOWS_SALE) is False
    assert site.hosts_reached == _UNSOLD


def test_nothing_opens_where_the_report_is_refused(reader: BrowserContext, site: PlaceSite) -> None:
    site.fault = "refused report"
    page = reader.new_page()
    with page.expect_response(f"**{GPC_PATH}"):
        page.goto(f"{site.url}/page/story")
    read_state_again(page)

    assert page.evaluate(_ALLOWS_SALE) is False
    assert site.hosts_reached == _UNSOLD
    assert site.seen.count(_STORY) == 1


def test_answer_to_the_banner_opens_nothing_where_the_report_is_refused(
    reader: BrowserContext, site: PlaceSite
) -> None:
    site.fault = "refused report"
    page = reader.new_page()
    page.goto(f"{site.url}/page/story")
    page.locator(f"{BANNER} [value=acknowledge]").click()
    expect(page.locator(BANNER)).to_have_count(0)

    assert page.evaluate(_ALLOWS_SALE) is False
    assert site.hosts_reached == _UNSOLD


def test_page_does_not_go_round_where_nothing_can_be_remembered(reader: BrowserContext, site: PlaceSite) -> None:
    site.fault = "lost cookies"
    page = reader.new_page()
    page.goto(f"{site.url}/page/story")
    wait_until(lambda: site.seen.count(_REPORT) == 2)
    read_state_again(page)

    assert site.seen.count(_STORY) == 2
    assert site.hosts_reached == _UNSOLD


def test_answer_to_a_form_is_not_posted_again(reader: BrowserContext, site: PlaceSite) -> None:
    site.place = "FR"
    page = reader.new_page()
    page.goto(f"{site.url}/page/story")
    site.place = "US-CA"
    with page.expect_response(f"**{GPC_PATH}"):
        page.click("#search")
    page.goto(f"{site.url}/page/other")

    assert site.seen.count("POST /page/story") == 1
    assert page.locator(".pvc-honoured").count() == 1


@pytest.fixture(scope="module")
def prerendering_browser() -> Iterator[prerendering.Connection]:
    with prerendering.launch() as connection:
        yield connection


@pytest.fixture
def tab(prerendering_browser: prerendering.Connection, site: PlaceSite) -> Iterator[prerendering.Tab]:
    """A new visitor's tab on a page that has another one rendered ahead."""
    with prerendering.visitor(prerendering_browser) as visitor:
        yield visitor.open(f"{site.url}{BARE_PATH}")


def render_ahead(tab: prerendering.Tab, site: PlaceSite) -> None:
    """Have the story rendered ahead, and wait until all that it asks for then has been asked for."""
    tab.prerender("/page/story")
    tab.evaluate_ahead(_ROUND_TRIP)
    assert tab.evaluate_ahead("() => document.prerendering") is True
    assert (site.hosts_reached, _REPORT in site.seen) == (_UNSOLD, False)


def test_page_rendered_ahead_opens_nothing_until_it_is_shown(tab: prerendering.Tab, site: PlaceSite) -> None:
    render_ahead(tab, site)

    tab.show("/page/story")

    wait_until(lambda: {"ads", "film"} <= set(site.hosts_reached))
    assert tab.evaluate(_ALLOWS_SALE) is True


def test_page_rendered_ahead_reports_nothing_until_it_is_shown(tab: prerendering.Tab, site: PlaceSite) -> None:
    site.script = SIGNAL_SCRIPT
    render_ahead(tab, site)

    tab.show("/page/story")

    wait_until(lambda: tab.evaluate("() => document.querySelectorAll('.pvc-honoured').length") == 1)
    assert (site.seen.count(_REPORT), site.hosts_reached) == (1, _UNSOLD)
