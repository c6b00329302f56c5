"""Pages that a site's own script changes: parts put in as text, and a little router that swaps <main>."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.changing_site import ChangingSite, held_blocks, load_part, open_link, press
from tests.browser.same_page import come_to_front, is_marked, mark
from tests.browser.serving import wait_until

# Fetched while nothing was granted, and put into the page by the test when it likes.
_FETCH_EARLY = "async () => { window.early = await (await fetch('/part')).text() }"
_PUT_IN = "() => { document.querySelector('#region').innerHTML = window.early }"
_COUNT_CHANGES = "() => { window.changes = 0; document.addEventListener('consent:change', () => { changes += 1 }) }"


@pytest.fixture
def site() -> Iterator[ChangingSite]:
    with ChangingSite.open("router") as running:
        yield running


def test_part_and_swapped_page_stay_held_before_a_choice(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")

    open_link(tab, "second")
    load_part(tab)

    expect(held_blocks(tab)).to_have_count(4)
    expect(tab.locator(".pvc-banner")).to_have_count(1)
    assert site.asked("ran") == []


def test_accepting_after_a_swap_reloads_the_page_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "second")
    load_part(tab)

    press(tab, "accept_all")

    site.wait_for("page", "/first", "/second")
    expect(tab.locator(".opened")).to_have_text(["second"])
    site.wait_for("ran", "/ran/second")
    open_link(tab, "third")
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/third")
    assert site.asked("page") == ["/first", "/second"]
    assert site.asked("post") == ["application/json"]


def test_refusing_after_a_swap_reloads_nothing(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "second")
    load_part(tab)
    mark(tab)

    press(tab, "reject_all")

    expect(tab.locator(".pvc-banner")).to_have_count(0)
    open_link(tab, "third")
    expect(held_blocks(tab)).to_have_count(4)
    assert is_marked(tab)
    assert site.asked("page") == ["/first"]
    assert site.asked("ran") == []


def test_page_that_is_swapped_in_after_the_grant_is_live(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    press(tab, "accept_all")
    site.wait_for("ran", "/ran/first")
    mark(tab)

    open_link(tab, "second")

    expect(tab.locator(".opened")).to_have_text(["second"])
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/second")
    assert is_marked(tab)
    # Neither the runtime nor the browser runs a script that a script put in as text.
    assert site.asked("ran") == ["/ran/first"]


def test_own_block_that_a_router_puts_back_opens(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    tab.evaluate("() => { window.kept = document.querySelector('main') }")
    open_link(tab, "bare")
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    mark(tab)

    tab.evaluate("() => document.querySelector('main').replaceWith(kept)")

    expect(tab.locator(".opened")).to_have_text(["first"])
    site.wait_for("ran", "/ran/first")
    assert is_marked(tab)


def test_part_that_comes_late_stays_shut_without_a_reload(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    tab.evaluate(_FETCH_EARLY)
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    mark(tab)

    tab.evaluate(_PUT_IN)

    expect(held_blocks(tab)).to_have_count(2)
    open_link(tab, "first")
    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(held_blocks(tab)).to_have_count(2)
    assert is_marked(tab)
    assert site.asked("page") == ["/bare"]
    assert site.asked("ran") == []


def test_always_allowing_an_embed_that_came_late_reloads_the_page_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    tab.evaluate(_FETCH_EARLY)
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    tab.evaluate(_PUT_IN)

    press(tab, "allow")

    site.wait_for("page", "/bare", "/bare")
    expect(held_blocks(tab)).to_have_count(0)
    open_link(tab, "first")
    assert site.asked("page") == ["/bare", "/bare"]


def test_two_grants_reload_the_page_once_each(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    load_part(tab)
    tab.locator("#region [data-consent-action=allow]").click()
    site.wait_for("page", "/first", "/first")
    expect(tab.locator("main iframe")).to_have_count(1)
    load_part(tab)
    expect(held_blocks(tab)).to_have_count(2)

    press(tab, "accept_all")

    site.wait_for("page", "/first", "/first", "/first")
    site.wait_for("ran", "/ran/first")
    expect(tab.locator(".opened")).to_have_text(["first"])


def test_grant_in_another_tab_reloads_a_page_with_parts_once(site: ChangingSite, reader: BrowserContext) -> None:
    behind, front = reader.new_page(), reader.new_page()
    behind.goto(f"{site.url}/first")
    load_part(behind)
    front.goto(f"{site.url}/bare")

    press(front, "accept_all")

    site.wait_for("page", "/first", "/bare", "/first")
    expect(behind.locator(".opened")).to_have_text(["first"])
    assert site.asked("ran") == ["/ran/first"]


def test_word_of_another_tab_that_grants_nothing_new_reloads_nothing(
    site: ChangingSite, reader: BrowserContext
) -> None:
    behind, front = reader.new_page(), reader.new_page()
    behind.goto(f"{site.url}/bare")
    behind.evaluate(_FETCH_EARLY)
    press(behind, "accept_all")
    expect(behind.locator(".pvc-banner")).to_have_count(0)
    behind.evaluate(_PUT_IN)
    behind.evaluate(_COUNT_CHANGES)
    mark(behind)
    front.goto(f"{site.url}/bare")
    states = site.asked("own").count("/privacy-choices/state")

    front.evaluate("() => { new BroadcastChannel('consent').postMessage(0) }")

    wait_until(lambda: site.asked("own").count("/privacy-choices/state") == states + 1)
    come_to_front(behind)
    open_link(behind, "first")
    assert is_marked(behind)
    assert behind.evaluate("() => changes") == 0
    assert site.asked("page") == ["/bare", "/bare"]


def test_embed_of_the_page_itself_is_loaded_once_in_place(site: ChangingSite, tab: Page) -> None:
    """Prove that the test of an embed of a part could fail, in `test_changed_by_any_library.py`."""
    tab.goto(f"{site.url}/first")
    load_part(tab)
    mark(tab)

    tab.locator("main [data-consent-action=once]").click()

    expect(tab.locator("main iframe")).to_have_attribute("src", "http://film.localhost/frame/first")
    assert is_marked(tab)
    assert site.asked("post") == []
