"""How a visitor chooses where the browser runtime answers, and what a page notes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from tests.browser.newsroom import FILM_ARTICLE, Newsroom, is_foreign
from tests.browser.serving import wait_until

BANNER: Final = "[data-consent-ui=banner]"
ALERT: Final = "[role=alert]"
STATUS: Final = "[role=status]"

# What an article with a film brings once everything is granted.
FILM_TRAFFIC: Final = frozenset(
    {
        *("stats.localhost/s.js", "stats.localhost/pixel.gif", "stats.localhost/beacon"),
        *("ads.localhost/ad.js", "ads.localhost/ad"),
        *("social.localhost/share.js", "social.localhost/pixel.gif"),
        "video.localhost/embed/first-crossing",
    }
)
FILM_TRAFFIC_WITHOUT_JAVASCRIPT: Final = frozenset(
    {
        *("stats.localhost/pixel.gif", "ads.localhost/ad", "social.localhost/pixel.gif"),
        "video.localhost/embed/first-crossing",
    }
)

# Runs before anything of the page: what the runtime says to scripts, and to screen readers.
NOTE_EVENTS: Final = """
window.ready = [];
window.changes = [];
window.announced = [];
document.addEventListener("consent:ready", (event) => ready.push(event.detail));
document.addEventListener("consent:change", (event) => changes.push(event.detail));
const announce = (node) => {
  const element = node instanceof Element ? node : node.parentElement;
  const region = element?.closest("[role=status], [role=alert]");
  // A node of its own, so that a region which came with its words can be told from one that was there before them.
  if (region && node.textContent.trim()) {
    announced.push([region.getAttribute("role"), node.textContent, node instanceof Element ? "with it" : "into it"]);
  }
};
new MutationObserver((records) => {
  for (const { addedNodes } of records) addedNodes.forEach(announce);
}).observe(document, { childList: true, subtree: true });
"""

# The runtime's patience, a hundred times as long.
_BE_PATIENT: Final = """{
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (wait) => timeout.call(AbortSignal, 100 * wait);
}"""


def take_notes(reader: BrowserContext, *, is_patient: bool = False) -> BrowserContext:
    """Let the pages of a visitor with JavaScript on note what the runtime says.

    Args:
        reader: The visitor, from now on.
        is_patient: For tests that hold an answer back: no machine is so slow that the runtime gives the answer up.
    """
    reader.add_init_script(NOTE_EVENTS)
    if is_patient:
        reader.add_init_script(_BE_PATIENT)
    return reader


def open_tab(reader: BrowserContext, url: str) -> Page:
    """Open a page in a tab of its own."""
    page = reader.new_page()
    page.goto(url)
    return page


def button_of(page: Page, action: str) -> Locator:
    """Return the first visible button or link of an action."""
    return page.locator(f'[data-consent-action="{action}"]:visible').first


def press_native(page: Page, action: str) -> None:
    """Press it and wait for the page behind it."""
    with page.expect_navigation():
        button_of(page, action).click()


def submit_own_form(page: Page, *, granted: str, action: str) -> None:
    """Put a form of the page's own into it, which posts a choice, and press its button."""
    page.evaluate(
        """({ granted, action }) => {
            const form = document.createElement("form");
            form.method = "post";
            form.setAttribute("action", "/privacy-choices/");
            form.innerHTML = `<input name=granted value=${granted}><button name=action value=${action}>Own</button>`;
            document.body.append(form);
            form.querySelector("button").click();
        }""",
        {"granted": granted, "action": action},
    )


def has_runtime(page: Page) -> bool:
    """Whether the runtime answers on this page."""
    return bool(page.evaluate("() => Object.hasOwn(window, 'flaskConsent')"))


def choose(page: Page, action: str) -> None:
    """Press a button of something that the runtime does in place, and wait until it is done."""
    button = button_of(page, action)
    if action == "settings":
        button.click()
        page.locator("dialog[open]").wait_for()
        return
    if action == "once":
        placeholder = page.locator("[data-consent-embed]").filter(has=button)
        before = placeholder.count()
        button.click()
        expect(placeholder).to_have_count(before - 1)
        return
    page.evaluate("() => document.addEventListener('consent:change', () => (window.isChanged = true), { once: true })")
    button.click()
    page.wait_for_function("() => window.isChanged")


def press(page: Page, action: str) -> None:
    """Press a button or link, and wait for what comes of it: in place where the runtime answers, else another page.

    A withdrawal makes the page load again either way.
    """
    if action == "withdraw" or not has_runtime(page):
        press_native(page, action)
    else:
        choose(page, action)


def opened_of(page: Page) -> list[str]:
    """What the gates of a page of `ChoiceSite` have opened."""
    return page.locator(".opened").all_inner_texts()


def granted(state: dict[str, Any]) -> set[str]:
    """Keys of the purposes that a state grants, but for the one that always is."""
    return {key for key, choice in state["choices"].items() if choice == "granted"} - {"necessary"}


def record_errors(context: BrowserContext) -> list[str]:
    """Give a list that fills with what pages of the context report: uncaught errors, and errors on the console.

    What the browser itself says of requests that failed is left out.
    """
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))

    def note(message: Any) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            errors.append(message.text)

    context.on("console", note)
    return errors


class Traffic:
    """What a visitor's pages send, and what of it is still under way."""

    def __init__(self, context: BrowserContext) -> None:
        """Begin to listen; requests that are under way already are not known."""
        self.sent: list[str] = []
        """Address of every request, frames included."""

        self._under_way: set[Request] = set()
        context.on("request", self._note)
        context.on("requestfinished", self._end)
        context.on("requestfailed", self._end)

    def _note(self, request: Request) -> None:
        self.sent.append(request.url)
        # No page waits for the answer to a beacon, and none is told of.
        if request.resource_type != "ping":
            self._under_way.add(request)

    def _end(self, request: Request) -> None:
        self._under_way.discard(request)

    @property
    def foreign(self) -> Sequence[str]:
        """Addresses that are not the newsroom's own."""
        return [url for url in self.sent if is_foreign(url)]

    def wait_for(self, page: Page, newsroom: Newsroom, sightings: Collection[str]) -> None:
        """Wait until the trackers saw these, and until nothing is under way any more."""
        wait_until(lambda: set(sightings) <= set(newsroom.sightings))
        # In steps: what ends does so with one of two events, and Playwright can wait for but one, and hears of both meanwhile.
        while self._under_way:
            page.wait_for_timeout(20)


def accept_and_load(page: Page, newsroom: Newsroom) -> None:
    """Accept on the article with a film, and wait until all that this brings is there."""
    traffic = Traffic(page.context)
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")
    expected = FILM_TRAFFIC if has_runtime(page) else FILM_TRAFFIC_WITHOUT_JAVASCRIPT
    press(page, "accept_all")
    page.locator("iframe[src*='video.localhost']").scroll_into_view_if_needed()
    traffic.wait_for(page, newsroom, expected)
