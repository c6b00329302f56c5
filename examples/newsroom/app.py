"""The site: an app factory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, render_template, request, url_for

from consent import Consent, current_consent
from consent.core.ledger import Ledger

from .development import VersionSwitch, development, is_on_this_machine, read_place, render_bar
from .documents import build_documents
from .edition import SECTIONS, Edition, load_editions
from .mistakes import are_mistakes_wanted, make_mistakes
from .pages import pages
from .services import build_services
from .timeline import Timeline
from .tracker_report import tracker_report

NEWS_PORT = 5000
TRACKER_PORT = 5001


def create_app(
    *,
    tracker_port: int = TRACKER_PORT,
    is_development: bool = False,
    is_revised: bool = True,
    twin: Flask | None = None,
    ledger: str | Ledger | None = None,
) -> Flask:
    """Make the newsroom.

    Args:
        tracker_port: Port on which `trackers.create_tracker_app()` answers, on this machine.
        is_development: Whether to add a bar to each page by which the visitor chooses where they are. Never in production.
        is_revised: Whether the latest privacy policy holds; else the one before.
        twin: Another version of the paper for the same readers: it lends its key, its ledger, and its log of choices.
        ledger: Address of the ledger, or the ledger itself; None for the twin's, else for the address in `NEWSROOM_LEDGER`,
            else for one in memory.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=twin.config["SECRET_KEY"] if twin else _find_key(),
        CONSENT_CONTROLLER="Harbour Post Media Ltd",
        CONSENT_LOCALE=_find_language,
        CONSENT_CATALOGUE="catalogue",
        CONSENT_LEDGER_RETENTION_MONTHS=36,
    )
    if ledger is None:
        ledger = twin.extensions["consent"].ledger if twin else os.environ.get("NEWSROOM_LEDGER") or "memory:"
    if isinstance(ledger, str):
        app.config["CONSENT_LEDGER"] = ledger
    timeline: Timeline = twin.extensions["newsroom"].timeline if twin else Timeline()
    timeline.watch(app)
    newsroom = Newsroom(tracker_port=tracker_port, is_revised=is_revised, timeline=timeline)
    app.extensions["newsroom"] = newsroom
    app.register_blueprint(pages, name="en")
    app.register_blueprint(pages, name="ar", url_prefix="/ar")
    app.register_blueprint(tracker_report)
    app.register_error_handler(404, _show_not_found)
    app.context_processor(_describe_edition)
    if are_mistakes_wanted():
        make_mistakes(app, tracker_port=tracker_port)
    if is_development:
        app.register_blueprint(development)
        app.config["CONSENT_LEDGER_DASHBOARD"] = is_on_this_machine
        app.context_processor(lambda: {"development_bar": partial(render_bar, is_revised=is_revised)})
    Consent(
        app,
        services=build_services(tracker_port),
        documents=build_documents(newsroom.editions, is_revised=is_revised),
        # A visitor who could say where they are could choose the law that holds for them.
        jurisdiction=read_place if is_development else None,
        ledger=None if isinstance(ledger, str) else ledger,
    )
    return app


def create_development_site(*, tracker_port: int = TRACKER_PORT, ledger: str | None = None) -> VersionSwitch:
    """Make the newsroom as developers see it: both versions of the privacy policy, and a bar to choose one and a place."""
    revised = create_app(tracker_port=tracker_port, is_development=True, ledger=ledger)
    earlier = create_app(tracker_port=tracker_port, is_development=True, is_revised=False, twin=revised)
    return VersionSwitch(earlier=earlier, revised=revised)


class Newsroom:
    """What one app keeps in memory."""

    def __init__(self, *, tracker_port: int, is_revised: bool, timeline: Timeline) -> None:
        self.tracker_port = tracker_port
        self.is_revised = is_revised
        self.editions = load_editions()
        self.timeline = timeline


def _find_key() -> str:
    # A new key at each start makes every start a first visit, as a demonstration should be. A real site keeps its key.
    return os.environ.get("NEWSROOM_SECRET_KEY") or secrets.token_hex(32)


def _find_language() -> str:
    path = _reader_path()
    return "ar" if path == "/ar" or path.startswith("/ar/") else "en"


def _current_edition() -> Edition:
    editions: dict[str, Edition] = current_app.extensions["newsroom"].editions
    # The library's pages name their language in their address, and the paper's frame around them speaks the same.
    return editions.get(current_consent.language) or editions[_find_language()]


def _reader_path() -> str:
    """Return the page that the reader is on, or came from if this is a page of the library."""
    if request.blueprint != "consent":
        return request.path
    came_from = request.values.get("next") or urlsplit(request.referrer or "").path
    return came_from or request.path


def _describe_edition() -> dict[str, object]:
    edition = _current_edition()
    return {
        "edition": edition,
        "t": edition.labels,
        "sections": SECTIONS,
        "documents": edition.documents.values(),
        "link": _make_link(edition.language),
        "tracker_port": current_app.extensions["newsroom"].tracker_port,
    }


def _make_link(language: str) -> Callable[..., str]:
    def link(
        page: str, *, section: str | None = None, slug: str | None = None, key: str | None = None, q: str | None = None
    ) -> str:
        return url_for(f"{language}.{page}", section=section, slug=slug, key=key, q=q)

    return link


def _show_not_found(_error: Exception) -> tuple[str, int] | Response:
    return render_template("not_found.html"), 404
