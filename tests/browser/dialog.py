"""The preferences in a dialog, as the tests open it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from playwright.sync_api import Page, Route

DIALOG: Final = "dialog.pvc-dialog"
# What scrolls in it.
PANEL: Final = f"{DIALOG} > *"
TITLE: Final = "Privacy choices"
BANNER_LINK: Final = ".pvc-banner [data-consent-action=settings]"
FOOTER_LINK: Final = "footer [data-consent-action=settings]"


def open_dialog(page: Page, link: str = BANNER_LINK) -> None:
    """Press a link and wait for the dialog."""
    page.click(link)
    page.locator(DIALOG).wait_for()


def answer_fetch(page: Page, answer: Mapping[str, Any] | None = None) -> None:
    """Answer in the server's place when a script asks for the preferences, or posts a choice; page loads reach it.

    Args:
        page: The tab, from now on.
        answer: `status` and `body`; none for no network.
    """

    def decide(route: Route) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
        elif answer:
            route.fulfill(**answer)
        else:
            route.abort()

    page.route(re.compile(r"/privacy-choices/(\?|$)"), decide)


def fail_to_save(page: Page) -> None:
    """Press Save in the open dialog while nothing reaches the server, and wait until that is told."""
    answer_fetch(page)
    page.click(f"{DIALOG} [data-consent-action=save]")
    page.locator(f"{DIALOG} [role=alert]").wait_for()
