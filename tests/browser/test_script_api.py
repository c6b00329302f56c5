"""What the runtime offers to a page's own scripts: two events, and `window.flaskConsent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium

_LISTEN: Final = """
window.ready = [];
window.changes = [];
document.addEventListener("consent:ready", (event) => ready.push(event));
document.addEventListener("consent:change", (event) => changes.push(event));
"""
_RUNS: Final = "() => Object.hasOwn(window, 'flaskConsent')"
# Whether an object and what it holds cannot be changed, nor say what nobody wrote into it.
_IS_SOLID: Final = """(state) => [state, state.choices, state.services].every(
    (each) => Object.isFrozen(each) && Object.getPrototypeOf(each) === null
)"""

# Keys that a script asks about together, to the answer where only YouTube is granted.
_ALLOWED: Final = {
    (): False,
    ("necessary",): True,
    ("youtube",): True,
    ("marketing",): False,
    ("matomo",): False,
    ("youtube", "necessary"): True,
    ("youtube", "marketing"): False,
    ("marketing", "youtube"): False,
    ("youtub",): False,
    ("",): False,
    ("youtube necessary",): False,
    ("constructor",): False,
    ("__proto__",): False,
    ("youtube", "toString"): False,
}


@pytest.fixture
def tab(browser: Browser, plain_url: str) -> Iterator[Page]:
    """A new visitor's tab on a page that asks, in which every event is kept."""
    with chromium.visitor(browser, javascript=True) as visitor:
        page = visitor.new_page()
        page.add_init_script(_LISTEN)
        page.goto(f"{plain_url}/embed")
        page.wait_for_function(_RUNS)
        yield page


def press(tab: Page, action: str) -> None:
    """Press the first visible button or link of an action."""
    tab.locator(f'[data-consent-action="{action}"]:visible').first.click()


def ask_server(tab: Page) -> object:
    """Return what the server says of the tab's visitor."""
    answer: object = tab.evaluate("async () => (await fetch('/privacy-choices/state')).json()")
    return answer


def test_ready_is_sent_once_with_the_state_of_the_server(tab: Page) -> None:
    assert tab.evaluate("() => ready.map((event) => event.detail)") == [ask_server(tab)]
    assert tab.evaluate(f"() => ({_IS_SOLID})(ready[0].detail)")
    assert tab.evaluate("() => ready[0].detail === flaskConsent.state")
    assert tab.evaluate("() => ready[0].target === document")
    assert tab.evaluate("() => changes") == []


def test_change_is_sent_once_with_the_state_of_the_server(tab: Page) -> None:
    before = ask_server(tab)

    press(tab, "accept_all")

    tab.wait_for_function("() => changes.length")
    after = ask_server(tab)
    assert tab.evaluate("() => changes.map((event) => event.detail)") == [after]
    assert tab.evaluate(f"() => ({_IS_SOLID})(changes[0].detail)")
    assert tab.evaluate("() => changes[0].target === document")
    assert after != before
    # The detail of the first one stays what it was.
    assert tab.evaluate("() => ready.map((event) => event.detail)") == [before]


def test_state_is_there_for_a_script_that_comes_late(tab: Page) -> None:
    assert tab.evaluate("() => flaskConsent.state") == ask_server(tab)

    press(tab, "reject_all")
    tab.wait_for_function("() => changes.length")

    assert tab.evaluate("() => flaskConsent.state") == ask_server(tab)
    assert tab.evaluate("() => flaskConsent.state === changes[0].detail")


def test_state_is_new_when_the_change_is_told(tab: Page) -> None:
    tab.evaluate(
        """() => document.addEventListener("consent:change", () => {
            window.told = [flaskConsent.allows("analytics"), document.querySelectorAll(".pvc-embed").length];
        })"""
    )

    press(tab, "accept_all")

    # Before what was held comes in, so that a page can prepare for it.
    tab.wait_for_function("() => window.told")
    assert tab.evaluate("() => told") == [True, 1]


def test_change_is_not_sent_while_nothing_changes(tab: Page) -> None:
    with tab.expect_response("**/privacy-choices/state") as response:
        # What another tab says after each choice: not which.
        tab.evaluate("() => { new BroadcastChannel('consent').postMessage(0) }")
    response.value.finished()

    press(tab, "accept_all")

    expect(tab.locator("iframe")).to_have_count(1)
    assert tab.evaluate("() => changes.length") == 1


def test_allows_only_what_is_granted(tab: Page) -> None:
    press(tab, "allow")
    expect(tab.locator("iframe")).to_have_count(1)

    assert {keys: tab.evaluate("(keys) => flaskConsent.allows(...keys)", [*keys]) for keys in _ALLOWED} == _ALLOWED


def test_nothing_that_is_optional_is_allowed_before_a_choice(tab: Page) -> None:
    keys = tab.evaluate("() => Object.keys({ ...flaskConsent.state.choices, ...flaskConsent.state.services })")

    assert [key for key in keys if tab.evaluate("(key) => flaskConsent.allows(key)", key)] == ["necessary", "sign-in"]


def test_open_shows_the_preferences(tab: Page, plain_url: str) -> None:
    assert tab.evaluate("() => flaskConsent.open().then((value) => value === undefined)")

    expect(tab.locator("dialog.pvc-dialog [data-consent-ui=preferences]")).to_be_visible()
    assert tab.url == f"{plain_url}/embed"


def test_open_leads_to_the_preferences_page_if_it_cannot_show_them(tab: Page, plain_url: str) -> None:
    tab.route("**/assets/preferences.*.js", lambda route: route.abort())

    with tab.expect_navigation(url=f"{plain_url}/privacy-choices/"):
        tab.evaluate("() => { flaskConsent.open() }")

    expect(tab.locator("[data-consent-ui=preferences]")).to_be_visible()


def test_object_cannot_be_changed(tab: Page) -> None:
    assert tab.evaluate("() => Object.isFrozen(flaskConsent)")
    assert tab.evaluate("() => Object.keys(flaskConsent)") == ["state", "allows", "open"]


def test_second_copy_of_the_script_does_not_start(tab: Page) -> None:
    posts: list[str] = []
    tab.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    tab.evaluate(
        """() => new Promise((load) => {
            window.first = flaskConsent;
            const script = document.createElement("script");
            for (const { name, value } of document.querySelector("[data-consent-page]").attributes) {
                script.setAttribute(name, value);
            }
            script.onload = load;
            document.head.append(script);
        })"""
    )

    press(tab, "accept_all")

    expect(tab.locator("iframe")).to_have_count(1)
    assert tab.evaluate("() => flaskConsent === first")
    assert tab.evaluate("() => [ready.length, changes.length]") == [1, 1]
    assert len(posts) == 1


def test_page_that_neither_asks_nor_holds_anything_has_no_object(tab: Page, plain_url: str) -> None:
    press(tab, "accept_all")
    expect(tab.locator("iframe")).to_have_count(1)

    tab.goto(f"{plain_url}/embed")

    expect(tab.locator("iframe")).to_have_count(1)
    assert tab.evaluate("() => 'flaskConsent' in window") is False
    assert tab.evaluate("() => ready") == []
