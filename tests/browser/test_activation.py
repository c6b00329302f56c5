"""What gates hold comes alive by a choice as if the server had sent it: in the browser's own order, once, without a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Final

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.browser.activation import ACCEPT, ELEMENT_PATHS, PAGES, UNORDERED, Awakening, awaken, wait_for
from tests.browser.bidi import BidiError
from tests.browser.policy_site import POLICIES, Policy, PolicySite
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, noted

Awaken = Callable[[str], Awakening]

_ALWAYS: Final = (
    "external",
    "slow external",
    "external of the next gate",
    "defer",
    "module",
    "end",
    "async",
    "async module",
)
_INLINE: Final = (
    *("inline after external", "inline after slow and missing", "inline with defer", "JSON data"),
    *("inline of the next gate", "last inline", "inline module", UNORDERED),
)

whatever_the_page = pytest.mark.parametrize("page", [name for name in PAGES if name != "two-keys"])


@pytest.fixture(scope="session")
def awakenings(
    open_tab_of: Callable[[Engine], OpenTab], policy_site: PolicySite
) -> Callable[[Engine, Policy, str], Awakening | Exception]:
    """Each page is awakened once, and looked at by several tests."""

    @cache
    def find(engine: Engine, policy: Policy, page: str) -> Awakening | Exception:
        try:
            with open_tab_of(engine)() as tab:
                return awaken(tab, policy_site, policy, page)
        except (TimeoutError, BidiError, PlaywrightError) as error:
            # Kept, too: each test fails with it, but only the first one waits for it.
            return error

    return find


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


@pytest.fixture(params=POLICIES)
def policy(request: pytest.FixtureRequest) -> Policy:
    found: Policy = request.param
    return found


@pytest.fixture
def awakened(
    awakenings: Callable[[Engine, Policy, str], Awakening | Exception], engine: Engine, policy: Policy
) -> Awaken:
    def find(page: str) -> Awakening:
        found = awakenings(engine, policy, page)
        if isinstance(found, Exception):
            raise found
        return found

    return find


def in_order(ran: list[str], engine: Engine) -> list[str]:
    return [name for name in ran if not (engine == "firefox" and name == UNORDERED)]


@whatever_the_page
def test_nothing_runs_or_is_asked_for_before_the_choice(awakened: Awaken, page: str) -> None:
    shut = awakened(page).shut

    assert (shut.ran, shut.sightings) == ([], frozenset())


@whatever_the_page
def test_scripts_run_in_the_browsers_own_order(awakened: Awaken, engine: Engine, page: str) -> None:
    awakening = awakened(page)

    assert in_order([*awakening.opened.ran], engine) == in_order([*awakening.live.ran], engine)


@whatever_the_page
def test_scripts_run_once_however_often_the_page_is_stirred(awakened: Awaken, page: str) -> None:
    assert set(Counter(awakened(page).opened.ran).values()) == {1}


@whatever_the_page
def test_opening_violates_no_policy_and_leaves_no_error(awakened: Awaken, page: str) -> None:
    awakening = awakened(page)

    assert (awakening.shut.faults, awakening.opened.faults, awakening.live.faults) == ([], [], [])


@whatever_the_page
def test_opened_page_is_what_the_server_would_have_sent(awakened: Awaken, page: str) -> None:
    awakening = awakened(page)

    assert awakening.opened.markup == awakening.live.markup


def test_every_kind_of_script_comes_alive(awakened: Awaken, policy: Policy) -> None:
    expected = {*_ALWAYS, *(() if policy == "self" else _INLINE)}
    if policy == "none":
        expected |= {"external with onload", "onload"}

    assert set(awakened("kinds").opened.ran) == expected


def test_every_kind_of_element_is_loaded(awakened: Awaken) -> None:
    awakening = awakened("elements")

    assert awakening.opened.sightings == awakening.live.sightings == ELEMENT_PATHS


def test_gate_with_two_keys_waits_for_both(
    open_tab_of: Callable[[Engine], OpenTab], policy_site: PolicySite, engine: Engine, policy: Policy
) -> None:
    policy_site.forget()
    with open_tab_of(engine)() as tab:
        tab.open(policy_site.page_url(policy, "two-keys"))
        tab.click("[data-consent-action=allow]")
        tab.wait_until(lambda _: "/frame/ferry" in policy_site.vendor.sightings)
        assert noted(tab, "ran") == []

        tab.click(ACCEPT)
        wait_for(tab, ("end",))

        assert noted(tab, "ran") == ["two keys", "end"]
        assert noted(tab, "violation") == []


def test_import_map_counts_on_the_next_page_at_the_latest(
    open_tab_of: Callable[[Engine], OpenTab], policy_site: PolicySite, engine: Engine
) -> None:
    """The dialog is a module, and Firefox takes no import map once a module was loaded."""
    policy_site.forget()
    with open_tab_of(engine)() as tab:
        tab.open(policy_site.page_url("strict", "kinds"))
        tab.click(".pvc-banner [data-consent-action=settings]")
        tab.wait_until(lambda watched: watched.count("dialog.pvc-dialog[open]") == 1)
        tab.click("dialog.pvc-dialog [data-consent-action=accept_all]")
        wait_for(tab, ("end",))

        tab.reload()

        wait_for(tab, (UNORDERED,))
