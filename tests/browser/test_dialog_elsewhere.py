"""Where the dialog cannot be had, the page it would show is there; and it opens in sites of every make."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from tests.browser.choosing import ALERT, choose, open_tab, press_native, record_errors
from tests.browser.dialog import BANNER_LINK, DIALOG, answer_fetch, fail_to_save, open_dialog
from tests.browser.newsroom import FILM_ARTICLE, Newsroom
from tests.browser.plain_site import make_plain_site
from tests.browser.serving import serve


@pytest.fixture
def page(reader: BrowserContext, plain_url: str) -> Page:
    """That visitor's tab, on a page that asks."""
    return open_tab(reader, f"{plain_url}/links")


@pytest.mark.parametrize("answer", ["no-network", "server-error", "other-page"])
def test_preferences_page_opens_where_the_dialog_cannot(page: Page, plain_url: str, answer: str) -> None:
    whole_page = make_plain_site("en").test_client().get("/privacy-choices/").text
    answers: dict[str, dict[str, Any] | None] = {
        "no-network": None,
        "server-error": {"status": 500, "body": whole_page},
        "other-page": {"status": 200, "body": "<h1>Sign in to the hotel's network</h1>"},
    }
    errors = record_errors(page.context)
    answer_fetch(page, answers[answer])

    with page.expect_navigation():
        page.click(BANNER_LINK)

    assert page.url == f"{plain_url}/privacy-choices/"
    expect(page.locator("main [data-consent-ui=preferences]")).to_be_visible()
    assert errors == []


def test_preferences_page_opens_where_the_module_does_not_load(page: Page, plain_url: str) -> None:
    page.route("**/preferences.*.js", lambda route: route.abort())

    with page.expect_navigation():
        page.click(BANNER_LINK)

    assert page.url == f"{plain_url}/privacy-choices/"


def test_dialog_opens_without_its_stylesheets(page: Page) -> None:
    page.route("**/assets/preferences.*.css", lambda route: route.abort())

    open_dialog(page)

    page.check("#pvc-grant-analytics")
    choose(page, "save")
    assert page.evaluate("() => flaskConsent.allows('analytics')")


def test_failure_to_save_is_told_in_the_dialog_and_the_form_still_works(page: Page, plain_url: str) -> None:
    open_dialog(page)
    page.check("#pvc-grant-analytics")

    fail_to_save(page)

    expect(page.locator(f"{DIALOG} {ALERT}")).to_have_text(
        "Your choice could not be saved. Nothing was changed. Please try again."
    )
    assert not page.evaluate("() => flaskConsent.allows('analytics')")
    press_native(page, "save")
    assert page.url.startswith(f"{plain_url}/privacy-choices/?saved=1")
    expect(page.locator("#pvc-grant-analytics")).to_be_checked()


# -- other sites


def test_site_below_a_path_opens_it(reader: BrowserContext) -> None:
    errors = record_errors(reader)
    page = reader.new_page()
    with serve(DispatcherMiddleware(Response("Elsewhere", status=404), {"/paper": make_plain_site("en")})) as server:
        page.goto(f"http://plain.localhost:{server.port}/paper/links")
        open_dialog(page)
        assert page.locator(".pvc-switch").first.evaluate("(each) => getComputedStyle(each).appearance") == "none"
        page.check("#pvc-grant-analytics")
        choose(page, "save")

        assert {cookie.get("name") for cookie in reader.cookies()} == {"consent"}
    assert page.evaluate("() => flaskConsent.allows('analytics')")
    assert errors == []


def test_own_frame_of_a_site_is_left_out(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    sheets = "() => [...document.querySelectorAll('link[rel=stylesheet]')].map((each) => new URL(each.href).pathname)"
    before = page.evaluate(sheets)

    open_dialog(page)

    added = [path for path in page.evaluate(sheets) if path not in before]
    assert [path.rsplit("/", 1)[-1].split(".")[0] for path in added] == ["preferences", "cookie_table"]
    assert page.locator(f"{DIALOG} :is(header, footer, main, nav, link, script)").count() == 0
    expect(page.locator("header.masthead")).to_have_count(1)


def test_dialog_speaks_the_language_of_the_page(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    page.goto(f"{newsroom.url}/ar{FILM_ARTICLE}")

    open_dialog(page)

    dialog = page.locator(DIALOG)
    assert (dialog.get_attribute("lang"), dialog.get_attribute("dir")) == ("ar", "rtl")
    expect(page.get_by_role("dialog", name="خيارات الخصوصية")).to_be_visible()
