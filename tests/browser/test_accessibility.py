"""axe-core finds nothing in any state, in light and dark, left to right and right to left, on phone and desktop.

Here by forms and links alone; what the browser runtime adds is looked at in `test_accessibility_with_javascript.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.browser.newsroom import FILM_ARTICLE, Newsroom

_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES: Final[Mapping[str, tuple[int, int]]] = {"desktop": (1280, 720), "phone": (360, 640)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a visitor sees the site."""

    color_scheme: Literal["light", "dark"]
    language: str
    size: str


# Every pair of scheme, language and size is among them.
LOOKS: Final = [
    Look(color_scheme="light", language="en", size="desktop"),
    Look(color_scheme="dark", language="ar", size="desktop"),
    Look(color_scheme="dark", language="en", size="phone"),
    Look(color_scheme="light", language="ar", size="phone"),
]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.color_scheme}-{look.language}-{look.size}")
def look(request: pytest.FixtureRequest) -> Look:
    chosen: Look = request.param
    return chosen


@pytest.fixture
def scripted(browser: Browser, look: Look) -> Iterator[BrowserContext]:
    """A visitor whose JavaScript is on for axe's sake; the library's own does not arrive."""
    with chromium.visitor(
        browser, javascript=True, color_scheme=look.color_scheme, viewport=SIZES[look.size]
    ) as visitor:
        visitor.route("**/privacy-choices/assets/*.js", lambda route: route.abort())
        yield visitor


def press(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.locator(f'[data-consent-action="{action}"]:visible').first.click()


def assert_flawless(page: Page) -> None:
    results = Axe().run(page, options={"runOnly": _RULES, "resultTypes": ["violations"]})

    assert results.violations_count == 0, results.generate_report()


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
    scripted: BrowserContext, look: Look, plain_urls: Mapping[str, str], open_state: Callable[[Page, str], None]
) -> None:
    page = scripted.new_page()
    open_state(page, plain_urls[look.language])

    assert_flawless(page)


def test_axe_finds_nothing_on_the_newsroom(scripted: BrowserContext, look: Look, newsroom: Newsroom) -> None:
    url = newsroom.url + ("/ar" if look.language == "ar" else "")
    page = scripted.new_page()
    for path in ("/", FILM_ARTICLE):
        page.goto(f"{url}{path}")
        assert_flawless(page)

    press(page, "reject_all")
    assert_flawless(page)
    press(page, "settings")
    assert_flawless(page)
