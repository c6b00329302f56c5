"""Chromium from the system's packages, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, sync_playwright

EXECUTABLE: Final = "/usr/bin/chromium"

SHELL: Final = "/usr/bin/chromium-headless-shell"
"""The same release of Chromium without windows, profiles and extensions, from a Debian package of its own: a visitor costs a
third of the processor's time. Where it is not installed, Chromium stands for it."""

_ARGUMENTS: Final = (
    "--no-sandbox",
    # Chromium's own traffic would mix with the requests that the tests count.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # Pages may name real third parties; their requests are counted, and fail here instead of leaving the machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def find_shell() -> str:
    """Return where `SHELL` is, or else Chromium itself."""
    return SHELL if Path(SHELL).exists() else EXECUTABLE


@contextmanager
def launch(*, back_forward_cache: bool = False) -> Iterator[Browser]:
    """Run Chromium headless and end it afterwards. See `launch_with()` for a second one beside it."""
    with sync_playwright() as playwright, launch_with(playwright, back_forward_cache=back_forward_cache) as browser:
        yield browser


@contextmanager
def launch_with(
    playwright: Playwright, *, is_shell: bool = False, back_forward_cache: bool = False
) -> Iterator[Browser]:
    """Run one more Chromium; there can be but one `sync_playwright()` a thread.

    Args:
        playwright: The running one.
        is_shell: Whether `SHELL` will do: it lays out, runs scripts and talks to servers alike, but guesses nothing ahead.
        back_forward_cache: Whether pages may be revived from memory, as in a visitor's browser. Playwright turns that
            off, because its own waiting does not know it: use `go_back()` here instead of Playwright's.
    """
    browser = playwright.chromium.launch(
        executable_path=find_shell() if is_shell else EXECUTABLE,
        args=list(_ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"] if back_forward_cache else None,
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def visitor(
    browser: Browser,
    *,
    javascript: bool = False,
    color_scheme: Literal["light", "dark"] = "light",
    viewport: tuple[int, int] = (1280, 800),
    locale: str = "en-US",
    headers: Mapping[str, str] | None = None,
) -> Iterator[BrowserContext]:
    """Begin a new visitor with an empty cookie jar and cache.

    Args:
        browser: From `launch()`.
        javascript: Whether pages may run scripts.
        color_scheme: What `prefers-color-scheme` answers.
        viewport: Width and height in CSS pixels.
        locale: Language tag for `navigator.language` and `Accept-Language`.
        headers: Sent with every request, such as `{"Sec-GPC": "1"}`.
    """
    context = browser.new_context(
        java_script_enabled=javascript,
        color_scheme=color_scheme,
        viewport=ViewportSize(width=viewport[0], height=viewport[1]),
        locale=locale,
        extra_http_headers=dict(headers or {}),
        ignore_https_errors=True,
    )
    try:
        yield context
    finally:
        context.close()


@contextmanager
def lasting_visitor(playwright: Playwright) -> Iterator[BrowserContext]:
    """Run Chromium for one visitor whose profile lies on disk; the others are like private windows.

    Only here does Chromium follow `<link rel="preconnect">`.
    """
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=EXECUTABLE, args=list(_ARGUMENTS), java_script_enabled=False
        )
        try:
            yield context
        finally:
            context.close()


def record_requests(context: BrowserContext) -> list[str]:
    """Give a list that fills with the address of every HTTP request of the context, frames included."""
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    return addresses


def go_back(page: Page) -> None:
    """Go back in history, also to a page that the back/forward cache revives without another load event."""
    page.go_back(wait_until="commit")
    # Not wait_for_load_state(), which misses a revival, nor wait_for_function(), which needs the page's JavaScript.
    while page.evaluate("document.readyState") != "complete":
        page.wait_for_timeout(20)
