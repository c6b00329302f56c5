"""The dashboard as operators see it: without a script, on every screen, under the strictest policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from flask import Response
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import chromium
from tests.browser.looks import SIZES, Look, Wardrobe, assert_flawless
from tests.browser.serving import serve
from tests.counted_visits import count_visits, make_counted_site

PATH: Final = "/privacy-choices/dashboard"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; require-trusted-types-for 'script'; form-action 'none'; base-uri 'none'"
)
SHOWN_CHARTS: Final = """() => [...document.querySelectorAll(".pvc-chart")]
    .filter((chart) => chart.checkVisibility()).map((chart) => chart.querySelector("title").id.split("-")[0])"""
# Words of the chart in pixels on the screen, against those around it.
LETTER_SIZES: Final = """() => [...document.querySelectorAll(".pvc-chart")].filter((chart) => chart.checkVisibility())
    .map((chart) => 12 * chart.getBoundingClientRect().width / chart.viewBox.baseVal.width)"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The dashboard of a site with a strict Content-Security-Policy."""
    app = make_counted_site(count_visits())

    @app.after_request
    def restrict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    with serve(app) as server:
        yield f"http://localhost:{server.server_port}{PATH}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with chromium.visitor(browser) as visitor:
        yield visitor.new_page()


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_finds_nothing_with_every_table_open(url: str, wardrobe: Wardrobe, color_scheme, size) -> None:
    tab = wardrobe.tab(Look(color_scheme=color_scheme, language="en", size=size))
    # For axe, which is a script: the policy is looked at below.
    tab.route(f"{url}*", lambda route: route.fulfill(response=route.fetch(), headers={"Content-Type": "text/html"}))
    tab.goto(url)
    tab.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true }")

    assert_flawless(tab)


@pytest.mark.parametrize("width", [320, 390, 600, 820, 1280, 1920])
def test_each_chart_is_shown_once_in_readable_letters_on_every_screen(url: str, page: Page, width: int) -> None:
    page.set_viewport_size(ViewportSize(width=width, height=800))
    page.goto(url)

    assert page.evaluate(SHOWN_CHARTS) == ["trend", "places", "languages"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert all(9.5 <= size <= 20 for size in page.evaluate(LETTER_SIZES)), page.evaluate(LETTER_SIZES)


def test_strict_policy_blocks_nothing_and_nothing_comes_from_elsewhere(url: str, browser: Browser) -> None:
    with chromium.visitor(browser, javascript=True) as visitor:
        addresses = chromium.record_requests(visitor)
        tab = visitor.new_page()
        complaints: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(url)

        assert [each for each in complaints if "favicon" not in each] == []
        assert {each.rpartition("/")[0] for each in addresses if "favicon" not in each} <= {
            url.rpartition("/")[0],
            f"{url.rpartition('/')[0]}/assets",
        }
        assert "rgb(18, 118, 109)" in tab.locator(".pvc-chart__accepted rect").first.evaluate(
            "(bar) => getComputedStyle(bar).fill"
        )


def test_range_and_tables_work_without_javascript(url: str, page: Page) -> None:
    page.goto(url)
    page.get_by_role("link", name="7 days").click()
    expect(page).to_have_url(f"{url}?days=7")
    page.get_by_text("All numbers by day").click()

    expect(page.locator(".pvc-numbers__table").first.locator("tbody tr")).to_have_count(7)
    expect(page.locator(".pvc-numbers__table").first).to_be_visible()


def test_colours_follow_the_scheme(url: str, browser: Browser) -> None:
    found = []
    for scheme in ("light", "dark"):
        with chromium.visitor(browser, color_scheme=scheme) as visitor:
            tab = visitor.new_page()
            tab.goto(url)
            found.append(
                tab.evaluate(
                    """() => [".pvc-chart__accepted rect", ".pvc-chart__label"].map(
                        (name) => getComputedStyle(document.querySelector(name)).fill)"""
                )
            )

    light, dark = found
    assert [first != second for first, second in zip(light, dark, strict=True)] == [True, True]
