"""Withdrawal with JavaScript on: what runs cannot be stopped, so the page loads again, and is clean at both ends."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import chromium
from tests.browser.choice_site import ChoiceSite, Post
from tests.browser.choosing import BANNER, choose, granted, opened_of, press_native, record_errors, take_notes
from tests.browser.newsroom import FILM_ARTICLE, MAP_ARTICLE, Newsroom, is_foreign
from tests.browser.same_page import come_to_front, is_marked, mark, wait_for_reload, wait_in_back
from tests.browser.serving import wait_until

SITE: Final = ChoiceSite

# What Stats leaves behind, what fits its patterns but is another's, and what nobody declared.
_FILL: Final = """async () => {
    for (const storage of [localStorage, sessionStorage]) {
        for (const name of ["stats", "stats_", "stats_a", "stats_visit", "stats_ads", "stats_draft", "statistics", "key"]) {
            storage.setItem(name, "1");
        }
    }
    const open = (name) => new Promise((done) => (indexedDB.open(name).onsuccess = ({ target }) => {
        target.result.close();
        done();
    }));
    for (const name of ["stats-db", "stats-log-2", "ads-db", "stats-other"]) await open(name);
}"""
_LIST: Final = """async () => ({
    local: Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at)).sort(),
    session: Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at)).sort(),
    databases: (await indexedDB.databases()).map(({ name }) => name).sort(),
})"""


@pytest.fixture
def reader(reader: BrowserContext) -> BrowserContext:
    """The same, whose pages note what the runtime says."""
    return take_notes(reader)


@pytest.fixture
def page(reader: BrowserContext, site: ChoiceSite, errors: list[str]) -> Page:
    """That visitor's tab, on a page that was asked and opened everything."""
    opened = reader.new_page()
    opened.goto(f"{site.url}/page/one")
    choose(opened, "accept_all")
    wait_until(lambda: len(site.opened) == 2)
    opened.evaluate(_FILL)
    return opened


def withdraw(page: Page, where: str) -> None:
    """Withdraw in the dialog, or on the preferences page; the page that was left is shown again."""
    address = page.url
    if where == "dialog":
        choose(page, "settings")
        press_native(page, "withdraw")
    else:
        page.goto(address.partition("/page/")[0] + "/privacy-choices/")
        press_native(page, "withdraw")
        expect(page.locator(".pvc-switch:checked")).to_have_count(0)


# -- the page


@pytest.mark.parametrize("where", ["dialog", "page"])
def test_withdrawal_is_clean_at_both_ends(reader: BrowserContext, newsroom: Newsroom, where: str) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    choose(page, "accept_all")
    page.locator("iframe[src*='video.localhost']").scroll_into_view_if_needed()
    wait_until(lambda: {"video.localhost", "social.localhost"} <= newsroom.hosts_reached)
    page.wait_for_load_state("networkidle")
    choose(page, "settings")
    newsroom.forget()
    sent = chromium.record_requests(reader)

    if where == "page":
        page.goto(f"{newsroom.url}/privacy-choices/")
    press_native(page, "withdraw")
    for path in (FILM_ARTICLE, MAP_ARTICLE):
        page.locator("footer").last.scroll_into_view_if_needed()
        page.goto(f"{newsroom.url}{path}")

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert newsroom.trackers.connections == 0
    assert [cookie.get("name") for cookie in reader.cookies(newsroom.url)] == ["consent"]
    expect(page.locator(BANNER)).to_have_count(0)


def test_withdrawal_in_the_dialog_loads_the_page_again(page: Page, site: ChoiceSite, errors: list[str]) -> None:
    mark(page)

    withdraw(page, "dialog")

    assert page.url == f"{site.url}/page/one"
    assert not is_marked(page)
    assert opened_of(page) == []
    assert page.locator("dialog").count() == 0
    expect(page.locator(BANNER)).to_have_count(0)
    assert site.posts[-1] == Post(action="withdraw", is_native=False)
    assert granted(site.state_of(page.context)) == set()
    assert errors == []


def test_narrowing_closes_that_part_alone(page: Page, site: ChoiceSite, errors: list[str]) -> None:
    choose(page, "settings")
    page.locator("dialog #pvc-grant-marketing").uncheck()

    press_native(page, "save")

    assert opened_of(page) == ["analytics"]
    assert granted(site.state_of(page.context)) == {"preferences", "analytics"}
    assert errors == []


def test_widening_loads_nothing_again(page: Page, site: ChoiceSite) -> None:
    choose(page, "settings")
    page.locator("dialog #pvc-grant-marketing").uncheck()
    press_native(page, "save")
    mark(page)
    choose(page, "settings")
    page.locator("dialog #pvc-grant-marketing").check()

    choose(page, "save")

    assert opened_of(page) == ["analytics", "marketing"]
    assert is_marked(page)


def test_scripts_hear_of_the_withdrawal_before_the_page_goes(page: Page, site: ChoiceSite) -> None:
    page.evaluate("""() => document.addEventListener("consent:change", ({ detail }) => {
        sessionStorage.setItem("heard", detail.choices.analytics);
    })""")

    withdraw(page, "dialog")

    assert page.evaluate("() => sessionStorage.getItem('heard')") == "denied"


def test_page_loads_again_where_the_module_is_missing(page: Page, site: ChoiceSite, errors: list[str]) -> None:
    """Another page withdraws; here, what would clear the storage cannot be loaded."""
    page.route("**/assets/preferences.*.js", lambda route: route.abort())
    mark(page)
    preferences = page.context.new_page()
    preferences.goto(f"{site.url}/privacy-choices/")

    press_native(preferences, "withdraw")

    wait_for_reload(page)
    assert opened_of(page) == []
    assert errors == []


# -- what was stored


@pytest.mark.parametrize("where", ["dialog", "page"])
def test_withdrawal_clears_what_services_declared_and_nothing_else(
    page: Page, site: ChoiceSite, errors: list[str], where: str
) -> None:
    # The page's own script does not wait for its databases, nor does it say when they are there.
    databases = ["ads-db", "stats-db", "stats-log-1", "stats-log-2", "stats-other"]
    wait_until(lambda: page.evaluate(_LIST)["databases"] == databases)

    withdraw(page, where)

    # A database goes once nothing holds it open any more.
    wait_until(lambda: page.evaluate(_LIST)["databases"] == ["stats-other"])
    stored = page.evaluate(_LIST)
    assert stored["local"] == ["key", "statistics", "stats_draft"]
    kept = ["key", "statistics", "stats", "stats_", "stats_a", "stats_ads", "stats_draft"]
    assert stored["session"] == kept
    assert [cookie.get("name") for cookie in page.context.cookies()] == ["consent"]
    assert errors == []


def test_narrowing_keeps_what_granted_services_declared(page: Page, site: ChoiceSite) -> None:
    """An entry of Ads fits a pattern of Stats, too."""
    choose(page, "settings")
    page.locator("dialog #pvc-grant-analytics").uncheck()

    press_native(page, "save")

    wait_until(lambda: page.evaluate(_LIST)["databases"] == ["ads-db", "stats-other"])
    assert page.evaluate(_LIST)["local"] == ["key", "statistics", "stats_ads", "stats_draft"]


def test_other_tab_clears_its_own_session(reader: BrowserContext, site: ChoiceSite) -> None:
    """What lasts for a session is each tab's own."""
    page, other = reader.new_page(), reader.new_page()
    page.goto(f"{site.url}/page/one")
    other.goto(f"{site.url}/page/two")
    choose(page, "accept_all")
    wait_in_back(other, "() => sessionStorage.getItem('stats_visit')")
    mark(other)
    come_to_front(page)

    withdraw(page, "dialog")

    wait_for_reload(other)
    wait_in_back(other, "() => sessionStorage.getItem('stats_visit') === null")


def test_stranger_keeps_what_is_there(reader: BrowserContext, site: ChoiceSite) -> None:
    """Before a choice nothing is read or taken."""
    page = reader.new_page()
    page.goto(f"{site.url}/page/one")
    page.evaluate(_FILL)
    before = page.evaluate(_LIST)

    page.goto(f"{site.url}/page/two")
    page.evaluate("async () => (await fetch('/bare')).text()")

    assert page.evaluate(_LIST) == before
    assert not any(
        "preferences." in name for name in page.evaluate("() => performance.getEntries().map((e) => e.name)")
    )


def test_denied_storage_is_no_error_and_the_rest_is_cleared(reader: BrowserContext, site: ChoiceSite) -> None:
    """Where `localStorage` is denied, the runtime leaves everything to the browser."""
    reader.add_init_script("""
        for (const area of ["sessionStorage", "indexedDB"]) {
            Object.defineProperty(window, area, { get() { throw new DOMException("denied", "SecurityError") } });
        }
    """)
    page = reader.new_page()
    page.goto(f"{site.url}/page/one")
    choose(page, "accept_all")
    # The script that was opened runs a moment later, and fails at what is denied: that is its error, and not ours.
    page.wait_for_function("() => localStorage.getItem('stats_a')")
    # Declared behind what is denied.
    page.evaluate("() => localStorage.setItem('stats_ads', '1')")
    choose(page, "settings")
    errors = record_errors(reader)

    press_native(page, "withdraw")

    page.wait_for_function("() => localStorage.length === 0")
    assert opened_of(page) == []
    assert errors == []
