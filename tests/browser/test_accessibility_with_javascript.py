"""What the browser runtime does to banner and page, for those who listen, use a keyboard, magnify or see other colours.

The dialog's own part of this is in `test_dialog_accessibility.py` and `test_dialog_look.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.choosing import ALERT, BANNER, STATUS, button_of, choose, take_notes
from tests.browser.looks import Look, Wardrobe, assert_flawless
from tests.browser.plain_site import LINK_COUNT
from tests.browser.test_appearance import (
    ACCEPT,
    CLIPPED,
    COVERED,
    MOVING,
    OVERFLOW,
    READ_LOOKS,
    REJECT,
    SPACING,
    WHOLE,
    contrast,
    resize,
)

_STOPS: Final = f"{BANNER} :is(a, button)"
_BOXES: Final = """(stops) => stops.map((stop) => {
  const { top, bottom, left, right } = stop.getBoundingClientRect();
  return { top, bottom, left, right };
})"""
_FOCUSED: Final = "() => document.activeElement.textContent.trim()"
_RING: Final = """() => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
  return [outlineStyle, parseFloat(outlineWidth), outlineColor];
}"""

_MAGNIFIED: Final = (320, 256)
_SCREENS: Final = {"desktop": (1280, 720), "phone": (360, 640), "magnified": _MAGNIFIED}

Reach = Callable[[Page, str], None]


@pytest.fixture(params=_SCREENS)
def screen(request: pytest.FixtureRequest) -> tuple[int, int]:
    return _SCREENS[request.param]


@pytest.fixture
def page(reader: BrowserContext) -> Page:
    """A new visitor's tab with JavaScript on, which notes what is announced."""
    return take_notes(reader).new_page()


def tab_to(page: Page, selector: str) -> None:
    """Go on with the Tab key until it has the focus."""
    for _ in range(LINK_COUNT):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"The Tab key does not reach {selector}.")


def ask(page: Page, url: str) -> None:
    page.goto(f"{url}/links")


def accept(page: Page, url: str) -> None:
    ask(page, url)
    tab_to(page, ACCEPT)
    page.keyboard.press("Enter")
    page.locator(f"{STATUS}:not(:empty)").wait_for(state="attached")


def reject(page: Page, url: str) -> None:
    ask(page, url)
    tab_to(page, REJECT)
    page.keyboard.press("Space")
    page.locator(f"{STATUS}:not(:empty)").wait_for(state="attached")


def fail(page: Page, url: str) -> None:
    """Be told in the banner that it did not work."""
    ask(page, url)
    page.route("**/privacy-choices/*", lambda route: route.abort())
    tab_to(page, REJECT)
    page.keyboard.press("Enter")
    page.locator(f"{BANNER} {ALERT}").wait_for()


def hold(page: Page, url: str) -> None:
    """Look at a placeholder, after the choice."""
    page.goto(f"{url}/embed")
    choose(page, "reject_all")


def fail_to_load(page: Page, url: str) -> None:
    """Be told in a small placeholder that it did not work."""
    page.goto(f"{url}/small_embed")
    choose(page, "reject_all")
    page.route("**/privacy-choices/*", lambda route: route.abort())
    button_of(page, "allow").click()
    page.locator(f".pvc-embed {ALERT}").wait_for()


def load(page: Page, url: str) -> None:
    """Have an embed where its placeholder was."""
    hold(page, url)
    choose(page, "once")


def name_of(reach: Reach) -> str:
    return reach.__name__


# -- what axe-core finds


@pytest.mark.parametrize("reach", [ask, accept, reject, fail, hold, load], ids=name_of)
def test_axe_finds_nothing(wardrobe: Wardrobe, look: Look, plain_urls: Mapping[str, str], reach: Reach) -> None:
    page = wardrobe.tab(look)

    reach(page, plain_urls[look.language])

    assert_flawless(page)


# -- by keyboard


@pytest.mark.parametrize("language", ["en", "ar"])
def test_tab_goes_the_way_that_the_eye_goes(
    page: Page, plain_urls: Mapping[str, str], language: str, screen: tuple[int, int]
) -> None:
    resize(page, *screen)
    ask(page, plain_urls[language])
    boxes = page.locator(_STOPS).evaluate_all(_BOXES)
    words = page.locator(_STOPS).all_inner_texts()

    for before, after in pairwise(boxes):
        is_beside = after["left"] >= before["right"] if language == "en" else after["right"] <= before["left"]
        assert after["top"] >= before["bottom"] or (after["top"] == before["top"] and is_beside)
    met = []
    for _ in words:
        page.keyboard.press("Tab")
        met.append(page.evaluate(_FOCUSED))
    assert met == words


@pytest.mark.parametrize(("reach", "stops"), [(ask, 4), (fail, 2), (accept, 0)], ids=["ask", "fail", "accept"])
def test_nothing_covers_what_has_focus(
    page: Page, plain_url: str, screen: tuple[int, int], reach: Reach, stops: int
) -> None:
    """WCAG 2.4.11, with the banner, with what it says of a failure, and once it is gone."""
    resize(page, *screen)
    reach(page, plain_url)

    covered = []
    for _ in range(stops + LINK_COUNT + 1):
        page.keyboard.press("Tab")
        covered.append(page.evaluate(COVERED))

    assert [words for words in covered if words] == []
    assert page.evaluate("() => document.activeElement.className") == "pvc-settings-link"


@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize(("button", "is_granted"), [(ACCEPT, True), (REJECT, False)], ids=["accept", "reject"])
def test_buttons_answer_to_both_keys(page: Page, plain_url: str, button: str, key: str, is_granted: bool) -> None:
    ask(page, plain_url)
    tab_to(page, button)

    page.keyboard.press(key)

    expect(page.locator(BANNER)).to_have_count(0)
    assert page.evaluate("() => flaskConsent.allows('analytics')") is is_granted
    assert page.url == f"{plain_url}/links"


def test_links_answer_to_enter(page: Page, plain_url: str) -> None:
    ask(page, plain_url)
    tab_to(page, f"{BANNER} [data-consent-action=settings]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")

    tab_to(page, f"{BANNER} [href$=policy]")
    page.keyboard.press("Enter")

    page.wait_for_url(f"{plain_url}/privacy-choices/policy")


@pytest.mark.parametrize("tabs", [0, 1], ids=["on the page", "in the banner"])
def test_escape_decides_nothing(page: Page, plain_url: str, tabs: int) -> None:
    ask(page, plain_url)
    for _ in range(tabs):
        page.keyboard.press("Tab")

    page.keyboard.press("Escape")

    # What comes after it in the queue of input has been done: so has Escape.
    page.keyboard.press("Tab")
    expect(page.locator(f"{BANNER} :focus")).to_have_count(1)
    assert page.evaluate("() => [changes.length, flaskConsent.state.needs_prompt]") == [0, True]
    assert page.context.cookies() == []


@pytest.mark.parametrize("reach", [accept, reject], ids=name_of)
def test_focus_goes_to_the_words_and_on_to_the_first_link(page: Page, plain_url: str, reach: Reach) -> None:
    reach(page, plain_url)
    expect(page.locator(STATUS)).to_be_focused()

    page.keyboard.press("Tab")

    assert page.evaluate(_FOCUSED) == "Story 1"


def test_page_stays_where_it_was_scrolled_to(page: Page, plain_url: str) -> None:
    ask(page, plain_url)
    page.evaluate("() => scrollTo(0, 400)")

    page.locator(ACCEPT).click()

    expect(page.locator(STATUS)).to_be_focused()
    assert page.evaluate("() => scrollY") == 400


def test_page_that_asks_keeps_focus_and_scrolling(page: Page, plain_url: str) -> None:
    ask(page, plain_url)
    page.wait_for_function("() => window.flaskConsent")

    assert page.evaluate("() => document.activeElement === document.body")
    assert page.locator("[inert], [aria-hidden=true]:not(svg), [aria-modal]").count() == 0
    page.evaluate("() => scrollTo(0, 400)")
    assert page.evaluate("() => scrollY") == 400


@pytest.mark.parametrize("reach", [ask, fail], ids=name_of)
def test_every_stop_shows_its_focus(page: Page, plain_url: str, reach: Reach) -> None:
    reach(page, plain_url)

    for selector in (f"{BANNER} [data-consent-action=settings]", f"{BANNER} [href$=policy]"):
        tab_to(page, selector)
        style, width, _ = page.evaluate(_RING)
        assert (style, width) == ("solid", 3)


# -- for those who listen


@pytest.mark.parametrize("reach", [accept, reject], ids=name_of)
def test_choice_is_announced_once(page: Page, plain_urls: Mapping[str, str], reach: Reach) -> None:
    """And in the page's own language."""
    reach(page, plain_urls["ar"])
    words = page.locator(STATUS).inner_text()

    # Whatever else happens on the page says nothing of it again.
    page.keyboard.press("Tab")
    page.evaluate("() => document.querySelector('main').append('More')")

    assert page.evaluate("() => announced") == [["status", words, "into it"]]
    expect(page.locator(f"{STATUS}, {ALERT}")).to_have_count(1)


def test_failure_is_announced_once(page: Page, plain_urls: Mapping[str, str]) -> None:
    fail(page, plain_urls["ar"])
    words = page.locator(ALERT).inner_text()

    page.keyboard.press("Tab")
    page.evaluate("() => document.querySelector('main').append('More')")

    assert page.evaluate("() => announced") == [["alert", words, "with it"]]
    expect(page.locator(f"{STATUS}, {ALERT}")).to_have_count(1)


# -- magnified, spread out, in other colours, still, on paper


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("reach", [accept, fail, fail_to_load], ids=name_of)
def test_no_page_scrolls_sideways_when_magnified(
    page: Page, plain_urls: Mapping[str, str], language: str, reach: Reach
) -> None:
    """WCAG 1.4.10: 320 by 256 CSS pixels are 1280 by 1024 at 400 %."""
    resize(page, *_MAGNIFIED)

    reach(page, plain_urls[language])

    assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize("reach", [fail, fail_to_load], ids=name_of)
def test_failure_is_seen_where_it_happened(page: Page, plain_url: str, screen: tuple[int, int], reach: Reach) -> None:
    resize(page, *screen)

    reach(page, plain_url)

    expect(page.locator(ALERT)).to_be_in_viewport(ratio=WHOLE)


@pytest.mark.parametrize("reach", [accept, fail, fail_to_load], ids=name_of)
def test_wide_text_spacing_clips_nothing(page: Page, plain_url: str, reach: Reach) -> None:
    """WCAG 1.4.12."""
    resize(page, *_SCREENS["phone"])
    reach(page, plain_url)

    page.add_style_tag(content=SPACING)

    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize("is_forced", [True, False], ids=["forced colours", "more contrast"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_words_and_focus_are_seen_in_other_colours(
    page: Page, plain_url: str, color_scheme: Literal["light", "dark"], is_forced: bool
) -> None:
    page.emulate_media(
        color_scheme=color_scheme,
        forced_colors="active" if is_forced else "none",
        contrast="no-preference" if is_forced else "more",
    )
    fail(page, plain_url)
    surface = page.locator(BANNER).evaluate("(each) => getComputedStyle(each).backgroundColor")

    (text,) = page.locator(ALERT).evaluate(READ_LOOKS, ["color"])
    style, width, ring = page.evaluate(_RING)

    assert contrast(text, surface) >= 7
    assert (style, width) == ("solid", 3)
    assert contrast(ring, surface) >= 3
    assert_flawless(page)


@pytest.mark.parametrize("reach", [accept, fail, load], ids=name_of)
def test_nothing_moves_when_motion_is_reduced(page: Page, plain_url: str, reach: Reach) -> None:
    page.emulate_media(reduced_motion="reduce")

    reach(page, plain_url)

    assert page.evaluate(MOVING) == 0


@pytest.mark.parametrize("reach", [accept, fail], ids=name_of)
def test_nothing_of_it_is_printed(page: Page, plain_url: str, reach: Reach) -> None:
    reach(page, plain_url)

    page.emulate_media(media="print")

    expect(page.locator(BANNER).filter(visible=True)).to_have_count(0)
    for note in page.locator(f"{STATUS}, {ALERT}").all():
        assert note.is_hidden() or note.evaluate("(each) => getComputedStyle(each).clipPath") == "inset(50%)"
