"""A site that may reach the browser damaged, and how its visitors get along: whatever is wrong, a choice must come about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, render_template
from jinja2 import DictLoader
from werkzeug import Response

from consent import Consent, CookieDeclaration, Service
from tests.browser.services import make_film, make_stats
from tests.browser.serving import ServedSite, is_page_load, read_form
from tests.browser.watched_tab import WatchedTab

BANNER: Final = "[data-consent-ui=banner]"
BUTTON: Final = BANNER + " [data-consent-action={}]"
ALERT: Final = "[role=alert]"
SETTINGS: Final = ".pvc-settings-link"
PREFERENCES: Final = "[data-consent-ui=preferences]"
EMBEDDED: Final = "iframe[src^='/film']"

Way = Literal["in place", "after being told", "by the form"]
"""How a choice came about: without a page load, by a form after that had failed, or by a form at once."""

# What a page of the site is made of. Its own script works if `#own` can be pressed.
_PIECES: Final = """{% from "consent/macros.html" import embed, gate, settings_link %}
<h1>Story</h1>
<p><button type="button" id="own">Own</button> <a href="/page/other" id="other">Other</a></p>
{% call gate("analytics") %}<p class="opened">analytics</p><img src="/opened/analytics" alt="">{% endcall %}
{{ embed("film", "ferry", title="Ferry") }}
<form method="post" action="/privacy-choices/"><button id="withdraw" name="action" value="withdraw">Withdraw</button></form>
{{ settings_link() }}
<script>document.getElementById("own").onclick = ({ target }) => target.after(document.createElement("output"));</script>
"""
_HEAD: Final = """<meta charset="utf-8"><link rel="icon" href="data:,"><title>Story</title>"""
_PAGES: Final = {
    "story": f"""<!doctype html><html lang="en"><head>{_HEAD}</head><body>{_PIECES}</body></html>""",
    "other": f"""<!doctype html><html lang="en"><head>{_HEAD}</head><body>{_PIECES}</body></html>""",
    "quirks": f"""<html lang="en"><head>{_HEAD}</head><body>{_PIECES}</body></html>""",
    "tagless": f"""<!doctype html>{_HEAD}{_PIECES}""",
    "islands": f"""<!doctype html><html lang="en"><head>{_HEAD}
        <script type="application/json">{{"half": </script></head><body>
        <script type="application/json" data-consent-gate="analytics">{{"half": </script>
        <script type="application/json" data-consent-gate="" data-consent-key="">no JSON</script>
        <div data-consent-embed="film"><script type="application/json">no JSON</script></div>
        {_PIECES}</body></html>""",
    "framing": f"""<!doctype html><html lang="en"><head>{_HEAD}</head><body>
        <iframe title="Story" sandbox="allow-scripts allow-forms" src="/page/story"></iframe></body></html>""",
}
_ASSET: Final = re.compile(r"/assets/(\w+)\.[0-9a-f]+(\.\w+)$")

Fault = Callable[[bytes], Response]
"""Makes another answer out of an asset's content; a ConnectionError hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of the site: of a page, of a choice, or of what a gate held."""

    what: str
    """`page`, `opened`, or the action of a choice."""

    is_native: bool
    """Whether the browser itself loads a page with it, not a script."""


class RoughSite(ServedSite):
    """The site, running."""

    host = "rough.localhost"

    def __init__(self) -> None:
        super().__init__()
        self.visits: list[Visit] = []
        """What it was asked for, oldest first."""

        self.rewrite: Callable[[str], str] = str
        """What happens on the way to every page of the site's own."""

        self.headers: Mapping[str, str] = {}
        """Sent with every page of the site's own."""

        self.faults: Mapping[str, Fault] = {}
        """Name of an asset to what becomes of it."""

        self._app = _make_app()

    @property
    def choices(self) -> Sequence[Visit]:
        """The choices that reached it."""
        return [visit for visit in self.visits if visit.what not in {"page", "opened"}]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, with what is to go wrong."""
        path = environ["PATH_INFO"]
        self._note(environ)
        answer = Response.from_app(self._app, environ)
        asset = _ASSET.search(path)
        fault = self.faults.get("".join(asset.groups())) if asset else None
        if fault:
            answer = fault(answer.get_data())
        elif path.startswith("/page/"):
            answer.set_data(self.rewrite(answer.get_data(as_text=True)))
            answer.headers.extend(self.headers)
        return answer(environ, start_response)

    def _note(self, environ: WSGIEnvironment) -> None:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        is_native = is_page_load(environ)
        if path.startswith("/page/"):
            self.visits.append(Visit(what="page", is_native=is_native))
        elif path.startswith("/opened/"):
            self.visits.append(Visit(what="opened", is_native=is_native))
        elif method == "POST":
            self.visits.append(Visit(what=read_form(environ)["action"][0], is_native=is_native))


def expect_shut(tab: WatchedTab, site: RoughSite) -> None:
    """Nothing opened, and nobody was told that it would."""
    assert tab.count("h1") == 1
    assert tab.count(f".opened, {EMBEDDED}") == 0
    assert "opened" not in [visit.what for visit in site.visits]


def expect_usable(tab: WatchedTab) -> None:
    """The page's own script answers, and changes the page."""
    tab.click("#own")
    tab.wait_until(lambda tab: tab.count("output") == 1)


def open_undecided(tab: WatchedTab, site: RoughSite, page: str = "story") -> None:
    """Open a page for the first time: it asks, holds everything back, and works."""
    tab.open(f"{site.url}/page/{page}")
    assert tab.count(BANNER) == 1
    expect_shut(tab, site)
    expect_usable(tab)


def choose(tab: WatchedTab, site: RoughSite, action: str) -> Way:
    """Press a button of the banner until it has its effect, and wait for that. Returns how it came about."""
    button = BUTTON.format(action)
    site.visits.clear()
    tab.click(button)
    # The site notes a choice before the browser can leave the page for its answer.
    tab.wait_until(lambda tab: bool(site.choices) or tab.count(ALERT) == 1)
    was_told = not site.choices
    if was_told:
        expect_shut(tab, site)
        tab.click(button)
        tab.wait_until(lambda _: bool(site.choices))
    is_native = site.choices[-1].is_native
    assert [choice.what for choice in site.choices] == [action]
    # What `expect_usable()` left tells a page from the one that comes after it. Asked at once: pages change in between.
    gone = "output" if is_native else BANNER
    tab.wait_until(lambda tab: tab.count(f"html:has(h1):not(:has({gone}))") == 1)
    return ("after being told" if was_told else "by the form") if is_native else "in place"


def expect_decided(tab: WatchedTab, site: RoughSite, *, is_granted: bool) -> None:
    """What was chosen holds on the next page."""
    site.visits.clear()
    tab.open(f"{site.url}/page/other")
    assert tab.count(BANNER) == 0
    assert tab.count(".opened") == tab.count(EMBEDDED) == int(is_granted)


def expect_asking(tab: WatchedTab, site: RoughSite) -> None:
    """Nothing could be kept: the next page asks, and holds everything back."""
    site.visits.clear()
    tab.open(f"{site.url}/page/other")
    assert tab.count(BANNER) == 1
    expect_shut(tab, site)


def _make_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Rough Ltd")
    app.jinja_loader = DictLoader({f"{name}.html": page for name, page in _PAGES.items()})
    Consent(app, services=_make_services())

    @app.get("/page/<name>")
    def show(name: str) -> str:
        return render_template(f"{name}.html")

    @app.get("/opened/analytics")
    def see_opened() -> tuple[str, int]:
        return "", 204

    @app.get("/film/<name>")
    def film(name: str) -> str:
        return f"<!doctype html><title>{name}</title>"

    @app.get("/many-cookies/<int:count>/<int:size>")
    def give_cookies(count: int, size: int) -> Response:
        answer = Response("<!doctype html><title>Cookies</title>", mimetype="text/html")
        for number in range(count):
            answer.set_cookie(f"other{number}", "x" * size)
        return answer

    return app


def _make_services() -> tuple[Service, ...]:
    stats = make_stats(
        CookieDeclaration("stats", kind="local_storage"),
        CookieDeclaration("stats", kind="session_storage"),
        CookieDeclaration("stats", kind="indexed_db"),
    )
    return stats, make_film("/film/{id}")
