"""What holds on changing pages whatever changes them: a little script of the site's own, htmx in both of its lines, Turbo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.browser.changing_site import ChangingSite, held_blocks, load_part, open_link, press
from tests.browser.same_page import is_marked, mark

# Those that keep pages, and follow links for the visitor.
swapped_by_a_library = pytest.mark.parametrize("site", ["htmx2", "htmx4", "turbo"], indirect=True)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[ChangingSite]:
    with ChangingSite.open(request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("site", "what", "name"),
    [("router", "part", "first"), ("htmx2", "part", "first"), ("htmx4", "part", "first"), ("turbo", "frame", "bare")],
    indirect=["site"],
)
def test_embed_of_a_part_is_loaded_once_on_a_page_of_its_own(
    site: ChangingSite, tab: Page, what: Literal["part", "frame"], name: str
) -> None:
    tab.goto(f"{site.url}/{name}")
    load_part(tab, what)

    tab.locator("#region [data-consent-action=once]").click()

    expect(tab.locator("iframe")).to_have_attribute("src", f"http://film.localhost/frame/{what}")
    tab.get_by_role("link", name="Back to the page").first.click()
    expect(tab.locator("main")).to_have_attribute("data-page", name)
    assert len(site.asked("post")) == 1
    assert "application/json" not in site.asked("post")


@swapped_by_a_library
def test_page_before_the_withdrawal_comes_back_without_its_trackers(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/first")
    press(tab, "accept_all")
    expect(tab.locator(".opened")).to_have_text(["first"])
    open_link(tab, "bare")
    press(tab, "settings")
    # Until the page has loaded anew, going back would be an affair of the page before.
    with tab.expect_event("load"):
        press(tab, "withdraw")
    site.wait_for("page", "/first", "/bare")
    site.forget()

    chromium.go_back(tab)

    expect(held_blocks(tab)).to_have_count(2)
    expect(tab.locator(".opened, iframe")).to_have_count(0)
    assert site.asked("ran") == []


@swapped_by_a_library
def test_preferences_of_a_page_without_the_runtime_are_a_page_load(site: ChangingSite, tab: Page) -> None:
    """What runs in a page ends only with it: the withdrawal must not happen in the same one."""
    tab.goto(f"{site.url}/bare")
    press(tab, "accept_all")
    expect(tab.locator(".pvc-banner")).to_have_count(0)
    tab.goto(f"{site.url}/first")
    expect(tab.locator(".opened")).to_have_text(["first"])
    mark(tab)

    press(tab, "settings")

    expect(tab.locator("[data-consent-ui=preferences]")).to_be_visible()
    assert not is_marked(tab)
    press(tab, "withdraw")
    expect(tab.locator(".pvc-status [role=status]")).to_be_visible()
    assert len(site.asked("post")) == 2


@swapped_by_a_library
def test_settings_link_opens_the_dialog_alone(site: ChangingSite, tab: Page) -> None:
    tab.goto(f"{site.url}/bare")
    open_link(tab, "first")
    site.forget()

    press(tab, "settings")

    expect(tab.locator(".pvc-dialog")).to_be_visible()
    assert tab.url == f"{site.url}/first"
    assert [path for path in site.asked("own") if "/assets/" not in path] == ["/privacy-choices/"]
    assert [*site.asked("swap"), *site.asked("page")] == []
