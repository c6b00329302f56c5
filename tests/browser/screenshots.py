"""Write the pictures of the documentation: the newsroom, seen by visitors without JavaScript, and in a few with it.

Usage: python -m tests.browser.screenshots [FOLDER]   (docs/screenshots by default)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from unittest.mock import patch

from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.dialog import DIALOG, answer_fetch, open_dialog
from tests.browser.newsroom import FILM_ARTICLE, Newsroom, read_version, visit_from
from tests.browser.receipt_site import open_receipt_sites
from tests.browser.serving import serve
from tests.counted_visits import count_visits, fill_ledger, make_counted_site

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture."""

    name: str
    show: Callable[[Page, str], None]
    path: str = "/"
    viewport: tuple[int, int] = DESKTOP
    color_scheme: Literal["light", "dark"] = "light"
    javascript: bool = False
    place: str = ""
    """Where the visitor is, such as `US-CA`; empty for unknown."""

    has_gpc: bool = False


def show_banner(page: Page, url: str) -> None:
    """Open a page as a stranger."""
    page.goto(url)


def show_preferences(page: Page, url: str) -> None:
    """Open the preferences from a page's banner."""
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=settings]")
    page.locator("[data-consent-ui=preferences]").evaluate("element => element.scrollIntoView({behavior: 'instant'})")


def show_placeholder(page: Page, url: str) -> None:
    """Refuse everything, then read on to the film."""
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=reject_all]")
    page.locator("[data-consent-embed]").evaluate(
        "element => element.scrollIntoView({behavior: 'instant', block: 'center'})"
    )


def show_dialog(page: Page, url: str) -> None:
    """Open the dialog and choose a part of a purpose."""
    # Else a switch is taken on its way.
    page.emulate_media(reduced_motion="reduce")
    page.goto(url)
    open_dialog(page)
    page.locator(f"{DIALOG} [data-pvc-needs] .pvc-switch").first.check()
    page.mouse.move(0, 0)
    page.locator(f"{DIALOG} .pvc-form__title").evaluate(
        "(title) => { title.closest('dialog > *').scrollTop = title.offsetTop - 72 }"
    )


def show_error(page: Page, url: str) -> None:
    """Answer the banner while nothing reaches the server."""
    page.goto(url)
    answer_fetch(page)
    page.click(".pvc-banner [data-consent-action=reject_all]")
    page.mouse.move(0, 0)
    expect(page.locator("[role=alert]")).to_be_visible()


def show_honoured_signal(page: Page, url: str) -> None:
    """Open a page with the signal on, and go to where its footer says that it was honoured."""
    page.goto(url)
    page.locator(".pvc-honoured").evaluate("element => element.scrollIntoView({behavior: 'instant', block: 'center'})")


def show_announcement(page: Page, url: str) -> None:
    """Refuse everything under the earlier privacy policy, and come back under the revised one."""
    read_version(page.context, url, "earlier")
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=reject_all]")
    read_version(page.context, url, "revised")
    page.goto(url)


def show_bench(page: Page, url: str) -> None:
    """Acknowledge the notice, and go to the developer's tools."""
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=acknowledge]")
    page.locator("#development").evaluate("element => element.scrollIntoView({behavior: 'instant', block: 'end'})")


def show_receipt(page: Page, url: str) -> None:
    """Accept everything, keep one purpose and one service later, and open the receipt."""
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=accept_all]")
    page.goto(f"{url}privacy-choices/")
    for key in ("preferences", "marketing"):
        page.uncheck(f"#pvc-grant-{key}")
    page.check("#pvc-grant-youtube")
    with page.expect_navigation():
        page.click("[data-consent-action=save]")
    with page.expect_navigation():
        page.click(".pvc-status a")


def show_printed_receipt(page: Page, url: str) -> None:
    """Open the receipt as it is printed, but for the margins of the paper."""
    show_receipt(page, url)
    page.emulate_media(media="print")


def show_panel(page: Page, url: str) -> None:
    """Refuse everything, and look at what the developer's panel tells of the story."""
    page.goto(url)
    with page.expect_navigation():
        page.click(".pvc-banner [data-consent-action=reject_all]")
    page.click(".pvc-audit__summary")
    page.mouse.move(0, 0)


_KINDS: Final = (
    ("banner", show_banner, ""),
    ("preferences", show_preferences, ""),
    ("placeholder", show_placeholder, FILM_ARTICLE),
)

_WITH_JAVASCRIPT: Final = (
    Shot(name="dialog-desktop", show=show_dialog, javascript=True),
    Shot(name="dialog-phone", show=show_dialog, viewport=PHONE, javascript=True),
    Shot(name="dialog-phone-dark", show=show_dialog, viewport=PHONE, color_scheme="dark", javascript=True),
    Shot(name="dialog-phone-arabic", show=show_dialog, path="/ar/", viewport=PHONE, javascript=True),
    Shot(name="error-phone", show=show_error, viewport=PHONE, javascript=True),
)

# Of the newsroom in development, where visitors can say where they are.
PLACE_SHOTS: Final = (
    Shot(name="notice-desktop", show=show_banner, place="JP"),
    Shot(name="notice-phone", show=show_banner, place="JP", viewport=PHONE),
    Shot(name="notice-phone-dark", show=show_banner, place="JP", viewport=PHONE, color_scheme="dark"),
    Shot(name="notice-phone-arabic", show=show_banner, place="JP", path="/ar/", viewport=PHONE),
    Shot(name="opt-in-desktop", show=show_banner, place="FR"),
    Shot(name="opt-in-phone", show=show_banner, place="FR", viewport=PHONE),
    Shot(name="opt-out-gpc-desktop", show=show_honoured_signal, place="US-CA", has_gpc=True),
    Shot(name="opt-out-gpc-phone", show=show_honoured_signal, place="US-CA", has_gpc=True, viewport=PHONE),
    Shot(name="opt-out-desktop", show=show_banner, place="US-CA", javascript=True),
    Shot(name="announcement-desktop", show=show_announcement, place="FR"),
    Shot(name="announcement-phone", show=show_announcement, place="FR", viewport=PHONE),
    Shot(name="places-desktop", show=show_bench, place="JP"),
)

# Of made-up visits: the newsroom's readers are too few for a chart.
DASHBOARD_SHOTS: Final = tuple(
    Shot(
        name=f"dashboard-{size}{'-dark' if scheme == 'dark' else ''}",
        show=show_banner,
        path=path,
        viewport=viewport,
        color_scheme=scheme,
    )
    for size, viewport, path in (
        ("desktop", (1280, 1560), "/privacy-choices/dashboard"),
        ("phone", (390, 2480), "/privacy-choices/dashboard?days=90"),
    )
    for scheme in ("light", "dark")
)

# Of a site with a ledger, by language.
RECEIPT_SHOTS: Final = {
    "en": (
        Shot(name="receipt-desktop", show=show_receipt, viewport=(1280, 1660)),
        Shot(name="receipt-desktop-dark", show=show_receipt, viewport=(1280, 1660), color_scheme="dark"),
        Shot(name="receipt-phone", show=show_receipt, viewport=(390, 1960)),
        Shot(name="receipt-print", show=show_printed_receipt, viewport=(700, 1000)),
    ),
    "ar": (Shot(name="receipt-phone-arabic", show=show_receipt, viewport=(390, 1960)),),
}

# Of the newsroom with its mistakes, in debug mode.
PANEL_SHOT: Final = Shot(name="panel-desktop", show=show_panel, path=FILM_ARTICLE)

SHOTS: Final = _WITH_JAVASCRIPT + tuple(
    shot
    for name, show, path in _KINDS
    for shot in (
        Shot(name=f"{name}-desktop", show=show, path=path or "/"),
        Shot(name=f"{name}-desktop-dark", show=show, path=path or "/", color_scheme="dark"),
        Shot(name=f"{name}-desktop-arabic", show=show, path=f"/ar{path or '/'}"),
        Shot(name=f"{name}-phone", show=show, path=path or "/", viewport=PHONE),
        Shot(name=f"{name}-phone-dark", show=show, path=path or "/", viewport=PHONE, color_scheme="dark"),
        Shot(name=f"{name}-phone-arabic", show=show, path=f"/ar{path or '/'}", viewport=PHONE),
    )
)


def take(browser: Browser, site_url: str, shot: Shot, folder: Path) -> Path:
    """Take one picture and return where it lies."""
    file = folder / f"{shot.name}.png"
    with chromium.visitor(
        browser,
        javascript=shot.javascript,
        color_scheme=shot.color_scheme,
        viewport=shot.viewport,
        headers={"Sec-GPC": "1"} if shot.has_gpc else None,
    ) as visitor:
        page = visitor.new_page()
        if shot.place:
            visit_from(visitor, site_url, shot.place)
        shot.show(page, f"{site_url}{shot.path}")
        page.screenshot(path=file)
    return file


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium.launch() as browser:
        for shots, is_development in ((SHOTS, False), (PLACE_SHOTS, True)):
            with Newsroom.open(is_development=is_development) as newsroom:
                for shot in shots:
                    print(take(browser, newsroom.url, shot, folder))
        with patch.dict(os.environ, NEWSROOM_MISTAKES="1"), Newsroom.open() as newsroom:
            newsroom.app.debug = True
            print(take(browser, newsroom.url, PANEL_SHOT, folder))
        with open_receipt_sites() as urls:
            for language, shots in RECEIPT_SHOTS.items():
                for shot in shots:
                    print(take(browser, urls[language], shot, folder))
        counted = make_counted_site(count_visits())
        fill_ledger(counted, sealed=1218, unsealed=46)
        with serve(counted) as server:
            for shot in DASHBOARD_SHOTS:
                print(take(browser, f"http://localhost:{server.server_port}", shot, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
