"""Browsers and sites, started once a session; every test brings a visitor of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser import activation, chromium, firefox, gadgets
from tests.browser.choosing import record_errors
from tests.browser.looks import LOOKS, Look, Wardrobe
from tests.browser.newsroom import Newsroom
from tests.browser.plain_site import make_plain_site
from tests.browser.policy_site import PolicySite
from tests.browser.serving import ServedSite, serve
from tests.browser.watched_tab import Engine, OpenTab, watch_chromium, watch_firefox
from tests.template_cache import compiling_once
from tests.toml_cache import parsing_once


@pytest.fixture(autouse=True, scope="session")
def _files_read_once() -> Iterator[None]:
    with compiling_once(), parsing_once():
        yield


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without what surrounds its pages: see `chromium.SHELL`."""
    with chromium.launch_with(playwright, is_shell=True) as launched:
        yield launched


@pytest.fixture(scope="session")
def whole_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium as visitors have it. A module that proves what a browser loads and keeps makes this its `browser`."""
    with chromium.launch_with(playwright) as launched:
        yield launched


@pytest.fixture(scope="session")
def reviving_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with its back/forward cache on, as visitors have it."""
    with chromium.launch_with(playwright, back_forward_cache=True) as launched:
        yield launched


@pytest.fixture(scope="session")
def fox() -> Iterator[firefox.Firefox]:
    """Firefox with JavaScript off."""
    with firefox.launch(javascript=False) as launched:
        yield launched


@pytest.fixture(scope="session")
def scripting_fox() -> Iterator[firefox.Firefox]:
    """Firefox with JavaScript on."""
    with firefox.launch() as launched:
        yield launched


@pytest.fixture(scope="session")
def open_tab_of(request: pytest.FixtureRequest) -> Callable[[Engine], OpenTab]:
    """Find the browser, which starts when it is first asked for, and give what opens its tabs."""

    def find(engine: Engine) -> OpenTab:
        if engine == "chromium":
            return partial(watch_chromium, request.getfixturevalue("browser"))
        return partial(watch_firefox, request.getfixturevalue("scripting_fox"))

    return find


@pytest.fixture(scope="session")
def policy_site() -> Iterator[PolicySite]:
    """The site under four content security policies, and its vendor."""
    with PolicySite.open({**activation.PAGES, **gadgets.PAGES}) as running:
        yield running


@pytest.fixture(scope="session")
def running_newsroom() -> Iterator[Newsroom]:
    with Newsroom.open() as running:
        yield running


@pytest.fixture
def newsroom(running_newsroom: Newsroom) -> Newsroom:
    """The newsroom, whose trackers have seen nobody yet."""
    running_newsroom.forget()
    return running_newsroom


@pytest.fixture(scope="session")
def plain_urls() -> Iterator[Mapping[str, str]]:
    """Language to address of a site that leaves every page of the library as shipped."""
    with ExitStack() as stack:
        servers = {language: stack.enter_context(serve(make_plain_site(language))) for language in ("en", "ar")}
        yield {language: f"http://plain.localhost:{server.port}" for language, server in servers.items()}


@pytest.fixture(scope="session")
def plain_url(plain_urls: Mapping[str, str]) -> str:
    """Address of the one in English."""
    return plain_urls["en"]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor with JavaScript off."""
    with chromium.visitor(browser) as visitor:
        yield visitor


@pytest.fixture
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor with JavaScript on."""
    with chromium.visitor(browser, javascript=True) as visitor:
        yield visitor


@pytest.fixture
def tab(reader: BrowserContext) -> Page:
    """The first tab of that visitor with JavaScript on."""
    return reader.new_page()


@pytest.fixture
def errors(reader: BrowserContext) -> list[str]:
    """What that visitor's pages report."""
    return record_errors(reader)


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.color_scheme}-{look.language}-{look.size}")
def look(request: pytest.FixtureRequest) -> Look:
    chosen: Look = request.param
    return chosen


@pytest.fixture(scope="session")
def wardrobe(browser: Browser) -> Iterator[Wardrobe]:
    """A tab for every look."""
    with Wardrobe.open(browser) as opened:
        yield opened


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[ServedSite]:
    """The site that a module of tests names as `SITE`, running anew for each test."""
    with request.module.SITE.open() as running:
        yield running


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """That visitor's tab."""
    return context.new_page()
