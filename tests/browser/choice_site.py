"""A site whose gates report what opened, and which writes down what it is asked about choices, and when.

It can be told to answer late, or to fail while it records.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, render_template, request
from jinja2 import DictLoader
from playwright.sync_api import BrowserContext

from consent import Consent, CookieDeclaration, Service, consent_recorded
from tests.browser.services import make_ads, make_stats
from tests.browser.serving import ServedSite, is_page_load, read_form

CHOICE_PATH: Final = "/privacy-choices/"
STATE_PATH: Final = "/privacy-choices/state"

# The end of the test's block comes before; this one only ends a server that nobody waits for.
_LATEST_SECONDS: Final = 120.0

# What a script of Stats leaves behind, and keeps open: two databases.
_STATS: Final = """
localStorage.setItem("stats", "1");
localStorage.setItem("stats_a", "1");
sessionStorage.setItem("stats_visit", "1");
document.cookie = "stats_id=1; Max-Age=600; Path=/; SameSite=Lax";
indexedDB.open("stats-db");
indexedDB.open("stats-log-1");
"""
_PAGE: Final = """{% from "consent/macros.html" import gate %}<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>{{ name }}</title>
</head>
<body>
<main>
<h1>{{ name }}</h1>
<p><a href="/page/other" id="other">Other</a></p>
{% call gate("analytics") %}
<p class="opened">analytics</p>
<img src="/opened/analytics/{{ name }}" alt="">
<script>{{ stats|safe }}</script>
{% endcall %}
{% call gate("marketing") %}
<p class="opened">marketing</p>
<img src="/opened/marketing/{{ name }}" alt="">
{% endcall %}
</main>
</body>
</html>
"""
# A page without the library: a choice can be posted from it, and nothing tells the other pages.
_BARE: Final = """<!doctype html>
<html lang="en">
<link rel="icon" href="data:,">
<title>Bare</title>
<h1>Bare</h1>
<form method="post" action="/privacy-choices/"><input type="hidden" name="next" value="/bare?posted">
<button name="action" value="accept_all">Accept</button> <button name="action" value="reject_all">Reject</button>
</form>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One choice, as it reached the server."""

    action: str
    is_native: bool
    """Whether a page load asked for it, not a script."""


class ChoiceSite(ServedSite):
    """The site, running."""

    host = "choices.localhost"

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[Post] = []
        self.opened: list[str] = []
        """`key/page` of every gate that opened in a browser, oldest first."""

        self.state_reads = 0
        """How many answers about the state have been given."""

        self.is_failing_to_record = False
        self.login_url = ""
        """Where posted choices are sent instead of being taken; empty for nowhere."""

        self.held_back: list[str] = []
        """`METHOD /path` of each answer that is ready and waits to be sent."""

        self._held: list[tuple[str, threading.Event]] = []
        self._app = self._make_app()
        consent_recorded.connect(self._take_record, sender=self._app)

    @property
    def actions(self) -> Sequence[str]:
        """What was posted, oldest first."""
        return [post.action for post in self.posts]

    def state_of(self, context: BrowserContext) -> dict[str, Any]:
        """Say what the cookies of a visitor mean to the server, past every page."""
        return read_state(self._app, context, url=self.url)

    @contextmanager
    def late_answer(self, path: str = CHOICE_PATH, *, method: str = "POST") -> Iterator[threading.Event]:
        """Hold the next such request's answer back until the event is set, at the latest until the block ends.

        What the request asks for has taken effect by then.
        """
        event = threading.Event()
        self._held.append((f"{method} {path}", event))
        try:
            yield event
        finally:
            event.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Note the request, and answer it when it may be answered."""
        name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if name == f"POST {CHOICE_PATH}":
            if self.login_url:
                start_response("303 See Other", [("Location", self.login_url)])
                return [b""]
            self._note_choice(environ)
        held = next((each for each in self._held if each[0] == name), None)
        if held:
            self._held.remove(held)
        answer = self._app(environ, start_response)
        if held:
            self.held_back.append(name)
            held[1].wait(_LATEST_SECONDS)
            self.held_back.remove(name)
        self.state_reads += name == f"GET {STATE_PATH}"
        return answer

    def _note_choice(self, environ: WSGIEnvironment) -> None:
        action = read_form(environ).get("action", [""])[0]
        self.posts.append(Post(action=action, is_native=is_page_load(environ)))

    def _take_record(self, _app: Flask, **_others: object) -> None:
        if self.is_failing_to_record:
            raise RuntimeError("The disk is full.")

    def _make_app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Choices Ltd")
        app.config["CONSENT_EXCLUDED_ENDPOINTS"] = ["bare"]
        app.jinja_loader = DictLoader({"page.html": _PAGE})
        Consent(app, services=_make_services())

        @app.get("/page/<name>")
        def show(name: str) -> str:
            return render_template("page.html", name=name, stats=_STATS)

        @app.get("/bare")
        def bare() -> str:
            return _BARE

        @app.get("/opened/<path:what>")
        def note_opened(what: str) -> tuple[str, int]:
            if request.headers.get("Sec-Purpose", "").startswith("prefetch"):
                what = f"ahead/{what}"
            self.opened.append(what)
            return "", 204

        return app


def read_state(app: Flask, context: BrowserContext, *, url: str) -> dict[str, Any]:
    """Say what the cookies of a visitor mean to a site at this address, past every page."""
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies(url))
    answer = app.test_client(use_cookies=False).get(STATE_PATH, base_url=url, headers={"Cookie": cookies})
    state: dict[str, Any] = answer.get_json()
    return state


def _make_services() -> tuple[Service, ...]:
    return (
        make_stats(
            CookieDeclaration("stats_id", days=1),
            CookieDeclaration("stats", kind="local_storage"),
            CookieDeclaration("stats_*", kind="local_storage"),
            CookieDeclaration("stats_visit", kind="session_storage"),
            CookieDeclaration("stats-db", kind="indexed_db"),
            CookieDeclaration("stats-log-*", kind="indexed_db"),
        ),
        # Its entries fit the pattern of Stats, too.
        make_ads(CookieDeclaration("stats_ads", kind="local_storage"), CookieDeclaration("ads-db", kind="indexed_db")),
        Service(
            "editor",
            name="Editor",
            purposes=("necessary",),
            justification="Drafts that a member writes stay on the device.",
            cookies=(CookieDeclaration("stats_draft", kind="local_storage"),),
        ),
    )
