"""A site whose visitors are wherever a test says, under the strictest policy, and the third parties in its gates."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response, g, render_template_string, request

from consent import Consent, Document, Embed, Service
from tests.browser.serving import serve

HOST: Final = "places.localhost"
STATS, ADS, FILM, WEATHER = "stats.localhost", "ads.localhost", "film.localhost", "weather.localhost"
GPC_PATH: Final = "/privacy-choices/gpc"
BARE_PATH: Final = "/bare"

Fault = Literal["none", "missing script", "refused report", "lost cookies"]

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: {others}; frame-src {others}; script-src 'nonce-{nonce}' 'strict-dynamic'; "
    "style-src 'nonce-{nonce}'; require-trusted-types-for 'script'; trusted-types consent; object-src 'none'; base-uri 'none'"
)
_PAGE: Final = """{% from "consent/macros.html" import embed, gate, settings_link %}<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>{{ name }}</title>
{% if script %}<script nonce="{{ nonce }}">{{ script|safe }}</script>{% endif %}</head>
<body>
<main>
<h1>{{ name }}</h1>
<form method="post"><button id="search">Search</button></form>
{% for keys, host in gates %}{% call gate(keys) %}
<img src="http://{{ host }}:{{ port }}/pixel.svg" alt="">
<script nonce="{{ nonce }}" src="http://{{ host }}:{{ port }}/script.js"></script>
{% endcall %}{% endfor %}
{{ embed("film", "ferry", title="Ferry") }}
</main>
<footer>{{ settings_link() }}</footer>
</body>
</html>
"""
# Without the library and without a policy, which would not let a test's script have pages rendered ahead.
_BARE: Final = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Bare</title><h1>Bare</h1></html>'


class PlaceSite:
    """The site and its third parties, running on one port."""

    def __init__(self) -> None:
        self.place: str | None = None
        """Where every visitor is, such as `US-CA`; None for not known."""

        self.drops_signal = False
        """Whether `Sec-GPC` is lost on its way, as behind some proxies."""

        self.fault: Fault = "none"
        self.script = ""
        """What each page runs first."""

        self.seen: list[str] = []
        """`METHOD /path` of every request to the site, oldest first, its scripts and styles excepted."""

        self.sightings: list[str] = []
        """`host/path` of every request to a third party, oldest first."""

        self._port = 0
        self._app: Flask | None = None

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Start it; stop it when the block ends."""
        site = cls()
        with serve(site) as server:
            site._port = server.port
            site._app = site._make_app()
            yield site

    @property
    def url(self) -> str:
        """Address of the site."""
        return f"http://{HOST}:{self._port}"

    @property
    def hosts_reached(self) -> tuple[str, ...]:
        """Third parties that were reached, by the first word of their names, in the order of the alphabet."""
        return tuple(sorted({sighting.partition(".")[0] for sighting in self.sightings}))

    def reset(self, place: str | None, *, drops_signal: bool = False, fault: Fault = "none") -> None:
        """Move to a place, and forget everybody."""
        self.place, self.drops_signal, self.fault, self.script = place, drops_signal, fault, ""
        self.forget()

    def forget(self) -> None:
        """Empty what was written down."""
        self.seen.clear()
        self.sightings.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the site, or as a third party."""
        host, path = environ["HTTP_HOST"].partition(":")[0], environ["PATH_INFO"]
        if host != HOST:
            self.sightings.append(f"{host}{path}")
            return _answer_as_third_party(path)(environ, start_response)
        if self.drops_signal:
            environ.pop("HTTP_SEC_GPC", None)
        if self.fault == "lost cookies":
            environ.pop("HTTP_COOKIE", None)
        if (self.fault, path) == ("refused report", GPC_PATH):
            return Response(status=500)(environ, start_response)
        if self.fault == "missing script" and path.startswith("/privacy-choices/assets/signal."):
            return Response(status=404)(environ, start_response)
        assert self._app is not None
        answer = self._app(environ, start_response)
        # Behind the answer: whoever waits for it finds that it has taken effect.
        if not path.startswith("/privacy-choices/assets/"):
            self.seen.append(f"{environ['REQUEST_METHOD']} {path}")
        return answer

    def _make_app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(
            SECRET_KEY="a key that is long enough for every check",
            CONSENT_CONTROLLER="Places Ltd",
            CONSENT_CSP_NONCE=lambda: g.nonce,
            CONSENT_EXCLUDED_ENDPOINTS=["bare"],
        )
        app.before_request(_begin)
        app.after_request(self._guard)
        Consent(
            app,
            services=_make_services(self._port),
            documents=[Document("privacy", url="/page/privacy", version="1")],
            jurisdiction=lambda: self.place,
        )

        @app.route("/page/<name>", methods=["GET", "POST"])
        def show(name: str) -> str:
            gates = (("analytics", STATS), ("marketing", ADS), ("preferences", WEATHER))
            return render_template_string(
                _PAGE, name=name, gates=gates, port=self._port, nonce=g.nonce, script=self.script
            )

        @app.get(BARE_PATH)
        def bare() -> str:
            return _BARE

        return app

    def _guard(self, response: Response) -> Response:
        if request.path == BARE_PATH:
            return response
        others = " ".join(f"http://{host}:{self._port}" for host in (STATS, ADS, FILM, WEATHER))
        response.headers["Content-Security-Policy"] = _POLICY.format(others=others, nonce=g.nonce)
        return response


def _begin() -> None:
    g.nonce = secrets.token_urlsafe(16)


def _answer_as_third_party(path: str) -> Response:
    # Each page is to ask for all of its own.
    headers = {"Cache-Control": "no-store"}
    if path.endswith(".js"):
        return Response("", headers=headers, mimetype="text/javascript")
    if path.endswith(".svg"):
        return Response('<svg xmlns="http://www.w3.org/2000/svg"/>', headers=headers, mimetype="image/svg+xml")
    return Response("<!doctype html><title>Film</title>", headers=headers, mimetype="text/html")


def _make_services(port: int) -> tuple[Service, ...]:
    film = Embed(
        url=f"http://{FILM}:{port}/frame/{{id}}",
        source_url=f"http://{FILM}:{port}/{{id}}",
        id_pattern="[a-z]+",
        id_example="ferry",
    )
    return (
        _make_service("stats", "analytics", STATS),
        _make_service("ads", "marketing", ADS),
        _make_service("film", "marketing", FILM, embed=film),
        _make_service("weather", "preferences", WEATHER),
    )


def _make_service(key: str, purpose: str, host: str, *, embed: Embed | None = None) -> Service:
    return Service(
        key,
        name=key.title(),
        purposes=(purpose,),
        hosts=(host,),
        provider=f"{key.title()} Ltd",
        provider_country="US",
        embed=embed,
    )
