"""A site with every service of the catalogue, a few to a page, under a strict content security policy; and providers that answer with little."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from flask import Flask, Response, g, render_template_string
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from consent import Consent, Service
from consent.catalogue.description import build_markup
from consent.web.snippet import render_frame
from tests.browser.choosing import record_errors
from tests.browser.serving import serve, wait_until
from tests.catalogue_entries import EMBEDDED, KEYS, embed_of, examples, find_urls, render, service_of

Policy = Literal["nonce", "strict"]
POLICIES: Final[tuple[Policy, ...]] = ("nonce", "strict")
HOST: Final = "catalogue.localhost"
CARELESS: Final = "careless"

_PAGE_SIZE: Final = 16
GROUPS: Final = tuple(KEYS[start : start + _PAGE_SIZE] for start in range(0, len(KEYS), _PAGE_SIZE))

_FRAMES: Final = sorted({f"https://{urlsplit(embed_of(key).url).hostname}" for key in EMBEDDED})
_SITE: Final = (
    "default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; "
    f"frame-src {' '.join(_FRAMES)}; "
)
_DIRECTIVES: Final = {
    "nonce": f"{_SITE}script-src 'nonce-{{nonce}}'",
    "strict": (
        f"{_SITE}script-src 'nonce-{{nonce}}' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types consent"
    ),
}

# The last block says that all before it has run.
_PAGE: Final = """{% from "consent/macros.html" import embed, gate, script %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Services</title></head>
<body>CONTENT
{% call gate("marketing") %}<script nonce="{{ g.nonce }}">document.title = "All ran"</script>{% endcall %}</body></html>"""

# What a snippet's own code calls once its provider's script has loaded.
_ANSWERS: Final = {"https://bat.bing.com/bat.js": "function UET() { this.push = function () {}; }"}
_TYPES: Final = {"document": "text/html", "script": "text/javascript", "stylesheet": "text/css"}
# The answers here are not the files that an `integrity` attribute stands for.
_ABOUT_INTEGRITY: Final = "Failed to find a valid digest in the 'integrity' attribute"


class CatalogueSite:
    """The site, running."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}"

    @classmethod
    @contextmanager
    def open(cls, policy: Policy) -> Iterator[Self]:
        """Start it; stop it when the block ends."""
        with serve(_make_app(policy)) as server:
            yield cls(server.port)


class Visitor:
    """A new visitor of the site, what their browser sends to providers, and what it complains of."""

    def __init__(self, context: BrowserContext) -> None:
        """Begin to listen, and to answer in the providers' place."""
        self.page: Page = context.new_page()
        self.asked: list[str] = []
        """Address of each request that leaves the site, oldest first."""

        self._errors = record_errors(context)
        self._under_way: set[Request] = set()
        context.route(lambda url: urlsplit(url).hostname != HOST, _answer)
        context.on("request", self._note)
        context.on("requestfinished", self._end)
        context.on("requestfailed", self._end)

    def _note(self, request: Request) -> None:
        self._under_way.add(request)
        if urlsplit(request.url).hostname != HOST:
            self.asked.append(request.url)

    def _end(self, request: Request) -> None:
        self._under_way.discard(request)

    @property
    def errors(self) -> list[str]:
        """Violations of the policy, and errors of scripts."""
        return [error for error in self._errors if not error.startswith(_ABOUT_INTEGRITY)]

    def wait_for(self, urls: Collection[str]) -> None:
        """Wait until every script of the page has run, these were asked for, and nothing is under way any more."""
        expect(self.page).to_have_title("All ran")
        wait_until(lambda: self._is_quiet() and set(urls) <= set(self.asked))

    def _is_quiet(self) -> bool:
        # Playwright hands over events while it waits for something.
        self.page.wait_for_timeout(1)
        return not self._under_way


def list_urls(keys: Sequence[str]) -> list[str]:
    """Return the address of each script, style sheet and frame in the markup of some services."""
    return [url for key in keys for url in find_urls(_render(key))]


def _render(key: str) -> str:
    service = service_of(key)
    if service.embed is None:
        return render(service, **examples(service, only_required=True))
    return render_frame(service.embed, service.embed.id_example, title="…", width=560, height=315, site_host=HOST)


def _answer(route: Route, request: Request) -> None:
    route.fulfill(
        body=_ANSWERS.get(request.url, ""),
        content_type=_TYPES.get(request.resource_type, "text/plain"),
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"},
    )


def _make_app(policy: Policy) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="Catalogue Ltd",
        CONSENT_CSP_NONCE=lambda: g.nonce,
    )
    careless = Service(
        CARELESS,
        name="Careless",
        purposes=("marketing",),
        provider="Careless Ltd",
        hosts=("careless.example",),
        snippet='<script>careless()</script><script src="https://careless.example/careless.js"></script>',
    )

    @app.before_request
    def begin() -> None:
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _DIRECTIVES[policy].replace("{nonce}", g.nonce)
        return response

    Consent(app, services=[*KEYS, careless])

    @app.get("/group/<int:number>")
    def show(number: int) -> str:
        return render_template_string(_PAGE.replace("CONTENT", "\n".join(map(_place, GROUPS[number]))))

    @app.get("/careless")
    def show_careless() -> str:
        return render_template_string(_PAGE.replace("CONTENT", build_markup(careless)))

    return app


def _place(key: str) -> str:
    return build_markup(service_of(key))
