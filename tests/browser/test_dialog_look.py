"""The dialog on large, small and magnified screens, in both writing directions, printed and in forced colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.dialog import DIALOG, FOOTER_LINK, PANEL, fail_to_save, open_dialog
from tests.browser.newsroom import Newsroom
from tests.browser.test_appearance import WHOLE, contrast, resize

# Whether what has focus, if anything has, lies on top in the middle and just inside of its four sides; corners may be round.
_COVERED: Final = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  for (const box of focused.getClientRects()) for (const [x, y] of [[.5, .5], [.05, .5], [.95, .5], [.5, .1], [.5, .9]]) {
    const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
    if (!focused.contains(top)) return `${focused.id} ${focused.textContent.trim()}: under ${top?.className}`;
  }
  return "";
}"""
_OVERFLOW: Final = "(panel) => panel.scrollWidth - panel.clientWidth"
_SPACING: Final = """* {
  line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important;
}
p { margin-block-end: 2em !important; }"""
_STYLES: Final = "(element, names) => names.map((name) => getComputedStyle(element).getPropertyValue(name))"

SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "desktop": (1280, 800),
    "phone": (390, 844),
    "small-phone": (320, 568),
    "magnified": (320, 256),
}


# One by one, each is brought into view; then as much of it must be in the window, and in what scrolls in the dialog, and
# a press in its middle must reach it. Within the page, for thirty controls in a dozen dialogs: from outside each waits for frames.
_OUT_OF_REACH: Final = """async (dialog, whole) => {
  const seen = (control) => new Promise((tell) => {
    const observer = new IntersectionObserver(([entry]) => (observer.disconnect(), tell(entry.intersectionRatio)));
    observer.observe(control);
  });
  const missed = [];
  const controls = [...dialog.querySelectorAll("a, button, .pvc-switch")];
  for (const control of controls) {
    control.scrollIntoView({ block: "center", behavior: "instant" });
    const ratio = await seen(control);
    const [box] = control.getClientRects();
    const top = box && document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!(ratio >= whole) || !control.contains(top)) missed.push(`${control.outerHTML}: ${ratio}, under ${top?.outerHTML}`);
  }
  return controls.length ? missed : ["There are no controls."];
}"""


@pytest.fixture(params=["en", "ar"])
def language(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def page(browser: Browser, plain_urls: Mapping[str, str], language: str) -> Iterator[Page]:
    """A new visitor's tab, on a page that asks, with JavaScript on."""
    with chromium.visitor(browser, javascript=True) as visitor:
        opened = visitor.new_page()
        opened.goto(f"{plain_urls[language]}/links")
        yield opened


def out_of_reach(page: Page) -> list[str]:
    """Controls of the dialog that a visitor cannot bring into view, or not press there."""
    missed: list[str] = page.locator(DIALOG).evaluate(_OUT_OF_REACH, WHOLE)
    return missed


# In Arabic the same rules hold in a mirror: where the screen is smallest, they have the least room.
@pytest.mark.parametrize(
    ("language", "size"), [*(("en", size) for size in SIZES), ("ar", "small-phone")], indirect=["language"]
)
@pytest.mark.parametrize("is_failed", [False, True], ids=["as-opened", "failed"])
def test_nothing_covers_what_has_focus(page: Page, size: str, is_failed: bool) -> None:
    """WCAG 2.4.11, stricter: all of it is seen."""
    resize(page, *SIZES[size])
    open_dialog(page, FOOTER_LINK)
    if is_failed:
        fail_to_save(page)
    controls = page.locator(f"{DIALOG} :is(a, button, input:not([type=hidden])):visible").count()
    covered = []

    for key in ("Tab", "Shift+Tab"):
        for _ in range(controls + 1):
            page.keyboard.press(key)
            covered.append(page.evaluate(_COVERED))

    focused = [words for words in covered if words is not None]
    assert len(focused) > controls
    assert [words for words in focused if words] == []


@pytest.mark.parametrize("size", SIZES)
def test_dialog_fits_the_screen_and_scrolls_inside(page: Page, size: str) -> None:
    width, height = SIZES[size]
    resize(page, width, height)
    open_dialog(page, FOOTER_LINK)
    box = page.locator(DIALOG).bounding_box()

    assert box is not None
    assert 0 < box["x"] < width - box["width"]
    assert 0 < box["y"] < height - box["height"]
    assert box["width"] <= 46 * 16
    assert page.locator(PANEL).evaluate(_OVERFLOW) <= 0
    assert out_of_reach(page) == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_way_out_and_buttons_are_in_sight_wherever_it_is_scrolled(page: Page, size: str) -> None:
    resize(page, *SIZES[size])
    open_dialog(page, FOOTER_LINK)

    for position in (0, 700, 99_999):
        page.locator(PANEL).evaluate("(panel, top) => panel.scrollTo(0, top)", position)
        for selector in (".pvc-close button", *(f"[data-consent-action={name}]" for name in ("save", "reject_all"))):
            expect(page.locator(f"{DIALOG} {selector}")).to_be_in_viewport(ratio=WHOLE)


@pytest.mark.parametrize("size", ["desktop", "phone", "magnified"])
def test_wide_text_spacing_cuts_nothing_off(page: Page, size: str) -> None:
    resize(page, *SIZES[size])
    open_dialog(page, FOOTER_LINK)

    page.add_style_tag(content=_SPACING)

    assert page.locator(PANEL).evaluate(_OVERFLOW) <= 0
    assert out_of_reach(page) == []


def test_accepting_and_rejecting_look_alike(page: Page) -> None:
    names = ["color", "background-color", "border-top-color", "border-top-width", "font-size", "font-weight", "padding"]
    resize(page, *SIZES["phone"])
    open_dialog(page, FOOTER_LINK)
    page.mouse.move(0, 0)
    accept, reject = (page.locator(f"{DIALOG} [data-consent-action={name}]") for name in ("accept_all", "reject_all"))

    assert accept.evaluate(_STYLES, names) == reject.evaluate(_STYLES, names)
    boxes = accept.bounding_box(), reject.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["y"], boxes[0]["width"], boxes[0]["height"]) == (
        boxes[1]["y"],
        boxes[1]["width"],
        boxes[1]["height"],
    )


def test_right_to_left_is_a_mirror_image(page: Page, language: str) -> None:
    open_dialog(page, FOOTER_LINK)
    title, close = (page.locator(f"{DIALOG} {name}").bounding_box() for name in ("h1", ".pvc-close button"))
    label, switch = (
        page.locator(f"{DIALOG} {name}").bounding_box()
        for name in ("label[for=pvc-grant-analytics]", "#pvc-grant-analytics")
    )

    assert title is not None
    assert close is not None
    assert label is not None
    assert switch is not None
    assert (title["x"] < close["x"], label["x"] < switch["x"]) == (language == "en", language == "en")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_controls_contrast_on_plain_site_and_newsroom(
    browser: Browser, plain_url: str, newsroom: Newsroom, color_scheme: Literal["light", "dark"]
) -> None:
    with chromium.visitor(browser, javascript=True, color_scheme=color_scheme) as visitor:
        for url in (f"{plain_url}/links", newsroom.url):
            page = visitor.new_page()
            page.goto(url)
            page.emulate_media(reduced_motion="reduce")
            open_dialog(page, FOOTER_LINK)
            page.locator(f"{DIALOG} [data-pvc-needs] .pvc-switch").first.check()
            page.locator(f"{DIALOG} [data-pvc-number]").last.check()

            assert min(_ratios_of_switches(page).values()) >= 3
            assert (
                contrast(
                    *page.locator(f"{DIALOG} .pvc-quiet-button").first.evaluate(
                        _STYLES, ["border-top-color", "background-color"]
                    )
                )
                >= 3
            )


def _ratios_of_switches(page: Page) -> dict[str, float]:
    """Contrast of what shows each state, by state: border on card, thumb on track."""
    looks: dict[str, list[str]] = page.locator(DIALOG).evaluate("""(dialog) => Object.fromEntries(
      [":not(:checked, :indeterminate)", ":indeterminate", ":checked"].map((state) => {
        const input = dialog.querySelector(".pvc-switch" + state);
        const [whole, thumb] = [getComputedStyle(input), getComputedStyle(input, "::before")];
        const card = getComputedStyle(input.closest(".pvc-purpose"));
        return [state, [whole.borderTopColor, card.backgroundColor, thumb.backgroundColor, whole.backgroundColor]];
      }))""")
    return {state: min(contrast(*colors[:2]), contrast(*colors[2:])) for state, colors in looks.items()}


def test_forced_colours_keep_borders_and_tell_the_three_states_apart(page: Page) -> None:
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    open_dialog(page, FOOTER_LINK)
    page.locator("#pvc-grant-matomo").check()
    page.locator("#pvc-grant-marketing").check()

    width, style, color, fill = page.locator(DIALOG).evaluate(
        _STYLES, ["border-top-width", "border-top-style", "border-top-color", "background-color"]
    )
    assert (width, style) == ("1px", "solid")
    assert color != fill
    looks: list[Any] = page.locator(
        DIALOG
    ).evaluate("""(dialog) => ["preferences", "analytics", "marketing"].map((key) => {
      const thumb = getComputedStyle(dialog.querySelector("#pvc-grant-" + key), "::before");
      return thumb.marginInlineStart + thumb.backgroundColor;
    })""")
    assert len(set(looks)) == 3


@pytest.mark.parametrize("place", [".pvc-banner", DIALOG])
def test_forced_colours_keep_the_words_of_buttons(page: Page, place: str) -> None:
    """Text in a system colour stays as it is while the fill beneath it gives way: the two must not become one."""
    page.emulate_media(forced_colors="active")
    open_dialog(page, FOOTER_LINK)

    buttons = page.locator(f"{place} button").all()
    assert len(buttons) >= 2
    for button in buttons:
        assert contrast(*button.evaluate(_STYLES, ["color", "background-color"])) >= 4.5


def test_nothing_moves_when_motion_is_reduced(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_dialog(page, FOOTER_LINK)

    moving = page.evaluate("""() => [...document.querySelectorAll("dialog, dialog *")].flatMap((each) =>
        [null, "::before", "::after", "::backdrop"].map((part) => getComputedStyle(each, part)))
        .filter((style) => parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0).length""")
    assert moving == 0


def test_page_and_not_the_dialog_is_printed(page: Page) -> None:
    open_dialog(page, FOOTER_LINK)

    page.emulate_media(media="print")

    expect(page.locator(DIALOG)).to_be_hidden()
    assert page.evaluate("() => getComputedStyle(document.documentElement).overflow") == "visible"
