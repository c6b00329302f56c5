"""A container of Google Tag Manager, and the tags in it, load when their purposes are granted and never before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Protocol

import pytest
from playwright.sync_api import Playwright

from tests.browser.provider_site import Mode, ProviderSites
from tests.browser.serving import wait_until
from tests.browser.signal_order import open_with
from tests.browser.tag_container import (
    ADS,
    ANALYTICS,
    ANSWERS,
    CONTAINER,
    DECLARED,
    EVENT,
    SERVICES,
    SITE,
    visit_container,
)
from tests.browser.watched_tab import watch_chromium


class Visits(Protocol):
    def __call__(self, mode: Mode) -> Mapping[str, frozenset[str]]:
        """Return which hosts the browser asked, by step, of a visit that is made once."""


@pytest.fixture(scope="module")
def sites() -> Iterator[ProviderSites]:
    with ProviderSites.open(SERVICES, ANSWERS, declared=DECLARED) as running:
        yield running


@pytest.fixture(scope="module")
def visits(sites: ProviderSites, playwright: Playwright) -> Iterator[Visits]:
    with sites.launch_chromium(playwright) as browser:
        yield cache(lambda mode: visit_container(open_with(watch_chromium, browser), sites.find_url(SITE, mode)))


def test_held_container_waits_for_both_of_its_purposes(visits: Visits) -> None:
    assert visits("basic") == {
        "first visit": frozenset(),
        "analytics only": frozenset(),
        "accepted": {CONTAINER, ANALYTICS, ADS, EVENT},
        "withdrawn": frozenset(),
    }


def test_container_that_loads_before_the_choice_loads_each_tag_with_its_purpose(visits: Visits) -> None:
    assert visits("advanced") == {
        "first visit": {CONTAINER},
        "analytics only": {ANALYTICS},
        "accepted": {ADS, EVENT},
        "withdrawn": {CONTAINER},
    }


def test_hosts_saw_what_the_browser_says_it_sent(sites: ProviderSites, visits: Visits) -> None:
    visits("basic")
    visits("advanced")

    wait_until(lambda: len(sites.hosts.asked) == 9)
    assert {host: sites.hosts.asked.count(host) for host in ANSWERS} == {CONTAINER: 3, ANALYTICS: 2, ADS: 2, EVENT: 2}
