"""Pages that htmx changes: parts, boosted links and its history, in both of its lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.browser.changing_site import ChangingSite, Library, held_blocks, load_part, open_link, press
from tests.browser.same_page import is_marked, mark

LIBRARIES: tuple[Library, ...] = ("htmx2", "htmx4")


@pytest.fixture(params=LIBRARIES)
def site(request: pytest.FixtureRequest) -> Iterator[ChangingSite]:
    """A site whose links and forms are all boosted."""
    with ChangingSite.open(request.param) as running:
        yield running


def test_part_before_a_choice_stays_held(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")

    load_part(tab)

    expect(held_blocks(tab)).to_have_count(2)
    expect(tab.locator("#region [data-consent-action=once]")).to_be_visible()
    assert site.asked("ran") == []


def test_accepting_with_a_part_in_the_page_reloads_it_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    load_part(tab)

    press(tab, "accept_all")

    site.wait_for("page", "/first", "/first")
    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(tab.locator("iframe")).to_have_count(1)
    site.wait_for("ran", "/ran/first")
    # What comes now is live, and loads nothing anew.
    load_part(tab)
    site.wait_for("ran", "/ran/first", "/ran/part")
    assert site.asked("page") == ["/first", "/first"]
    assert site.asked("post") == ["application/json"]


def test_refusing_with_a_part_in_the_page_reloads_nothing(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    load_part(tab)
    mark(tab)

    press(tab, "reject_all")

    expect(tab.locator(".pvc-banner")).to_have_count(0)
    open_link(tab, "second")
    assert is_marked(tab)
    expect(held_blocks(tab)).to_have_count(2)
    assert site.asked("page") == ["/first"]
    assert site.asked("ran") == []


def test_part_after_the_grant_comes_live_and_runs_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    mark(tab)

    load_part(tab)

    site.wait_for("ran", "/ran/part")
    tab.wait_for_function("() => window.ran?.length")
    assert tab.evaluate("() => ran") == ["part"]
    assert is_marked(tab)


def test_always_allowing_an_embed_of_a_part_reloads_the_page_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    load_part(tab)

    tab.locator("#region [data-consent-action=allow]").click()

    site.wait_for("page", "/first", "/first")
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/first")
    expect(tab.locator(".pvc-banner")).to_be_visible()
    # Not granted: this part's gate is still held, and its embed is live.
    load_part(tab)
    expect(tab.locator("#region iframe")).to_have_count(1)
    expect(held_blocks(tab)).to_have_count(2)
    assert site.asked("page") == ["/first", "/first"]
    assert site.asked("ran") == []


def test_banner_of_a_boosted_page_posts_once_by_fetch(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    open_link(tab, "second")
    expect(tab.locator(".pvc-banner")).to_have_count(1)

    press(tab, "accept_all")

    site.wait_for("page", "/bare", "/second")
    expect(tab.locator(".opened")).to_have_text(["second"])
    site.wait_for("ran", "/ran/second")
    assert site.asked("swap") == ["/second"]
    assert site.asked("post") == ["application/json"]


def test_boosted_page_without_gates_is_not_reloaded(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "bare")
    mark(tab)

    press(tab, "accept_all")

    expect(tab.locator(".pvc-banner")).to_have_count(0)
    open_link(tab, "second")
    site.wait_for("ran", "/ran/second")
    assert is_marked(tab)
    assert site.asked("page") == ["/first"]


@pytest.mark.parametrize("chosen_on", ["bare", "second"])
def test_page_before_the_choice_comes_back_as_it_is_now(site: ChangingSite, tab: Page, chosen_on: str) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, chosen_on)
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    expect(tab.locator(".opened")).to_have_count(1 if chosen_on == "second" else 0)

    chromium.go_back(tab)

    expect(tab.locator("main")).to_have_attribute("data-page", "first")
    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/first")
    expect(tab.locator(".pvc-banner")).to_have_count(0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_part_under_a_strict_policy_runs_after_the_grant(tab: Page, library: Library) -> None:
    """As far as htmx goes: it gives scripts of a part the nonce that `inlineScriptNonce` names."""
    with ChangingSite.open(library, is_strict=True) as site:
        tab.goto(f"{site.url}/first")
        load_part(tab)
        expect(held_blocks(tab)).to_have_count(4)

        press(tab, "accept_all")

        site.wait_for("page", "/first", "/first")
        site.wait_for("ran", "/ran/first")
        load_part(tab)
        site.wait_for("ran", "/ran/first", "/ran/part")
