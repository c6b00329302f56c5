"""The receipt as visitors see it: on a phone and on paper, without JavaScript, in both directions and schemes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.dialog import DIALOG, open_dialog
from tests.browser.looks import Look, Wardrobe, assert_flawless
from tests.browser.receipt_site import RECEIPT, open_receipt_sites

_SCRIPTS: Final = "**/privacy-choices/assets/*.js"
OVERFLOW: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
AFTER: Final = "(element) => getComputedStyle(element, '::after').content"
BEFORE: Final = "(elements) => elements.map((each) => getComputedStyle(each, '::before').content.split('\"')[1])"


@pytest.fixture(scope="module")
def urls() -> Iterator[Mapping[str, str]]:
    """Language to address of a site with a ledger."""
    with open_receipt_sites() as running:
        yield running


def choose_twice(page: Page, url: str) -> None:
    """Accept everything, then keep one purpose and one service of another; by forms, whether or not scripts may run."""
    page.route(_SCRIPTS, lambda route: route.abort())
    page.goto(url)
    press(page, ".pvc-banner [data-consent-action=accept_all]")
    page.goto(f"{url}/privacy-choices/")
    for key in ("preferences", "marketing"):
        page.uncheck(f"#pvc-grant-{key}")
    page.check("#pvc-grant-youtube")
    press(page, "[data-consent-action=save]")
    page.unroute(_SCRIPTS)


def press(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.click(selector)


@pytest.fixture
def tab(wardrobe: Wardrobe, look: Look) -> Page:
    """A new visitor's tab, who sees the site in one way; JavaScript is on for axe's sake."""
    return wardrobe.tab(look)


def test_axe_finds_nothing_in_a_receipt(tab: Page, look: Look, urls: Mapping[str, str]) -> None:
    choose_twice(tab, urls[look.language])
    tab.goto(f"{urls[look.language]}{RECEIPT}")

    assert_flawless(tab)
    assert tab.evaluate(OVERFLOW) == 0


def test_axe_finds_nothing_where_there_is_none(tab: Page, look: Look, urls: Mapping[str, str]) -> None:
    tab.goto(f"{urls[look.language]}{RECEIPT}")

    assert_flawless(tab)


def test_the_receipt_is_reached_and_kept_without_javascript(
    context: BrowserContext, urls: Mapping[str, str], tmp_path: Path
) -> None:
    page = context.new_page()
    choose_twice(page, urls["en"])
    press(page, "text=See and keep your receipt")
    expect(page.locator(".pvc-receipt__choices > li")).to_have_count(3)
    expect(page.locator(".pvc-receipt__history > li")).to_have_count(1)

    with page.expect_download() as begun:
        page.click("text=Signed receipt")

    begun.value.save_as(tmp_path / "receipt.json")
    receipt = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    assert begun.value.suggested_filename == f"consent-receipt-{receipt['record']['record_id']}.json"
    assert receipt["record"]["decisions"]["youtube"]["state"] == "granted"
    # The page stays.
    expect(page.locator("h1")).to_have_text("Your receipt")


def test_what_was_agreed_to_is_told_by_word_and_by_the_shape_of_a_mark(
    reader: BrowserContext, urls: Mapping[str, str]
) -> None:
    page = reader.new_page()
    choose_twice(page, urls["en"])
    page.goto(f"{urls['en']}{RECEIPT}")
    states = page.locator(".pvc-receipt__choices > li", has_text="Marketing").locator(".pvc-verdict__state")

    assert states.all_inner_texts() == ["Refused", "Refused", "Agreed"]
    assert states.evaluate_all(BEFORE) == ["✕", "✕", "✓"]


def test_the_dialog_leads_to_the_receipt(reader: BrowserContext, urls: Mapping[str, str]) -> None:
    page = reader.new_page()
    page.goto(urls["en"])
    page.click(".pvc-banner [data-consent-action=accept_all]")
    expect(page.locator(".pvc-banner")).to_be_hidden()
    open_dialog(page, "[data-consent-action=settings]:visible")
    press(page, f"{DIALOG} >> text=See and keep your receipt")

    expect(page.locator("h1")).to_have_text("Your receipt")


def test_on_paper_there_is_nothing_to_press_and_the_address_is_written_out(
    reader: BrowserContext, urls: Mapping[str, str]
) -> None:
    page = reader.new_page()
    choose_twice(page, urls["en"])
    page.goto(f"{urls['en']}{RECEIPT}")
    page.emulate_media(media="print", color_scheme="dark")

    for selector in (".pvc-receipt__keep", ".pvc-page__footer", ".pvc-page__header a"):
        expect(page.locator(selector)).to_be_hidden()
    for selector in (".pvc-receipt__facts", ".pvc-receipt__choices", ".pvc-receipt__numbers", ".pvc-receipt__history"):
        expect(page.locator(selector).first).to_be_visible()
    assert f"{urls['en']}/privacy-choices/" in page.locator("[data-pvc-address]").evaluate(AFTER)
    # Black on the white of the paper, whatever the screen's scheme.
    assert page.locator("h1").evaluate("(element) => getComputedStyle(element).color") == "rgb(0, 0, 0)"


def test_a_narrow_magnified_page_needs_no_scrolling_sideways(reader: BrowserContext, urls: Mapping[str, str]) -> None:
    # WCAG 1.4.10: 320 CSS pixels.
    page = reader.new_page()
    page.set_viewport_size(ViewportSize(width=320, height=256))
    choose_twice(page, urls["en"])
    page.goto(f"{urls['en']}{RECEIPT}")

    assert page.evaluate(OVERFLOW) == 0
