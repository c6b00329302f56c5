"""Pages and files that arrive damaged or not at all: gates stay shut, forms and links work, and no error is left uncaught."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser
from werkzeug import Response

from tests.browser.rough_site import (
    EMBEDDED,
    PREFERENCES,
    SETTINGS,
    Fault,
    RoughSite,
    choose,
    expect_decided,
    expect_shut,
    open_undecided,
)
from tests.browser.watched_tab import WatchedTab, noted, watch_chromium

SITE: Final = RoughSite


@pytest.fixture
def tab(browser: Browser) -> Iterator[WatchedTab]:
    """A new visitor's tab in Chromium."""
    with watch_chromium(browser) as opened:
        yield opened


def change(markup: str, replacement: str) -> Callable[[str], str]:
    """Make a proxy that replaces what a pattern finds."""
    return lambda page: re.sub(markup, lambda _: replacement, page)


# -- assets that do not arrive, or not whole


_FAULTS: Final[dict[str, Fault]] = {
    "cut off": lambda content: Response(
        content[: len(content) // 2], mimetype="text/javascript", headers={"Content-Length": str(len(content))}
    ),
    "missing": lambda _: Response("Not found", status=404, mimetype="text/plain"),
    "error page": lambda _: Response(
        "<h1>Gone</h1>", mimetype="text/html", headers={"X-Content-Type-Options": "nosniff"}
    ),
    "half": lambda content: Response(content[: len(content) // 2], mimetype="text/javascript"),
    "empty": lambda _: Response("", mimetype="text/javascript"),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_forms_and_links_work_where_the_runtime_is(tab: WatchedTab, site: RoughSite, fault: Fault) -> None:
    site.faults = {"consent.js": fault}
    open_undecided(tab, site)

    assert choose(tab, site, "accept_all") == "by the form"

    expect_decided(tab, site, is_granted=True)
    tab.click(SETTINGS)
    tab.wait_until(lambda tab: tab.count(f"main {PREFERENCES}") == 1)
    # What cannot be read is an error of the browser's own.
    assert [line for line in noted(tab, "uncaught") if "SyntaxError" not in line] == []


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_settings_link_leads_to_the_page_where_the_module_is(tab: WatchedTab, site: RoughSite, fault: Fault) -> None:
    site.faults = {"preferences.js": fault}
    open_undecided(tab, site)

    tab.click(SETTINGS)

    tab.wait_until(lambda tab: tab.count(f"main {PREFERENCES}") == 1)
    assert tab.count("dialog") == 0
    assert noted(tab, "uncaught") == []


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_withdrawal_loads_the_page_again_where_the_module_is(tab: WatchedTab, site: RoughSite, fault: Fault) -> None:
    open_undecided(tab, site)
    assert choose(tab, site, "accept_all") == "in place"
    # What the gate held is asked for a moment after its element is there.
    tab.wait_until(lambda _: "opened" in [visit.what for visit in site.visits])
    site.faults = {"preferences.js": fault}
    site.visits.clear()

    tab.click("#withdraw")

    tab.wait_until(lambda _: [visit.what for visit in site.visits] == ["withdraw", "page"])
    tab.wait_until(lambda tab: tab.count("html:has(h1):not(:has(output))") == 1)
    expect_shut(tab, site)
    assert noted(tab, "uncaught") == []


# -- pages that are not as they were sent, or never were as they should be

_PAGE_DATA: Final = r"data-consent-page='[^']*'"
_DAMAGES: Final = {
    "lost what it tells": change(_PAGE_DATA, ""),
    "tell half": change(_PAGE_DATA, 'data-consent-page=\'{"url":"/privacy-choices/","state":{\''),
    "tell nothing": change(_PAGE_DATA, "data-consent-page=''"),
    "lost the key": change(r' data-consent-key="[^"]*"', ""),
    "have another key": change(r'defer data-consent-key="[^"]*"', 'defer data-consent-key="x"'),
    "lost the script": change(r"<script src=[^>]*></script>", ""),
    "are written in one line": change(r"\s+", " "),
}


@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES)
def test_forms_work_on_pages_that(tab: WatchedTab, site: RoughSite, damage: Callable[[str], str]) -> None:
    site.rewrite = damage
    open_undecided(tab, site)

    choose(tab, site, "accept_all")

    expect_decided(tab, site, is_granted=True)
    assert noted(tab, "uncaught") == []


def test_gate_that_lost_what_it_held_stays_shut(tab: WatchedTab, site: RoughSite) -> None:
    site.rewrite = change(r'(?<=">)"\\u003c[^<]*', '{"half": ')
    open_undecided(tab, site)

    assert choose(tab, site, "accept_all") == "in place"

    assert tab.count(".opened") == 0
    expect_decided(tab, site, is_granted=True)


@pytest.mark.parametrize("name", ["quirks", "tagless", "islands"])
def test_choice_opens_gates_in_place_on_odd_pages(tab: WatchedTab, site: RoughSite, name: str) -> None:
    open_undecided(tab, site, page=name)

    assert choose(tab, site, "accept_all") == "in place"

    tab.wait_until(lambda tab: tab.count(".opened") == tab.count(EMBEDDED) == 1)
    assert noted(tab, "uncaught") == []
