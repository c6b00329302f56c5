"""A choice made in one tab holds in the others, in pages that come back from memory, and in pages rendered ahead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium, firefox, prerendering
from tests.browser.choice_site import STATE_PATH, ChoiceSite
from tests.browser.choosing import (
    BANNER,
    button_of,
    choose,
    granted,
    open_tab,
    opened_of,
    press_native,
    record_errors,
    take_notes,
)
from tests.browser.firefox import Firefox
from tests.browser.firefox import Tab as FoxTab
from tests.browser.newsroom import FILM_ARTICLE, OTHER_ARTICLE, Newsroom, is_foreign
from tests.browser.same_page import IS_MARKED, MARK, come_to_front, is_marked, mark, wait_for_reload
from tests.browser.serving import wait_until

SITE = ChoiceSite

_ALL = {"preferences", "analytics", "marketing"}
# By a round trip of its own, the page has taken in whatever came before.
_ROUND_TRIP = "async () => (await fetch('/bare')).text()"


@pytest.fixture
def reader(reader: BrowserContext) -> BrowserContext:
    """The same, whose pages note what the runtime says."""
    return take_notes(reader, is_patient=True)


def open_marked(reader: BrowserContext, url: str) -> Page:
    """Open a page in a tab of its own; where the mark is, it was not loaded again since."""
    page = open_tab(reader, url)
    mark(page)
    return page


def open_two(reader: BrowserContext, site: ChoiceSite) -> tuple[Page, Page]:
    return open_marked(reader, f"{site.url}/page/one"), open_marked(reader, f"{site.url}/page/two")


# -- tabs


def test_grant_in_one_tab_opens_the_other_in_place(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)

    choose(one, "accept_all")

    expect(two.locator(BANNER)).to_have_count(0)
    assert opened_of(two) == ["analytics", "marketing"]
    assert is_marked(two)
    wait_until(lambda: sorted(site.opened) == ["analytics/one", "analytics/two", "marketing/one", "marketing/two"])
    assert site.actions == ["accept_all"]


def test_rejection_in_one_tab_takes_the_banner_of_the_other_away(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)

    choose(one, "reject_all")

    expect(two.locator(BANNER)).to_have_count(0)
    assert is_marked(two)
    assert site.opened == []


def test_other_tab_tells_its_scripts_once_and_says_nothing(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)

    choose(one, "accept_all")

    expect(two.locator(BANNER)).to_have_count(0)
    assert two.evaluate("() => changes") == [site.state_of(reader)]
    # Whoever presses the button hears of it, there.
    assert two.evaluate("() => announced") == []


def test_focus_goes_on_where_the_banner_of_the_other_tab_was(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)
    button_of(two, "reject_all").focus()

    choose(one, "reject_all")

    expect(two.locator(BANNER)).to_have_count(0)
    two.bring_to_front()
    two.keyboard.press("Tab")
    expect(two.locator("#other")).to_be_focused()


def test_withdrawal_in_one_tab_cleans_the_other(reader: BrowserContext, newsroom: Newsroom) -> None:
    one = open_marked(reader, f"{newsroom.url}{FILM_ARTICLE}")
    two = open_marked(reader, f"{newsroom.url}{OTHER_ARTICLE}")
    choose(one, "accept_all")
    expect(two.locator(BANNER)).to_have_count(0)
    wait_until(lambda: newsroom.sightings.count("stats.localhost/beacon") == 2)
    for page in (one, two):
        page.wait_for_load_state("networkidle")
    come_to_front(one)
    choose(one, "settings")
    newsroom.forget()
    sent = chromium.record_requests(reader)

    press_native(one, "withdraw")
    wait_for_reload(two)
    for page in (one, two):
        come_to_front(page)
        page.locator("footer").last.scroll_into_view_if_needed()
        page.evaluate("async () => (await fetch('/')).text()")

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert two.locator("iframe, script[src^='http']").count() == 0
    expect(two.locator(BANNER)).to_have_count(0)


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_other_tabs_follow_the_preferences_page(reader: BrowserContext, site: ChoiceSite, action: str) -> None:
    """There the browser posts the form itself."""
    one = open_marked(reader, f"{site.url}/page/one")
    preferences = open_marked(reader, f"{site.url}/privacy-choices/")

    press_native(preferences, action)

    expect(one.locator(BANNER)).to_have_count(0)
    assert is_marked(one)
    assert one.locator(".opened").count() == (2 if action == "accept_all" else 0)
    assert site.posts[-1].is_native


def test_other_tabs_follow_a_withdrawal_on_the_preferences_page(reader: BrowserContext, site: ChoiceSite) -> None:
    one = open_marked(reader, f"{site.url}/page/one")
    choose(one, "accept_all")
    preferences = open_marked(reader, f"{site.url}/privacy-choices/")

    press_native(preferences, "withdraw")

    wait_for_reload(one)
    assert opened_of(one) == []
    expect(one.locator(BANNER)).to_have_count(0)


def test_choices_in_two_tabs_are_each_posted_once(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)

    with site.late_answer() as first, site.late_answer() as second:
        for page in (one, two):
            button_of(page, "accept_all").click()
        wait_until(lambda: len(site.posts) == 2)
        first.set()
        second.set()
        for page in (one, two):
            expect(page.locator(BANNER)).to_have_count(0)
            page.evaluate(_ROUND_TRIP)

    assert site.actions == ["accept_all", "accept_all"]
    assert [opened_of(page) for page in (one, two)] == [["analytics", "marketing"]] * 2


@pytest.mark.parametrize(("first", "last"), [("accept_all", "reject_all"), ("reject_all", "accept_all")])
def test_tabs_agree_with_the_cookie_when_answers_come_in_reverse(
    reader: BrowserContext, site: ChoiceSite, first: str, last: str
) -> None:
    one, two = open_two(reader, site)

    with site.late_answer() as late:
        button_of(one, first).click()
        wait_until(lambda: site.actions == [first])
        choose(two, last)
        late.set()
        expect(one.locator(BANNER)).to_have_count(0)

    # What a browser keeps is the cookie that came last, whatever was asked last.
    is_granted = first == "accept_all"
    assert granted(site.state_of(reader)) == (_ALL if is_granted else set())
    for page in (one, two):
        page.wait_for_function("(is) => window.flaskConsent?.allows('analytics') === is", arg=is_granted)
        expect(page.locator(".opened")).to_have_count(2 if is_granted else 0)


def test_slow_news_of_another_tab_opens_nothing_after_rejecting(reader: BrowserContext, site: ChoiceSite) -> None:
    one, two = open_two(reader, site)

    with site.late_answer(STATE_PATH, method="GET") as late:
        choose(one, "accept_all")
        # The other tab has asked, and the answer, which grants, is on its way.
        wait_until(lambda: bool(site.held_back))
        choose(two, "reject_all")
        with two.expect_request_finished(lambda request: request.url.endswith(STATE_PATH)):
            late.set()
        two.evaluate(_ROUND_TRIP)

    assert granted(site.state_of(reader)) == set()
    assert opened_of(two) == []
    assert "analytics/two" not in site.opened


def test_tabs_that_follow_leave_no_error(reader: BrowserContext, site: ChoiceSite) -> None:
    errors = record_errors(reader)
    one, two = open_two(reader, site)

    choose(one, "accept_all")
    expect(two.locator(BANNER)).to_have_count(0)
    choose(two, "settings")
    press_native(two, "withdraw")
    wait_for_reload(one)

    assert errors == []


# -- pages that come back from memory


@pytest.fixture
def returning(reviving_browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor whose browser keeps the pages that were left."""
    with chromium.visitor(reviving_browser, javascript=True) as visitor:
        yield take_notes(visitor)


def test_page_with_the_runtime_comes_back_from_memory(returning: BrowserContext, site: ChoiceSite) -> None:
    """The channel between tabs does not keep a page from being kept."""
    page = open_marked(returning, f"{site.url}/page/one")
    page.goto(f"{site.url}/bare")

    chromium.go_back(page)

    assert is_marked(page)


def test_revived_page_follows_a_grant_that_nothing_told_it_of(returning: BrowserContext, site: ChoiceSite) -> None:
    page = open_marked(returning, f"{site.url}/page/one")
    page.goto(f"{site.url}/bare")
    with page.expect_navigation():
        page.locator("button[value=accept_all]").click()

    chromium.go_back(page)
    chromium.go_back(page)

    expect(page.locator(BANNER)).to_have_count(0)
    assert is_marked(page)
    assert opened_of(page) == ["analytics", "marketing"]


def test_revived_page_is_loaded_again_when_its_grant_is_gone(returning: BrowserContext, site: ChoiceSite) -> None:
    page = open_marked(returning, f"{site.url}/page/one")
    choose(page, "accept_all")
    expect(page.locator(".opened")).to_have_count(2)
    page.goto(f"{site.url}/bare")
    returning.clear_cookies()

    # Not chromium.go_back(), which asks the revived page something while it loads again.
    page.go_back(wait_until="commit")

    expect(page.locator(BANNER)).to_be_visible()
    assert opened_of(page) == []
    assert not is_marked(page)


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_page_in_memory_follows_another_tab(returning: BrowserContext, site: ChoiceSite, action: str) -> None:
    """Chromium drops a page from memory when a message comes for it, and loads it anew: that is right, too."""
    page, other = open_two(returning, site)
    page.goto(f"{site.url}/bare")
    choose(other, action)

    chromium.go_back(page)

    expect(page.locator(BANNER)).to_have_count(0)
    expect(page.locator(".opened")).to_have_count(2 if action == "accept_all" else 0)


@pytest.fixture(scope="module")
def fresh_fox() -> Iterator[Firefox]:
    """A Firefox of this module's own: one that has shown hundreds of pages lets go of those it keeps for going back."""
    with firefox.launch() as fox:
        yield fox


@pytest.fixture
def fox_tab(fresh_fox: Firefox) -> Iterator[FoxTab]:
    """A new visitor's tab in Firefox."""
    with fresh_fox.visitor() as opened:
        yield opened


def test_revived_page_follows_in_firefox(fox_tab: FoxTab, site: ChoiceSite) -> None:
    fox_tab.open(f"{site.url}/page/one")
    fox_tab.evaluate_in_page(MARK)
    fox_tab.open(f"{site.url}/bare")
    fox_tab.click_through("button[value=accept_all]")

    fox_tab.back(2)

    wait_until(lambda: fox_tab.count(BANNER) == 0)
    assert fox_tab.evaluate_in_page(IS_MARKED)
    assert fox_tab.count(".opened") == 2


def test_page_after_a_withdrawal_comes_back_clean_in_firefox(fox_tab: FoxTab, site: ChoiceSite) -> None:
    fox_tab.open(f"{site.url}/page/one")
    fox_tab.click("[data-consent-action=accept_all]")
    wait_until(lambda: fox_tab.count(".opened") == 2)
    fox_tab.open(f"{site.url}/bare")
    fox_tab.click_through("button[value=reject_all]")

    fox_tab.back(2)

    wait_until(lambda: fox_tab.count(".opened") == 0)
    assert fox_tab.count(BANNER) == 0


# -- pages rendered ahead


@pytest.fixture(scope="module")
def prerendering_browser() -> Iterator[prerendering.Connection]:
    """Chromium as visitors have it, but for a debugger at its tabs."""
    with prerendering.launch() as connection:
        yield connection


@pytest.fixture
def visitor(prerendering_browser: prerendering.Connection) -> Iterator[prerendering.Visitor]:
    with prerendering.visitor(prerendering_browser) as begun:
        yield begun


_COUNT_OPENED = "() => document.querySelectorAll('.opened').length"
_COUNT_BANNERS = f"() => document.querySelectorAll('{BANNER}').length"


def press_in(tab: prerendering.Tab, action: str) -> None:
    tab.evaluate("(action) => { document.querySelector(`button[value=${action}]`).click() }", action)


def test_page_rendered_ahead_opens_nothing_until_it_is_shown(visitor: prerendering.Visitor, site: ChoiceSite) -> None:
    # The last one opened is in front: only there does Chromium render ahead.
    other, tab = visitor.open(f"{site.url}/page/other"), visitor.open(f"{site.url}/page/one")
    tab.prerender("/page/two")

    press_in(other, "accept_all")
    wait_until(lambda: tab.evaluate(_COUNT_OPENED) == 2)
    tab.evaluate_ahead(_ROUND_TRIP)

    assert tab.evaluate_ahead("() => document.prerendering") is True
    assert tab.evaluate_ahead(_COUNT_OPENED) == 0

    tab.show("/page/two")

    wait_until(lambda: tab.evaluate(_COUNT_OPENED) == 2)
    assert tab.evaluate(_COUNT_BANNERS) == 0
    wait_until(lambda: {"analytics/two", "marketing/two"} <= set(site.opened))
    assert not any(name.startswith("ahead/") for name in site.opened)


def test_page_rendered_ahead_of_a_rejection_asks_no_more(visitor: prerendering.Visitor, site: ChoiceSite) -> None:
    tab = visitor.open(f"{site.url}/page/one")
    tab.prerender("/page/two")
    press_in(tab, "reject_all")
    wait_until(lambda: tab.evaluate(_COUNT_BANNERS) == 0)
    assert tab.evaluate_ahead(_COUNT_BANNERS) == 1

    tab.show("/page/two")

    wait_until(lambda: tab.evaluate(_COUNT_BANNERS) == 0)
    assert tab.evaluate(_COUNT_OPENED) == 0


def test_page_rendered_ahead_of_a_withdrawal_is_shown_clean(visitor: prerendering.Visitor, site: ChoiceSite) -> None:
    other, tab = visitor.open(f"{site.url}/bare"), visitor.open(f"{site.url}/page/one")
    press_in(tab, "accept_all")
    wait_until(lambda: tab.evaluate(_COUNT_OPENED) == 2)
    tab.prerender("/page/two")
    assert tab.evaluate_ahead(_COUNT_OPENED) == 2
    press_in(other, "reject_all")
    wait_until(lambda: site.actions == ["accept_all", "reject_all"])
    wait_until(
        lambda: (
            other.evaluate("() => [location.pathname + location.search, document.readyState]")
            == ["/bare?posted", "complete"]
        )
    )

    tab.evaluate("() => { location.assign('/page/two') }")

    wait_until(lambda: tab.evaluate("() => location.pathname + document.readyState") == "/page/twocomplete")
    wait_until(lambda: tab.evaluate(_COUNT_OPENED) == 0)
    assert tab.evaluate(_COUNT_BANNERS) == 0
