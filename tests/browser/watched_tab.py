"""A visitor's tab with JavaScript on whose console is written down: the same in Chromium and in Firefox.

Scripts of the test pages say `ran <name>` on the console when they run. That needs nothing of the page, which may have
changed what the language and the document offer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, Literal, Protocol, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

from tests.browser import chromium, firefox
from tests.browser.bidi import BidiError
from tests.browser.serving import TIMEOUT_SECONDS, wait_until

Engine = Literal["chromium", "firefox"]
ENGINES: Final[tuple[Engine, ...]] = ("chromium", "firefox")

_WATCH: Final = """
const say = console.log;
addEventListener("securitypolicyviolation", (event) =>
  say(`violation of ${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
addEventListener("error", (event) => say(`uncaught ${event.message} in ${event.filename}`));
addEventListener("unhandledrejection", (event) => say(`uncaught ${event.reason}`));
"""
OpenTab = Callable[..., AbstractContextManager["WatchedTab"]]
"""Opens a tab of one browser for a new visitor; takes a script that runs in each page before any of its own."""

# What browsers say of a resource that is not there is no fault of the page's scripts.
_ABOUT_RESOURCES: Final = "Failed to load resource"


class WatchedTab(Protocol):
    """What the tests need of a tab."""

    @property
    def lines(self) -> Sequence[str]:
        """What the console said so far, frames included, oldest first."""

    @property
    def requests(self) -> Sequence[str]:
        """Addresses of the requests sent so far, frames included."""

    def open(self, url: str) -> None:
        """Go to `url` and wait for its load event."""

    def reload(self) -> None:
        """Load the page again."""

    def click(self, selector: str) -> None:
        """Click the middle of an element with a real mouse event."""

    def count(self, selector: str) -> int:
        """Count the elements in the DOM."""

    def evaluate_in_page(self, function: str) -> Any:
        """Call a function among the page's own scripts and wait for its result, which JSON can hold."""

    def wait_until(self, is_so: Callable[[Self], bool]) -> None:
        """Wait for something that the tab or a server tells."""


def noted(tab: WatchedTab, kind: Literal["ran", "attack", "violation", "uncaught", "error"]) -> list[str]:
    """Return what the console said of one kind, without the word itself."""
    return [line.removeprefix(f"{kind} ") for line in tab.lines if line.startswith(f"{kind} ")]


class _ChromiumTab:
    def __init__(self, context: BrowserContext) -> None:
        self._page = context.new_page()
        self._requests = chromium.record_requests(context)
        self._lines: list[str] = []
        self._page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            self._lines.append(message.text)
        elif not message.text.startswith(_ABOUT_RESOURCES):
            self._lines.append(f"error {message.text}")

    @property
    def lines(self) -> Sequence[str]:
        # Playwright hands over events while it waits for something.
        self._page.wait_for_timeout(1)
        return tuple(self._lines)

    @property
    def requests(self) -> Sequence[str]:
        self._page.wait_for_timeout(1)
        return tuple(self._requests)

    def open(self, url: str) -> None:
        self._page.goto(url)

    def reload(self) -> None:
        self._page.reload()

    def click(self, selector: str) -> None:
        self._page.locator(selector).first.click()

    def count(self, selector: str) -> int:
        # Through a locator, which works beside the page's own scripts.
        return self._page.locator(selector).count()

    def evaluate_in_page(self, function: str) -> Any:
        return self._page.evaluate(function)

    def wait_until(self, is_so: Callable[[Self], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not is_so(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"It did not come about within {TIMEOUT_SECONDS:.0f} s. Console: {self._lines}.")
            self._page.wait_for_timeout(20)


class _FirefoxTab:
    def __init__(self, tab: firefox.Tab) -> None:
        self._tab = tab
        self.open = tab.open
        self.reload = tab.reload
        self.click = tab.click
        self.count = tab.count
        self.evaluate_in_page = tab.evaluate_in_page

    @property
    def lines(self) -> Sequence[str]:
        # What nobody caught comes twice, and the page's own line says where it was.
        return tuple(message.text for message in self._tab.messages if not message.is_uncaught)

    @property
    def requests(self) -> Sequence[str]:
        return tuple(request.url for request in self._tab.requests)

    def wait_until(self, is_so: Callable[[Self], bool]) -> None:
        def is_so_now() -> bool:
            # In between two documents, Firefox answers with one of several errors.
            with suppress(BidiError):
                return is_so(self)
            return False

        try:
            wait_until(is_so_now)
        except TimeoutError as error:
            error.add_note(f"Console: {self.lines}.")
            raise


@contextmanager
def watch_chromium(browser: Browser, init_script: str = "") -> Iterator[WatchedTab]:
    """Open a tab for a new visitor.

    Args:
        browser: From `chromium.launch()`.
        init_script: Runs in each page and frame before any script of theirs.
    """
    with chromium.visitor(browser, javascript=True) as context:
        context.add_init_script(f"{{ {_WATCH} }} {init_script}")
        yield _ChromiumTab(context)


@contextmanager
def watch_firefox(fox: firefox.Firefox, init_script: str = "") -> Iterator[WatchedTab]:
    """Open a tab for a new visitor; see `watch_chromium()`."""
    with fox.visitor(init_script=f"{{ {_WATCH} }} {init_script}") as tab:
        yield _FirefoxTab(tab)
