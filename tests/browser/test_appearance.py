"""Promise 4 as it looks, and the banner on small, magnified, printed and high-contrast screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, expect

from tests.browser import chromium
from tests.browser.plain_site import LINK_COUNT

# The declarations that make two buttons look alike.
_LOOKS: Final = [
    "color",
    "background-color",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-radius",
    "font-family",
    "font-size",
    "font-weight",
    "text-decoration-line",
    "text-transform",
    "letter-spacing",
    "padding",
    "min-height",
    "box-shadow",
    "opacity",
    "cursor",
]
READ_LOOKS: Final = """(element, names) => {
  const style = getComputedStyle(element);
  return names.map((name) => style.getPropertyValue(name));
}"""
COVERED: Final = """() => {
  const focused = document.activeElement;
  const banner = document.querySelector(".pvc-banner");
  const box = focused.getBoundingClientRect();
  for (let x = 1; x < 10; x += 1) for (let y = 1; y < 10; y += 1) {
    const top = document.elementFromPoint(box.left + box.width * x / 10, box.top + box.height * y / 10);
    if (top && (focused.contains(top) || top.contains(focused) && !banner?.contains(top))) return "";
  }
  return focused.textContent;
}"""
# WCAG 1.4.12.
SPACING: Final = """* {
  line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important;
}
p { margin-block-end: 2em !important; }"""
CLIPPED: Final = """() => [...document.querySelectorAll("button, a, p, h1, h2, h3, li, label, td, th")]
  .filter((each) => each.checkVisibility() && getComputedStyle(each).overflow !== "visible"
    && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1))
  .map((each) => each.outerHTML.slice(0, 80))"""
MOVING: Final = """() => [...document.querySelectorAll("*")].flatMap((each) =>
  [null, "::before", "::after"].map((part) => getComputedStyle(each, part)))
  .filter((style) => parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0).length"""
OVERFLOW: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

ACCEPT: Final = ".pvc-banner [data-consent-action=accept_all]"
REJECT: Final = ".pvc-banner [data-consent-action=reject_all]"
# Browsers scroll by whole pixels: up to half of one may stay outside.
WHOLE: Final = 0.98
PAGES: Final = ("/links", "/embed", "/privacy-choices/", "/privacy-choices/policy", "/members")


def resize(page: Page, width: int, height: int) -> None:
    page.set_viewport_size(ViewportSize(width=width, height=height))


def box_of(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two computed colours, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    # Mixed colours are told as `color(srgb …)`, by parts of 1; the others as `rgb(…)`, by parts of 255.
    whole = 1 if color.startswith("color(srgb ") else 255
    channels = [float(part) / whole for part in re.findall(r"[\d.]+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture(params=["light", "dark"])
def shaded(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A tab in each colour scheme."""
    with chromium.visitor(browser, color_scheme=request.param) as visitor:
        yield visitor.new_page()


def test_accept_and_reject_look_alike(shaded: Page, plain_url: str) -> None:
    shaded.goto(f"{plain_url}/links")
    accept, reject = shaded.locator(ACCEPT), shaded.locator(REJECT)

    assert accept.evaluate("(each) => each.className") == reject.evaluate("(each) => each.className") == "pvc-button"
    assert accept.evaluate("(each) => each.tagName") == reject.evaluate("(each) => each.tagName") == "BUTTON"
    assert accept.evaluate(f"(each) => each.nextElementSibling === document.querySelector('{REJECT}')")
    assert accept.evaluate(READ_LOOKS, _LOOKS) == reject.evaluate(READ_LOOKS, _LOOKS)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("size", [(360, 640), (1280, 720)], ids=["phone", "desktop"])
def test_accept_and_reject_are_equally_large_and_in_view(
    page: Page, plain_urls: dict[str, str], language: str, size: tuple[int, int]
) -> None:
    resize(page, *size)
    page.goto(f"{plain_urls[language]}/links")
    boxes = box_of(page, ACCEPT), box_of(page, REJECT)

    areas = [box["width"] * box["height"] for box in boxes]
    assert 0.8 <= areas[0] / areas[1] <= 1.25
    assert boxes[0]["y"] == boxes[1]["y"]
    for selector in (ACCEPT, REJECT):
        expect(page.locator(selector)).to_be_in_viewport(ratio=1)


def test_colours_of_the_banner_contrast(shaded: Page, plain_url: str) -> None:
    shaded.goto(f"{plain_url}/links")
    surface = shaded.locator(".pvc-banner").evaluate("(each) => getComputedStyle(each).backgroundColor")
    ratios = {}
    for selector in (ACCEPT, REJECT):
        text, fill = shaded.locator(selector).evaluate(READ_LOOKS, ["color", "background-color"])
        ratios[selector] = contrast(text, fill)
        assert contrast(fill, surface) >= 3
    for selector in (".pvc-banner__lead", ".pvc-banner__terms", ".pvc-link", ".pvc-banner__purposes span"):
        (text,) = shaded.locator(selector).first.evaluate(READ_LOOKS, ["color"])
        ratios[selector] = contrast(text, surface)

    assert min(ratios.values()) >= 4.5, ratios
    assert ratios[ACCEPT] == ratios[REJECT]


def test_focus_ring_and_switches_contrast(shaded: Page, plain_url: str) -> None:
    shaded.goto(f"{plain_url}/privacy-choices/")
    surface = shaded.locator(".pvc-purpose").first.evaluate("(each) => getComputedStyle(each).backgroundColor")
    switch = shaded.locator("#pvc-grant-analytics")
    switch.focus()
    shaded.keyboard.press("Shift+Tab")
    shaded.keyboard.press("Tab")

    ring, border_off = switch.evaluate(READ_LOOKS, ["outline-color", "border-top-color"])
    switch.check()
    (border_on,) = switch.evaluate(READ_LOOKS, ["border-top-color"])
    assert min(contrast(color, surface) for color in (ring, border_off, border_on)) >= 3


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_at_320_pixels(
    page: Page, plain_urls: dict[str, str], language: str, path: str
) -> None:
    """320 CSS pixels are 1280 at 400 % (WCAG 1.4.10)."""
    resize(page, 320, 256)

    page.goto(f"{plain_urls[language]}{path}")

    assert page.evaluate(OVERFLOW) <= 0


def test_small_screen_keeps_half_for_the_page(page: Page, plain_url: str) -> None:
    resize(page, 320, 256)
    page.goto(f"{plain_url}/links")

    banner = box_of(page, ".pvc-banner")
    assert banner["width"] * banner["height"] <= 320 * 256 / 2
    for control in page.locator(".pvc-banner :is(a, button)").all():
        control.scroll_into_view_if_needed()
        expect(control).to_be_in_viewport(ratio=WHOLE)
        control.click(trial=True)


@pytest.mark.parametrize("size", [(1280, 720), (320, 256)], ids=["desktop", "magnified"])
def test_banner_never_covers_what_has_focus(page: Page, plain_url: str, size: tuple[int, int]) -> None:
    """WCAG 2.4.11."""
    resize(page, *size)
    page.goto(f"{plain_url}/links")

    covered = []
    for _ in range(4 + LINK_COUNT + 1):
        page.keyboard.press("Tab")
        covered.append(page.evaluate(COVERED))

    assert [text for text in covered if text] == []
    assert page.evaluate("() => document.activeElement.className") == "pvc-settings-link"


@pytest.mark.parametrize("size", [(360, 640), (1280, 720)], ids=["phone", "desktop"])
@pytest.mark.parametrize("path", ["/links", "/embed", "/privacy-choices/"])
def test_targets_are_large_enough(page: Page, plain_url: str, path: str, size: tuple[int, int]) -> None:
    """WCAG 2.5.8 asks for 24 pixels; buttons get 44 of our own accord."""
    resize(page, *size)
    page.goto(f"{plain_url}{path}")
    small: list[Any] = page.locator(
        ".pvc-banner :is(a, button), .pvc-embed :is(a, button), [data-consent-ui=preferences] :is(button, input:not([type=hidden]), label)"
    ).evaluate_all("""(targets) => targets.filter((each) => each.checkVisibility()).map((each) => {
        const box = each.getBoundingClientRect();
        return [each.tagName, each.textContent.trim(), box.width, box.height];
    }).filter(([tag, , width, height]) => Math.min(width, height) < (tag === "BUTTON" ? 44 : 24))""")

    assert small == []


@pytest.mark.parametrize("path", PAGES)
def test_wide_text_spacing_clips_nothing(page: Page, plain_url: str, path: str) -> None:
    resize(page, 360, 640)
    page.goto(f"{plain_url}{path}")

    # Not add_style_tag(), which waits for an event of the page's JavaScript.
    page.evaluate("(css) => { document.head.appendChild(document.createElement('style')).textContent = css }", SPACING)

    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(OVERFLOW) <= 0
    for control in page.locator(".pvc-banner :is(a, button)").all():
        control.scroll_into_view_if_needed()
        expect(control).to_be_in_viewport(ratio=WHOLE)


def test_forced_colours_keep_borders_and_states(page: Page, plain_url: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{plain_url}/links")
    for selector in (ACCEPT, REJECT, ".pvc-banner"):
        width, style, color, fill = page.locator(selector).evaluate(
            READ_LOOKS, ["border-top-width", "border-top-style", "border-top-color", "background-color"]
        )
        assert (width, style) == ("1px", "solid")
        assert color != fill

    page.goto(f"{plain_url}/privacy-choices/")
    switch = page.locator("#pvc-grant-analytics")
    off = switch.evaluate(READ_LOOKS, ["background-color"])
    switch.check()
    assert switch.evaluate(READ_LOOKS, ["background-color"]) != off


def test_nothing_moves_when_motion_is_reduced(page: Page, plain_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    for path in ("/links", "/privacy-choices/"):
        page.goto(f"{plain_url}{path}")
        assert page.evaluate(MOVING) == 0


def test_banner_is_not_printed(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")

    page.emulate_media(media="print")

    expect(page.locator(".pvc-banner")).to_be_hidden()
    assert page.evaluate("() => getComputedStyle(document.documentElement).paddingBlockEnd") == "0px"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_banner_follows_the_colour_scheme(
    browser: Browser, plain_url: str, color_scheme: Literal["light", "dark"]
) -> None:
    with chromium.visitor(browser, color_scheme=color_scheme) as visitor:
        page = visitor.new_page()
        page.goto(f"{plain_url}/links")

        fill = page.locator(".pvc-banner").evaluate("(each) => getComputedStyle(each).backgroundColor")

        assert (_luminance(fill) > 0.5) is (color_scheme == "light")


def test_right_to_left_is_a_mirror_image(page: Page, plain_urls: dict[str, str]) -> None:
    gaps = []
    for language in ("en", "ar"):
        page.goto(f"{plain_urls[language]}/links")
        text, accept = box_of(page, ".pvc-banner__text"), box_of(page, ACCEPT)
        gaps.append(accept["x"] > text["x"])

    assert gaps == [True, False]
    assert page.locator(".pvc-banner").get_attribute("dir") == "rtl"
