"""axe-core finds nothing in the dialog in any of its states, and what comes of a choice is announced once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.choosing import ALERT, STATUS, choose, open_tab, take_notes
from tests.browser.dialog import BANNER_LINK, DIALOG, FOOTER_LINK, answer_fetch, fail_to_save, open_dialog
from tests.browser.looks import Look, Size, Wardrobe, assert_flawless
from tests.browser.newsroom import FILM_ARTICLE, Newsroom

_SIZES: Final[Mapping[Size, tuple[int, int]]] = {"desktop": (1280, 800), "phone": (390, 844)}
_TALL: Final = 12_000
_SAVED: Final = "Your choice is saved."
_FAILED: Final = "Your choice could not be saved. Nothing was changed. Please try again."


@pytest.fixture
def tab(wardrobe: Wardrobe, look: Look) -> Page:
    """A new visitor's tab, who sees the site in one way."""
    page = wardrobe.tab(look)
    width, height = _SIZES[look.size]
    page.set_viewport_size(ViewportSize(width=width, height=height))
    return page


@pytest.fixture
def page(reader: BrowserContext, plain_url: str) -> Page:
    """A new visitor's tab, on a page that asks, which notes what is announced."""
    return open_tab(take_notes(reader), f"{plain_url}/embed")


def open_mixed(page: Page) -> None:
    open_dialog(page, FOOTER_LINK)
    service = page.locator(f"{DIALOG} [data-pvc-needs] .pvc-switch").first
    service.check()
    page.locator(f"{DIALOG} .pvc-switch[data-pvc-number]").last.check()
    service.scroll_into_view_if_needed()
    expect(page.locator(f"{DIALOG} .pvc-switch:indeterminate")).to_have_count(1)


def open_again(page: Page) -> None:
    open_mixed(page)
    choose(page, "save")
    open_dialog(page, FOOTER_LINK)


def fail_in_dialog(page: Page) -> None:
    open_dialog(page, FOOTER_LINK)
    fail_to_save(page)


def fail_in_banner(page: Page) -> None:
    answer_fetch(page)
    page.click(".pvc-banner [data-consent-action=reject_all]")
    expect(page.locator(f".pvc-banner {ALERT}")).to_be_visible()


def fail_in_embed(page: Page) -> None:
    answer_fetch(page)
    page.locator("[data-consent-action=allow]").evaluate("(button) => button.form.requestSubmit(button)")
    expect(page.locator(f".pvc-embed {ALERT}")).to_be_visible()


def save_in_dialog(page: Page) -> None:
    open_dialog(page, FOOTER_LINK)
    choose(page, "save")
    expect(page.locator(STATUS)).not_to_be_empty()


@pytest.mark.parametrize(
    "reach",
    [open_mixed, open_again, fail_in_dialog, fail_in_banner, fail_in_embed, save_in_dialog],
    ids=lambda reach: reach.__name__,
)
def test_axe_finds_nothing(tab: Page, look: Look, plain_urls: Mapping[str, str], reach: Callable[[Page], None]) -> None:
    tab.goto(f"{plain_urls[look.language]}/embed")

    assert_flawless_when(tab, look, reach)


@pytest.mark.parametrize("reach", [open_mixed, fail_in_dialog], ids=lambda reach: reach.__name__)
def test_axe_finds_nothing_on_the_newsroom(
    tab: Page, look: Look, newsroom: Newsroom, reach: Callable[[Page], None]
) -> None:
    tab.goto(f"{newsroom.url}{'/ar' if look.language == 'ar' else ''}{FILM_ARTICLE}")

    assert_flawless_when(tab, look, reach)


def assert_flawless_when(page: Page, look: Look, reach: Callable[[Page], None]) -> None:
    # axe takes a colour on its way for the last one.
    page.emulate_media(reduced_motion="reduce")
    reach(page)
    # So tall that the dialog has nothing to scroll: what its bar cuts in half counts as too small a target.
    page.set_viewport_size(ViewportSize(width=_SIZES[look.size][0], height=_TALL))

    assert_flawless(page)


def announced(page: Page) -> list[list[str]]:
    """Every change of a live region so far: role, words, and whether the region was there before them."""
    changes: list[list[str]] = page.evaluate("() => window.announced")
    return changes


@pytest.mark.parametrize("link", [BANNER_LINK, FOOTER_LINK])
def test_choice_in_the_dialog_is_announced_once(page: Page, link: str) -> None:
    page.click(link)
    choose(page, "save")

    expect(page.locator(STATUS)).to_have_text(_SAVED)
    assert announced(page) == [["status", _SAVED, "into it"]]


def test_failure_in_the_dialog_is_announced_once(page: Page) -> None:
    fail_in_dialog(page)

    assert announced(page) == [["alert", _FAILED, "with it"]]


def test_opening_toggling_and_closing_announce_nothing_of_their_own(page: Page) -> None:
    """The dialog's own name, the switch's own state: screen readers say them by themselves."""
    open_mixed(page)
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_have_count(0)

    assert announced(page) == []


@pytest.mark.parametrize("action", ["once", "allow"])
def test_embed_that_opens_under_the_banner_announces_nothing(page: Page, action: str) -> None:
    """Focus is in the frame, which says its title; the banner still asks."""
    choose(page, action)

    expect(page.locator("iframe")).to_be_focused()
    assert announced(page) == []


def test_embed_allowed_after_a_choice_announces_it_once(page: Page) -> None:
    choose(page, "reject_all")
    expect(page.locator(STATUS)).to_have_text(_SAVED)
    page.reload()

    choose(page, "allow")

    expect(page.locator(STATUS)).to_have_text(_SAVED)
    expect(page.locator("iframe")).to_be_focused()
    assert announced(page) == [["status", _SAVED, "into it"]]
