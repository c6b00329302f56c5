"""A site whose pages change without a page load: by htmx, by Turbo, or by a little script of its own.

Every page but `/bare`, and every part of a page, has a gate and an embed. What a gate held tells the server that it ran.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Self

from flask import Flask, Response, g, render_template, request, send_file
from jinja2 import DictLoader
from markupsafe import Markup
from playwright.sync_api import Locator, Page, expect

from consent import Consent
from tests.browser.services import FILM_HOST, make_film
from tests.browser.serving import serve, wait_until

Library = Literal["htmx2", "htmx4", "turbo", "router"]
Kind = Literal["page", "swap", "part", "post", "ran", "own"]

HOST: Final = "changing.localhost"
NAMES: Final = ("bare", "first", "second", "third")

_MODULES: Final = Path(__file__).parents[2] / "node_modules"
_FILES: Final = {
    "htmx2": _MODULES / "htmx.org" / "dist" / "htmx.min.js",
    "htmx4": _MODULES / "htmx4" / "dist" / "htmx.min.js",
    "turbo": _MODULES / "@hotwired" / "turbo" / "dist" / "turbo.es2017-umd.js",
}
# In htmx 4 an attribute holds for what is inside only if it says so.
_BODY: Final = {"htmx2": ' hx-boost="true"', "htmx4": ' hx-boost:inherited="true"'}

# The library comes first in <head>, before this one's runtime, and does not wait for the document.
_LAYOUT: Final = """{% from "consent/macros.html" import settings_link %}<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<script src="/library.js"{% if nonce %} nonce="{{ nonce }}"{% endif %}></script>
<meta name="turbo-prefetch" content="false">
<title>{{ name }}</title>
{% if nonce %}<meta name="csp-nonce" content="{{ nonce }}">
<meta name="htmx-config" content='{"inlineScriptNonce": "{{ nonce }}", "inlineStyleNonce": "{{ nonce }}"}'>
{% endif %}</head>
<body{{ body }}>
<nav>{% for each in names %}<a href="/{{ each }}">{{ each }}</a> {% endfor %}</nav>
<main data-page="{{ name }}">
<h1>{{ name }}</h1>
{% if name != "bare" %}{% include "pieces.html" %}{% endif %}
</main>
<button type="button" data-load="part" hx-get="/part" hx-target="#region">Load a part</button>
<a href="/frame" data-load="frame" data-turbo-frame="region">Load a frame</a>
{% if body %}<div id="region"></div>{% else %}<turbo-frame id="region"></turbo-frame>{% endif %}
<footer>{{ settings_link() }}</footer>
</body>
</html>
"""
_PIECES: Final = """{% from "consent/macros.html" import embed, gate %}
{% call gate("analytics") %}<script src="/ran/{{ name }}"{% if nonce %} nonce="{{ nonce }}"{% endif %}></script>
<p class="opened">{{ name }}</p>{% endcall %}
{{ embed("film", name, title=name) }}
"""
_FRAME: Final = """<turbo-frame id="region">{% include "pieces.html" %}</turbo-frame>"""

# What sites write themselves: links swap <main>, a button fills the region.
_ROUTER: Final = """
async function show(path) {
  const answer = await fetch(path);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(next.querySelector("main"));
}
document.addEventListener("click", async (event) => {
  const link = event.target.closest("nav a");
  if (link) {
    event.preventDefault();
    history.pushState(null, "", link.href);
    await show(link.href);
  } else if (event.target.matches("[data-load=part]")) {
    const answer = await fetch("/part", { headers: { "HX-Request": "true" } });
    document.querySelector("#region").innerHTML = await answer.text();
  }
});
addEventListener("popstate", () => show(location.href));
"""


class ChangingSite:
    """One such site, running, and what it was asked for."""

    def __init__(self, library: Library, *, is_strict: bool) -> None:
        self.url = ""
        self._log: list[tuple[Kind, str]] = []
        self._app = _make_app(library, is_strict=is_strict)
        self._app.before_request(self._note)

    @classmethod
    @contextmanager
    def open(cls, library: Library, *, is_strict: bool = False) -> Iterator[Self]:
        """Start it; stop it when the block ends.

        Args:
            library: What changes its pages.
            is_strict: Whether its policy lets in only scripts and styles with the response's nonce.
        """
        site = cls(library, is_strict=is_strict)
        with serve(site._app) as server:
            site.url = f"http://{HOST}:{server.port}"
            yield site

    def asked(self, kind: Kind) -> Sequence[str]:
        """Return the paths that it was asked for, oldest first.

        Args:
            kind: "page" for what a browser loads, "swap" for a whole page and "part" for a part of one that a script
                fetches, "ran" for scripts out of gates, "own" for the library's own addresses; and "post" for choices,
                whose `Accept` field is given in place of the path.
        """
        return [path for each, path in self._log if each == kind]

    def wait_for(self, kind: Kind, *paths: str) -> None:
        """Wait until it was asked for exactly this."""
        wait_until(lambda: self.asked(kind) == [*paths])

    def forget(self) -> None:
        """Empty the log."""
        self._log.clear()

    def _note(self) -> None:
        kind = _kind_of_request()
        self._log.append((kind, request.headers["Accept"] if kind == "post" else request.path))


def open_link(page: Page, name: str) -> None:
    """Follow a link of the page's own, and wait until its page is shown."""
    page.locator(f'nav a[href="/{name}"]').click()
    page.locator(f'main[data-page="{name}"]').wait_for()


def load_part(page: Page, what: Literal["part", "frame"] = "part") -> None:
    """Let what changes the page fetch a part of one, and wait until it is there. Turbo calls it a frame."""
    page.locator(f"[data-load={what}]").click()
    expect(page.locator("#region .pvc-embed, #region iframe")).to_have_count(1)


def press(page: Page, action: str) -> None:
    """Press the first visible button or link of an action."""
    page.locator(f'[data-consent-action="{action}"]:visible').first.click()


def held_blocks(page: Page) -> Locator:
    """Return the blocks that are held in a page."""
    return page.locator("script[data-consent-gate]")


def _kind_of_request() -> Kind:
    if request.method == "POST":
        return "post"
    if request.path.startswith("/ran/"):
        return "ran"
    if request.path in ("/part", "/frame"):
        return "part"
    if request.endpoint == "show":
        return "page" if request.headers.get("Sec-Fetch-Dest") == "document" else "swap"
    return "own"


def _make_app(library: Library, *, is_strict: bool) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Changing Ltd")
    app.jinja_loader = DictLoader({"layout.html": _LAYOUT, "pieces.html": _PIECES, "frame.html": _FRAME})
    app.context_processor(lambda: {"nonce": _nonce() if is_strict else "", "body": Markup(_BODY.get(library, ""))})
    if is_strict:
        app.config["CONSENT_CSP_NONCE"] = _nonce
        app.after_request(_guard)
    # Nothing listens there: a frame is seen by its element.
    Consent(app, services=["google-analytics", make_film(f"http://{FILM_HOST}/frame/{{id}}")])
    _add_views(app, library)
    return app


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        f"script-src 'nonce-{_nonce()}' 'strict-dynamic'; style-src 'nonce-{_nonce()}'; object-src 'none'; base-uri 'none'"
    )
    return response


def _add_views(app: Flask, library: Library) -> None:
    @app.get("/<any(bare, first, second, third):name>")
    def show(name: str) -> str:
        return render_template("layout.html", name=name, names=NAMES)

    @app.get("/part")
    def part() -> str:
        return render_template("pieces.html", name="part")

    @app.get("/frame")
    def frame() -> str:
        return render_template("frame.html", name="frame")

    @app.get("/ran/<name>")
    def ran(name: str) -> Response:
        return Response(f"(window.ran ??= []).push({name!r})", content_type="text/javascript")

    @app.get("/library.js")
    def give_library() -> Response:
        if library == "router":
            return Response(_ROUTER, content_type="text/javascript")
        return send_file(_FILES[library], mimetype="text/javascript")
