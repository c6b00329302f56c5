"""A visitor's way through the leaking site: without the library, at four moments with all of it, and with each guard alone."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final

from tests.browser.leak_site import LeakSite, Setup, Sighting, find_host
from tests.browser.leak_tabs import LeakTab
from tests.browser.leak_way import Guard, Moment, Page, Way
from tests.browser.leak_ways import WAYS
from tests.browser.watched_tab import Engine

# What is still under way by then is told by the test of the way that is missing.
_PATIENCE_SECONDS: Final = 6.0

_GUARDS: Final = {
    Setup.NONE: frozenset[Guard](),
    Setup.GATE: frozenset({Guard.COOKIE_GATE, Guard.GUARD}),
    Setup.HOLD: frozenset({Guard.HOLD, Guard.HINTS, Guard.GUARD}),
    Setup.FILTER: frozenset({Guard.FILTER, Guard.GUARD}),
    Setup.CSP: frozenset({Guard.CSP, Guard.GUARD}),
    Setup.ALL: frozenset(Guard),
}
_PAGES_ALONE: Final = {Setup.GATE: (Page.STORAGE,), Setup.FILTER: (Page.FRAMES,)}
_CHOICES: Final = {Moment.REJECTED: "reject_all", Moment.ACCEPTED: "accept_all", Moment.WITHDRAWN: "withdraw"}
# These are left before they are done.
_LEFT: Final = frozenset({Page.REFRESH, Page.REFRESH_SPACE, Page.REFRESH_HEADER, Page.LEAVE})


def is_to_leak(way: Way, engine: Engine, setup: Setup, moment: Moment = Moment.BEFORE) -> bool:
    """Whether a way leaks in a browser, as the table claims."""
    if engine not in way.engines:
        return False
    if setup is Setup.ALL and moment is Moment.ACCEPTED:
        return way.comes_back
    stops = _GUARDS[setup].intersection(way.stops)
    return not stops or (stops == {Guard.CSP} and engine in way.connects_in)


def list_pages(setup: Setup) -> Sequence[Page]:
    """Return the pages that are visited in a setup, in their order; a setup may have to do with but one."""
    return _PAGES_ALONE.get(setup, tuple(Page))


def take_walk(tab: LeakTab, site: LeakSite, engine: Engine, *, javascript: bool) -> None:
    """Visit everything that is for a browser with JavaScript on, or off; what was seen is with the site afterwards."""
    walk = _Walk(tab, site, engine)
    for setup in Setup:
        pages = [page for page in list_pages(setup) if (page is Page.NOSCRIPT) is not javascript]
        for moment in list_moments(setup):
            if moment in _CHOICES and javascript:
                walk.choose(setup, _CHOICES[moment])
            elif moment in _CHOICES:
                walk.choose_without_javascript(setup, _CHOICES[moment])
            walk.visit(setup, moment, pages)


def list_moments(setup: Setup) -> Sequence[Moment]:
    """Return when the site is visited in a setup."""
    return tuple(Moment) if setup is Setup.ALL else (Moment.BEFORE,)


class _Walk:
    def __init__(self, tab: LeakTab, site: LeakSite, engine: Engine) -> None:
        self._tab = tab
        self._site = site
        self._engine = engine

    def choose(self, setup: Setup, action: str) -> None:
        """Post a choice, as the banner does."""
        self._tab.open(self._site.find_url(setup, _PREFERENCES))
        answer = self._tab.evaluate_in_page(_POST.replace("ACTION", action))
        assert answer == 200, f"{action!r} was answered with {answer}"

    def choose_without_javascript(self, setup: Setup, action: str) -> None:
        """Press a button of the preferences page."""
        self._tab.open(self._site.find_url(setup, _PREFERENCES))
        self._tab.click_through(f"[data-consent-action={action}]")

    def visit(self, setup: Setup, moment: Moment, pages: Sequence[Page]) -> None:
        """Open pages one after another."""
        for page in pages:
            go = self._tab.pass_through if page in _LEFT else self._tab.open
            go(self._site.find_url(setup, f"/page/{page}?visit={moment}"))
            ways = [way for way in WAYS if way.page is page]
            expected = [way for way in ways if is_to_leak(way, self._engine, setup, moment)]
            if page is Page.CLICK:
                self._wait(setup, moment, page, ())
                self._tab.click("#link")
                self._tab.click("#submit")
            self._wait(setup, moment, page, expected)

    def _wait(self, setup: Setup, moment: Moment, page: Page, expected: Collection[Way]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline and not self._is_done(setup, moment, page, expected):
            time.sleep(0.02)

    def _is_done(self, setup: Setup, moment: Moment, page: Page, expected: Collection[Way]) -> bool:
        seen = self._site.seen
        if page is Page.STORAGE:
            self._note_cookies(setup, moment)
        if not all(seen.saw(setup, moment, way) for way in expected):
            return False
        away = [find_host(way.key, moment, setup) for way in expected if way.leads_away]
        if away:
            return self._tab.is_at(*away)
        return page is Page.NOSCRIPT or seen.has_settled(setup, moment, page)

    def _note_cookies(self, setup: Setup, moment: Moment) -> None:
        for (host, name), value in self._tab.read_cookies().items():
            if host == f"{setup}.localhost" and value == moment:
                self._site.seen.note(Sighting(setup, moment, name.partition("-")[2]))


_PREFERENCES: Final = "/privacy-choices/"
_POST: Final = """() => fetch(location.href, {
  method: "POST",
  headers: { "Content-Type": "application/json", Accept: "application/json" },
  body: JSON.stringify({ action: "ACTION" }),
}).then((answer) => answer.status)"""
