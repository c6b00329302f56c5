"""One way to leak: what it is, and what is claimed to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypedDict, Unpack

from tests.browser.watched_tab import ENGINES, Engine

TRACKER: Final = "tracker.test"
"""Every name below is a host of the one service that the site declares."""

STRANGER: Final = "stranger.test"
"""Every name below is a host that no service declares."""


class Guard(StrEnum):
    """What can stop a way, in the words of the table."""

    COOKIE_GATE = "cookie gate"
    HOLD = "auto-hold"
    HINTS = "hint removal"
    FILTER = "`hold` filter"
    CSP = "CSP"
    GUARD = "`guard()`"


class Page(StrEnum):
    """Pages of the site; the last ones are left before they are done, so that they stand alone."""

    MARKUP = "markup"
    FRAMES = "frames"
    CODE = "code"
    STORAGE = "storage"
    NOSCRIPT = "noscript"
    """Visited with JavaScript off."""

    REFRESH = "refresh"
    REFRESH_SPACE = "refresh-space"
    REFRESH_HEADER = "refresh-header"
    LEAVE = "leave"
    CLICK = "click"
    """The visitor clicks a link, then submits a form."""


class Moment(StrEnum):
    """When the site is visited."""

    BEFORE = "before"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way."""

    key: str
    name: str
    """In the words of the table."""

    stops: tuple[Guard, ...]
    """Each of these stops it alone; empty if nothing does."""

    page: Page = Page.MARKUP
    head: str = ""
    """Markup in the page's head."""

    body: str = ""
    header: tuple[str, str] | None = None
    """Header of the page's answer."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the site's own, by what follows the way's key in their names."""

    engines: tuple[Engine, ...] = ENGINES
    """Browsers that do it at all."""

    leads_away: bool = False
    """Whether the page is left for the third party's."""

    connects_in: tuple[Engine, ...] = ()
    """Browsers that have connected by the time at which they heed the CSP; no request follows."""

    comes_back: bool = True
    """Whether it works once everything is granted."""

    note: str = ""
    """What the table says of it besides, in a few words; why, where nothing stops it."""


class Traits(TypedDict, total=False):
    """What else a way may have."""

    stops: tuple[Guard, ...]
    page: Page
    head: str
    files: Mapping[str, str]
    header: tuple[str, str]
    engines: tuple[Engine, ...]
    connects_in: tuple[Engine, ...]
    comes_back: bool
    note: str


def describe(key: str, name: str, body: str, **traits: Unpack[Traits]) -> Way:
    """Describe a way by markup in a page's body; auto-hold and the CSP stop it, if nothing else is said."""
    traits.setdefault("stops", (Guard.HOLD, Guard.CSP))
    return Way(key=key, name=name, body=body, **traits)
