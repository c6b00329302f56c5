"""The policies of docs/browser.md on every page of a site: in no state does the library violate one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import pytest
from flask import Flask, Response, abort, g, render_template, request
from jinja2 import DictLoader
from markupsafe import Markup

from consent import Consent, CookieDeclaration, requires_consent
from tests.browser.services import make_film, make_stats
from tests.browser.serving import serve
from tests.browser.watched_tab import Engine, OpenTab, WatchedTab, noted

_DOCS: Final = Path(__file__).parents[2] / "docs" / "browser.md"
POLICIES: Final = re.findall("```csp\n(.*?)\n```", _DOCS.read_text(encoding="utf-8"), re.DOTALL)
# What the site itself and what it lets its visitors grant need on top.
_REST: Final = "default-src 'none'; img-src 'self' data:; frame-src 'self'; frame-ancestors 'none'; "

_PAGES: Final = {
    "story.html": """{% from "consent/macros.html" import cookie_table, embed, gate, settings_link %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Story</title></head>
<body><main><h1>Story</h1>
{% call gate("analytics") %}<p class="opened">Counted</p><img src="/saw/image" alt="">
<script{{ nonced }} src="/saw/script"></script>
{% if nonced %}<script{{ nonced }}>fetch("/saw/inline")</script>{% endif %}{% endcall %}
{{ embed("film", "ferry", title="Ferry") }}
{{ cookie_table() }}
</main><footer>{{ settings_link() }}</footer></body></html>""",
    "violating.html": """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Violating</title></head>
<body><script>console.log("ran")</script><p style="color: red">Red</p>
<script{{ nonced }}>document.body.appendChild(document.createElement("p")).innerHTML = "<b>b</b>"</script></body></html>""",
}

BANNER: Final = ".pvc-banner"
DIALOG: Final = "dialog[open]"
FRAME: Final = "iframe[src^='/film/']"


class GuardedSite:
    """A site under one policy, running."""

    def __init__(self, policy: str) -> None:
        self.url = ""
        self.seen: list[str] = []
        """Path of each request for a page of the site's own, or for what a gate held."""

        self.is_failing = False
        """Whether choices come to nothing."""

        self.has_nonce = "{nonce}" in policy
        self.has_trusted_types = "require-trusted-types-for" in policy
        self._policy = _REST + policy
        self._app = self._make_app()

    @classmethod
    @contextmanager
    def open(cls, policy: str) -> Iterator[Self]:
        """Start it; stop it when the block ends."""
        site = cls(policy)
        with serve(site._app) as server:
            site.url = f"http://guarded.localhost:{server.port}"
            yield site

    def _make_app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(
            SECRET_KEY="a key that is long enough for every check",
            CONSENT_CONTROLLER="Guarded Ltd",
            CONSENT_CSP_NONCE=lambda: g.nonce,
        )
        app.jinja_loader = DictLoader(_PAGES)
        app.before_request(self._begin)
        app.after_request(self._guard)
        Consent(app, services=[make_stats(CookieDeclaration("stats", kind="local_storage")), make_film("/film/{id}")])

        @app.get("/<any(story, violating):name>")
        def show(name: str) -> str:
            nonced = Markup(' nonce="{}"').format(g.nonce) if g.nonce else ""
            return render_template(f"{name}.html", nonced=nonced)

        @app.get("/members")
        @requires_consent("preferences")
        def members() -> str:
            return "Members"

        @app.get("/film/<name>")
        def film(name: str) -> str:
            return f"<!doctype html><title>{name}</title>"

        @app.get("/saw/<what>")
        def saw(what: str) -> Response:
            return Response("", mimetype="text/javascript")

        return app

    def _begin(self) -> None:
        g.nonce = secrets.token_urlsafe(16) if self.has_nonce else ""
        if request.path.startswith(("/story", "/saw/")):
            self.seen.append(request.path)
        if self.is_failing and request.method == "POST":
            abort(500)

    def _guard(self, response: Response) -> Response:
        response.headers.add("Content-Security-Policy", self._policy.replace("{nonce}", g.nonce))
        return response


# Policies are checked by the same specification in both browsers: in Firefox, the strictest stands for the others.
@pytest.fixture(
    params=[*(("chromium", policy) for policy in POLICIES), ("firefox", POLICIES[0])],
    ids=["chromium-strict", "chromium-nonce", "chromium-self", "firefox-strict"],
)
def engine_and_policy(request: pytest.FixtureRequest) -> tuple[Engine, str]:
    found: tuple[Engine, str] = request.param
    return found


@pytest.fixture
def site(engine_and_policy: tuple[Engine, str]) -> Iterator[GuardedSite]:
    with GuardedSite.open(engine_and_policy[1]) as running:
        yield running


@pytest.fixture
def tab(engine_and_policy: tuple[Engine, str], open_tab_of: Callable[[Engine], OpenTab]) -> Iterator[WatchedTab]:
    """A new visitor's tab in each browser."""
    with open_tab_of(engine_and_policy[0])() as opened:
        yield opened


def show(tab: WatchedTab, selector: str, *, times: int = 1) -> None:
    """Wait until the page has it so many times."""
    tab.wait_until(lambda tab: tab.count(selector) == times)


def press(tab: WatchedTab, action: str, *, within: str = "") -> None:
    tab.click(f"{within} [data-consent-action={action}]")


def assert_clean(tab: WatchedTab) -> None:
    """Neither the browser's policy nor its scripts complained so far."""
    assert noted(tab, "violation") == []
    assert noted(tab, "uncaught") == []


def test_violations_are_noted(tab: WatchedTab, site: GuardedSite) -> None:
    """Prove that the tests below could fail."""
    tab.open(f"{site.url}/violating")

    expected = {"script-src-elem", "style-src-attr"}
    if site.has_trusted_types:
        expected.add("require-trusted-types-for")
    tab.wait_until(lambda tab: {line.split()[1].rstrip(":") for line in noted(tab, "violation")} == expected)
    assert "ran" not in tab.lines
    assert tab.count("b") == int(site.has_nonce and not site.has_trusted_types)


def test_banner_and_choice_violate_nothing(tab: WatchedTab, site: GuardedSite) -> None:
    tab.open(f"{site.url}/story")
    assert tab.count(BANNER) == 1
    assert_clean(tab)

    press(tab, "accept_all", within=BANNER)
    show(tab, BANNER, times=0)
    show(tab, f".opened, {FRAME}", times=2)

    held = ["/saw/image", "/saw/script", *(["/saw/inline"] if site.has_nonce else [])]
    tab.wait_until(lambda _: sorted(site.seen) == sorted(["/story", *held]))
    assert_clean(tab)


def test_dialog_violates_nothing(tab: WatchedTab, site: GuardedSite) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "settings", within=BANNER)
    show(tab, DIALOG)
    show(tab, "link[href*='/preferences.']")
    assert_clean(tab)

    tab.click(f"{DIALOG} #pvc-grant-analytics")
    press(tab, "save", within=DIALOG)
    show(tab, DIALOG, times=0)
    show(tab, ".opened")
    assert tab.count(FRAME) == 0
    assert_clean(tab)


def test_withdrawal_violates_nothing(tab: WatchedTab, site: GuardedSite) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "accept_all", within=BANNER)
    show(tab, ".opened")
    press(tab, "settings", within="footer")
    show(tab, DIALOG)

    press(tab, "withdraw", within=DIALOG)

    tab.wait_until(lambda _: site.seen.count("/story") == 2)
    show(tab, "html:has(h1):not(:has(.opened))")
    assert_clean(tab)


@pytest.mark.parametrize("action", ["once", "allow"])
def test_embed_violates_nothing(tab: WatchedTab, site: GuardedSite, action: str) -> None:
    tab.open(f"{site.url}/story")
    press(tab, "reject_all", within=BANNER)
    show(tab, BANNER, times=0)

    press(tab, action)

    show(tab, FRAME)
    assert site.seen.count("/story") == 1
    assert_clean(tab)


def test_failure_violates_nothing(tab: WatchedTab, site: GuardedSite) -> None:
    tab.open(f"{site.url}/story")
    site.is_failing = True
    press(tab, "accept_all", within=BANNER)
    show(tab, f"{BANNER} [role=alert]")
    assert_clean(tab)

    site.is_failing = False
    press(tab, "accept_all", within=BANNER)
    tab.wait_until(lambda _: site.seen.count("/story") == 2)
    show(tab, ".opened")
    assert_clean(tab)


def test_pages_of_the_library_violate_nothing(tab: WatchedTab, site: GuardedSite) -> None:
    tab.open(f"{site.url}/members")
    tab.open(f"{site.url}/privacy-choices/policy")
    tab.open(f"{site.url}/privacy-choices/")
    # The switches follow each other, so the module was there.
    tab.click("#pvc-grant-analytics")
    show(tab, "[data-pvc-linked]:has(#pvc-grant-stats:checked)")

    press(tab, "save")

    show(tab, ".pvc-status [role=status]")
    assert_clean(tab)
