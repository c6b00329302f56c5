"""axe-core finds nothing in any state, in light and dark, left to right and right to left, on phone and desktop.

Here by forms and links alone; what the browser runtime adds is looked at in `test_accessibility_with_javascript.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page

from tests.browser.looks import Look, Wardrobe, assert_flawless
from tests.browser.newsroom import FILM_ARTICLE, Newsroom


@pytest.fixture
def tab(wardrobe: Wardrobe, look: Look) -> Page:
    """A new visitor's tab whose JavaScript is on for axe's sake; the library's own does not arrive."""
    page = wardrobe.tab(look)
    page.route("**/privacy-choices/assets/*.js", lambda route: route.abort())
    return page


def press(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.locator(f'[data-consent-action="{action}"]:visible').first.click()


def open_banner(page: Page, url: str) -> None:
    page.goto(f"{url}/links")


def open_injected_link(page: Page, url: str) -> None:
    page.goto(f"{url}/bare")
    press(page, "reject_all")


def open_preferences(page: Page, url: str) -> None:
    page.goto(f"{url}/privacy-choices/")


def open_mixed_preferences(page: Page, url: str) -> None:
    page.goto(f"{url}/privacy-choices/")
    page.check("#pvc-grant-analytics")
    page.check("#pvc-grant-youtube")
    press(page, "save")


def open_preferences_after_accepting(page: Page, url: str) -> None:
    page.goto(f"{url}/")
    press(page, "accept_all")
    page.goto(f"{url}/privacy-choices/")


def open_page_after_choice(page: Page, url: str) -> None:
    page.goto(f"{url}/cookies")
    press(page, "reject_all")


def open_placeholder(page: Page, url: str) -> None:
    page.goto(f"{url}/embed")


def open_small_placeholder(page: Page, url: str) -> None:
    page.goto(f"{url}/small_embed")
    press(page, "reject_all")


def open_once(page: Page, url: str) -> None:
    page.goto(f"{url}/embed")
    press(page, "once")


def open_policy(page: Page, url: str) -> None:
    page.goto(f"{url}/privacy-choices/policy")


def open_forbidden(page: Page, url: str) -> None:
    page.goto(f"{url}/members")


def open_error(page: Page, url: str) -> None:
    page.goto(f"{url}/")
    page.locator("[data-consent-action=accept_all]").evaluate("button => { button.value = 'unheard-of' }")
    press(page, "accept_all")


@pytest.mark.parametrize(
    "open_state",
    [
        open_banner,
        open_injected_link,
        open_preferences,
        open_mixed_preferences,
        open_preferences_after_accepting,
        open_page_after_choice,
        open_placeholder,
        open_small_placeholder,
        open_once,
        open_policy,
        open_forbidden,
        open_error,
    ],
    ids=lambda state: state.__name__.removeprefix("open_"),
)
def test_axe_finds_nothing(
    tab: Page, look: Look, plain_urls: Mapping[str, str], open_state: Callable[[Page, str], None]
) -> None:
    open_state(tab, plain_urls[look.language])

    assert_flawless(tab)


def test_axe_finds_nothing_on_the_newsroom(tab: Page, look: Look, newsroom: Newsroom) -> None:
    url = newsroom.url + ("/ar" if look.language == "ar" else "")
    for path in ("/", FILM_ARTICLE):
        tab.goto(f"{url}{path}")
        assert_flawless(tab)

    press(tab, "reject_all")
    assert_flawless(tab)
    press(tab, "settings")
    assert_flawless(tab)
