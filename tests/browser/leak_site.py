"""A site that leaks in every way there is, without the library and with more and less of it, and the third parties' hosts.

Each setup is a host of its own, all with the same pages. Every name outside of `localhost` leads to one server, which notes
names as TLS connections begin: a preconnect sends no more than that.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from string import Template
from typing import Final, Self
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, current_app, render_template_string, request
from markupsafe import Markup

from consent import Consent, CookieDeclaration, Document, Service
from tests.browser.leak_answers import add_answers, add_calls
from tests.browser.leak_way import TRACKER, Moment, Page, Way
from tests.browser.leak_ways import WAYS
from tests.browser.serving import serve


class Setup(StrEnum):
    """What of the library the site uses; the last four have one guard each."""

    NONE = "none"
    ALL = "all"
    GATE = "gate"
    HOLD = "hold"
    CSP = "csp"
    FILTER = "filter"


_SHUT: Final = {"CONSENT_COOKIE_GATE": "off", "CONSENT_AUTO_HOLD": "off", "CONSENT_CSP": "off"}
_CONFIGS: Final[Mapping[Setup, Mapping[str, object]]] = {
    Setup.ALL: {
        "CONSENT_COOKIE_GATE": "enforce",
        "CONSENT_UNDECLARED_COOKIES": "block",
        "CONSENT_AUTO_HOLD": "enforce",
        "CONSENT_CSP": "enforce",
    },
    Setup.GATE: _SHUT | {"CONSENT_COOKIE_GATE": "enforce", "CONSENT_UNDECLARED_COOKIES": "block"},
    Setup.HOLD: _SHUT | {"CONSENT_AUTO_HOLD": "enforce"},
    Setup.CSP: _SHUT | {"CONSENT_CSP": "enforce"},
    Setup.FILTER: _SHUT,
}

# The site says when it is done: what its own scripts wait for, and what no server sees of what it keeps.
_SETTLE: Final = """<script>addEventListener("load", async () => {
  await Promise.allSettled(window.pending ?? []);
  const hosts = [...document.querySelectorAll("link[rel=dns-prefetch]")].map((link) => new URL(link.href).hostname);
  const kept = [
    ...(window.kept ?? []),
    ...Object.keys(localStorage).filter((name) => localStorage.getItem(name) === "VISIT"),
  ];
  const url = "/settled?" + new URLSearchParams({ page: "PAGE", visit: "VISIT", hosts, kept });
  await fetch(url);
})</script>"""
_NEXT: Final = 'document.head.append(Object.assign(document.createElement("script"), { src: "https://HOST/s.js" }));'
_LAYOUT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Leaks</title>HEAD</head>
<body><main><h1>Leaks</h1>BODY</main>SETTLE</body></html>"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Say that a way leaked during a visit."""

    setup: str
    moment: str
    way: str


class Sightings:
    """What was seen so far; servers note, tests read."""

    def __init__(self) -> None:
        self._seen: set[Sighting] = set()
        self._settled: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def note_host(self, name: str) -> None:
        """Take note of a host that was contacted; others than those of `find_host()` say nothing."""
        labels = name.split(".")
        if len(labels) > 3:
            self.note(Sighting(labels[2], labels[1], labels[0]))

    def note(self, sighting: Sighting) -> None:
        """Take note of a leak."""
        with self._lock:
            self._seen.add(sighting)

    def settle(self, setup: str, moment: str, page: str) -> None:
        """Take note that a page has done all that it does."""
        with self._lock:
            self._settled.add((setup, moment, page))

    def has_settled(self, setup: Setup, moment: Moment, page: Page) -> bool:
        """Whether a page has done all that it does."""
        with self._lock:
            return (setup, moment, page) in self._settled

    def saw(self, setup: Setup, moment: Moment, way: Way) -> bool:
        """Whether a way leaked during a visit."""
        with self._lock:
            return Sighting(setup, moment, way.key) in self._seen


def find_host(key: str, moment: str, setup: str) -> str:
    """Return the third party's host that only this way can contact."""
    return f"{key}.{moment}.{setup}.{TRACKER}"


class LeakSite:
    """Both servers, running."""

    def __init__(self, *, port: int, tracker_port: int, seen: Sightings) -> None:
        self.tracker_port = tracker_port
        self.seen = seen
        self._port = port

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Start them; stop them when the block ends."""
        seen = Sightings()
        with ExitStack() as stack:
            trackers = stack.enter_context(serve(_make_tracker(seen), is_secure=True))
            _listen(trackers.ssl_context, seen)
            apps = {f"{setup}.localhost": _make_site(setup, seen, tracker_port=trackers.port) for setup in Setup}
            site = stack.enter_context(serve(_choose_by_host(apps)))
            yield cls(port=site.port, tracker_port=trackers.port, seen=seen)

    def find_url(self, setup: Setup, path: str) -> str:
        """Address of something of the site in one setup."""
        return f"http://{setup}.localhost:{self._port}{path}"


def _listen(context: object, seen: Sightings) -> None:
    assert isinstance(context, ssl.SSLContext)

    def note(_socket: object, name: str | None, _context: object) -> None:
        seen.note_host(name or "")

    context.sni_callback = note


def _make_tracker(seen: Sightings) -> Flask:
    app = Flask(__name__, static_folder=None)
    types = {
        "js": "text/javascript",
        "css": "text/css",
        "svg": "image/svg+xml",
        "html": "text/html",
        "gif": "image/gif",
    }

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> Response:
        # A host that the test did not choose says in the query what it stands for.
        seen.note_host(request.args.get("leak", ""))
        body = _NEXT.replace("HOST", request.host.removeprefix("first-")) if path == "nested.js" else ""
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        return Response(body, 200, headers, mimetype=types.get(path.rpartition(".")[2], "text/plain"))

    return app


def _choose_by_host(apps: Mapping[str, WSGIApplication]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return apps[environ["HTTP_HOST"].partition(":")[0]](environ, start_response)

    return answer


def _make_site(setup: Setup, seen: Sightings, *, tracker_port: int) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", TRACKER_PORT=tracker_port)
    # Its end is the key of a way, like that of every cookie here.
    app.config["SESSION_COOKIE_NAME"] = "app-cookie-own"
    add_answers(app, lambda text, key: _fill(text, key, setup))
    add_calls(app, lambda key: _fill("$host", key, setup), port=tracker_port, has_library=setup is not Setup.NONE)
    _add_pages(app, setup, seen)
    if setup is not Setup.NONE:
        app.config.update(CONSENT_CONTROLLER="Leaks Ltd", **_CONFIGS[setup])
        Consent(app, services=[_make_service()], documents=[Document("privacy", url="/privacy", version="1")])
    return app


def _make_service() -> Service:
    return Service(
        "tracker",
        name="Tracker",
        purposes=("marketing",),
        provider="Tracker Ltd",
        provider_country="FR",
        hosts=(f"*.{TRACKER}",),
        cookies=(CookieDeclaration("leak-*", months=1), CookieDeclaration("leak-*", kind="local_storage")),
    )


def _fill(text: str, key: str, setup: Setup) -> str:
    moment = request.args.get("visit", "")
    return Template(text).safe_substitute(
        host=find_host(key, moment, setup), visit=moment, key=key, port=current_app.config["TRACKER_PORT"]
    )


def _add_pages(app: Flask, setup: Setup, seen: Sightings) -> None:
    pages = {page: [way for way in WAYS if way.page is page] for page in Page}

    @app.get("/page/<page>")
    def show(page: str) -> Response:
        ways, moment = pages[Page(page)], request.args["visit"]
        head = "".join(_fill(way.head, way.key, setup) for way in ways)
        body = "\n".join(
            _print(app, _fill(way.body, way.key, setup), is_filtered=way.key == "cms-filter") for way in ways
        )
        settle = _SETTLE.replace("VISIT", moment).replace("PAGE", page)
        html = _LAYOUT.replace("HEAD", head).replace("BODY", body).replace("SETTLE", settle)
        response = Response(html, mimetype="text/html")
        for way in ways:
            if way.header is not None:
                response.headers.add(way.header[0], _fill(way.header[1], way.key, setup))
        return response

    @app.get("/settled")
    def settle() -> str:
        moment = request.args["visit"]
        for host in request.args["hosts"].split(","):
            seen.note_host(host)
        for name in request.args["kept"].split(","):
            seen.note(Sighting(setup, moment, name.removeprefix("leak-")))
        seen.settle(setup, moment, request.args["page"])
        return ""


def _print(app: Flask, body: str, *, is_filtered: bool) -> str:
    """Print stored markup as a template would; without the library there is no filter."""
    if is_filtered and "hold" in app.jinja_env.filters:
        return render_template_string("{{ body|hold }}", body=Markup(body))
    return body
