"""Embeds of the newsroom open in the space that their placeholders kept, in both editions.

Not so the ferry's film on a phone: a placeholder grows where its words need more than the frame's own height, here by 40 pixels.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.browser.choosing import choose
from tests.browser.newsroom import FILM_ARTICLE, MAP_ARTICLE, Newsroom

PHONE = (390, 844)
DESKTOP = (1280, 800)
_MAPS = [f"{edition}{path}" for edition in ("", "/ar") for path in (MAP_ARTICLE, "/article/dark-sky")]
CASES = [
    *((path, viewport) for path in (*_MAPS, "/article/open-air-cinema") for viewport in (PHONE, DESKTOP)),
    *((f"{edition}{FILM_ARTICLE}", DESKTOP) for edition in ("", "/ar")),
]


@pytest.mark.parametrize(("path", "viewport"), CASES)
def test_frame_takes_the_space_of_its_placeholder(
    browser: Browser, newsroom: Newsroom, path: str, viewport: tuple[int, int]
) -> None:
    with chromium.visitor(browser, javascript=True, viewport=viewport) as reader:
        page = reader.new_page()
        page.goto(f"{newsroom.url}{path}")
        held = page.locator("[data-consent-embed]").bounding_box()

        choose(page, "accept_all")
        frame = page.locator(".report__embed iframe").bounding_box()

    assert held is not None
    assert frame == pytest.approx(held, abs=1)
