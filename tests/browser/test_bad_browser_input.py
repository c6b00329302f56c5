"""What browsers deny and other scripts do: gates stay shut, forms and links work, and no error is left uncaught."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from tests.browser import chromium, firefox
from tests.browser.rough_site import (
    ALERT,
    BANNER,
    BUTTON,
    EMBEDDED,
    PREFERENCES,
    SETTINGS,
    RoughSite,
    choose,
    expect_asking,
    expect_decided,
    expect_shut,
    open_undecided,
)
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, WatchedTab, noted, watch_chromium, watch_firefox

SITE: Final = RoughSite

_GRANT: Final = {"necessary": "granted", "analytics": "granted", "marketing": "granted", "stats": "granted"}
_ANSWER: Final = json.dumps({"choices": _GRANT, "services": _GRANT, "needs_prompt": False})
_GRANTED: Final = json.dumps(_GRANT)
_YEAR_MS: Final = 366 * 24 * 60 * 60 * 1000


@pytest.fixture
def tab(browser: Browser) -> Iterator[WatchedTab]:
    """A new visitor's tab in Chromium."""
    with watch_chromium(browser) as opened:
        yield opened


# -- other scripts of the page, which came first


_PATCHES: Final = {
    "objects that grant": f"""
        Object.assign(Object.prototype, {_GRANTED}, {{ granted: true, needs_prompt: false, key: "", nonce: "" }});
        Object.assign(Object.prototype, {{ choices: {_GRANTED}, services: {_GRANTED}, state: {_ANSWER} }});
        Object.assign(Array.prototype, {_GRANTED}); Object.assign(String.prototype, {_GRANTED});""",
    "lists that agree to everything": """
        for (const name of ["every", "some", "includes"]) Array.prototype[name] = () => true;
        for (const name of ["indexOf", "findIndex"]) Array.prototype[name] = () => 0;
        Array.prototype.filter = function () { return this };""",
    "names that show up in loops": """
        for (const { prototype } of [Object, Array, String, Function]) prototype.extra = () => "extra";""",
    "words that are written differently": """
        for (const { prototype } of [Object, Array, String]) prototype.toJSON = () => "granted";""",
    "listeners and promises that are wrapped": """
        const { addEventListener } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (name, run, ...rest) {
          return addEventListener.call(this, name, run && ((event) => run.call(this, event)), ...rest);
        };
        window.Promise = class extends Promise {};
        const ask = fetch;
        window.fetch = (...request) => Promise.resolve(ask(...request));""",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("patch", _PATCHES.values(), ids=_PATCHES)
def test_patched_prototypes_open_nothing(
    open_tab_of: Callable[[Engine], OpenTab], site: RoughSite, engine: Engine, patch: str
) -> None:
    with open_tab_of(engine)(patch) as tab:
        open_undecided(tab, site)

        assert choose(tab, site, "reject_all") == "in place"

        expect_shut(tab, site)
        expect_decided(tab, site, is_granted=False)
        assert noted(tab, "uncaught") == []


# -- what a browser denies or lacks

_DENY: Final = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError") } });
}"""
_LACKS: Final = {
    "storage is denied": _DENY,
    "channels are denied": """window.BroadcastChannel = class {
        constructor() { throw new DOMException("denied", "SecurityError") } }""",
    "there are no channels": "delete window.BroadcastChannel",
    "there are no observers": "delete window.MutationObserver",
    "there is no hasOwn": "delete Object.hasOwn",
    "there are no cookies": "Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false })",
    "there are no dialogs": "delete HTMLDialogElement.prototype.showModal; delete window.HTMLDialogElement",
    "there are no Trusted Types": "delete window.trustedTypes",
    "its clock is late": f"""{{ const read = Date.now; Date.now = () => read() - {_YEAR_MS};
        window.Date = class extends Date {{ constructor(...given) {{ super(...given.length ? given : [Date.now()]) }} }} }}""",
    "its clock is early": f"""{{ const read = Date.now; Date.now = () => read() + {_YEAR_MS};
        window.Date = class extends Date {{ constructor(...given) {{ super(...given.length ? given : [Date.now()]) }} }} }}""",
    "other cookies are broken": """if (origin != "null") for (const broken of ["bad=%E0%A4%A", "%=%", "=%", "consent=%ff"]) {
        document.cookie = broken + "; path=/" }""",
}


# What is taken away is gone alike in both: Firefox stands for itself where its own clock, storage or cookies have a part.
@pytest.mark.parametrize(
    ("engine", "lack"),
    [
        *(("chromium", lack) for lack in _LACKS),
        *(("firefox", lack) for lack in ("storage is denied", "there are no cookies", "its clock is late")),
    ],
)
def test_choice_counts_where(
    open_tab_of: Callable[[Engine], OpenTab], site: RoughSite, engine: Engine, lack: str
) -> None:
    with open_tab_of(engine)(_LACKS[lack]) as tab:
        open_undecided(tab, site)

        choose(tab, site, "accept_all")

        expect_decided(tab, site, is_granted=True)
        assert noted(tab, "uncaught") == []


# -- requests of scripts that fail

_FETCHES: Final = {
    "is missing": "delete window.fetch",
    "throws": "window.fetch = () => { throw new TypeError('blocked') }",
    "answers nothing": "window.fetch = () => undefined",
    "answers a word": "window.fetch = async () => 'granted'",
    "answers what looks like an answer": f"window.fetch = async () => ({{ ok: true, text: () => `{_ANSWER[:-1]}` }})",
    "answers an object for a text": f"window.fetch = async () => ({{ ok: true, text: () => ({_ANSWER}) }})",
    "cannot be timed": "delete AbortSignal.timeout",
}


@pytest.mark.parametrize("fetch", _FETCHES.values(), ids=_FETCHES)
def test_visitor_is_told_and_the_form_works_where_fetch(browser: Browser, site: RoughSite, fetch: str) -> None:
    with watch_chromium(browser, fetch) as tab:
        open_undecided(tab, site)

        assert choose(tab, site, "accept_all") == "after being told"

        expect_decided(tab, site, is_granted=True)
        assert noted(tab, "uncaught") == []


def test_visitor_is_told_and_the_form_works_where_the_policy_forbids_requests(tab: WatchedTab, site: RoughSite) -> None:
    site.headers = {"Content-Security-Policy": "connect-src 'none'"}
    open_undecided(tab, site)

    assert choose(tab, site, "reject_all") == "after being told"

    expect_decided(tab, site, is_granted=False)
    assert noted(tab, "uncaught") == []


@pytest.mark.parametrize("engine", ENGINES)
def test_form_works_where_the_policy_names_another_maker_of_trusted_values(
    open_tab_of: Callable[[Engine], OpenTab], site: RoughSite, engine: Engine
) -> None:
    site.headers = {"Content-Security-Policy": "require-trusted-types-for 'script'; trusted-types other"}
    with open_tab_of(engine)() as tab:
        open_undecided(tab, site)

        assert choose(tab, site, "accept_all") == "by the form"

        expect_decided(tab, site, is_granted=True)
        assert noted(tab, "uncaught") == []


# -- cookies of others


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("count", "size"), [(200, 1), (15, 4000)], ids=["many", "large"])
def test_cookies_of_others_open_nothing(
    open_tab_of: Callable[[Engine], OpenTab], site: RoughSite, engine: Engine, count: int, size: int
) -> None:
    with open_tab_of(engine)() as tab:
        tab.open(f"{site.url}/many-cookies/{count}/{size}")
        open_undecided(tab, site)

        assert choose(tab, site, "accept_all") == "in place"

        # Jars have room for 150 to 180 cookies of a host: ours may be among those that go.
        tab.open(f"{site.url}/page/other")
        assert (tab.count(BANNER), tab.count(".opened"), tab.count(EMBEDDED)) in {(0, 1, 1), (1, 0, 0)}
        assert noted(tab, "uncaught") == []


# -- pages that are kept apart from their site


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_page_without_an_origin_stays_shut(tab: WatchedTab, site: RoughSite, action: str) -> None:
    site.headers = {"Content-Security-Policy": "sandbox allow-scripts allow-forms"}
    open_undecided(tab, site)

    tab.click(BUTTON.format(action))
    tab.wait_until(lambda tab: bool(site.choices) or tab.count(ALERT) == 1)

    expect_asking(tab, site)
    assert noted(tab, "uncaught") == []


def test_page_in_a_sandboxed_frame_stays_shut(browser: Browser, site: RoughSite) -> None:
    with watch_chromium(browser) as tab:
        tab.open(f"{site.url}/page/framing")
        tab.click(BUTTON.format("accept_all"))
        tab.wait_until(lambda tab: bool(site.choices) and tab.count(BANNER) == 0)

        assert [visit.what for visit in site.visits] == ["page", "page", "accept_all"]
        assert noted(tab, "uncaught") == []


# -- browsers that keep nothing at all


@contextmanager
def forgetting_chromium(playwright: Playwright) -> Iterator[BrowserContext]:
    """Run Chromium with "block all cookies", which is a setting of a profile."""
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "Default" / "Preferences"
        file.parent.mkdir()
        file.write_text(json.dumps(settings), encoding="utf-8")
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium.EXECUTABLE, args=list(chromium._ARGUMENTS)
        )
        try:
            yield context
        finally:
            context.close()


_KEEPS_NOTHING: Final = """() => {
  try { localStorage } catch { return true }
  return !navigator.cookieEnabled;
}"""


@pytest.fixture(scope="module")
def forgetful_chromium(playwright: Playwright) -> Iterator[BrowserContext]:
    with forgetting_chromium(playwright) as context:
        yield context


@pytest.fixture(scope="module")
def forgetful_fox() -> Iterator[firefox.Firefox]:
    with firefox.launch(preferences={"network.cookie.cookieBehavior": 2}) as fox:
        yield fox


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_visitor_whose_chromium_keeps_no_cookies_is_asked_by_each_page(
    forgetful_chromium: BrowserContext, site: RoughSite, action: str
) -> None:
    """Nothing says "saved" of what is not, and nothing stays open."""
    uncaught: list[str] = []
    forgetful_chromium.on("weberror", lambda error: uncaught.append(str(error.error)))
    page = forgetful_chromium.new_page()
    page.goto(f"{site.url}/page/story")
    assert page.evaluate(_KEEPS_NOTHING)

    with page.expect_navigation():
        page.locator(BUTTON.format(action)).click()

    assert [choice.is_native for choice in site.choices] == [True]
    expect(page.locator(BANNER)).to_be_visible()
    expect(page.locator(".opened")).to_have_count(0)
    page.locator(SETTINGS).click()
    expect(page.locator(PREFERENCES)).to_be_visible()
    assert uncaught == []


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_visitor_whose_firefox_keeps_no_cookies_is_asked_by_each_page(
    forgetful_fox: firefox.Firefox, site: RoughSite, action: str
) -> None:
    with watch_firefox(forgetful_fox) as tab:
        open_undecided(tab, site)
        assert tab.evaluate_in_page(_KEEPS_NOTHING)

        assert choose(tab, site, action) == "by the form"

        expect_asking(tab, site)
        tab.click(SETTINGS)
        tab.wait_until(lambda tab: tab.count(PREFERENCES) == 1)
        assert noted(tab, "uncaught") == []
