"""Whatever fails with JavaScript on: the visitor is told, nothing is granted, and the plain form still works."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.choice_site import CHOICE_PATH, ChoiceSite, Post
from tests.browser.choosing import (
    ALERT,
    BANNER,
    button_of,
    choose,
    granted,
    open_tab,
    press_native,
    submit_own_form,
    take_notes,
)
from tests.browser.firefox import Firefox
from tests.browser.serving import wait_until

SITE: Final = ChoiceSite

_FAILED: Final = "Your choice could not be saved. Nothing was changed. Please try again."
_ALL: Final = {"preferences", "analytics", "marketing"}
_CHOICE: Final = re.compile(f"{CHOICE_PATH}$")
_STATE: Final = {
    "choices": {"necessary": "granted", "preferences": "granted", "analytics": "granted", "marketing": "granted"},
    "services": {"stats": "granted", "ads": "granted", "editor": "granted"},
    "regime": "opt_in",
    "needs_prompt": False,
    "policy_version": "29464681a4d7541c",
    "decided_at": "2026-08-31T12:00:00Z",
}
_HTML: Final = "<!doctype html><title>Sign in</title><form><input name=password></form>"

Fault = Callable[[Route], None]


def answer_with(status: int, body: object = "") -> Fault:
    """Make a fault: an answer that does not come from the site."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "text/html" if text is body else "application/json"}
    return lambda route: route.fulfill(status=status, body=text, headers=headers)


_FAULTS: Final[dict[str, Fault]] = {
    "no network": lambda route: route.abort("internetdisconnected"),
    "connection lost": lambda route: route.abort("connectionreset"),
    "500": answer_with(500, "<h1>Internal Server Error</h1>"),
    "500 that looks like a grant": answer_with(500, _STATE),
    "403": answer_with(403, {"error": "cross_site", "message": "The request came from another site."}),
    "503": answer_with(503, {"error": "not_recorded", "message": "The choice could not be recorded."}),
    "204": answer_with(204),
    "page instead of JSON": answer_with(200, _HTML),
    "empty": answer_with(200),
    "null": answer_with(200, None),
    "list": answer_with(200, [_STATE]),
    "error with status 200": answer_with(200, {"error": "not_recorded", "message": "Nothing was granted."}),
    "no choices": answer_with(200, {**_STATE, "choices": None}),
    "choices as a list": answer_with(200, {**_STATE, "choices": ["analytics", "marketing"]}),
    "choices of another site": answer_with(200, {**_STATE, "choices": {"statistics": True}}),
    "no services": answer_with(200, {**_STATE, "services": None}),
    "no word about the banner": answer_with(200, {**_STATE, "needs_prompt": None}),
    "half an answer": answer_with(200, json.dumps(_STATE)[:-20]),
}


@pytest.fixture
def reader(reader: BrowserContext) -> BrowserContext:
    """The same, whose pages note what the runtime says."""
    return take_notes(reader)


@pytest.fixture
def page(reader: BrowserContext, site: ChoiceSite) -> Page:
    """That visitor's tab, on a page that asks."""
    return open_tab(reader, f"{site.url}/page/one")


def break_choices(page: Page, fault: Fault) -> None:
    """Let posted choices fail; what is read still works."""
    page.route(_CHOICE, lambda route: fault(route) if route.request.method == "POST" else route.continue_())


def expect_told(page: Page, site: ChoiceSite) -> None:
    """The visitor was told once, all is as it was, and nothing opened."""
    expect(page.locator(ALERT)).to_have_text(_FAILED)
    expect(page.locator(ALERT)).to_be_visible()
    # The runtime asks what is in force now; with an answer of its own, the page has taken in that one, too.
    page.evaluate("async () => { try { await (await fetch('/bare')).text() } catch {} }")
    assert page.evaluate("() => announced") == [["alert", _FAILED, "with it"]]
    for action in ("accept_all", "reject_all"):
        expect(button_of(page, action)).to_be_enabled()
    assert page.evaluate("() => [changes.length, flaskConsent.allows('analytics')]") == [0, False]
    assert page.locator(".opened").count() == 0
    assert site.opened == []
    assert page.context.cookies() == []


# -- an answer that says nothing


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_visitor_is_told_and_the_form_works_all_the_same(
    page: Page, site: ChoiceSite, errors: list[str], fault: Fault
) -> None:
    break_choices(page, fault)
    button_of(page, "accept_all").click()
    expect_told(page, site)

    page.unroute(_CHOICE)
    press_native(page, "accept_all")

    assert site.posts == [Post(action="accept_all", is_native=True)]
    assert granted(site.state_of(page.context)) == _ALL
    expect(page.locator(".opened")).to_have_count(2)
    assert errors == []


@pytest.mark.parametrize("login_url", ["/bare", "http://choices.localhost:9/login"], ids=["here", "elsewhere"])
def test_visitor_who_is_sent_to_a_login_page_is_told(
    page: Page, site: ChoiceSite, errors: list[str], login_url: str
) -> None:
    site.login_url = login_url
    button_of(page, "accept_all").click()
    expect_told(page, site)

    site.login_url = ""
    press_native(page, "accept_all")

    assert site.posts == [Post(action="accept_all", is_native=True)]
    assert errors == []


def test_visitor_without_network_is_told_and_the_form_works_later(
    page: Page, site: ChoiceSite, errors: list[str]
) -> None:
    page.context.set_offline(True)
    button_of(page, "reject_all").click()
    expect_told(page, site)

    page.context.set_offline(False)
    press_native(page, "reject_all")

    assert site.posts == [Post(action="reject_all", is_native=True)]
    expect(page.locator(BANNER)).to_have_count(0)
    assert errors == []


def test_answer_that_never_comes_is_given_up(reader: BrowserContext, site: ChoiceSite, errors: list[str]) -> None:
    # The same wait, in a hundredth of the time.
    reader.add_init_script("""
        window.waits = [];
        const { timeout } = AbortSignal;
        AbortSignal.timeout = (wait) => (waits.push(wait), timeout.call(AbortSignal, wait / 100));
    """)
    page = reader.new_page()
    page.goto(f"{site.url}/page/one")
    break_choices(page, lambda _route: None)
    button_of(page, "accept_all").click()
    expect_told(page, site)
    assert page.evaluate("() => waits[0]") == 15_000

    page.unroute(_CHOICE)
    press_native(page, "accept_all")

    assert granted(site.state_of(reader)) == _ALL
    assert errors == []


def test_two_failures_are_told_once(page: Page, site: ChoiceSite) -> None:
    break_choices(page, answer_with(500))
    page.evaluate("""() => {
        for (const action of ["accept_all", "reject_all"]) document.querySelector(`[data-consent-action=${action}]`).click();
    }""")

    expect_told(page, site)


def test_links_are_followed_as_links_after_a_failure(page: Page, site: ChoiceSite) -> None:
    break_choices(page, answer_with(500))
    button_of(page, "accept_all").click()
    expect_told(page, site)

    press_native(page, "settings")

    assert page.url == f"{site.url}{CHOICE_PATH}"


def test_alert_is_reached_before_the_button_it_is_about(page: Page, site: ChoiceSite) -> None:
    break_choices(page, answer_with(500))
    button_of(page, "reject_all").focus()
    page.keyboard.press("Enter")
    expect_told(page, site)

    expect(button_of(page, "reject_all")).to_be_focused()
    assert button_of(page, "reject_all").evaluate("each => each.previousElementSibling.getAttribute('role')") == "alert"


# -- an answer that says no, but not to everything


def test_grant_that_cannot_be_recorded_opens_nothing(page: Page, site: ChoiceSite, errors: list[str]) -> None:
    site.is_failing_to_record = True
    button_of(page, "accept_all").click()
    expect_told(page, site)

    site.is_failing_to_record = False
    press_native(page, "accept_all")

    assert [post.is_native for post in site.posts] == [False, True]
    assert granted(site.state_of(page.context)) == _ALL
    assert errors == []


def test_what_a_choice_closed_stays_closed_where_the_rest_could_not_be_recorded(
    page: Page, site: ChoiceSite, errors: list[str]
) -> None:
    choose(page, "accept_all")
    expect(page.locator(".opened")).to_have_count(2)
    site.is_failing_to_record = True

    with page.expect_navigation():
        # Keeps analytics, and closes the rest.
        submit_own_form(page, granted="analytics", action="save")

    assert page.locator(".opened").all_inner_texts() == ["analytics"]
    assert granted(site.state_of(page.context)) == {"analytics"}
    assert errors == []


# -- in the other browser


def test_visitor_is_told_and_the_form_works_in_firefox(scripting_fox: Firefox, site: ChoiceSite) -> None:
    with scripting_fox.visitor() as tab:
        tab.open(f"{site.url}/page/one")
        site.login_url = "/bare"
        tab.click("[data-consent-action=accept_all]")
        wait_until(lambda: tab.count(ALERT) == 1)
        assert tab.text(ALERT) == _FAILED
        assert site.opened == []

        site.login_url = ""
        tab.click_through("[data-consent-action=accept_all]")

        assert site.posts == [Post(action="accept_all", is_native=True)]
        assert tab.count(".opened") == 2
        assert [message.text for message in tab.messages if message.is_uncaught] == []
