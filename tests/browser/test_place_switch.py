"""The developer's tools of the newsroom, and the banner of each kind, in a browser without the library's script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import Look, Wardrobe, assert_flawless
from tests.browser.newsroom import OTHER_ARTICLE, Newsroom, read_version, visit_from
from tests.browser.test_appearance import OVERFLOW

_BENCH = "#development"


@pytest.fixture(scope="module")
def developed() -> Iterator[Newsroom]:
    """The newsroom in development."""
    with Newsroom.open(is_development=True) as running:
        yield running


@pytest.fixture
def tab(wardrobe: Wardrobe, look: Look) -> Page:
    """A new visitor's tab whose JavaScript is on for axe's sake; no script of the library or of a tracker arrives."""
    page = wardrobe.tab(look)
    page.route("**/*.js", lambda route: route.abort())
    return page


def choose(page: Page, name: str, value: str) -> None:
    with page.expect_navigation():
        page.click(f"{_BENCH} [name={name}][value={value}]")


def answer(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.click(f".pvc-banner [data-consent-action={action}]")


def test_place_is_chosen_without_javascript(page: Page, developed: Newsroom) -> None:
    page.goto(f"{developed.url}{OTHER_ARTICLE}")
    choose(page, "place", "JP")

    assert page.url == f"{developed.url}{OTHER_ARTICLE}{_BENCH}"
    expect(page.locator(".pvc-banner button")).to_have_text(["I agree"])
    expect(page.locator(f"{_BENCH} [aria-pressed=true]")).to_have_text(["Japan JP", "Revised version"])
    expect(page.locator(f"{_BENCH} [value=JP]")).to_be_in_viewport(ratio=1)


def test_revised_document_is_announced_after_the_switch(page: Page, developed: Newsroom) -> None:
    page.goto(developed.url)
    choose(page, "version", "earlier")
    answer(page, "reject_all")
    expect(page.locator(".pvc-banner")).to_have_count(0)
    choose(page, "version", "revised")

    expect(page.locator(".pvc-banner__title")).to_have_text("Revised: Privacy policy")
    answer(page, "acknowledge")
    expect(page.locator(".pvc-banner")).to_have_count(0)


def test_lone_button_takes_the_width_of_two(page: Page, developed: Newsroom) -> None:
    widths = {}
    for place in ("JP", "FR"):
        visit_from(page.context, developed.url, place)
        page.goto(developed.url)
        boxes = [button.bounding_box() for button in page.locator(".pvc-banner button").all()]
        ends = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
        widths[place] = max(end for _, end in ends) - min(start for start, _ in ends)

    assert widths["JP"] == pytest.approx(widths["FR"], abs=1)


@pytest.mark.parametrize("place", ["JP", "US-CA"])
def test_axe_finds_nothing_on_a_banner_and_the_tools(tab: Page, developed: Newsroom, look: Look, place: str) -> None:
    visit_from(tab.context, developed.url, place)
    tab.goto(f"{developed.url}{'/ar/' if look.language == 'ar' else '/'}")

    expect(tab.locator(".pvc-banner")).to_be_visible()
    assert_flawless(tab)


def test_axe_finds_nothing_on_an_announcement(tab: Page, developed: Newsroom, look: Look) -> None:
    read_version(tab.context, developed.url, "earlier")
    tab.goto(f"{developed.url}{'/ar/privacy' if look.language == 'ar' else '/privacy'}")
    answer(tab, "reject_all")
    read_version(tab.context, developed.url, "revised")
    tab.reload()

    expect(tab.locator(".pvc-banner")).to_be_visible()
    assert_flawless(tab)


@pytest.mark.parametrize("edition", ["/", "/ar/"])
def test_tools_fit_into_320_pixels(page: Page, developed: Newsroom, edition: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{developed.url}{edition}")

    assert page.evaluate(OVERFLOW) <= 0
