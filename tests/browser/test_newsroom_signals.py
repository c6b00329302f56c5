"""What the newsroom's advertising tag hears of the reader's choice, in the words of Google's consent mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.browser.choosing import BANNER, choose, press_native
from tests.browser.newsroom import OTHER_ARTICLE, Newsroom
from tests.browser.serving import wait_until

ADVERTISING = ("ad_storage", "ad_user_data", "ad_personalization")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with chromium.visitor(browser, javascript=True) as reader:
        yield reader.new_page()


def granted_in(call: str) -> set[str]:
    """Types that a call grants."""
    return {name for name, _, state in (each.partition(":") for each in call.split()[1:]) if state == "granted"}


def commands_of(newsroom: Newsroom) -> list[str]:
    return [call.partition(" ")[0] for call in newsroom.told]


def accept(page: Page, newsroom: Newsroom) -> None:
    page.goto(f"{newsroom.url}{OTHER_ARTICLE}")
    choose(page, "accept_all")
    wait_until(lambda: len(newsroom.told) == 2)
    page.wait_for_load_state("networkidle")


def test_tag_that_opens_in_the_page_hears_the_denial_and_then_one_update(page: Page, newsroom: Newsroom) -> None:
    accept(page, newsroom)
    default, update = newsroom.told

    assert commands_of(newsroom) == ["default", "update"]
    assert granted_in(default) == {"security_storage"}
    assert granted_in(update) >= {*ADVERTISING, "analytics_storage"}


def test_tag_hears_the_choice_at_once_on_the_next_page(page: Page, newsroom: Newsroom) -> None:
    accept(page, newsroom)
    newsroom.forget()

    page.goto(f"{newsroom.url}/")
    wait_until(lambda: newsroom.told != [])

    assert commands_of(newsroom) == ["default"]
    assert granted_in(newsroom.told[0]) >= {*ADVERTISING, "analytics_storage"}


def test_tag_hears_nothing_of_a_refusal(page: Page, newsroom: Newsroom) -> None:
    page.goto(f"{newsroom.url}{OTHER_ARTICLE}")
    choose(page, "reject_all")
    page.goto(f"{newsroom.url}/")
    page.wait_for_load_state("networkidle")

    assert newsroom.sightings == []
    assert page.locator(BANNER).count() == 0


def test_tag_sends_nothing_after_a_withdrawal(page: Page, newsroom: Newsroom) -> None:
    accept(page, newsroom)
    choose(page, "settings")
    newsroom.forget()

    press_native(page, "withdraw")
    page.goto(f"{newsroom.url}/")
    page.wait_for_load_state("networkidle")

    assert newsroom.sightings == []
