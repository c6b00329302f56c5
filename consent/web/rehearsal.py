"""A visit that nobody makes: to see what a page would show somebody in a place, without a trace for real visitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Flask, request

from consent.core.jurisdiction import Place
from consent.core.record import ConsentRecord
from consent.web.known_user import UserChoices
from consent.web.language import LANGUAGE_PARAMETER
from consent.web.site import Site
from consent.web.visit import Visit, bind_visit, get_site


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


@contextmanager
def rehearse(app: Flask, situation: Situation) -> Iterator[Visit]:
    """Make the visit that of the current request, which also `current_consent` in a site's templates then is."""
    site = _set_apart(get_site(app), situation.at)
    host = site.settings.cookie_domain or "localhost"
    headers = {
        **({"Sec-GPC": "1"} if situation.has_gpc else {}),
        **({"DNT": "1"} if situation.has_dnt else {}),
    }
    query = {LANGUAGE_PARAMETER: situation.language} if situation.language else {}
    with app.test_request_context("/", base_url=f"https://{host}", headers=headers, query_string=query):
        visit = bind_visit(Visit(site, request.environ))
        # The library's own pages take their language from the address.
        visit.is_own_page = bool(situation.language)
        visit.stand_in(situation.place, situation.record)
        yield visit


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
