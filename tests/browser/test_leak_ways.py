"""Promise 1 without the templates' help: what the table in `docs/leaks.md` says of every way to leak is so, in both browsers.

Each way is tried without the library first: what did not leak there would prove nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest
from playwright.sync_api import Playwright

from tests.browser import leaks
from tests.browser.leak_site import LeakSite, Setup, Sightings
from tests.browser.leak_tabs import open_tab
from tests.browser.leak_visit import is_to_leak, list_moments, list_pages, take_walk
from tests.browser.leak_way import Way
from tests.browser.leak_ways import WAYS
from tests.browser.watched_tab import ENGINES, Engine

Walk = Callable[[Engine], Sightings]
_SITUATIONS = [(setup, moment) for setup in Setup for moment in list_moments(setup)]


@pytest.fixture(scope="session")
def walk(playwright: Playwright) -> Walk:
    """Take one browser through the whole site, when its first test comes, and give what was seen."""

    @cache
    def take(engine: Engine) -> Sightings:
        with LeakSite.open() as site:
            for javascript in (True, False):
                with open_tab(engine, playwright, tracker_port=site.tracker_port, javascript=javascript) as tab:
                    take_walk(tab, site, engine, javascript=javascript)
            return site.seen

    return take


def claim(way: Way, engine: Engine) -> Mapping[str, bool]:
    """Return whether a way leaks, by situation, as the table says."""
    return {
        f"{setup} {moment}": is_to_leak(way, engine, setup, moment)
        for setup, moment in _SITUATIONS
        if way.page in list_pages(setup)
    }


def find(way: Way, seen: Sightings) -> Mapping[str, bool]:
    """Return whether a way leaked, by situation."""
    return {
        f"{setup} {moment}": seen.saw(setup, moment, way)
        for setup, moment in _SITUATIONS
        if way.page in list_pages(setup)
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)
def test_way_leaks_where_the_table_says(way: Way, engine: Engine, walk: Walk) -> None:
    assert find(way, walk(engine)) == claim(way, engine)


def test_most_ways_are_stopped_and_the_others_say_why() -> None:
    assert len([way for way in WAYS if way.engines and way.stops and not way.connects_in]) >= 45
    assert [way.key for way in WAYS if not way.note and not way.stops] == []


def test_table_in_the_docs_is_that_of_today() -> None:
    page = leaks.FILE.read_text(encoding="utf-8")

    assert page == leaks.replace_table(page), "Run: python -m tests.browser.leaks --write"
