"""With JavaScript a choice is made in place: posted once, believed only as the server answers, told once."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.choice_site import ChoiceSite, Post
from tests.browser.choosing import (
    BANNER,
    STATUS,
    button_of,
    choose,
    granted,
    open_tab,
    opened_of,
    record_errors,
    submit_own_form,
    take_notes,
)
from tests.browser.newsroom import FILM_ARTICLE, HOST, Newsroom
from tests.browser.same_page import is_marked, mark
from tests.browser.serving import wait_until

SITE = ChoiceSite

_SAVED = "Your choice is saved."
_ALL = {"preferences", "analytics", "marketing"}


@pytest.fixture
def reader(reader: BrowserContext) -> BrowserContext:
    """The same, whose pages note what the runtime says."""
    return take_notes(reader, is_patient=True)


@pytest.fixture
def page(reader: BrowserContext, site: ChoiceSite) -> Page:
    """That visitor's tab, on a page that asks."""
    opened = open_tab(reader, f"{site.url}/page/one")
    mark(opened)
    return opened


# -- in place


def test_accepting_opens_what_was_held_without_a_page_load(page: Page, site: ChoiceSite) -> None:
    choose(page, "accept_all")

    wait_until(lambda: sorted(site.opened) == ["analytics/one", "marketing/one"])
    assert opened_of(page) == ["analytics", "marketing"]
    expect(page.locator(BANNER)).to_have_count(0)
    assert is_marked(page)
    assert site.posts == [Post(action="accept_all", is_native=False)]
    assert granted(site.state_of(page.context)) == _ALL


def test_rejecting_takes_the_banner_away_without_a_page_load(page: Page, site: ChoiceSite) -> None:
    choose(page, "reject_all")

    expect(page.locator(BANNER)).to_have_count(0)
    assert opened_of(page) == []
    assert is_marked(page)
    assert site.posts == [Post(action="reject_all", is_native=False)]
    assert {cookie.get("name") for cookie in page.context.cookies()} == {"consent"}
    state = site.state_of(page.context)
    assert (granted(state), state["needs_prompt"]) == (set(), False)


def test_rejection_stays_when_more_is_read(page: Page, site: ChoiceSite) -> None:
    choose(page, "reject_all")

    page.goto(f"{site.url}/page/two")

    expect(page.locator(BANNER)).to_have_count(0)
    assert opened_of(page) == []
    assert site.opened == []


def test_article_opens_frames_scripts_and_pixels_in_place(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    held = page.locator("[data-consent-embed]").bounding_box()

    choose(page, "accept_all")

    frame = page.locator("iframe[src*='video.localhost']")
    assert held is not None
    assert frame.bounding_box() == pytest.approx(held, abs=3)
    frame.scroll_into_view_if_needed()
    expected = {
        *("stats.localhost/s.js", "stats.localhost/beacon", "ads.localhost/ad.js", "ads.localhost/ad"),
        *("social.localhost/share.js", "video.localhost/embed/first-crossing"),
    }
    wait_until(lambda: expected <= set(newsroom.sightings))
    assert {f"{HOST}:hs_id", f"{HOST}:consent"} <= {f"{each['domain']}:{each['name']}" for each in reader.cookies()}
    assert page.locator("script[data-consent-gate], [data-consent-embed]").count() == 0


# -- what scripts are told


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_scripts_are_told_once_with_what_the_server_says(page: Page, site: ChoiceSite, action: str) -> None:
    choose(page, action)

    state = site.state_of(page.context)
    assert page.evaluate("() => changes") == [state]
    assert page.evaluate("() => flaskConsent.state") == state
    assert state["decided_at"] is not None


def test_scripts_are_told_when_the_runtime_has_started(page: Page, site: ChoiceSite) -> None:
    assert page.evaluate("() => ready") == [site.state_of(page.context)]
    assert page.evaluate("() => changes") == []


def test_nothing_that_scripts_are_given_can_be_changed(page: Page) -> None:
    choose(page, "accept_all")

    frozen = """() => [flaskConsent, ...[ready[0], changes[0], flaskConsent.state].flatMap(
        (state) => [state, state.choices, state.services])].map((each) => Object.isFrozen(each))"""
    assert page.evaluate(frozen) == [True] * 10
    page.evaluate("() => { try { flaskConsent.state = {} } catch {} try { flaskConsent.allows = () => 1 } catch {} }")
    assert page.evaluate("() => flaskConsent.allows('unknown')") is False


def test_scripts_can_ask_what_is_granted(page: Page) -> None:
    questions = [("necessary",), ("analytics",), ("stats",), ("analytics", "ads"), ("analytics", "unknown"), ()]
    ask = "(questions) => questions.map((keys) => flaskConsent.allows(...keys))"
    assert page.evaluate(ask, questions) == [True, False, False, False, False, False]

    choose(page, "accept_all")

    assert page.evaluate(ask, questions) == [True, True, True, True, False, False]


def test_what_a_script_changes_grants_nothing(page: Page, site: ChoiceSite) -> None:
    """S56: the page's copy of the state is a copy."""
    page.evaluate("""() => {
        document.querySelector("[data-consent-page]").dataset.consentPage = '{"state": {"choices": {"analytics": "granted"}}}';
        Object.prototype.analytics = "granted";
        Object.prototype.granted = "granted";
    }""")

    choose(page, "reject_all")

    assert page.evaluate("() => flaskConsent.allows('analytics')") is False
    assert granted(site.state_of(page.context)) == set()
    assert site.opened == []


# -- what the visitor is told


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_visitor_is_told_once_by_a_region_that_was_there_before_its_words(page: Page, action: str) -> None:
    choose(page, action)

    expect(page.locator(STATUS)).to_have_text(_SAVED)
    expect(page.locator(STATUS)).to_have_count(1)
    assert page.evaluate("() => announced") == [["status", _SAVED, "into it"]]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_focus_goes_from_the_banner_to_what_it_came_to(page: Page, key: str) -> None:
    button_of(page, "reject_all").focus()

    page.keyboard.press(key)

    expect(page.locator(STATUS)).to_be_focused()
    expect(page.locator(STATUS)).to_have_text(_SAVED)
    page.keyboard.press("Tab")
    expect(page.locator("#other")).to_be_focused()


def test_focus_elsewhere_stays_where_it_is(page: Page) -> None:
    page.locator("#other").focus()

    page.evaluate("() => document.querySelector('[data-consent-action=reject_all]').click()")

    expect(page.locator(STATUS)).to_have_text(_SAVED)
    expect(page.locator("#other")).to_be_focused()


# -- one effect


def test_double_click_is_one_choice(page: Page, site: ChoiceSite) -> None:
    with site.late_answer():
        button_of(page, "accept_all").dblclick()
        wait_until(lambda: bool(site.posts))

    expect(page.locator(BANNER)).to_have_count(0)
    choose_more(page, site)
    assert site.actions == ["accept_all", "allow"]


def choose_more(page: Page, site: ChoiceSite) -> None:
    """Make another choice that changes something: whatever was posted before it has reached the server then."""
    submit_own_form(page, granted="analytics", action="allow")
    wait_until(lambda: site.actions[-1] == "allow")


def test_key_held_down_is_one_choice(page: Page, site: ChoiceSite) -> None:
    button_of(page, "reject_all").focus()

    with site.late_answer():
        for _ in range(8):
            page.keyboard.down("Enter")
        wait_until(lambda: bool(site.posts))
    page.keyboard.up("Enter")

    expect(page.locator(BANNER)).to_have_count(0)
    assert site.actions == ["reject_all"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [("accept_all", "reject_all", set[str]()), ("reject_all", "accept_all", _ALL)],
)
def test_last_of_two_quick_choices_wins(
    page: Page, site: ChoiceSite, first: str, last: str, expected: set[str]
) -> None:
    with site.late_answer():
        button_of(page, first).click()
        button_of(page, last).click()
        wait_until(lambda: bool(site.posts))
        # The second waits for the first, or they could overtake each other on their way.
        assert site.actions == [first]

    wait_until(lambda: site.actions == [first, last])
    page.wait_for_function(
        "(has) => flaskConsent.allows('analytics') === has && changes.length !== 1", arg=bool(expected)
    )
    assert granted(site.state_of(page.context)) == expected
    expect(page.locator(BANNER)).to_have_count(0)
    expect(page.locator(".opened")).to_have_count(2 if expected else 0)


def test_choice_counts_when_the_page_is_left_at_once(page: Page, site: ChoiceSite) -> None:
    with site.late_answer():
        page.evaluate("""() => {
            document.querySelector("[data-consent-action=reject_all]").click();
            location.assign("/bare");
        }""")
        page.wait_for_url("**/bare")
        wait_until(lambda: bool(site.posts))

    wait_until(lambda: not site.state_of(page.context)["needs_prompt"])
    assert site.posts == [Post(action="reject_all", is_native=False)]


def test_choice_counts_when_the_tab_is_closed_at_once(page: Page, site: ChoiceSite) -> None:
    other = page.context.new_page()
    other.goto(f"{site.url}/bare")

    page.evaluate("() => document.querySelector('[data-consent-action=reject_all]').click()")
    page.close()

    wait_until(lambda: site.posts == [Post(action="reject_all", is_native=False)])
    wait_until(lambda: not site.state_of(other.context)["needs_prompt"])


# -- left to the browser


def test_form_of_the_page_itself_is_left_alone(page: Page, site: ChoiceSite) -> None:
    page.goto(f"{site.url}/bare")

    with page.expect_navigation():
        page.locator("button[value=reject_all]").click()

    assert site.posts == [Post(action="reject_all", is_native=True)]


def test_choices_in_place_leave_no_error(reader: BrowserContext, page: Page, site: ChoiceSite) -> None:
    errors = record_errors(reader)

    choose(page, "accept_all")
    wait_until(lambda: len(site.opened) == 2)

    assert errors == []
