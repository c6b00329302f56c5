"""What third parties get and what is stored in each state of a visitor with JavaScript on, as a table.

Usage: python -m tests.browser.states
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from playwright.sync_api import Browser, Page

from tests.browser import chromium, firefox
from tests.browser.choosing import BANNER, FILM_TRAFFIC, choose, press_native
from tests.browser.newsroom import FILM_ARTICLE, HOST, MAP_ARTICLE, OTHER_ARTICLE, Newsroom, is_foreign
from tests.browser.serving import wait_until

_FILM_COOKIES: Final = frozenset({"ads.localhost:ha_profile", "social.localhost:hso_user", "video.localhost:hv_viewer"})
_COUNT_STORED: Final = "async () => localStorage.length + sessionStorage.length + (await indexedDB.databases()).length"
_SHOW_FILM: Final = "() => document.querySelector('iframe[src*=video]').scrollIntoView({ block: 'center' })"
_SHOW_END: Final = "() => document.querySelector('footer:last-of-type').scrollIntoView()"


class Reader(Protocol):
    """A visitor's tab in either browser."""

    @property
    def sent(self) -> Sequence[str]:
        """Address of every request since the beginning."""

    def open(self, url: str) -> None:
        """Go to a page and wait for its load event."""

    def choose(self, action: str) -> None:
        """Answer the banner, in place."""

    def withdraw(self) -> None:
        """Withdraw in the dialog, and wait until the page was loaded again."""

    def ask(self, function: str) -> object:
        """Call a function in the page, and wait for what it promises."""

    def cookies(self) -> Sequence[str]:
        """`host:name` of every cookie."""


Visit = Callable[[], AbstractContextManager[Reader]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One state, seen from both ends."""

    state: str
    sent: Counter[str]
    """Requests that the browser sent to other hosts, by host."""

    arrived: Counter[str]
    """Requests in the trackers' own log, by host."""

    connections: int
    own_cookies: tuple[str, ...]
    foreign_cookies: tuple[str, ...]
    stored: int
    """Items of local and session storage, and databases, of the newsroom."""


def walk(visit: Visit, newsroom: Newsroom) -> list[Sight]:
    """Lead one visitor to a rejection, and another one to a grant and back."""
    sights = []
    newsroom.forget()
    with visit() as reader:
        _read(reader, newsroom)
        sights.append(_look(reader, newsroom, "before a choice", since=0))
        since = len(reader.sent)
        reader.choose("reject_all")
        _read(reader, newsroom)
        sights.append(_look(reader, newsroom, "rejected", since=since))
    newsroom.forget()
    with visit() as reader:
        reader.open(f"{newsroom.url}{FILM_ARTICLE}")
        reader.choose("accept_all")
        reader.ask(_SHOW_FILM)
        wait_until(lambda: set(newsroom.sightings) >= FILM_TRAFFIC)
        # The trackers note a request before they answer it, and the cookie comes with the answer.
        wait_until(lambda: set(reader.cookies()) >= _FILM_COOKIES)
        sights.append(_look(reader, newsroom, "accepted", since=0))
        newsroom.forget()
        since = len(reader.sent)
        reader.withdraw()
        _read(reader, newsroom)
        sights.append(_look(reader, newsroom, "withdrawn", since=since))
    return sights


def _read(reader: Reader, newsroom: Newsroom) -> None:
    """Read three articles to their ends, so that whatever is late or lazy has its chance."""
    for path in (MAP_ARTICLE, OTHER_ARTICLE, FILM_ARTICLE):
        reader.open(f"{newsroom.url}{path}")
        reader.ask(_SHOW_END)


def _look(reader: Reader, newsroom: Newsroom, state: str, *, since: int) -> Sight:
    cookies = sorted(reader.cookies())
    return Sight(
        state=state,
        sent=Counter(_host_of(url) for url in reader.sent[since:] if is_foreign(url)),
        arrived=Counter(_host_of(f"http://{sighting}") for sighting in newsroom.sightings),
        connections=newsroom.trackers.connections,
        own_cookies=tuple(name for host, _, name in (each.partition(":") for each in cookies) if host == HOST),
        foreign_cookies=tuple(each for each in cookies if not each.startswith(f"{HOST}:")),
        stored=int(str(reader.ask(_COUNT_STORED))),
    )


def _host_of(url: str) -> str:
    return url.split("/")[2].partition(":")[0]


class _ChromiumReader:
    def __init__(self, page: Page) -> None:
        self.sent: list[str] = chromium.record_requests(page.context)
        self._page = page

    def open(self, url: str) -> None:
        self._page.goto(url)

    def choose(self, action: str) -> None:
        choose(self._page, action)

    def withdraw(self) -> None:
        choose(self._page, "settings")
        press_native(self._page, "withdraw")

    def ask(self, function: str) -> object:
        return self._page.evaluate(function)

    def cookies(self) -> Sequence[str]:
        return [f"{cookie['domain']}:{cookie['name']}" for cookie in self._page.context.cookies()]


class _FirefoxReader:
    def __init__(self, tab: firefox.Tab) -> None:
        self._tab = tab

    @property
    def sent(self) -> Sequence[str]:
        return [request.url for request in self._tab.requests]

    def open(self, url: str) -> None:
        self._tab.open(url)

    def choose(self, action: str) -> None:
        self._tab.click(f"{BANNER} [data-consent-action={action}]")
        wait_until(lambda: self._tab.count(BANNER) == 0)

    def withdraw(self) -> None:
        self._tab.click("[data-consent-action=settings]")
        wait_until(lambda: self._tab.is_visible("dialog [data-consent-action=withdraw]"))
        self._tab.click_through("dialog [data-consent-action=withdraw]")

    def ask(self, function: str) -> object:
        return self._tab.evaluate_in_page(function)

    def cookies(self) -> Sequence[str]:
        return [f"{cookie.domain}:{cookie.name}" for cookie in self._tab.cookies()]


def visit_with_chromium(browser: Browser) -> Visit:
    """Make visitors with a running Chromium."""

    @contextmanager
    def visit() -> Iterator[Reader]:
        with chromium.visitor(browser, javascript=True) as context:
            yield _ChromiumReader(context.new_page())

    return visit


def visit_with_firefox(fox: firefox.Firefox) -> Visit:
    """Make visitors with a running Firefox whose JavaScript is on."""

    @contextmanager
    def visit() -> Iterator[Reader]:
        with fox.visitor() as tab:
            yield _FirefoxReader(tab)

    return visit


def print_table(browser_name: str, sights: Sequence[Sight]) -> None:
    """Print a Markdown table."""
    print(f"\n{browser_name}\n")
    print("| state | sent to others | reached trackers | connections | own cookies | others' cookies | storage items |")
    print("|---|---|---|---|---|---|---|")
    for sight in sights:
        cells = (
            *(sight.state, _count(sight.sent), _count(sight.arrived), str(sight.connections)),
            *(", ".join(sight.own_cookies) or "none", ", ".join(sight.foreign_cookies) or "none", str(sight.stored)),
        )
        print(f"| {' | '.join(cells)} |")


def _count(hosts: Counter[str]) -> str:
    parts = ", ".join(f"{host} {number}" for host, number in sorted(hosts.items()))
    return f"{hosts.total()} ({parts})" if parts else "0"


def main() -> None:
    """Print the table of each browser."""
    with Newsroom.open() as newsroom:
        with chromium.launch() as browser:
            print_table("Chromium", walk(visit_with_chromium(browser), newsroom))
        with firefox.launch() as fox:
            print_table("Firefox", walk(visit_with_firefox(fox), newsroom))


if __name__ == "__main__":
    main()
