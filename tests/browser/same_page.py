"""Whether a tab still shows the page that it showed before, or has loaded it again."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

# Gone with the document: where it is still there, nothing was loaded again.
MARK: Final = "() => { window.isSamePage = true }"
IS_MARKED: Final = "() => window.isSamePage === true"


def mark(page: Page) -> None:
    """Mark a page, so that it can be told from the same address loaded anew."""
    page.evaluate(MARK)


def is_marked(page: Page) -> bool:
    """Whether the page is still the one that was marked."""
    return page.evaluate(IS_MARKED) is True


def wait_for_reload(page: Page) -> None:
    """Wait until a page that was marked has been loaded anew, also in a tab behind another one."""
    wait_in_back(page, "() => !window.isSamePage && document.readyState === 'complete'")


def come_to_front(page: Page) -> None:
    """Show a tab, as one must who wants to press something in it: behind another, each press waits seconds for its frames."""
    page.bring_to_front()


def wait_in_back(page: Page, function: str) -> None:
    """Wait for something in a tab that another one may hide: there, Playwright's own clock, animation frames, hardly ticks."""
    page.wait_for_function(function, polling=20)
