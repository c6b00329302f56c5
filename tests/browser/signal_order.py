"""In which order providers are told what a visitor chose, as a table: `python -m tests.browser.signal_order`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.browser.provider_scripts import QUEUES, SCRIPTS
from tests.browser.provider_site import MODES, WATCH, Mode, ProviderSites
from tests.browser.watched_tab import OpenTab, WatchedTab, watch_chromium

# Each adapter once, in the order of the page; and Google's services beside each other, since they share an adapter.
SERVICES: Final[Mapping[str, Sequence[str]]] = {
    "all": (
        *("google-analytics", "hubspot", "matomo", "meta-pixel", "microsoft-advertising", "microsoft-clarity"),
        *("mixpanel", "optimizely", "pinterest-tag", "posthog", "tiktok-pixel", "zendesk"),
    ),
    "google": ("google-ads", "google-analytics", "google-tag-manager"),
    "ads": ("google-ads",),
}
ANSWERS: Final[Mapping[str, str]] = {host: script.body for host, script in SCRIPTS.items()}
ADAPTERS: Final = tuple(dict.fromkeys(script.adapter for script in SCRIPTS.values()))

BANNER: Final = ".pvc-banner"
DIALOG: Final = "dialog[open]"
_FROM_BANNER: Final = f"{BANNER} [data-consent-action=settings]"
_FROM_PAGE: Final = "footer [data-consent-action=settings]"

# Whether the page has done all that it was going to do. What runs after a choice is a module of its own, asked for by now;
# and a held script stays where it is, undone, until its turn comes.
_IS_SETTLED: Final = """async () => {
  const tag = document.querySelector("[data-consent-page]");
  if (tag) await import(JSON.parse(tag.dataset.consentPage).chosen);
  await new Promise((go) => setTimeout(go));
  return document.readyState === "complete"
    && [...document.querySelectorAll("script[src^='https:']")].every((each) => done.has(each));
}"""
_FIND_QUEUES: Final = f"() => {list(QUEUES)}.filter((name) => Object.hasOwn(window, name))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What happened in one situation."""

    calls: Mapping[str, Sequence[str]]
    """What each provider was told, in its order, by adapter key; nothing of those that heard nothing."""

    asked: frozenset[str]
    """Hosts of providers that the browser sent a request to."""

    queues: Sequence[str] = ()
    """Globals of providers that the page has."""


class Journey:
    """One visitor of one site, whose situations are written down one after the other."""

    def __init__(self, tab: WatchedTab) -> None:
        """Take over a tab that was opened with `WATCH`."""
        self.tab = tab
        self._lines = 0
        self._requests = 0

    def open(self, url: str) -> Sight:
        """Open the page."""
        self.tab.open(url)
        return self.look()

    def load_again(self) -> Sight:
        """Load the page again."""
        self.tab.reload()
        return self.look()

    def accept(self) -> Sight:
        """Accept everything in the banner."""
        self.tab.click(f"{BANNER} [data-consent-action=accept_all]")
        self.tab.wait_until(lambda tab: tab.count(BANNER) == 0)
        return self.look()

    def grant(self, *purposes: str) -> Sight:
        """Switch purposes on in the dialog, and save; without any, save what is shown."""
        self._open_dialog()
        for purpose in purposes:
            self.tab.click(f"#pvc-grant-{purpose}")
        self.tab.click(f"{DIALOG} [data-consent-action=save]")
        self.tab.wait_until(lambda tab: tab.count(DIALOG) == 0)
        return self.look()

    def withdraw(self) -> tuple[Sight, Sight]:
        """Withdraw in the dialog.

        Returns:
            The page until it is loaded again, and the page that comes then.
        """
        pages = self.tab.lines.count("page")
        self._open_dialog()
        self.tab.click(f"{DIALOG} [data-consent-action=withdraw]")
        self.tab.wait_until(lambda tab: tab.lines.count("page") > pages)
        self._settle()
        lines, asked = self._take_lines(), self._take_asked()
        until = lines.index("page")
        # What was asked for is counted to the page that came: no tag loads on its way out.
        return (
            Sight(calls=_sort_calls(lines[:until]), asked=frozenset()),
            Sight(calls=_sort_calls(lines[until:]), asked=asked, queues=self._find_queues()),
        )

    def look(self) -> Sight:
        """Wait until the page has done all that it was going to do, and say what that was."""
        self._settle()
        return Sight(calls=_sort_calls(self._take_lines()), asked=self._take_asked(), queues=self._find_queues())

    def _open_dialog(self) -> None:
        self.tab.click(_FROM_BANNER if self.tab.count(BANNER) else _FROM_PAGE)
        self.tab.wait_until(lambda tab: tab.count(DIALOG) == 1)

    def _settle(self) -> None:
        self.tab.wait_until(lambda tab: bool(tab.evaluate_in_page(_IS_SETTLED)))

    def _find_queues(self) -> Sequence[str]:
        return tuple(self.tab.evaluate_in_page(_FIND_QUEUES))

    def _take_lines(self) -> Sequence[str]:
        lines = self.tab.lines[self._lines :]
        self._lines += len(lines)
        return lines

    def _take_asked(self) -> frozenset[str]:
        requests = self.tab.requests[self._requests :]
        self._requests += len(requests)
        return frozenset(host for url in requests if is_foreign(host := urlsplit(url).hostname or ""))


def is_foreign(host: str) -> bool:
    """Whether a host is none of the sites."""
    return bool(host) and not host.endswith(".localhost")


def _sort_calls(lines: Sequence[str]) -> Mapping[str, Sequence[str]]:
    calls: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("told "):
            _, adapter, call = line.split(" ", 2)
            calls.setdefault(adapter, []).append(call)
        elif line.startswith(("uncaught ", "error ", "violation ")):
            # It belongs to no provider, and no order has it.
            calls.setdefault("fault", []).append(line)
    return calls


Open = Callable[[], AbstractContextManager[WatchedTab]]


def walk(open_tab: Open, url: str) -> Mapping[str, Sight]:
    """Lead one visitor to a grant and back, and another one from purpose to purpose; by situation."""
    sights: dict[str, Sight] = {}
    with open_tab() as tab:
        journey = Journey(tab)
        sights["first visit"] = journey.open(url)
        sights["accepted"] = journey.accept()
        sights["withdrawn"], sights["returning, denied"] = journey.withdraw()
    with open_tab() as tab:
        journey = Journey(tab)
        journey.open(url)
        sights["analytics"] = journey.grant("analytics")
        sights["and marketing"] = journey.grant("marketing")
        sights["and preferences"] = journey.grant("preferences")
        sights["saved again"] = journey.grant()
        sights["returning, granted"] = journey.load_again()
    return sights


def open_with(watch: OpenTab, browser: object) -> Open:
    """Return what opens a new visitor's tab in a running browser."""
    return partial(watch, browser, WATCH)


def print_table(mode: Mode, sights: Mapping[str, Sight], situations: Sequence[str]) -> None:
    """Print a Markdown table: an adapter a row, a situation a column."""
    print(f"\n{mode} mode\n\n| provider's API | {' | '.join(situations)} |\n|---|{'---|' * len(situations)}")
    for adapter in ADAPTERS:
        cells = (_tell(sights[situation].calls.get(adapter, ())) for situation in situations)
        print(f"| {adapter} | {' | '.join(cells)} |")


def _tell(calls: Sequence[str]) -> str:
    return "<br>".join(f"`{call.replace('|', chr(92) + '|')}`" for call in calls) or "nothing"


def main() -> None:
    """Print a table of each mode."""
    situations = ("first visit", "returning, granted", "returning, denied", "withdrawn")
    with (
        ProviderSites.open(SERVICES, ANSWERS) as sites,
        sync_playwright() as playwright,
        sites.launch_chromium(playwright) as browser,
    ):
        for mode in MODES:
            print_table(mode, walk(open_with(watch_chromium, browser), sites.find_url("all", mode)), situations)


if __name__ == "__main__":
    main()
