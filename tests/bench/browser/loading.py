"""Load one page in Chromium on a slow line, as a first visitor, and note what it cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page

from tests.bench.browser.figures import Load
from tests.browser.chromium import visitor

# 1.6 Mbit/s, as bytes a second.
LINE_BYTES_PER_SECOND: Final = 200_000
LATENCY_MS: Final = 150
CPU_SLOWDOWN: Final = 4

_OBSERVER: Final = (Path(__file__).parent / "observer.js").read_text(encoding="utf-8")
# A selector that fits nothing: the page without a banner is watched all the same.
_NO_BANNER: Final = "#bench-no-banner"
_DEADLINE_SECONDS: Final = 60.0
# What scripts and transitions still do when all is loaded: little once the banner is there, more where nobody looked for it.
_SETTLE_WATCHED_MS: Final = 500
_SETTLE_ALONE_MS: Final = 1500

_SETTINGS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("Network.enable", {}),
    ("Runtime.enable", {}),
    ("Runtime.addBinding", {"name": "noteBanner"}),
    # In processor time: whoever else has the processor meanwhile does not count.
    ("Performance.enable", {"timeDomain": "threadTicks"}),
    (
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": LINE_BYTES_PER_SECOND,
            "uploadThroughput": LINE_BYTES_PER_SECOND,
        },
    ),
)


class UnusableLoadError(RuntimeError):
    """A page did not load as it should, so that its figures would mislead."""


# Without slots: Playwright notes something on the owner of a method that it is to call.
@dataclass(kw_only=True)
class _Record:
    """Fills while a page loads."""

    page: Page
    origin: str
    addresses: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    transferred_bytes: int = 0
    banner: dict[str, float] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        """Note everything from now on."""
        session.on("Network.requestWillBeSent", self._note_request)
        session.on("Network.responseReceived", self._note_response)
        session.on("Network.loadingFailed", lambda event: self.faults.append(event["errorText"]))
        session.on("Network.loadingFinished", self._note_end)
        session.on("Runtime.bindingCalled", lambda event: self.banner.update(json.loads(event["payload"])))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def wait_for_banner(self, address: str) -> None:
        """Wait for the observer's word, which comes as an event while Playwright waits."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not self.banner:
            if time.monotonic() > deadline:
                raise UnusableLoadError(
                    f"The banner of {address} did not show within {_DEADLINE_SECONDS:.0f} s. Faults: {self.faults or 'none'}."
                )
            self.page.wait_for_timeout(20)

    def settle(self, address: str, further_ms: int) -> None:
        """Wait until nothing more is loaded, and longer."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(further_ms)
        if self.faults:
            raise UnusableLoadError(f"{address} did not load as it should: {'; '.join(self.faults)}.")

    def _note_request(self, event: dict[str, Any]) -> None:
        address = event["request"]["url"]
        if address.startswith("data:"):
            return
        self.addresses.append(address)
        if not address.startswith(self.origin):
            self.faults.append(f"asked another host for {address}")

    def _note_response(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if response["status"] != 200:
            self.faults.append(f"{response['url']} was answered with {response['status']}")

    def _note_end(self, event: dict[str, Any]) -> None:
        self.transferred_bytes += round(event["encodedDataLength"])


def load(browser: Browser, *, origin: str, name: str, selector: str) -> Load:
    """Load a page twice, each time with an empty cache: once watched, and once left alone to time its scripts.

    Watching is itself a script that runs in every frame, and would hide what a small one costs. So would Chromium's way to
    slow the processor down: it stops the thread every now and then, which may hit a short script in full or not at all.
    Scripts are therefore timed at full speed.

    Args:
        browser: A running one; each load gets a context of its own.
        origin: Of the server.
        name: Of the page, which is its path.
        selector: Of the banner; empty for the page without one.

    Raises:
        UnusableLoadError: If something else than the server was asked, an answer was no 200, a script failed, or the banner
            did not show.
    """
    address = f"{origin}/{name}"
    watched = _watch(browser, address, origin, selector)
    with visitor(browser, javascript=True) as context, _open(context.new_page(), address, origin) as (session, record):
        record.settle(address, _SETTLE_ALONE_MS)
        return replace(watched, script_ms=_read_script_ms(session))


def _watch(browser: Browser, address: str, origin: str, selector: str) -> Load:
    """Load a page with the observer in it, and return all but the script time."""
    with visitor(browser, javascript=True) as context:
        context.add_init_script(f"({_OBSERVER.strip().rstrip(';')})({json.dumps(selector or _NO_BANNER)})")
        page = context.new_page()
        with _open(page, address, origin, slowdown=CPU_SLOWDOWN) as (_session, record):
            if selector:
                record.wait_for_banner(address)
            record.settle(address, _SETTLE_WATCHED_MS)
            first_paint_ms, layout_shift = page.evaluate(
                '[performance.getEntriesByName("first-contentful-paint")[0].startTime, window.benchShift]'
            )
    return Load(
        transferred_bytes=record.transferred_bytes,
        requests=len(record.addresses),
        first_paint_ms=first_paint_ms,
        appears_ms=_clamp(record.banner.get("appears"), first_paint_ms),
        visible_ms=_clamp(record.banner.get("visible"), first_paint_ms),
        script_ms=0,
        layout_shift=layout_shift,
    )


@contextmanager
def _open(page: Page, address: str, origin: str, *, slowdown: int = 1) -> Iterator[tuple[CDPSession, _Record]]:
    """Go to an address on the slow line, until its load event."""
    record = _Record(page=page, origin=origin)
    session = page.context.new_cdp_session(page)
    record.listen(session)
    for method, parameters in _SETTINGS:
        session.send(method, parameters)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.goto(address, wait_until="load")
    yield session, record


def _read_script_ms(session: CDPSession) -> float:
    metrics: dict[str, float] = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return (metrics["ScriptDuration"] + metrics["V8CompileDuration"]) * 1000


def _clamp(at_ms: float | None, first_paint_ms: float) -> float | None:
    """Nothing is seen before the first paint, whose time holds the way to the screen too.

    A banner in the first frame gets the time of that paint; one in a later frame gets the time when that frame was begun,
    which leaves its own way to the screen out.
    """
    return None if at_ms is None else max(at_ms, first_paint_ms)
