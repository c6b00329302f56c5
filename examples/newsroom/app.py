"""The site: an app factory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, render_template, request, url_for

from consent import Consent

from .edition import SECTIONS, Edition, load_editions
from .pages import pages
from .services import build_services
from .timeline import Timeline
from .tracker_report import tracker_report

NEWS_PORT = 5000
TRACKER_PORT = 5001


def create_app(*, tracker_port: int = TRACKER_PORT) -> Flask:
    """Make the newsroom.

    Args:
        tracker_port: Port on which `trackers.create_tracker_app()` answers, on this machine.
    """
    app = Flask(__name__)
    app.config.update(
        # A new key at each start makes every start a first visit, as a demonstration should be. A real site keeps its key.
        SECRET_KEY=os.environ.get("NEWSROOM_SECRET_KEY") or secrets.token_hex(32),
        CONSENT_CONTROLLER="Harbour Post Media Ltd",
        CONSENT_LOCALE=lambda: _current_edition().language,
    )
    app.extensions["newsroom"] = Newsroom(app, tracker_port=tracker_port)
    app.register_blueprint(pages, name="en")
    app.register_blueprint(pages, name="ar", url_prefix="/ar")
    app.register_blueprint(tracker_report)
    app.register_error_handler(404, _show_not_found)
    app.context_processor(_describe_edition)
    Consent(app, services=build_services(tracker_port))
    return app


class Newsroom:
    """What one app keeps in memory."""

    def __init__(self, app: Flask, *, tracker_port: int) -> None:
        self.tracker_port = tracker_port
        self.editions = load_editions()
        self.timeline = Timeline(app)


def _current_edition() -> Edition:
    editions: dict[str, Edition] = current_app.extensions["newsroom"].editions
    path = _reader_path()
    return editions["ar" if path == "/ar" or path.startswith("/ar/") else "en"]


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
        "link": _make_link(edition.language),
        "tracker_port": current_app.extensions["newsroom"].tracker_port,
    }


def _make_link(language: str) -> Callable[..., str]:
    def link(page: str, *, section: str | None = None, slug: str | None = None, q: str | None = None) -> str:
        return url_for(f"{language}.{page}", section=section, slug=slug, q=q)

    return link


def _show_not_found(_error: Exception) -> tuple[str, int] | Response:
    return render_template("not_found.html"), 404
