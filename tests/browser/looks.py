"""How visitors see a site, and what axe-core says of it then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Self

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import chromium

_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Size = Literal["desktop", "phone"]
SIZES: Final[Mapping[Size, tuple[int, int]]] = {"desktop": (1280, 720), "phone": (360, 640)}
"""Width and height of a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a visitor sees the site."""

    color_scheme: Literal["light", "dark"]
    language: str
    size: Size


# Every pair of scheme, language and size is among them.
LOOKS: Final = [
    Look(color_scheme="light", language="en", size="desktop"),
    Look(color_scheme="dark", language="ar", size="desktop"),
    Look(color_scheme="dark", language="en", size="phone"),
    Look(color_scheme="light", language="ar", size="phone"),
]


class Wardrobe:
    """A tab for each look, for one test after the other: a new window each time would take as long as axe-core itself."""

    def __init__(self, browser: Browser, stack: ExitStack) -> None:
        self._browser = browser
        self._stack = stack
        self._pages: dict[Look, Page] = {}

    @classmethod
    @contextmanager
    def open(cls, browser: Browser) -> Iterator[Self]:
        """Keep tabs open until the block ends."""
        with ExitStack() as stack:
            yield cls(browser, stack)

    def tab(self, look: Look) -> Page:
        """Give the tab of a look as one of a new visitor with JavaScript on, to whom nothing has happened yet."""
        page = self._pages.get(look)
        if page is None:
            page = self._pages[look] = self._open(look)
        page.goto("about:blank")
        page.context.clear_cookies()
        page.unroute_all()
        page.emulate_media(reduced_motion="null")
        width, height = SIZES[look.size]
        page.set_viewport_size(ViewportSize(width=width, height=height))
        return page

    def _open(self, look: Look) -> Page:
        visitor = chromium.visitor(self._browser, javascript=True, color_scheme=look.color_scheme)
        return self._stack.enter_context(visitor).new_page()


def assert_flawless(page: Page) -> None:
    """Let axe-core look at a page as it is."""
    # Without what passed, which would have to leave the page as a list of every element.
    options = {"runOnly": _RULES, "resultTypes": ["violations"], "reporter": "no-passes"}
    results = Axe().run(page, options=options)

    assert results.violations_count == 0, results.generate_report()
