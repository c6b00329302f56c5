"""What a visitor is shown in each place, and which third parties get a request, as a table: place, signal, JavaScript.

Usage: python -m tests.browser.places
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from playwright.sync_api import Browser, Error, Page

from tests.browser import chromium, firefox
from tests.browser.bidi import BidiError
from tests.browser.place_site import FILM, GPC_PATH, PlaceSite
from tests.browser.serving import wait_until

Signal = Literal["none", "header", "script"]
"""How the browser's Global Privacy Control can be seen: not at all, by the server, or by the page's scripts alone."""

# As a browser has it that sends no header.
SIGNAL_SCRIPT: Final = 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true });'
SIGNAL_PREFERENCES: Final = {
    "privacy.globalprivacycontrol.enabled": True,
    "privacy.globalprivacycontrol.functionality.enabled": True,
}

BANNER: Final = "[data-consent-ui=banner]"
_BUTTONS: Final = f"{BANNER} button"
_LINK: Final = ".pvc-settings-link"
_HONOURED: Final = ".pvc-honoured"
_NO: Final = "[value=reject_all]"
_YES: Final = f"{BANNER} :is([value=accept_all], [value=acknowledge])"
_OFF: Final = "main :is([value=reject_all], [value=withdraw])"
# Each is asked in one go: between two documents, what is not there says nothing.
_ANSWERED: Final = f":root:has(footer):not(:has({BANNER}))"
_REPORTED: Final = ":root:has(footer):not(:has([data-consent-signal]))"
_SAVED: Final = "main [role=status]"
_READ: Final = "(css) => [...document.querySelectorAll(css)].map((each) => each.textContent.trim())"


class Reader(Protocol):
    """A visitor's tab in either browser."""

    def open(self, url: str) -> None:
        """Go to a page and wait for its load event."""

    def click(self, selector: str) -> None:
        """Press something."""

    def read(self, selector: str) -> Sequence[str]:
        """Text of each such element of the page; nothing while there is none."""

    def is_complete(self) -> bool:
        """Whether there is a page and all of it has arrived."""


Visit = Callable[[], AbstractContextManager[Reader]]
"""Begins a visitor of one browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who comes from where."""

    place: str | None
    signal: Signal = "none"
    javascript: bool = True

    @property
    def is_reported(self) -> bool:
        """Whether the page's scripts have something to tell the server."""
        is_objection = self.place is not None and self.place.startswith("US-")
        return is_objection and self.javascript and self.signal == "script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a place brings: words as shown, third parties by the first word of their names."""

    buttons: tuple[str, ...]
    """Of the banner; none for no banner."""

    link: str
    """On every page."""

    is_honoured: bool = False
    """Whether the page says that the signal was heeded."""

    before: tuple[str, ...]
    """Reached before anything was pressed."""

    refused: tuple[str, ...] = ()
    """Reached by the next page after saying no: in the banner, or in the preferences where it has no such button."""

    agreed: tuple[str, ...]
    """Reached by the next page after pressing "Accept all", "OK" or "I agree"."""


SCENES: Final[Sequence[Scene]] = (
    *(Scene(place=place) for place in ("FR", "DE", "GB", "US-CA", "US-TX", "JP", None)),
    *(Scene(place=place, signal="header") for place in ("US-CA", "JP")),
    *(Scene(place=place, signal="script") for place in ("FR", "US-CA", "US-TX", "JP")),
    *(Scene(place=place, javascript=False) for place in ("FR", "GB", "US-CA", "JP")),
    Scene(place="US-CA", signal="header", javascript=False),
)


def look(visit: Visit, site: PlaceSite, scene: Scene) -> Sight:
    """Send two visitors, one who says no and one who agrees."""
    site.reset(scene.place, drops_signal=scene.signal == "script")
    with visit() as reader:
        open_page(reader, site, scene, "first")
        before = site.hosts_reached
        buttons = tuple(reader.read(_BUTTONS))
        link, is_honoured = reader.read(_LINK)[0], bool(reader.read(_HONOURED))
        _refuse(reader, site)
        refused = _reach(reader, site, scene)
    site.forget()
    with visit() as reader:
        open_page(reader, site, scene, "first")
        reader.click(_YES)
        _await(reader, _ANSWERED)
        agreed = _reach(reader, site, scene)
    return Sight(buttons=buttons, link=link, is_honoured=is_honoured, before=before, refused=refused, agreed=agreed)


def open_page(reader: Reader, site: PlaceSite, scene: Scene, name: str) -> None:
    """Open a page and wait until nothing more is to come, the report of a signal and its reload included."""
    is_first = f"POST {GPC_PATH}" not in site.seen
    reader.open(f"{site.url}/page/{name}")
    if scene.is_reported and is_first:
        _await(reader, _REPORTED)
    _settle(reader, site, scene.javascript)


def _settle(reader: Reader, site: PlaceSite, javascript: bool) -> None:
    wait_until(reader.is_complete)
    # A script that a gate held comes later than its image, for which the page's load event waits.
    pixels = [sighting for sighting in site.sightings if sighting.endswith("/pixel.svg")]
    for pixel in pixels if javascript else ():
        script = pixel.replace("/pixel.svg", "/script.js")
        wait_until(lambda script=script: script in site.sightings)  # type: ignore[misc]  # a default binds the loop's value
    if reader.read("iframe"):
        # It is lazy, so the load event does not wait for it either.
        wait_until(lambda: f"{FILM}/frame/ferry" in site.sightings)


def _refuse(reader: Reader, site: PlaceSite) -> None:
    if reader.read(f"{BANNER} {_NO}"):
        reader.click(f"{BANNER} {_NO}")
        _await(reader, _ANSWERED)
    else:
        reader.open(f"{site.url}/privacy-choices/")
        reader.click(_OFF)
        _await(reader, _SAVED)


def _await(reader: Reader, selector: str) -> None:
    """Wait for a page of which this is true, all of it."""
    wait_until(lambda: bool(reader.read(selector)) and reader.is_complete())


def _reach(reader: Reader, site: PlaceSite, scene: Scene) -> tuple[str, ...]:
    site.sightings.clear()
    reader.open(f"{site.url}/page/next")
    _settle(reader, site, scene.javascript)
    return site.hosts_reached


class _ChromiumReader:
    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, url: str) -> None:
        self._page.goto(url)

    def click(self, selector: str) -> None:
        self._page.locator(selector).first.click()

    def read(self, selector: str) -> Sequence[str]:
        # In between two documents there is nothing to ask.
        with suppress(Error):
            return [str(each) for each in self._page.evaluate(_READ, selector)]
        return ()

    def is_complete(self) -> bool:
        self._page.wait_for_timeout(1)
        with suppress(Error):
            return bool(self._page.evaluate("() => document.readyState == 'complete'"))
        return False


class _FirefoxReader:
    def __init__(self, tab: firefox.Tab) -> None:
        self._tab = tab
        self.open = tab.open
        self.click = tab.click

    def read(self, selector: str) -> Sequence[str]:
        with suppress(BidiError):
            return [str(each) for each in self._tab.evaluate(_READ, selector)]
        return ()

    def is_complete(self) -> bool:
        with suppress(BidiError):
            return bool(self._tab.evaluate("() => document.readyState == 'complete' && document.URL != 'about:blank'"))
        return False


def visit_with_chromium(browser: Browser, scene: Scene) -> Visit:
    """Make visitors of a scene with a running Chromium."""

    @contextmanager
    def visit() -> Iterator[Reader]:
        headers = {"Sec-GPC": "1"} if scene.signal == "header" else {}
        with chromium.visitor(browser, javascript=scene.javascript, headers=headers) as context:
            if scene.signal == "script":
                context.add_init_script(SIGNAL_SCRIPT)
            yield _ChromiumReader(context.new_page())

    return visit


def visit_with_firefox(fox: firefox.Firefox) -> Visit:
    """Make visitors with a running Firefox, whose settings decide about JavaScript and the signal."""

    @contextmanager
    def visit() -> Iterator[Reader]:
        with fox.visitor() as tab:
            yield _FirefoxReader(tab)

    return visit


def print_table(browser_name: str, sights: Sequence[tuple[Scene, Sight]]) -> None:
    """Print a Markdown table."""
    print(f"\n{browser_name}\n")
    print("| place | signal | JavaScript | buttons | link on every page | honoured | before | refused | agreed |")
    print("|---|---|---|---|---|---|---|---|---|")
    for scene, sight in sights:
        cells = (
            *(scene.place or "unknown", scene.signal, "on" if scene.javascript else "off"),
            *(", ".join(sight.buttons) or "none", sight.link, "shown" if sight.is_honoured else "–"),
            *(", ".join(hosts) or "none" for hosts in (sight.before, sight.refused, sight.agreed)),
        )
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Print the table of each browser."""
    with PlaceSite.open() as site:
        with chromium.launch() as browser:
            sights = [(scene, look(visit_with_chromium(browser, scene), site, scene)) for scene in SCENES]
            print_table("Chromium", sights)
        sights = []
        for javascript, has_signal in ((True, False), (True, True), (False, False), (False, True)):
            preferences = SIGNAL_PREFERENCES if has_signal else {}
            with firefox.launch(javascript=javascript, preferences=preferences) as fox:
                scenes = [
                    each for each in SCENES if (each.javascript, each.signal != "none") == (javascript, has_signal)
                ]
                sights += [(scene, look(visit_with_firefox(fox), site, scene)) for scene in scenes]
        print_table("Firefox", sights)


if __name__ == "__main__":
    main()
