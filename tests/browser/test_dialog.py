"""The preferences in a dialog: fetched when asked for, focus in and back, and no way of closing it is a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium, layout_shift
from tests.browser.choosing import BANNER, STATUS, choose, open_tab, record_errors
from tests.browser.dialog import BANNER_LINK, DIALOG, FOOTER_LINK, TITLE, open_dialog

_FOCUSED: Final = "() => document.activeElement === document.body ? '' : document.activeElement.textContent.trim()"
_IS_FOCUS_INSIDE: Final = "() => document.activeElement.closest('dialog') !== null"
_WHERE: Final = """() => [...document.querySelectorAll("main h1, main li:last-child, footer a, .pvc-banner")]
  .map((each) => JSON.stringify(each.getBoundingClientRect()))"""


@pytest.fixture
def page(reader: BrowserContext, plain_url: str) -> Page:
    """That visitor's tab, on a page that asks."""
    return open_tab(reader, f"{plain_url}/links")


@pytest.fixture
def classic_page(browser: Browser, plain_url: str) -> Iterator[Page]:
    """The same where scrollbars take room."""
    with browser.browser_type.launch(
        executable_path=chromium.EXECUTABLE, args=["--no-sandbox"], ignore_default_args=["--hide-scrollbars"]
    ) as classic:
        opened = classic.new_page()
        opened.add_init_script(layout_shift.NOTE_SHIFTS)
        opened.goto(f"{plain_url}/links")
        yield opened


def posts_of(context: BrowserContext) -> list[str]:
    """Give a list that fills with what is posted."""
    posts: list[str] = []
    context.on("request", lambda request: posts.append(request.post_data or "") if request.method == "POST" else None)
    return posts


# -- opening


@pytest.mark.parametrize("link", [BANNER_LINK, FOOTER_LINK])
def test_dialog_opens_from_a_link(page: Page, plain_url: str, link: str) -> None:
    open_dialog(page, link)

    assert page.url == f"{plain_url}/links"
    expect(page.locator(f"{DIALOG}:modal")).to_have_count(1)
    expect(page.get_by_role("dialog", name=TITLE)).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("heading", level=1)).to_have_text(TITLE)


def test_dialog_opens_for_a_script(page: Page) -> None:
    page.evaluate("() => flaskConsent.open()")

    expect(page.get_by_role("dialog", name=TITLE)).to_be_visible()


def test_nothing_of_it_is_loaded_before_it_is_asked_for(reader: BrowserContext, plain_url: str) -> None:
    sent = chromium.record_requests(reader)
    page = reader.new_page()
    page.goto(f"{plain_url}/links", wait_until="networkidle")
    before = [url for url in sent if "preferences." in url or url.endswith("/privacy-choices/")]

    open_dialog(page)

    assert before == []
    assert len([url for url in sent if "preferences." in url]) == 2


@pytest.mark.parametrize("key", ["ControlOrMeta", "Shift"])
def test_link_with_a_modifier_key_is_left_to_the_browser(
    page: Page, plain_url: str, key: Literal["ControlOrMeta", "Shift"]
) -> None:
    with page.context.expect_page() as opened:
        page.locator(BANNER_LINK).click(modifiers=[key])

    assert opened.value.url == f"{plain_url}/privacy-choices/"
    expect(page.locator(DIALOG)).to_have_count(0)


def test_two_clicks_open_one_dialog(page: Page) -> None:
    errors = record_errors(page.context)
    page.locator(BANNER_LINK).focus()

    page.evaluate("() => Promise.all([flaskConsent.open(), flaskConsent.open(), flaskConsent.open()]).then(() => 0)")

    expect(page.locator(DIALOG)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_have_count(0)
    # The second would have taken the first for where focus came from.
    expect(page.locator(BANNER_LINK)).to_be_focused()
    assert errors == []


def test_copy_that_a_script_kept_with_the_page_is_not_shown_and_gives_way(page: Page) -> None:
    """Turbo Drive and htmx keep pages as they are when the visitor goes on, and bring them back."""
    open_dialog(page)
    page.evaluate("() => { const kept = document.body.innerHTML; document.body.innerHTML = kept }")
    copy = page.locator(DIALOG)
    expect(copy).to_have_count(1)
    expect(copy).to_be_hidden()
    assert page.evaluate("() => getComputedStyle(document.documentElement).overflow") == "visible"

    open_dialog(page, FOOTER_LINK)

    expect(copy).to_have_count(1)


def test_script_on_the_preferences_page_gets_no_second_form(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")

    page.evaluate("() => flaskConsent.open()")

    expect(page.locator("[data-consent-ui=preferences]")).to_have_count(1)
    assert page.url == f"{plain_url}/privacy-choices/"


def test_dialog_shows_what_is_stored(page: Page) -> None:
    open_dialog(page)
    page.check("#pvc-grant-preferences")
    page.check("#pvc-grant-matomo")
    choose(page, "save")

    open_dialog(page, FOOTER_LINK)

    on = page.locator(f"{DIALOG} .pvc-switch:checked")
    assert on.evaluate_all("switches => switches.map(each => each.value)") == ["preferences", "matomo"]
    expect(page.locator(DIALOG)).to_contain_text("It lasts until")


# -- focus


def test_focus_goes_to_the_title_and_stays_inside(page: Page) -> None:
    open_dialog(page)
    met = [page.evaluate(_FOCUSED)]
    controls = page.locator(f"{DIALOG} :is(a, button, input:not([type=hidden])):visible").count()

    for _ in range(controls + 3):
        page.keyboard.press("Tab")
        # After the last one comes the browser's own bar, and then the first again.
        assert page.evaluate(_IS_FOCUS_INSIDE) or page.evaluate(_FOCUSED) == ""
        met.append(page.evaluate(_FOCUSED))

    assert met[:2] == [TITLE, "Close"]
    assert met[controls - 2 : controls + 1] == ["Save my choices", "Accept all", "Reject all"]
    assert "Close" in met[controls + 1 :]


@pytest.mark.parametrize("link", [BANNER_LINK, FOOTER_LINK])
def test_focus_comes_back_to_what_opened_it(page: Page, link: str) -> None:
    open_dialog(page, link)

    page.keyboard.press("Escape")

    expect(page.locator(link)).to_be_focused()


def test_focus_is_not_lost_when_the_banner_goes_with_the_choice(page: Page) -> None:
    open_dialog(page)
    choose(page, "save")

    expect(page.locator(BANNER)).to_have_count(0)
    expect(page.locator(DIALOG)).to_have_count(0)
    expect(page.locator(STATUS)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED) == "Story 1"


def test_focus_is_back_at_the_link_after_a_choice(page: Page) -> None:
    open_dialog(page, FOOTER_LINK)

    choose(page, "save")

    expect(page.locator(DIALOG)).to_have_count(0)
    expect(page.locator(FOOTER_LINK)).to_be_focused()


def test_page_stays_where_it_is_when_the_banner_goes(page: Page) -> None:
    page.evaluate("() => scrollTo(0, 500)")

    choose(page, "reject_all")

    expect(page.locator(STATUS)).to_be_focused()
    assert page.evaluate("() => scrollY") == 500


# -- closing


@pytest.mark.parametrize(
    "close",
    [
        lambda page: page.keyboard.press("Escape"),
        lambda page: page.click(f"{DIALOG} .pvc-close button"),
        lambda page: page.evaluate("() => document.querySelector('dialog').close()"),
    ],
    ids=["escape", "button", "script"],
)
def test_closing_saves_nothing(page: Page, close: Callable[[Page], None]) -> None:
    posts = posts_of(page.context)
    state = page.evaluate("() => JSON.stringify(flaskConsent.state)")
    open_dialog(page)
    page.check("#pvc-grant-marketing")

    close(page)

    expect(page.locator(DIALOG)).to_have_count(0)
    expect(page.locator(BANNER)).to_be_visible()
    assert page.evaluate("() => JSON.stringify(flaskConsent.state)") == state
    page.reload()
    expect(page.locator(BANNER)).to_be_visible()
    assert (posts, page.context.cookies()) == ([], [])


def test_dialog_begins_anew_after_closing(page: Page) -> None:
    open_dialog(page)
    page.check("#pvc-grant-marketing")
    page.keyboard.press("Escape")

    open_dialog(page)

    expect(page.locator(".pvc-switch:checked")).to_have_count(0)


def test_nothing_of_the_page_moves(classic_page: Page) -> None:
    page = classic_page
    page.evaluate("() => scrollTo(0, 300)")
    layout_shift.begin(page)
    before, bar = page.evaluate(_WHERE), page.evaluate("() => innerWidth - document.documentElement.clientWidth")

    page.evaluate("() => flaskConsent.open()")
    expect(page.locator(DIALOG)).to_be_visible()
    during = page.evaluate(_WHERE)
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_have_count(0)

    assert bar > 0
    assert before == during == page.evaluate(_WHERE)
    assert layout_shift.shifts_of(page) == []


def test_page_behind_does_not_scroll_until_it_is_closed(page: Page) -> None:
    page.evaluate("() => scrollTo(0, 300)")
    overflow = "() => getComputedStyle(document.documentElement).overflow"
    open_dialog(page)

    assert page.evaluate(overflow) == "hidden"
    page.mouse.move(5, 5)
    page.mouse.wheel(0, 400)
    page.mouse.move(640, 400)
    page.mouse.wheel(0, 4000)
    page.wait_for_function("() => document.querySelector('dialog > *').scrollTop > 500")
    assert page.evaluate("() => scrollY") == 300
    page.keyboard.press("Escape")
    assert page.evaluate(overflow) == "visible"


def test_page_keys_scroll_it_from_the_title(page: Page) -> None:
    open_dialog(page)

    page.keyboard.press("PageDown")

    page.wait_for_function("() => document.querySelector('dialog > *').scrollTop > 100")
