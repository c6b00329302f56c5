"""What Google hears where its tag runs before the browser was asked, within other gates, and beside markup that copies ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, Response, render_template_string, request
from playwright.sync_api import Browser, BrowserContext, Page

from consent import Consent
from tests.browser import chromium
from tests.browser.serving import serve

_NONCE = "c2lnbmFscw"
_HEAD = '<!doctype html><html lang="en"><head><link rel="icon" href="data:,"><title>Signals</title></head><body>'
_MACROS = '{% from "consent/macros.html" import gate, script, settings_link %}'
_ANALYTICS = '{{ script("google-analytics", measurement_id="G-AB12CD34EF") }}'
_ADS = '{{ script("google-ads", conversion_id="AW-123456789") }}'
_PAGES = {
    "plain": _ANALYTICS,
    "nested": '{% call gate("preferences") %}' + _ANALYTICS + "{% endcall %}" + _ADS,
    "copied": '<script type="text/plain" data-consent-told="google"></script>' + _ANALYTICS,
}
# Commands as Google reads them: events are objects of another form.
_COMMANDS = """JSON.stringify((window.dataLayer ?? []).filter((each) => each.length).map((each) =>
  each[0] == "consent" ? [each[1], each[2].ad_storage, each[2].analytics_storage] : each[0]))"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Signals Ltd")
    app.config["CONSENT_CSP_NONCE"] = lambda: _NONCE

    @app.get("/<place>/<name>")
    def show(place: str, name: str) -> Response:
        source = f"{_HEAD}{_MACROS}{_PAGES[name]}<footer>{{{{ settings_link() }}}}</footer></body></html>"
        policy = f"script-src 'nonce-{_NONCE}'"
        return Response(render_template_string(source), headers={"Content-Security-Policy": policy})

    Consent(app, services=["google-analytics", "google-ads"], jurisdiction=lambda: _find_place(request.path))
    with serve(app) as server:
        yield f"http://signals.localhost:{server.port}"


def _find_place(path: str) -> str:
    # Of the library's own addresses, the place is that of the page which asks them.
    own = request.referrer or "" if path.startswith("/privacy-choices") else request.url
    return "US-TX" if "/US-TX/" in own else "FR"


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    with chromium.visitor(browser, javascript=True) as context:
        context.route(
            "https://www.googletagmanager.com/**", lambda route: route.fulfill(content_type="text/javascript")
        )
        yield context


def _wait_for(page: Page, *commands: object) -> None:
    """Wait until the page has said just these."""
    page.wait_for_function(f"(wanted) => {_COMMANDS} == JSON.stringify(wanted)", arg=list(commands))


def test_update_follows_once_the_browser_has_said_that_there_is_no_signal(visitor: BrowserContext, url: str) -> None:
    page = visitor.new_page()
    page.goto(f"{url}/US-TX/plain")

    _wait_for(page, ["default", "denied", "granted"], "set", "js", "config", "set", ["update", "granted", "granted"])


def test_nothing_follows_where_scripts_see_the_signal(visitor: BrowserContext, url: str) -> None:
    visitor.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });")
    page = visitor.new_page()
    with page.expect_response("**/privacy-choices/gpc"):
        page.goto(f"{url}/US-TX/plain")
    page.get_by_text("Opt-Out Request Honored").or_(page.locator(".pvc-banner")).first.wait_for()

    _wait_for(page, ["default", "denied", "granted"], "set", "js", "config")


def test_tags_in_gates_within_gates_come_behind_one_default_and_one_update(visitor: BrowserContext, url: str) -> None:
    page = visitor.new_page()
    page.goto(f"{url}/FR/nested")
    page.locator("[data-consent-action=accept_all]").click()

    _wait_for(
        page,
        *(["default", "denied", "denied"], "set", "set", ["update", "granted", "granted"]),
        *("js", "config", "js", "config"),
    )


def test_markup_that_copies_the_mark_keeps_nobody_from_hearing(visitor: BrowserContext, url: str) -> None:
    page = visitor.new_page()
    page.goto(f"{url}/FR/copied")
    page.locator("[data-consent-action=accept_all]").click()

    _wait_for(page, ["default", "denied", "denied"], "set", "set", ["update", "granted", "granted"], "js", "config")
