"""The dialog under each of four content security policies, in Chromium and Firefox: styled, usable, no violation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.browser import firefox
from tests.browser.dialog import BANNER_LINK, DIALOG
from tests.browser.policy_site import POLICIES, Policy, PolicySite, make_page
from tests.browser.watched_tab import ENGINES, Engine, WatchedTab, noted, watch_chromium, watch_firefox

# A page that has one of the dialog's stylesheets already.
_COOKIES: Final = """{% from "consent/macros.html" import cookie_table %}
{{ cookie_table() }}{% call gate("analytics") %}<p>Held</p>{% endcall %}"""
_FOCUSED: Final = "() => document.activeElement.textContent.trim()"
# One rule of each of the three stylesheets.
_LOOKS: Final = """() => [
  getComputedStyle(document.querySelector("dialog [data-consent-action=save]")).fontWeight,
  getComputedStyle(document.querySelector("dialog .pvc-switch")).appearance,
  getComputedStyle(document.querySelector("dialog caption")).textAlign,
]"""


@pytest.fixture(scope="module")
def site() -> Iterator[PolicySite]:
    pages = {"page": make_page('{{ embed(film, "ferry", title="Ferry") }}'), "cookies": make_page(_COOKIES)}
    with PolicySite.open(pages) as running:
        yield running


@pytest.fixture(params=ENGINES)
def tab(request: pytest.FixtureRequest, browser: Browser) -> Iterator[WatchedTab]:
    engine: Engine = request.param
    if engine == "chromium":
        with watch_chromium(browser) as opened:
            yield opened
        return
    fox: firefox.Firefox = request.getfixturevalue("scripting_fox")
    with watch_firefox(fox) as opened:
        yield opened


def open_dialog(tab: WatchedTab, site: PolicySite, policy: Policy, *, name: str = "page") -> None:
    tab.open(site.page_url(policy, name))
    tab.click(BANNER_LINK)
    tab.wait_until(lambda seen: seen.count(f"{DIALOG}:modal") == 1)


def complaints(tab: WatchedTab) -> list[str]:
    return [*noted(tab, "violation"), *noted(tab, "uncaught"), *noted(tab, "error")]


@pytest.mark.parametrize("policy", POLICIES)
def test_dialog_is_styled_and_saves(tab: WatchedTab, site: PolicySite, policy: Policy) -> None:
    open_dialog(tab, site, policy)
    assert tab.evaluate_in_page(_LOOKS) == ["600", "none", "start"]
    assert tab.evaluate_in_page(_FOCUSED) == "Privacy choices"

    tab.click("#pvc-grant-analytics")
    tab.click(f"{DIALOG} [data-consent-action=save]")
    tab.wait_until(lambda seen: seen.count(DIALOG) == 0 and seen.count(".pvc-banner") == 0)

    assert tab.evaluate_in_page("() => [flaskConsent.allows('analytics'), flaskConsent.allows('marketing')]") == [
        True,
        False,
    ]
    assert complaints(tab) == []


def test_stylesheet_that_the_page_has_is_not_loaded_again(tab: WatchedTab, site: PolicySite) -> None:
    """With the nonce of another answer it would not even be allowed to."""
    open_dialog(tab, site, "strict", name="cookies")

    assert tab.count("link[href*=cookie_table]") == 1
    assert tab.count(f"{DIALOG} link") == 0
    assert complaints(tab) == []


def test_focus_comes_back_when_it_is_closed(tab: WatchedTab, site: PolicySite) -> None:
    open_dialog(tab, site, "strict")

    tab.click(f"{DIALOG} .pvc-close button")
    tab.wait_until(lambda seen: seen.count(DIALOG) == 0)

    assert tab.evaluate_in_page(_FOCUSED) == "Choose by purpose"
    assert tab.evaluate_in_page("() => flaskConsent.state.decided_at") is None
    assert tab.count(".pvc-banner") == 1


def test_mixed_purpose_is_shown(tab: WatchedTab, site: PolicySite) -> None:
    open_dialog(tab, site, "strict")

    tab.click("#pvc-grant-film")

    assert tab.evaluate_in_page("() => document.querySelector('#pvc-grant-marketing').indeterminate")
    words = tab.evaluate_in_page("""() =>
      getComputedStyle(document.querySelector("#pvc-grant-marketing + *"), "::before").content""")
    # Firefox tells the rule, Chromium what comes of it.
    assert words in {'"Some"', "attr(data-mixed)"}
