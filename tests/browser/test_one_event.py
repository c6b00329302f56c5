"""One act is one event, however often it is posted; and what was withdrawn stays withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium
from tests.browser.choosing import BANNER, button_of, press
from tests.browser.firefox import Firefox
from tests.browser.proof_site import ProofSite
from tests.browser.serving import serve, wait_until

SITE: Final = ProofSite
_PREFERENCES: Final = "/privacy-choices/"
_MIDDLE: Final = """(element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


@pytest.fixture(params=[False, True], ids=["no-js", "js"])
def visitor(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor, without and with JavaScript."""
    with chromium.visitor(browser, javascript=request.param) as new:
        yield new


@pytest.fixture
def lenient_site() -> Iterator[ProofSite]:
    """The same site, whose cookies count whatever its ledger says."""
    site = ProofSite(is_strict=False)
    with serve(site) as server:
        site.url = f"http://{site.host}:{server.port}"
        yield site


def actions_of(site: ProofSite) -> list[str]:
    return [record["action"] for record in site.ledger.records]


def accept_and_withdraw(visitor: BrowserContext, url: str) -> Page:
    """Accept, withdraw, and put the cookie of the acceptance back, as a restored profile does."""
    page = visitor.new_page()
    page.goto(url)
    press(page, "accept_all")
    accepted = visitor.cookies(url)
    page.goto(f"{url}{_PREFERENCES}")
    press(page, "withdraw")
    withdrawn = visitor.cookies(url)
    visitor.add_cookies([{**each, "path": "/"} for each in accepted])  # type: ignore[typeddict-item]
    assert visitor.cookies(url) == accepted != withdrawn
    return page


def click_both(page: Page, site: ProofSite, *actions: str) -> None:
    """Press two buttons, the second before the first is answered: both choices reach the server."""
    middles = [page.locator(f"[data-consent-action={action}]").first.evaluate(_MIDDLE) for action in actions]
    with site.late_answers():
        for at, (x, y) in enumerate(middles, start=1):
            # With the mouse alone: Playwright finds no button while a page is on its way.
            page.mouse.click(x, y)
            wait_until(lambda at=at: site.posts == at)  # type: ignore[misc]  # bound at once


def test_two_quick_submits_are_one_event(page: Page, site: ProofSite) -> None:
    page.goto(site.url)
    click_both(page, site, "accept_all", "accept_all")
    page.locator(".opened").wait_for()

    assert actions_of(site) == ["accept_all"]


def test_double_click_is_one_event_where_scripts_run(tab: Page, site: ProofSite) -> None:
    tab.goto(site.url)
    button_of(tab, "accept_all").dblclick()
    tab.locator(".opened").wait_for()
    # Whatever the second click posted has been answered.
    tab.goto(f"{site.url}{_PREFERENCES}")

    assert actions_of(site) == ["accept_all"]


def test_double_click_in_firefox_is_one_event(fox: Firefox, site: ProofSite) -> None:
    button = '[data-consent-action="accept_all"]'
    with fox.visitor() as tab:
        tab.open(site.url)
        with site.late_answers():
            tab.click(button)
            wait_until(lambda: site.posts == 1)
            tab.click(button)
            wait_until(lambda: site.posts == 2)
        wait_until(lambda: site.opened == ["analytics"])

    assert actions_of(site) == ["accept_all"]


def test_the_other_button_after_the_first_is_another_event(page: Page, site: ProofSite) -> None:
    page.goto(site.url)
    click_both(page, site, "accept_all", "reject_all")
    expect(page.locator(BANNER)).to_have_count(0)

    assert actions_of(site) == ["accept_all", "reject_all"]
    assert site.opened == []


def test_replayed_cookie_opens_nothing_under_strict_revocation(visitor: BrowserContext, site: ProofSite) -> None:
    page = accept_and_withdraw(visitor, site.url)
    site.opened.clear()
    page.goto(site.url)

    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".opened")).to_have_count(0)
    assert site.opened == []


def test_replayed_cookie_counts_without_strict_revocation(page: Page, lenient_site: ProofSite) -> None:
    """Prove that the test before this one could fail; the guide says so of a ledger as shipped."""
    page = accept_and_withdraw(page.context, lenient_site.url)
    page.goto(lenient_site.url)

    expect(page.locator(".opened")).to_have_count(1)


def test_grant_opens_nothing_while_a_strict_ledger_is_away(page: Page, site: ProofSite) -> None:
    page.goto(site.url)
    press(page, "accept_all")
    page.locator(".opened").wait_for()
    site.opened.clear()
    site.ledger.is_away = True
    page.reload()

    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".opened")).to_have_count(0)
    assert site.opened == []
    site.ledger.is_away = False
    page.reload()
    expect(page.locator(".opened")).to_have_count(1)
