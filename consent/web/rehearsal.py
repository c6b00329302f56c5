"""A visit that nobody makes: to see what a page would show somebody in a place, without a trace for real visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from flask import Flask
from werkzeug.test import create_environ

from consent.core.jurisdiction import Place
from consent.core.record import ConsentRecord
from consent.web.known_user import UserChoices
from consent.web.language import LANGUAGE_PARAMETER
from consent.web.site import Site
from consent.web.visit import Visit, bind_visit, get_site

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Say who comes, from where, and when."""

    place: Place | None = None
    """None for unknown."""

    has_gpc: bool = False
    has_dnt: bool = False
    """Heeded only where the site says so (`CONSENT_DNT`)."""

    record: ConsentRecord | None = None
    """The visitor's last choice; None for a first visit."""

    at: datetime
    """Aware instant of the visit."""

    language: str = ""
    """Tag of the language to speak; empty for the site's own."""


def imagine(app: Flask, situation: Situation, path: str = "/") -> Visit:
    """Return the visit of a request that nobody has sent: enough for the library's own templates, which need no context."""
    site = _set_apart(get_site(app), situation.at)
    headers = {
        **({"Sec-GPC": "1"} if situation.has_gpc else {}),
        **({"DNT": "1"} if situation.has_dnt else {}),
    }
    query = {LANGUAGE_PARAMETER: situation.language} if situation.language else {}
    base_url = f"https://{_find_host(app, site)}"
    visit = Visit(site, create_environ(path, base_url=base_url, headers=headers, query_string=query or None))
    # The library's own pages take their language from the address.
    visit.is_own_page = bool(situation.language)
    visit.stand_in(situation.place, situation.record)
    return visit


@contextmanager
def rehearse(app: Flask, situation: Situation) -> Iterator[Visit]:
    """Make an imagined visit that of the current request, which also `current_consent` in a site's templates then is.

    The contexts are its own: nothing that `g` or the session holds of others is in them. The site's functions for the end
    of a request run when it is over; where a visitor's own request waits meanwhile, see `run_apart`.
    """
    visit = imagine(app, situation)
    with app.app_context(), app.request_context(dict(visit.environ)):
        yield bind_visit(visit)


def run_apart(work: Callable[[], Result]) -> Result:
    """Run work as if on another worker of the server, and wait for it.

    What it pushes and ends, it pushes and ends for itself. In the thread of a visitor's request, the site's own
    functions for the end of a request would close, in the middle of it, what is kept in a thread, such as the session of
    a database; and not to run them would leave open what the site's templates have opened.
    """
    # Some builds of Python hand a thread the context of whoever starts it.
    with ThreadPoolExecutor(max_workers=1) as apart:
        return apart.submit(Context().run, work).result()


def _find_host(app: Flask, site: Site) -> str:
    """Return a host that the app answers to."""
    trusted = app.config.get("TRUSTED_HOSTS") or ("localhost",)
    named = app.config.get("SERVER_NAME") or site.settings.cookie_domain or trusted[0]
    return str(named).lstrip(".")


def _set_apart(site: Site, at: datetime) -> Site:
    """Return a copy whose clock stands still, and that remembers, warns and asks for itself alone."""
    return replace(
        site,
        engine=site.engine.at(at),
        ledger=None,
        banners={},
        scripts={},
        warned=set(site.warned),
        users=UserChoices(),
    )
