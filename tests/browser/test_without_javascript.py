"""Promise 3: everything can be done with JavaScript off, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.newsroom import FILM_ARTICLE, Newsroom


def press(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.locator(f'[data-consent-action="{action}"]:visible').first.click()


def banner_of(page: Page) -> Locator:
    return page.locator("[data-consent-ui=banner]")


def state_of(page: Page, url: str) -> dict[str, Any]:
    """What the site holds of this visitor."""
    other_tab = page.context.new_page()
    answer = other_tab.goto(f"{url}/privacy-choices/state")
    assert answer is not None
    state: dict[str, Any] = answer.json()
    other_tab.close()
    return state


def granted_of(page: Page, url: str) -> set[str]:
    state = state_of(page, url)
    return {key for key, choice in {**state["choices"], **state["services"]}.items() if choice == "granted"}


def focused(page: Page) -> str:
    """Words or value of what has focus; empty for nothing."""
    words: str = page.evaluate(
        "() => document.activeElement === document.body ? '' : document.activeElement.textContent.trim()"
    )
    return words


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_banner_answers_and_comes_back_to_the_same_page(page: Page, plain_url: str, action: str) -> None:
    page.goto(f"{plain_url}/links?a=1&b=%C3%A9")

    press(page, action)

    assert page.url == f"{plain_url}/links?a=1&b=%C3%A9"
    expect(banner_of(page)).to_have_count(0)
    assert state_of(page, plain_url)["needs_prompt"] is False


def test_banner_leads_to_the_preferences(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")

    press(page, "settings")

    assert page.url == f"{plain_url}/privacy-choices/"
    expect(page.locator("[data-consent-ui=preferences]")).to_be_visible()
    expect(banner_of(page)).to_have_count(0)


def test_first_visit_shows_every_switch_off(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")

    assert page.locator(".pvc-switch").count() > 3
    assert page.locator(".pvc-switch:checked").count() == 0


def test_saving_one_purpose_grants_it_with_its_services_alone(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.check("#pvc-grant-analytics")

    press(page, "save")

    assert granted_of(page, plain_url) == {"necessary", "sign-in", "analytics", "google-analytics", "matomo"}
    expect(page.locator("[role=status]")).to_be_visible()


def test_saving_one_service_grants_that_service_alone(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.check("#pvc-grant-matomo")

    press(page, "save")

    assert granted_of(page, plain_url) == {"necessary", "sign-in", "matomo"}


def test_service_of_two_purposes_needs_both(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.check("#pvc-grant-analytics")
    page.check("#pvc-grant-marketing")

    press(page, "save")

    assert "reader-panel" in granted_of(page, plain_url)


def test_service_switch_goes_while_its_purpose_is_on(page: Page, plain_url: str) -> None:
    """What is saved is what is shown: no switch of its own says off while the purpose says on."""
    page.goto(f"{plain_url}/privacy-choices/")
    own_switch = page.locator("#pvc-grant-matomo")
    expect(own_switch).to_be_visible()

    page.check("#pvc-grant-analytics")
    expect(own_switch).to_be_hidden()

    page.uncheck("#pvc-grant-analytics")
    expect(own_switch).to_be_visible()


def test_service_of_two_purposes_keeps_its_switch_until_both_are_on(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    own_switch = page.locator("#pvc-grant-reader-panel")

    page.check("#pvc-grant-analytics")
    expect(own_switch).to_be_visible()

    page.check("#pvc-grant-marketing")
    expect(own_switch).to_be_hidden()


def test_preferences_come_back_as_they_were_saved(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.check("#pvc-grant-preferences")
    page.check("#pvc-grant-matomo")
    press(page, "save")
    saved = granted_of(page, plain_url)

    page.goto(f"{plain_url}/privacy-choices/")
    checked = page.locator(".pvc-switch:checked")
    assert set(checked.evaluate_all("switches => switches.map(each => each.value)")) == {"preferences", "matomo"}
    press(page, "save")

    assert granted_of(page, plain_url) == saved


def test_changing_a_switch_submits_nothing(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.check("#pvc-grant-analytics")
    page.goto(f"{plain_url}/links")

    assert page.context.cookies() == []
    expect(banner_of(page)).to_be_visible()


def test_enter_in_the_preferences_saves(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/privacy-choices/")
    page.locator("#pvc-grant-analytics").focus()
    page.keyboard.press("Space")

    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert "analytics" in granted_of(page, plain_url)
    assert "marketing" not in granted_of(page, plain_url)


def test_withdrawing_takes_no_more_clicks_than_accepting_in_the_same_place(page: Page, plain_url: str) -> None:
    """D11: one button, as accepting is one; once the banner is gone, the one link on every page leads to both."""
    page.goto(f"{plain_url}/links")
    press(page, "accept_all")

    press(page, "settings")
    press(page, "withdraw")

    assert granted_of(page, plain_url) == {"necessary", "sign-in"}
    page.goto(f"{plain_url}/links")
    expect(banner_of(page)).to_have_count(0)


def test_settings_link_has_the_same_words_on_every_page(page: Page, newsroom: Newsroom) -> None:
    words = set()
    for path in ("/", FILM_ARTICLE, "/search", "/nowhere"):
        page.goto(f"{newsroom.url}{path}")
        words.add(page.locator(".pvc-settings-link").inner_text())

    assert words == {"Privacy choices"}


def test_embed_is_a_labelled_group_with_two_buttons_and_a_link(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/embed")
    embed = page.get_by_role("group", name="Embedded content: Big Buck Bunny")

    expect(embed.get_by_role("button")).to_have_count(2)
    assert (embed.get_by_role("link").get_attribute("href") or "").startswith("https://www.youtube.com/")
    expect(page.locator("iframe")).to_have_count(0)


def test_embed_keeps_its_size_while_it_waits(page: Page, newsroom: Newsroom) -> None:
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    held = page.locator("[data-consent-embed]").bounding_box()
    press(page, "accept_all")
    live = page.locator("iframe[src*='video.localhost']").bounding_box()

    assert held is not None
    assert live is not None
    assert (held["width"], held["height"]) == pytest.approx((live["width"], live["height"]), abs=3)


def test_forbidden_page_opens_after_the_choice(page: Page, plain_url: str) -> None:
    answer = page.goto(f"{plain_url}/members")
    assert answer is not None
    assert answer.status == 403

    press(page, "settings")
    page.check("#pvc-grant-preferences")
    press(page, "save")
    with page.expect_navigation():
        page.get_by_role("link", name="Back to the page").click()

    assert page.url == f"{plain_url}/members"
    expect(page.locator("main")).to_contain_text("Members")


def test_page_takes_no_focus_and_stays_scrollable(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")

    assert focused(page) == ""
    assert page.evaluate("() => getComputedStyle(document.documentElement).overflow") == "visible"
    assert page.evaluate("() => getComputedStyle(document.body).overflow") == "visible"
    page.evaluate("() => scrollTo(0, 400)")
    assert page.evaluate("() => scrollY") == 400
    assert page.locator("[inert], [aria-hidden=true]:not(svg), [aria-modal]").count() == 0


def test_tab_meets_the_banner_first_and_leaves_it(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")
    met = []

    for _ in range(5):
        page.keyboard.press("Tab")
        met.append(focused(page))

    assert met == ["Accept all", "Reject all", "Choose by purpose", "Cookie list", "Story 1"]
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Cookie list"


@pytest.mark.parametrize(("tabs", "key", "is_granted"), [(1, "Enter", True), (2, "Space", False)])
def test_keyboard_alone_answers(page: Page, plain_url: str, tabs: int, key: str, is_granted: bool) -> None:
    page.goto(f"{plain_url}/links")
    for _ in range(tabs):
        page.keyboard.press("Tab")

    with page.expect_navigation():
        page.keyboard.press(key)

    assert ("analytics" in granted_of(page, plain_url)) is is_granted
    expect(banner_of(page)).to_have_count(0)


def test_escape_grants_nothing(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")
    page.keyboard.press("Tab")

    page.keyboard.press("Escape")

    page.goto(f"{plain_url}/links")
    expect(banner_of(page)).to_be_visible()
    assert page.context.cookies() == []


def test_every_stop_in_the_banner_shows_its_focus(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")

    for _ in range(4):
        page.keyboard.press("Tab")
        width, style = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement); return [parseFloat(s.outlineWidth), s.outlineStyle] }"
        )
        assert width >= 2
        assert style == "solid"


def test_refusal_is_not_asked_again(page: Page, plain_url: str) -> None:
    page.goto(f"{plain_url}/links")
    press(page, "reject_all")

    for number in range(20):
        page.goto(f"{plain_url}/links?{number}")
        assert banner_of(page).count() == 0


def test_readable_order_without_styles(page: Page, plain_url: str) -> None:
    page.route("**/*.css", lambda route: route.abort())
    page.goto(f"{plain_url}/links")

    assert banner_of(page).evaluate("each => each === document.body.firstElementChild")
    press(page, "reject_all")
    expect(banner_of(page)).to_have_count(0)
