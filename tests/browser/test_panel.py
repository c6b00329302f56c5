"""The developer's panel as developers see it: without a script, under a strict policy, on every screen, beside the banner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, expect

from consent import Consent
from tests.browser import chromium
from tests.browser.looks import SIZES, Look, Wardrobe, assert_flawless
from tests.browser.serving import serve

POLICY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; script-src 'self'"
PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>News</title></head>'
    f"<body><main><h1>News</h1>{'<p>Words of the paper, and more of them.</p>' * 30}</main></body></html>"
)
SUMMARY: Final = ".pvc-audit__summary"
# Whether what is in the middle of an element is the element's own, and nothing lies over it.
IS_FREE: Final = """(element) => {
    const box = element.getBoundingClientRect();
    const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return box.top >= 0 && box.left >= 0 && (element.contains(found) || found.contains(element));
}"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page of a site in debug mode, which sets a cookie that nobody allows, under a strict policy."""
    app = Flask("newspaper")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd", CONSENT_PANEL=True)
    app.debug = True
    Consent(app, services=["google-analytics", "youtube"])

    @app.get("/")
    def front() -> Response:
        response = Response(PAGE)
        response.set_cookie("_ga", "1")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    with serve(app) as server:
        yield f"http://localhost:{server.server_port}/"


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_finds_nothing_while_it_is_open(url: str, wardrobe: Wardrobe, color_scheme, size) -> None:
    tab = wardrobe.tab(Look(color_scheme=color_scheme, language="en", size=size))
    # For axe, which is a script: the policy is looked at below.
    tab.route(url, lambda route: route.fulfill(response=route.fetch(), headers={"Content-Type": "text/html"}))
    tab.goto(url)
    # The page's own: axe takes a page without a colour for a white one.
    tab.add_style_tag(content="body { background: Canvas }")
    tab.click(SUMMARY)

    assert_flawless(tab)


@pytest.mark.parametrize("size", list(SIZES))
def test_panel_opens_by_keyboard_and_hides_nothing_of_the_banner(url: str, browser: Browser, size) -> None:
    width, height = SIZES[size]
    with chromium.visitor(browser, viewport=(width, height)) as visitor:
        tab = visitor.new_page()
        tab.goto(url)
        before = tab.evaluate("document.documentElement.scrollWidth")
        tab.focus(SUMMARY)
        tab.keyboard.press("Enter")

        expect(tab.locator(".pvc-audit__list")).to_contain_text("The cookie '_ga' of 'google-analytics' was not sent")
        assert tab.locator(SUMMARY).evaluate(IS_FREE)
        assert all(each.evaluate(IS_FREE) for each in tab.locator(".pvc-banner button").all())
        assert tab.evaluate("document.documentElement.scrollWidth") == before == width


def test_strict_policy_blocks_nothing_of_the_panel(url: str, browser: Browser) -> None:
    with chromium.visitor(browser, javascript=True) as visitor:
        tab = visitor.new_page()
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(url)

        assert [each for each in complaints if "favicon" not in each] == []
        assert tab.locator(".pvc-audit").evaluate("element => getComputedStyle(element).position") == "fixed"
