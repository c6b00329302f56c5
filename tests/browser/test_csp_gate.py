"""The library's own Content-Security-Policy, enforced: what is not granted stays out of the page, and a grant lets it in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Self

import pytest
from flask import Flask, Response, g, render_template, request
from jinja2 import DictLoader
from markupsafe import Markup

from consent import Consent, Service
from tests.browser.services import FILM_HOST, make_film
from tests.browser.serving import is_page_load, serve
from tests.browser.test_strict_policy import POLICIES
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, WatchedTab, noted

_STATS_HOST: Final = "stats.localhost"
_TOP: Final = '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Story</title></head>'
_PAGES: Final = {
    "story.html": """{% from "consent/macros.html" import embed, gate, settings_link %}"""
    + _TOP
    + """<body><main><h1>Story</h1>
{% call gate("stats") %}<script{{ nonced }} src="{{ vendor }}/stats.js"></script>{% endcall %}
{{ embed("film", "ferry", title="Ferry") }}</main><footer>{{ settings_link() }}</footer></body></html>""",
    # Nobody gated any of it.
    "careless.html": _TOP
    + """<body><h1>Careless</h1><script src="{{ vendor }}/stats.js"></script>
<script>
addEventListener("load", () => {
  new Image().src = "{{ vendor }}/pixel.gif";
  fetch("{{ vendor }}/event", { mode: "no-cors" }).catch(() => {});
  for (const host of [location.host, "{{ vendor }}".split("//")[1]])
    try { new WebSocket(`ws://${host}/live`); } catch { /* Firefox throws. */ }
  console.log("ran careless");
});
</script></body></html>""",
}

BANNER: Final = ".pvc-banner"
DIALOG: Final = "dialog[open]"
FRAME: Final = f"iframe[src*='{FILM_HOST}']"


class CarefulSite:
    """A site with a policy of the library's, and perhaps one of its own, and the vendor whose scripts and films it has."""

    def __init__(self, mode: str, app_policy: str, place: str | None) -> None:
        self.url = self.vendor_port = ""
        self.loads: list[str] = []
        """Path of each page of the site's that a browser loaded."""

        self.reached: list[str] = []
        """Path of each request that reached the vendor."""

        self.reported: list[str] = []
        """Directive of each report that a browser sent."""

        self._app_policy = app_policy
        self._mode = mode
        self._place = place

    @classmethod
    @contextmanager
    def open(cls, mode: str = "enforce", *, app_policy: str = "", place: str | None = None) -> Iterator[Self]:
        """Start both; stop them when the block ends."""
        site = cls(mode, app_policy, place)
        with serve(site._make_vendor()) as vendor:
            site.vendor_port = str(vendor.port)
            with serve(site._make_app()) as server:
                site.url = f"http://careful.localhost:{server.port}"
                yield site

    def _make_vendor(self) -> Flask:
        app = Flask(f"{__name__}.vendor", static_folder=None)

        @app.get("/<path:path>")
        def answer(path: str) -> Response:
            self.reached.append(path)
            if path.endswith(".js"):
                return Response("console.log('ran stats')", mimetype="text/javascript")
            return Response(f"<!doctype html><title>{path}</title>", mimetype="text/html")

        return app

    def _make_app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(
            SECRET_KEY="a key that is long enough for every check",
            CONSENT_CONTROLLER="Careful Ltd",
            CONSENT_CSP=self._mode,
            CONSENT_CSP_NONCE=lambda: g.nonce,
        )
        app.jinja_loader = DictLoader(_PAGES)
        app.before_request(self._begin)
        app.after_request(self._guard)
        stats = Service(
            "stats",
            name="Stats",
            purposes=("analytics",),
            provider="Stats Ltd",
            provider_country="FR",
            hosts_by_use=dict.fromkeys(("script", "image", "connect"), (_STATS_HOST,)),
        )
        film = make_film(f"http://{FILM_HOST}:{self.vendor_port}/film/{{id}}")
        Consent(app, services=[stats, film], jurisdiction=lambda: self._place)

        @app.get("/<any(story, careless):name>")
        def show(name: str) -> str:
            nonced = Markup(' nonce="{}"').format(g.nonce) if g.nonce else ""
            return render_template(f"{name}.html", nonced=nonced, vendor=f"http://{_STATS_HOST}:{self.vendor_port}")

        return app

    def _begin(self) -> None:
        g.nonce = secrets.token_urlsafe(16) if "{nonce}" in self._app_policy else ""
        if is_page_load(request.environ):
            self.loads.append(request.path)
        if request.mimetype == "application/csp-report":
            self.reported.append(json.loads(request.get_data())["csp-report"]["effective-directive"])

    def _guard(self, response: Response) -> Response:
        if self._app_policy:
            response.headers.add("Content-Security-Policy", self._app_policy.replace("{nonce}", g.nonce))
        return response


@pytest.fixture(params=ENGINES)
def tab(request: pytest.FixtureRequest, open_tab_of: Callable[[Engine], OpenTab]) -> Iterator[WatchedTab]:
    """A new visitor's tab in each browser."""
    with open_tab_of(request.param)() as opened:
        yield opened


@pytest.fixture
def site() -> Iterator[CarefulSite]:
    with CarefulSite.open() as running:
        yield running


def show(tab: WatchedTab, selector: str, *, times: int = 1) -> None:
    """Wait until the page has it so many times."""
    tab.wait_until(lambda tab: tab.count(selector) == times)


def press(tab: WatchedTab, action: str, *, within: str = "") -> None:
    tab.click(f"{within} [data-consent-action={action}]")


def accept(tab: WatchedTab, site: CarefulSite) -> None:
    """Grant everything, and wait for what that starts."""
    tab.open(f"{site.url}/story")
    press(tab, "accept_all", within=BANNER)
    tab.wait_until(lambda tab: noted(tab, "ran") == ["stats"])
    show(tab, FRAME)


def test_grant_loads_the_page_once_and_then_what_it_held_runs(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/story")
    assert (site.reached, noted(tab, "violation")) == ([], [])

    press(tab, "accept_all", within=BANNER)

    tab.wait_until(lambda tab: noted(tab, "ran") == ["stats"])
    tab.wait_until(lambda _: sorted(site.reached) == ["film/ferry", "stats.js"])
    assert site.loads == ["/story", "/story"]
    assert noted(tab, "violation") == []


def test_allowed_embed_shows_after_the_page_was_loaded_again(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "reject_all", within=BANNER)
    show(tab, BANNER, times=0)
    assert site.loads == ["/story"]

    press(tab, "allow")

    show(tab, FRAME)
    tab.wait_until(lambda _: site.reached == ["film/ferry"])
    assert site.loads == ["/story", "/story"]
    assert noted(tab, "violation") == []


def test_embed_is_shown_once_on_a_page_of_its_own(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "reject_all", within=BANNER)
    show(tab, BANNER, times=0)

    press(tab, "once")

    show(tab, FRAME)
    tab.wait_until(lambda _: site.reached == ["film/ferry"])
    assert site.loads == ["/story", "/privacy-choices/"]
    assert noted(tab, "violation") == []

    tab.open(f"{site.url}/story")
    assert (tab.count(FRAME), site.reached) == (0, ["film/ferry"])


def test_withdrawal_shuts_what_was_open(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "allow")
    show(tab, FRAME)
    press(tab, "settings", within="footer")
    show(tab, DIALOG)

    press(tab, "withdraw", within=DIALOG)

    tab.wait_until(lambda _: site.loads == ["/story"] * 3)
    show(tab, "html:has(h1):not(:has(iframe))")
    assert noted(tab, "violation") == []


def test_nothing_is_reached_after_withdrawal(tab: WatchedTab, site: CarefulSite) -> None:
    accept(tab, site)
    # Nothing is held any more, so the link leads to the preferences page.
    press(tab, "settings", within="footer")
    show(tab, "[data-consent-action=withdraw]")
    press(tab, "withdraw")
    show(tab, ".pvc-status [role=status]")
    site.reached.clear()

    tab.open(f"{site.url}/careless")

    tab.wait_until(lambda tab: list_blocked(tab) == _CARELESS)
    assert site.reached == []


def list_blocked(tab: WatchedTab) -> set[str]:
    """Return the directives that were violated, each with a colon."""
    return {line.split()[1] for line in noted(tab, "violation")}


_CARELESS: Final = {"script-src-elem:", "img-src:", "connect-src:"}


def test_what_nobody_gated_is_blocked_and_reported(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/careless")

    tab.wait_until(lambda _: {f"{each}:" for each in site.reported} == _CARELESS)
    tab.wait_until(lambda tab: list_blocked(tab) == _CARELESS)
    assert site.reached == []
    # A WebSocket to the site's own host is none of it, and one to the vendor is.
    sockets = [line for line in noted(tab, "violation") if "ws://" in line]
    assert [_STATS_HOST in line for line in sockets] == [True]


def test_page_that_holds_nothing_is_loaded_again_too(tab: WatchedTab, site: CarefulSite) -> None:
    tab.open(f"{site.url}/careless")
    assert site.reached == []

    press(tab, "accept_all", within=BANNER)

    tab.wait_until(lambda _: {"pixel.gif", "event", "stats.js"} <= set(site.reached))
    assert site.loads == ["/careless", "/careless"]


def test_what_nobody_gated_runs_once_it_is_granted(tab: WatchedTab, site: CarefulSite) -> None:
    accept(tab, site)

    tab.open(f"{site.url}/careless")

    tab.wait_until(lambda _: {"pixel.gif", "event", "stats.js"} <= set(site.reached))
    assert noted(tab, "violation") == []


def test_what_waits_for_the_browsers_signal_opens_without_a_page_load(tab: WatchedTab) -> None:
    with CarefulSite.open(place="US-CA") as site:
        tab.open(f"{site.url}/story")

        show(tab, FRAME)
        tab.wait_until(lambda _: "film/ferry" in site.reached)
        assert site.loads == ["/story"]
        assert noted(tab, "violation") == []


def test_what_would_be_blocked_is_reported_and_runs(tab: WatchedTab) -> None:
    """Prove that the tests above could fail: the page does reach the vendor."""
    with CarefulSite.open("report") as site:
        tab.open(f"{site.url}/careless")

        tab.wait_until(lambda _: {f"{each}:" for each in site.reported} == _CARELESS)
        tab.wait_until(lambda _: {"pixel.gif", "event", "stats.js"} <= set(site.reached))


@pytest.mark.parametrize("policy", POLICIES, ids=["strict", "nonce", "self"])
def test_library_violates_neither_policy(tab: WatchedTab, policy: str) -> None:
    allowed = "default-src 'none'; img-src 'self' data:; frame-src http://film.localhost:*; "
    with CarefulSite.open(app_policy=allowed + policy) as site:
        tab.open(f"{site.url}/story")
        press(tab, "settings", within=BANNER)
        show(tab, DIALOG)
        tab.click(f"{DIALOG} #pvc-grant-marketing")
        press(tab, "save", within=DIALOG)
        show(tab, FRAME)
        tab.open(f"{site.url}/privacy-choices/policy")
        tab.open(f"{site.url}/privacy-choices/")

        assert noted(tab, "violation") == []
        assert noted(tab, "uncaught") == []
