"""Pages that Turbo changes: visits, what it shows of its cache, frames and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import chromium
from tests.browser.changing_site import ChangingSite, held_blocks, load_part, open_link, press
from tests.browser.same_page import is_marked, mark

_GUIDE: Final = (Path(__file__).parents[2] / "docs" / "browser.md").read_text(encoding="utf-8")
(_FORGET_AT_EACH_CHOICE,) = re.findall(r"```js\n(.*Turbo.*;)\n```", _GUIDE)


@pytest.fixture
def site() -> Iterator[ChangingSite]:
    with ChangingSite.open("turbo") as running:
        yield running


def test_accepting_after_a_visit_reloads_the_page_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    open_link(tab, "second")
    expect(held_blocks(tab)).to_have_count(2)
    expect(tab.locator(".pvc-banner")).to_have_count(1)

    press(tab, "accept_all")

    site.wait_for("page", "/bare", "/second")
    expect(tab.locator(".opened")).to_have_text(["second"])
    site.wait_for("ran", "/ran/second")
    open_link(tab, "third")
    site.wait_for("ran", "/ran/second", "/ran/third")
    assert site.asked("page") == ["/bare", "/second"]
    assert site.asked("post") == ["application/json"]


def test_refusing_after_a_visit_reloads_nothing(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "second")
    mark(tab)

    press(tab, "reject_all")

    expect(tab.locator(".pvc-banner")).to_have_count(0)
    open_link(tab, "third")
    expect(held_blocks(tab)).to_have_count(2)
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    assert is_marked(tab)
    assert site.asked("page") == ["/first"]
    assert site.asked("ran") == []


def test_page_of_the_cache_from_before_the_choice_opens_its_own_gates(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "bare")
    mark(tab)
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)

    chromium.go_back(tab)

    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/first")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    site.wait_for("ran", "/ran/first")
    # From the cache, and so with the key of the page that runs.
    assert is_marked(tab)
    assert site.asked("page") == ["/first"]
    assert "/first" not in site.asked("swap")


def test_always_allowing_in_a_page_of_the_cache_reloads_it_once(site: ChangingSite, tab: Page) -> None:
    """Its blocks belong to another response; that everything is granted already must not make its button a dead one."""
    tab.goto(f"{site.url}/bare")
    open_link(tab, "second")
    open_link(tab, "bare")
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    chromium.go_back(tab)
    expect(held_blocks(tab)).to_have_count(2)

    press(tab, "allow")

    site.wait_for("page", "/bare", "/second")
    expect(tab.locator(".opened")).to_have_text(["second"])
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/second")


def test_cache_that_is_cleared_at_each_choice_shows_every_page_as_it_is_now(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    tab.add_script_tag(content=_FORGET_AT_EACH_CHOICE)
    open_link(tab, "second")
    open_link(tab, "bare")
    mark(tab)
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)

    chromium.go_back(tab)

    expect(tab.locator(".opened")).to_have_text(["second"])
    site.wait_for("ran", "/ran/second")
    assert is_marked(tab)


def test_preview_from_before_the_choice_shows_no_banner(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    open_link(tab, "bare")
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    tab.route("**/first", hold)

    open_link(tab, "first")

    expect(tab.locator("html[data-turbo-preview]")).to_have_count(1)
    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    waiting[0].continue_()
    expect(tab.locator("html[data-turbo-preview]")).to_have_count(0)
    expect(tab.locator(".opened")).to_have_text(["first"])
    expect(tab.locator(".pvc-banner")).to_have_count(0)


def test_accepting_with_a_frame_in_the_page_reloads_it_once(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    load_part(tab, "frame")
    expect(held_blocks(tab)).to_have_count(4)
    assert site.asked("ran") == []

    press(tab, "accept_all")

    site.wait_for("page", "/first", "/first")
    expect(tab.locator(".opened")).to_have_text(["first"])
    load_part(tab, "frame")
    site.wait_for("ran", "/ran/first", "/ran/frame")
    assert site.asked("page") == ["/first", "/first"]
    assert site.asked("post") == ["application/json"]


def test_saving_in_the_dialog_posts_once_by_fetch(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    press(tab, "settings")
    tab.locator(".pvc-dialog").wait_for()

    tab.locator(".pvc-dialog [data-consent-action=accept_all]").click()

    expect(tab.locator(".pvc-dialog, .pvc-banner")).to_have_count(0)
    expect(tab.locator(".opened")).to_have_text(["first"])
    assert site.asked("post") == ["application/json"]
    assert tab.url == f"{site.url}/first"


def test_dialog_goes_with_the_page_that_it_was_opened_in(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    open_link(tab, "first")
    press(tab, "settings")
    expect(tab.locator(".pvc-dialog")).to_be_visible()

    chromium.go_back(tab)

    expect(tab.locator("main")).to_have_attribute("data-page", "bare")
    expect(tab.locator(".pvc-dialog")).to_have_count(0)
    # The page that was left comes back without it, and opens it anew.
    tab.evaluate("() => history.forward()")
    expect(tab.locator("main")).to_have_attribute("data-page", "first")
    expect(tab.locator(".pvc-dialog")).to_have_count(0)
    press(tab, "settings")
    expect(tab.locator(".pvc-dialog:modal")).to_be_visible()


def test_runtime_that_comes_with_a_visit_starts(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    press(tab, "reject_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    tab.goto(f"{site.url}/bare")
    assert not tab.evaluate("() => 'flaskConsent' in window")
    mark(tab)

    open_link(tab, "first")

    tab.wait_for_function("() => window.flaskConsent?.state.decided_at")
    press(tab, "allow")
    expect(tab.locator("iframe")).to_have_attribute("src", "http://film.localhost/frame/first")
    assert is_marked(tab)
