"""Providers hear what a visitor chose in front of their tags, in order, once, and not at all while a tag is held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Protocol

import pytest
from playwright.sync_api import Playwright

from tests.browser.expected_signals import expect_calls
from tests.browser.provider_scripts import SCRIPTS
from tests.browser.provider_site import MODES, Mode, ProviderSites
from tests.browser.signal_order import ADAPTERS, ANSWERS, SERVICES, Sight, open_with, walk
from tests.browser.watched_tab import watch_chromium, watch_firefox


class Walks(Protocol):
    def __call__(self, site: str, mode: Mode) -> Mapping[str, Sight]:
        """Return what came of a walk through a site, which is done once."""


@pytest.fixture(scope="module")
def sites() -> Iterator[ProviderSites]:
    with ProviderSites.open(SERVICES, ANSWERS) as running:
        yield running


@pytest.fixture(scope="module")
def walks(sites: ProviderSites, playwright: Playwright) -> Iterator[Walks]:
    with sites.launch_chromium(playwright) as browser:
        yield cache(lambda site, mode: walk(open_with(watch_chromium, browser), sites.find_url(site, mode)))


@pytest.fixture(scope="module")
def fox_walks(sites: ProviderSites) -> Iterator[Walks]:
    with sites.launch_firefox() as fox:
        yield cache(lambda site, mode: walk(open_with(watch_firefox, fox), sites.find_url(site, mode)))


def calls_of(sights: Mapping[str, Sight], adapter: str) -> dict[str, list[str]]:
    return {name: list(sight.calls[adapter]) for name, sight in sights.items() if adapter in sight.calls}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_provider_hears_each_call_in_order(walks: Walks, adapter: str, mode: Mode) -> None:
    assert calls_of(walks("all", mode), adapter) == expect_calls("all", adapter, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("site", ["ads", "google"])
def test_services_of_google_are_told_together(walks: Walks, site: str, mode: Mode) -> None:
    assert calls_of(walks(site, mode), "google") == expect_calls(site, "google", mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("adapter", ["google", "meta", "matomo"])
def test_provider_hears_the_same_in_firefox(fox_walks: Walks, adapter: str, mode: Mode) -> None:
    assert calls_of(fox_walks("all", mode), adapter) == expect_calls("all", adapter, mode)


@pytest.mark.parametrize("site", SERVICES)
@pytest.mark.parametrize("situation", ["first visit", "returning, denied"])
def test_nothing_of_a_provider_is_there_while_its_tag_is_held(walks: Walks, site: str, situation: str) -> None:
    assert walks(site, "basic")[situation] == Sight(calls={}, asked=frozenset())


@pytest.mark.parametrize("mode", MODES)
def test_provider_of_another_purpose_hears_nothing(walks: Walks, mode: Mode) -> None:
    told = walks("all", mode)["analytics"].calls

    assert not {"meta", "tiktok", "pinterest", "microsoft-uet"} & told.keys()


def test_tag_loads_before_the_choice_in_advanced_mode_alone(walks: Walks) -> None:
    assert walks("all", "advanced")["first visit"].asked == frozenset(SCRIPTS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("site", SERVICES)
def test_nothing_is_said_where_nothing_changed(walks: Walks, site: str, mode: Mode) -> None:
    assert walks(site, mode)["saved again"].calls == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("site", SERVICES)
def test_no_page_has_an_error(walks: Walks, site: str, mode: Mode) -> None:
    assert calls_of(walks(site, mode), "fault") == {}


def test_google_hears_one_update_a_change(walks: Walks) -> None:
    calls = calls_of(walks("google", "basic"), "google")
    updates = {name: sum('"update"' in call for call in said) for name, said in calls.items()}

    assert updates == {
        **dict.fromkeys(("accepted", "withdrawn", "analytics", "and marketing", "and preferences"), 1),
        "returning, granted": 0,
    }


def test_google_gets_commands_and_never_arrays(walks: Walks) -> None:
    said = [call for mode in MODES for calls in calls_of(walks("google", mode), "google").values() for call in calls]

    assert {call.partition("(")[0] for call in said} == {"gtag", "dataLayer.push"}


@pytest.mark.parametrize("mode", MODES)
def test_advertising_data_is_redacted_whenever_its_storage_is_denied(walks: Walks, mode: Mode) -> None:
    for calls in calls_of(walks("google", mode), "google").values():
        states = [call for call in calls if '"consent", ' in call]
        redactions = [call for call in calls if "ads_data_redaction" in call]
        assert ['"ad_storage":"denied"' in call for call in states] == ["true" in call for call in redactions]
