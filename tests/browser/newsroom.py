"""The newsroom example and its trackers, as the tests see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Self
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import BrowserContext

from consent.core.ledger import Ledger
from examples.newsroom.app import create_app, create_development_site
from examples.newsroom.development import PLACE_COOKIE, VERSION_COOKIE
from examples.newsroom.trackers import create_tracker_app
from tests.browser.serving import Server, serve

HOST: Final = "news.localhost"
TRACKERS: Final = ("stats.localhost", "ads.localhost", "social.localhost", "video.localhost", "maps.localhost")
FILM_ARTICLE: Final = "/article/electric-ferry"
MAP_ARTICLE: Final = "/article/sea-wall-path"
OTHER_ARTICLE: Final = "/article/night-tram"


class Newsroom:
    """Both servers of the example, running."""

    def __init__(self, app: Flask, site: Server, tracker_app: Flask, trackers: Server) -> None:
        self.app = app
        self.url = f"http://{HOST}:{site.port}"
        self.trackers = trackers
        self._tracker_client = tracker_app.test_client()

    @classmethod
    @contextmanager
    def open(cls, *, is_development: bool = False, ledger: Ledger | None = None) -> Iterator[Self]:
        """Start both servers; stop them when the block ends.

        Args:
            is_development: Whether visitors can say where they are; see `visit_from()`.
            ledger: Where choices are kept, if not in development; None for memory.
        """
        with ExitStack() as stack:
            tracker_app = create_tracker_app()
            trackers = stack.enter_context(serve(tracker_app))
            if is_development:
                switch = create_development_site(tracker_port=trackers.port)
                yield cls(switch.revised, stack.enter_context(serve(switch)), tracker_app, trackers)
                return
            app = create_app(tracker_port=trackers.port, ledger=ledger)
            yield cls(app, stack.enter_context(serve(app)), tracker_app, trackers)

    @property
    def ledger(self) -> Ledger:
        """Where choices are kept."""
        ledger: Ledger = self.app.extensions["consent"].ledger
        return ledger

    @property
    def sightings(self) -> Sequence[str]:
        """`host/path` of every request that reached a tracker, oldest first: the trackers' own log."""
        answer = self._tracker_client.get("/log", base_url="http://127.0.0.1")
        return [f"{entry['host']}{entry['path']}" for entry in answer.get_json()["requests"]]

    @property
    def told(self) -> Sequence[str]:
        """What the tag of Harbour Ads says that it was told of consent, each as `command type:state type:state …`."""
        answer = self._tracker_client.get("/log", base_url="http://127.0.0.1")
        return [call for entry in answer.get_json()["requests"] for call in entry["told"]]

    @property
    def hosts_reached(self) -> set[str]:
        """Names under which a tracker was reached."""
        return {sighting.partition("/")[0] for sighting in self.sightings}

    def forget(self) -> None:
        """Empty the trackers' log and count connections anew."""
        self._tracker_client.post("/log/reset", base_url="http://127.0.0.1")
        self.trackers.connections = 0


def visit_from(visitor: BrowserContext, url: str, place: str) -> None:
    """Let a visitor of the newsroom in development come from a place, such as `US-CA`; anything else is unknown."""
    visitor.add_cookies([{"name": PLACE_COOKIE, "value": place, "url": url}])


def read_version(visitor: BrowserContext, url: str, version: str) -> None:
    """Let a visitor of the newsroom in development meet a version of the privacy policy: `earlier` or `revised`."""
    visitor.add_cookies([{"name": VERSION_COOKIE, "value": version, "url": url}])


def is_foreign(url: str) -> bool:
    """Whether an address is neither the newsroom's nor one without a host."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname != HOST
