"""Nothing that visitors write into a page is run by the runtime, and nothing of it keeps the site's own gates shut."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, product
from typing import Final

import pytest

from tests.browser.activation import ACCEPT
from tests.browser.gadget_visit import DIALOG, Outcome, choose, finish, visit
from tests.browser.gadgets import BLOCKS, GROUPS, PAGES, POLLUTIONS, UNOPENABLE
from tests.browser.policy_site import POLICIES, Policy, PolicySite
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, noted

_STATE: Final = "GET /privacy-choices/state"


@pytest.fixture(params=ENGINES)
def open_tab(request: pytest.FixtureRequest, open_tab_of: Callable[[Engine], OpenTab]) -> OpenTab:
    return open_tab_of(request.param)


# Policies are checked by the same specification in both: in Firefox, none and the strictest stand for all, by turns.
@pytest.mark.parametrize(
    ("engine", "policy", "group"),
    [
        *(("chromium", *each) for each in product(POLICIES, GROUPS)),
        *(("firefox", *each) for each in zip(cycle(("none", "strict")), GROUPS, strict=False)),
    ],
)
def test_foreign_markup_never_runs(
    open_tab_of: Callable[[Engine], OpenTab], policy_site: PolicySite, engine: Engine, policy: Policy, group: str
) -> None:
    with open_tab_of(engine)() as tab:
        assert visit(tab, policy_site, policy, group) == Outcome.harmless(policy)


@pytest.mark.parametrize("policy", ["none", "strict"])
@pytest.mark.parametrize("pollution", ["object-prototype", "array-methods"])
def test_polluted_prototypes_grant_nothing_and_keep_nothing_shut(
    open_tab: OpenTab, policy_site: PolicySite, policy: Policy, pollution: str
) -> None:
    with open_tab(POLLUTIONS[pollution]) as tab:
        assert visit(tab, policy_site, policy, "own") == Outcome.harmless(policy)


def test_page_without_a_working_iterator_stays_shut_and_usable(open_tab: OpenTab, policy_site: PolicySite) -> None:
    with open_tab(POLLUTIONS["array-iterator"]) as tab:
        assert visit(tab, policy_site, "strict", "own", is_crippled=True) == Outcome.harmless("strict")


def test_runtime_that_checks_no_key_would_be_found(open_tab_of: Callable[[Engine], OpenTab]) -> None:
    """Prove that the tests beside this one could fail."""
    with PolicySite.open(PAGES, checks_key=False) as site, open_tab_of("chromium")() as tab:
        outcome = visit(tab, site, "strict", "blocks")

    assert outcome.attacks == {form.key for form in BLOCKS} - UNOPENABLE


def test_other_tabs_are_followed_where_markup_is_named_prerendering(open_tab: OpenTab, policy_site: PolicySite) -> None:
    policy_site.forget()
    with open_tab() as tab:
        tab.open(policy_site.page_url("none", "images-named-after-members"))

        tab.evaluate_in_page("() => new BroadcastChannel('consent').postMessage(0)")

        tab.wait_until(lambda _: _STATE in policy_site.seen)


def test_page_works_where_markup_is_named_trusted_types_and_the_browser_has_none(
    open_tab: OpenTab, policy_site: PolicySite
) -> None:
    with open_tab("delete window.trustedTypes;") as tab:
        tab.open(policy_site.page_url("none", "images-named-after-members"))
        choose(tab, policy_site, ACCEPT)
        finish(tab)

        assert noted(tab, "uncaught") == []


def test_polluted_prototype_clears_no_storage(open_tab: OpenTab, policy_site: PolicySite) -> None:
    pollution = 'Object.prototype.storage = [{ service: "x", area: "localStorage", name: "*" }];'
    with open_tab(pollution) as tab:
        tab.open(policy_site.page_url("none", "own"))
        tab.evaluate_in_page("() => localStorage.setItem('cart', 'full')")
        choose(tab, policy_site, ACCEPT)
        finish(tab)
        tab.reload()
        finish(tab, times=2)

        assert tab.evaluate_in_page("() => localStorage.getItem('cart')") == "full"


def test_click_that_a_script_sends_to_the_window_is_no_error(open_tab: OpenTab, policy_site: PolicySite) -> None:
    with open_tab() as tab:
        tab.open(policy_site.page_url("none", "own"))

        tab.evaluate_in_page("() => { document.dispatchEvent(new Event('click')); dispatchEvent(new Event('click')) }")

        assert noted(tab, "uncaught") == []


def test_visitor_is_not_led_astray_where_the_dialog_cannot_be_had(open_tab: OpenTab, policy_site: PolicySite) -> None:
    """A `<base>` of an attacker must not decide where the preferences are."""
    policy_site.forget()
    with open_tab("window.fetch = () => Promise.reject(new TypeError('blocked'));") as tab:
        tab.open(policy_site.page_url("none", "base"))

        tab.click(".pvc-settings-link")
        tab.wait_until(lambda watched: watched.count("[data-consent-ui=preferences]") == 1)

        assert policy_site.vendor.sightings == ()
        assert tab.count(DIALOG) == 0
