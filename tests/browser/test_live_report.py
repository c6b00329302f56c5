"""The newsroom's "What the trackers saw" follows what happens elsewhere, and takes nothing from the one who reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Response
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from examples.newsroom.app import create_app
from tests.browser import chromium
from tests.browser.newsroom import FILM_ARTICLE, HOST, Newsroom
from tests.browser.serving import serve

PATH: Final = "/what-the-trackers-saw"
UPDATING: Final = "Updates by itself"
NOT_UPDATING: Final = "Not updating, trying again"
INTERVAL_MS: Final = 1500

_PART: Final = re.compile(r"part=sightings")
_NONCE: Final = "bm9uY2U"
_STRICT_POLICY: Final = (
    f"default-src 'none'; script-src 'nonce-{_NONCE}' 'strict-dynamic'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types consent"
)
_NOTE_VIOLATIONS: Final = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""
# Registered at each start of a look, so that it hears of the end after the page's script did, which has set its timer then.
_COUNT_LOOKS: Final = """
window.looks = 0;
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (...from) {
  this.addEventListener("loadend", () => { looks += 1; }, { once: true });
  return open.apply(this, from);
};
"""


@pytest.fixture
def emptied(newsroom: Newsroom) -> Newsroom:
    """The newsroom, of whose choices nothing is left either."""
    newsroom.app.extensions["newsroom"].timeline.clear()
    return newsroom


@pytest.fixture
def scripted(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor with JavaScript on, whose window is too small for the whole report."""
    with chromium.visitor(browser, javascript=True, viewport=(600, 600)) as visitor:
        yield visitor


@pytest.fixture
def report(scripted: BrowserContext, emptied: Newsroom) -> Page:
    """The report in that visitor's first tab."""
    page = scripted.new_page()
    page.goto(f"{emptied.url}{PATH}")
    return page


@pytest.fixture
def still_report(scripted: BrowserContext, emptied: Newsroom) -> Page:
    """The same, after its first look and with its clock stopped: its timer waits for the test."""
    page = scripted.new_page()
    page.add_init_script(_COUNT_LOOKS)
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.goto(f"{emptied.url}{PATH}")
    page.wait_for_function("() => looks === 1")
    return page


def send(newsroom: Newsroom, *, page: str = "/article/night-tram", times: int = 1) -> None:
    """Let requests reach a tracker."""
    for _ in range(times):
        address = f"http://127.0.0.1:{newsroom.trackers.port}/pixel.gif?page={page}"
        with urlopen(Request(address, headers={"Host": "stats.localhost"})) as answer:
            assert answer.status == 200


def rows_of(report: Page) -> Locator:
    return report.locator(".log tbody tr")


def news_of(report: Page) -> Locator:
    return report.locator(".toolbar [role=status]")


def look_again(still_report: Page) -> None:
    """Let the time until the next look pass, and wait for its end."""
    looks = still_report.evaluate("() => looks")
    still_report.clock.run_for(INTERVAL_MS)
    still_report.wait_for_function("(count) => looks === count", arg=looks + 1)


def say_visibility(report: Page, state: Literal["hidden", "visible"]) -> None:
    """Headless tabs are always visible: tell the page otherwise."""
    report.evaluate(
        """(state) => {
            Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_choice_and_reading_in_another_tab_show_up_without_a_reload(report: Page, emptied: Newsroom) -> None:
    report.evaluate("() => { window.isSamePage = true }")
    expect(rows_of(report)).to_have_count(0)
    other = report.context.new_page()

    other.goto(f"{emptied.url}{FILM_ARTICLE}")
    other.locator(".pvc-banner [data-consent-action=accept_all]").click()

    expect(report.get_by_role("heading", name="After agreeing to preferences, analytics, marketing")).to_be_visible()
    expect(rows_of(report).filter(has_text="/embed/first-crossing")).to_have_count(1)
    expect(report.get_by_role("heading", name="Before the first choice")).to_be_visible()
    assert report.evaluate("() => window.isSamePage")


def test_status_says_in_one_line_what_came(report: Page, emptied: Newsroom) -> None:
    expect(news_of(report)).to_have_text("")

    send(emptied)

    expect(news_of(report)).to_have_text(re.compile(r"^1 new request at \d\d:\d\d:\d\d$"))
    expect(report.locator("main").locator("[role=status], [role=alert], [role=log], [aria-live]")).to_have_count(1)


def test_log_emptied_in_another_tab_goes_here_too(report: Page, emptied: Newsroom) -> None:
    send(emptied, times=2)
    expect(rows_of(report)).to_have_count(2)
    other = report.context.new_page()
    other.goto(f"{emptied.url}{PATH}")

    other.get_by_role("button", name="Empty the log").click()

    expect(rows_of(report)).to_have_count(0)
    expect(news_of(report)).to_contain_text("Log emptied")


def test_link_in_the_report_keeps_focus(report: Page, emptied: Newsroom) -> None:
    link = report.get_by_role("link", name="Before any choice")
    link.focus()
    focused = link.element_handle()
    other = report.context.new_page()
    other.goto(f"{emptied.url}/")

    other.locator(".pvc-banner [data-consent-action=reject_all]").click()
    send(emptied)

    expect(rows_of(report)).to_have_count(1)
    expect(report.get_by_role("link", name="Before the first choice")).to_be_focused()
    assert report.evaluate("(element) => document.activeElement === element", focused)


def test_reader_keeps_the_place_when_rows_come_in_above(still_report: Page, emptied: Newsroom) -> None:
    send(emptied, page="/article/first")
    send(emptied, times=40)
    look_again(still_report)
    expect(rows_of(still_report)).to_have_count(41)
    read = rows_of(still_report).filter(has_text="/article/first")
    read.evaluate("(row) => { row.scrollIntoView({ block: 'center', behavior: 'instant' }) }")
    still_report.locator(".table-scroll").last.evaluate("(box) => { box.scrollLeft = 60 }")
    before = read.bounding_box()

    send(emptied, times=3)
    look_again(still_report)

    expect(rows_of(still_report)).to_have_count(44)
    assert read.bounding_box() == pytest.approx(before, abs=1)


def test_nothing_is_touched_while_nothing_is_new(still_report: Page, emptied: Newsroom) -> None:
    statuses: list[int] = []
    still_report.on("response", lambda response: statuses.append(response.status))
    still_report.evaluate(
        """() => {
            window.touched = 0;
            new MutationObserver((records) => { touched += records.length }).observe(
                document.querySelector("#sightings"),
                { subtree: true, childList: true, characterData: true, attributes: true },
            );
        }"""
    )

    look_again(still_report)
    look_again(still_report)
    assert still_report.evaluate("() => touched") == 0

    send(emptied)
    look_again(still_report)
    assert still_report.evaluate("() => touched") > 0
    # What the page asked for while it loaded may be told late.
    assert statuses[-3:] == [204, 204, 200]


def test_choice_on_the_page_itself_shows_up_at_once(still_report: Page) -> None:
    """The library says `consent:change`; no timer runs here, and no page load."""
    still_report.locator(".pvc-banner [data-consent-action=reject_all]").click()

    expect(still_report.get_by_role("heading", name="After refusing everything")).to_be_visible()
    assert still_report.evaluate("() => looks") == 2


def test_hidden_page_asks_nothing_and_looks_at_once_when_it_shows(still_report: Page, emptied: Newsroom) -> None:
    asked: list[str] = []
    still_report.on("request", lambda request: asked.append(request.url))
    send(emptied)

    say_visibility(still_report, "hidden")
    still_report.clock.run_for(40 * INTERVAL_MS)
    say_visibility(still_report, "visible")

    still_report.wait_for_function("() => looks === 2")
    expect(rows_of(still_report)).to_have_count(1)
    assert len(asked) == 1
    # While it shows, the same clock makes it ask.
    look_again(still_report)
    assert len(asked) == 2


def test_server_that_is_away_is_said_and_asked_again(still_report: Page, emptied: Newsroom) -> None:
    send(emptied)
    look_again(still_report)
    expect(rows_of(still_report)).to_have_count(1)

    still_report.context.set_offline(True)
    look_again(still_report)
    expect(still_report.get_by_text(NOT_UPDATING)).to_be_visible()
    expect(still_report.get_by_text(UPDATING)).to_be_hidden()
    expect(news_of(still_report)).to_contain_text("1 new request")
    expect(rows_of(still_report)).to_have_count(1)

    send(emptied)
    still_report.context.set_offline(False)
    look_again(still_report)
    expect(rows_of(still_report)).to_have_count(2)
    expect(still_report.get_by_text(UPDATING)).to_be_visible()
    expect(still_report.get_by_text(NOT_UPDATING)).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (500, "<!doctype html><p>Broken", "text/html"),
        (200, "<!doctype html><p>Another page", "text/html"),
        (200, "[]", "application/json"),
        (200, "", "text/html"),
    ],
)
def test_answer_of_another_kind_changes_nothing(still_report: Page, status: int, body: str, content_type: str) -> None:
    still_report.route(_PART, lambda route: route.fulfill(status=status, body=body, content_type=content_type))

    look_again(still_report)

    expect(still_report.get_by_text(NOT_UPDATING)).to_be_visible()
    expect(still_report.get_by_role("heading", name="Before any choice")).to_be_visible()


def test_page_without_javascript_is_reloaded_by_its_link(page: Page, emptied: Newsroom) -> None:
    page.goto(f"{emptied.url}{PATH}")
    expect(page.get_by_text(UPDATING)).to_be_hidden()
    expect(page.get_by_text(NOT_UPDATING)).to_be_hidden()
    expect(page.get_by_role("status")).to_have_count(0)
    send(emptied)

    with page.expect_navigation():
        page.get_by_role("link", name="Look again").click()

    expect(rows_of(page)).to_have_count(1)


def test_strict_policy_is_not_violated(scripted: BrowserContext, emptied: Newsroom) -> None:
    app = create_app(tracker_port=emptied.trackers.port)
    app.jinja_env.globals["csp_nonce"] = lambda: _NONCE

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _STRICT_POLICY
        return response

    page = scripted.new_page()
    page.add_init_script(_NOTE_VIOLATIONS)
    with serve(app) as site:
        page.goto(f"http://{HOST}:{site.port}{PATH}")
        send(emptied)
        expect(rows_of(page)).to_have_count(1)

    assert page.evaluate("() => violations") == []


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_live_report(
    browser: Browser, emptied: Newsroom, color_scheme: Literal["light", "dark"]
) -> None:
    with chromium.visitor(browser, javascript=True, color_scheme=color_scheme, viewport=(390, 844)) as visitor:
        page = visitor.new_page()
        page.goto(f"{emptied.url}{PATH}")
        send(emptied)
        expect(rows_of(page)).to_have_count(1)

        results = Axe().run(page, options={"resultTypes": ["violations"]})

    assert results.violations_count == 0, results.generate_report()
