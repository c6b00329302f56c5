"""Promise 6: two visitors behind one cache never share a page that depends on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.browser.plain_site import make_plain_site
from tests.browser.serving import serve
from tests.browser.shared_cache import SharedCache

_PAGES: Final = ("/links", "/embed", "/bare", "/verdicts", "/privacy-choices/", "/privacy-choices/state")


@pytest.fixture
def cached_url() -> Iterator[str]:
    """Address of the plain site behind an empty cache."""
    with serve(make_plain_site("en")) as site, serve(SharedCache(site.port)) as cache:
        yield f"http://plain.localhost:{cache.port}"


@pytest.fixture
def visitors(browser: Browser) -> Iterator[tuple[BrowserContext, BrowserContext, BrowserContext]]:
    """Someone who accepts, someone who rejects, a stranger."""
    with ExitStack() as stack:
        one, two, three = (stack.enter_context(chromium.visitor(browser)) for _ in range(3))
        yield one, two, three


def press(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.locator(f'[data-consent-action="{action}"]:visible').first.click()


def read(context: BrowserContext, url: str) -> tuple[str, str]:
    """Open a page in the visitor's tab; give what it says, and whether the cache answered."""
    page = context.pages[0] if context.pages else context.new_page()
    answer = page.goto(url)
    assert answer is not None
    return answer.text(), answer.headers["x-cache"]


def test_visitors_with_opposite_choices_never_share_a_page(
    visitors: tuple[BrowserContext, BrowserContext, BrowserContext], cached_url: str
) -> None:
    accepting, rejecting, _ = visitors
    for context, action in ((accepting, "accept_all"), (rejecting, "reject_all")):
        page = context.new_page()
        page.goto(f"{cached_url}/embed")
        press(page, action)

    for _ in range(2):
        accepted, rejected, asked = (read(context, f"{cached_url}/embed")[0] for context in visitors)
        assert ("<iframe" in accepted, "pvc-banner" in accepted) == (True, False)
        assert ("<iframe" in rejected, 'data-consent-ui="banner"' in rejected) == (False, False)
        assert ("<iframe" in asked, 'data-consent-ui="banner"' in asked) == (False, True)
        assert [
            read(context, f"{cached_url}/verdicts")[0].count("analytics") for context in (accepting, rejecting)
        ] == [1, 0]


def test_pages_that_depend_on_the_visitor_are_not_kept(
    visitors: tuple[BrowserContext, BrowserContext, BrowserContext], cached_url: str
) -> None:
    sources = {path: [read(context, f"{cached_url}{path}")[1] for context in visitors] for path in _PAGES}

    assert sources == {path: ["MISS", "MISS", "MISS"] for path in _PAGES}


def test_what_is_the_same_for_everyone_is_kept(
    visitors: tuple[BrowserContext, BrowserContext, BrowserContext], cached_url: str
) -> None:
    """Prove that the cache keeps what it may."""
    page = visitors[0].new_page()
    page.goto(f"{cached_url}/links")
    stylesheet = page.locator("link[rel=stylesheet]").first.get_attribute("href")

    for path in ("/plain.txt", stylesheet):
        assert [read(context, f"{cached_url}{path}")[1] for context in visitors][1:] == ["HIT", "HIT"]


def test_the_cache_would_share_pages_without_our_headers(
    visitors: tuple[BrowserContext, BrowserContext, BrowserContext],
) -> None:
    """Prove that the first test could fail."""
    with serve(_without_cache_headers(make_plain_site("en"))) as site, serve(SharedCache(site.port)) as cache:
        url = f"http://plain.localhost:{cache.port}"
        page = visitors[0].new_page()
        page.goto(f"{url}/embed")
        press(page, "reject_all")

        assert read(visitors[1], f"{url}/embed")[1] == "HIT"


def _without_cache_headers(app: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            kept = [(name, value) for name, value in headers if name.lower() not in {"vary", "cache-control"}]
            return start_response(status, kept)

        return app(environ, start)  # type: ignore[arg-type]  # as much of the protocol as Flask uses

    return answer  # type: ignore[return-value]  # the same
