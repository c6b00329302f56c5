"""The banner has no time limit: nothing of it goes, and nothing is granted, because time has passed."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect

from tests.browser import chromium

_BANNER = "[data-consent-ui=banner]"


def test_banner_is_there_unchanged_after_a_day(reader: BrowserContext, plain_url: str) -> None:
    """WCAG 2.2.1."""
    page = reader.new_page()
    page.clock.install()
    page.goto(f"{plain_url}/links", wait_until="networkidle")
    page.wait_for_function("() => window.flaskConsent")
    before = page.locator("body").evaluate("(body) => body.outerHTML")
    sent = chromium.record_requests(reader)

    page.clock.fast_forward("24:00:00")

    expect(page.locator(_BANNER)).to_be_visible()
    assert page.locator("body").evaluate("(body) => body.outerHTML") == before
    assert page.evaluate("() => flaskConsent.state.needs_prompt") is True
    assert (sent, reader.cookies()) == ([], [])
