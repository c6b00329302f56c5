"""One visitor's tab in Chromium and in Firefox, to whom every third party is the leaking site's tracker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from playwright.sync_api import BrowserContext, Error, Playwright

from tests.browser import chromium, firefox
from tests.browser.bidi import BidiError
from tests.browser.watched_tab import Engine

_ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--no-first-run", "--ignore-certificate-errors"),
)


class LeakTab(Protocol):
    """What a walk through the site needs."""

    def open(self, url: str) -> None:
        """Go to `url` and wait for its load event."""

    def pass_through(self, url: str) -> None:
        """Go to `url`, which may lead on at once, and wait for nothing."""

    def is_at(self, host: str) -> bool:
        """Whether a page of a host is there and complete."""

    def click(self, selector: str) -> None:
        """Click an element with a real mouse event."""

    def evaluate_in_page(self, function: str) -> Any:
        """Call a function among the page's own scripts and wait for its result."""

    def click_through(self, selector: str) -> None:
        """Click a submit button and wait for the page behind it."""

    def read_cookies(self) -> Mapping[tuple[str, str], str]:
        """Return the visitor's cookies: host and name to value."""


_FIND_HOST: Final = "() => document.readyState === 'complete' ? location.hostname : ''"


class _ChromiumTab:
    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._page = context.new_page()
        self.evaluate_in_page = self._page.evaluate

    def open(self, url: str) -> None:
        self._page.goto(url)

    def pass_through(self, url: str) -> None:
        # Where it leads on before it is there, the navigation that is waited for is no more.
        with suppress(Error):
            self._page.goto(url, wait_until="commit")

    def is_at(self, host: str) -> bool:
        # Between two documents there is nothing to ask.
        with suppress(Error):
            return bool(self._page.evaluate(_FIND_HOST) == host)
        return False

    def click(self, selector: str) -> None:
        self._page.locator(selector).first.click()

    def click_through(self, selector: str) -> None:
        with self._page.expect_navigation():
            self.click(selector)

    def read_cookies(self) -> Mapping[tuple[str, str], str]:
        return {(each["domain"], each["name"]): each["value"] for each in self._context.cookies()}


class _FirefoxTab:
    def __init__(self, tab: firefox.Tab) -> None:
        self._tab = tab
        self.open = tab.open
        self.click = tab.click
        self.evaluate_in_page = tab.evaluate_in_page
        self.click_through = tab.click_through

    def pass_through(self, url: str) -> None:
        with suppress(BidiError):
            self._tab.open(url, wait="none")

    def is_at(self, host: str) -> bool:
        with suppress(BidiError):
            return bool(self._tab.evaluate(_FIND_HOST) == host)
        return False

    def read_cookies(self) -> Mapping[tuple[str, str], str]:
        return {(each.domain, each.name): each.value for each in self._tab.cookies()}


@contextmanager
def _open_chromium(playwright: Playwright, *, tracker_port: int, javascript: bool) -> Iterator[LeakTab]:
    """Open a tab of a new visitor; the profile lies on disk: elsewhere Chromium follows no `preconnect`."""
    rules = f"MAP * 127.0.0.1:{tracker_port}, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        context = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=chromium.EXECUTABLE,
            args=[*_ARGUMENTS, f"--host-resolver-rules={rules}"],
            java_script_enabled=javascript,
        )
        try:
            yield _ChromiumTab(context)
        finally:
            context.close()


@contextmanager
def _open_firefox(*, tracker_port: int, javascript: bool) -> Iterator[LeakTab]:
    """Open a tab of a new visitor."""
    preferences: dict[str, bool | int | str] = {
        "network.proxy.type": 0,
        "network.dns.forceResolve": "127.0.0.1",
        "network.socket.forcePort": f"443={tracker_port}",
    }
    with firefox.launch(javascript=javascript, preferences=preferences) as launched, launched.visitor() as tab:
        yield _FirefoxTab(tab)


def open_tab(
    engine: Engine, playwright: Playwright, *, tracker_port: int, javascript: bool
) -> AbstractContextManager[LeakTab]:
    """Open a tab of a new visitor in a browser of its own."""
    if engine == "chromium":
        return _open_chromium(playwright, tracker_port=tracker_port, javascript=javascript)
    return _open_firefox(tracker_port=tracker_port, javascript=javascript)
