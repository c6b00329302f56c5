"""Tags that are written for other consent managers do in a browser what they say, and nothing before it is granted."""

from __future__ import annotations

from typing import Final

from flask import Flask
from playwright.sync_api import Page, expect

from consent import Consent
from tests.browser.choosing import choose, press_native
from tests.browser.same_page import is_marked, mark
from tests.browser.services import FILM_HOST, make_film
from tests.browser.serving import LoadingSite, wait_until

_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Moved</title></head>
<body>
<script>window.ran = [];</script>
<script type="text/plain" data-cookieconsent="statistics" src="/asset/cookiebot.js"></script>
<script type="text/plain" data-cookieconsent="statistics, marketing">ran.push("after cookiebot");</script>
<script type="text/plain" data-type="module" data-name="stats">ran.push("klaro");</script>
<script type="text/plain" class="optanon-category-C0002">ran.push("onetrust");</script>
<script type="text/plain" data-category="analytics" data-src="/asset/vanilla.js"></script>
<img class="optanon-category-C0004" data-src="/asset/onetrust.png" alt="">
<iframe data-cookieblock-src="/asset/frame" data-cookieconsent="marketing" title="Frame"></iframe>
<div class="tac_iframe" data-url="http://film.localhost:{port}/asset/ferry" width="300" height="200" title="Film"></div>
<script type="text/plain" data-category="!analytics">ran.push("refused");</script>
<script type="text/plain" data-cookieconsent="nobody-knows">ran.push("unknown");</script>
<script type="text/plain" data-cookieconsent="necessary">ran.push("necessary");</script>
<script type="text/plain" data-cookieconsent="statistics" src="javascript:ran.push('address')"></script>
</body>
</html>
"""
# In the order in which a parser would have run them: modules last.
_RAN: Final = ["cookiebot.js", "after cookiebot", "onetrust", "vanilla.js", "klaro"]
_LOADED: Final = {"cookiebot.js", "vanilla.js", "onetrust.png", "frame", "ferry"}


class MovedSite(LoadingSite):
    """A site whose templates are those of four managers before."""

    host = "moved.localhost"

    def _make_app(self) -> Flask:
        port = self.url.rpartition(":")[2]
        app = Flask(__name__, static_folder=None)
        app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Moved Ltd")
        app.config["CONSENT_AUTO_HOLD"] = "enforce"
        app.config["CONSENT_FOREIGN_TAGS"] = {
            "cookiebot": {},
            "onetrust": {},
            "klaro": {"stats": "analytics"},
            "vanilla-cookieconsent": {},
            "tarteaucitron": {"iframe": "film"},
        }
        Consent(app, services=[make_film(f"http://{FILM_HOST}:{port}/asset/{{id}}")])

        @app.get("/page")
        def show() -> str:
            return _PAGE.replace("{port}", port)

        @app.get("/asset/<name>")
        def load(name: str) -> tuple[str, dict[str, str]]:
            self.loaded.append(name)
            if name.endswith(".js"):
                return f"ran.push('{name}');", {"Content-Type": "text/javascript"}
            return f"<!doctype html><title>{name}</title>", {"Content-Type": "text/html"}

        return app


SITE = MovedSite


def ran(page: Page) -> list[str]:
    """What of the tags has run on a page."""
    found: list[str] = page.evaluate("() => window.ran")
    return found


def open_page(tab: Page, site: MovedSite) -> None:
    tab.goto(f"{site.url}/page")


def test_nothing_loads_or_runs_before_a_choice(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)

    assert ran(tab) == ["necessary"]
    assert site.loaded == []
    expect(tab.locator("[data-consent-embed=film]")).to_be_visible()


def test_nothing_loads_or_runs_after_a_refusal(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)
    choose(tab, "reject_all")
    open_page(tab, site)

    assert ran(tab) == ["necessary"]
    assert site.loaded == []


def test_grant_opens_all_of_it_in_place(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)
    mark(tab)
    choose(tab, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED)
    tab.wait_for_function("(all) => window.ran.length >= all", arg=len(_RAN) + 1)

    assert ran(tab) == ["necessary", *_RAN]
    assert is_marked(tab)
    assert len(site.loaded) == len(_LOADED)


def test_page_of_a_visitor_who_agreed_has_it_live(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)
    choose(tab, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED)
    site.loaded.clear()
    open_page(tab, site)
    wait_until(lambda: set(site.loaded) == _LOADED)

    assert sorted(ran(tab)) == sorted(["necessary", *_RAN])
    assert tab.locator("[data-consent-gate]").count() == 0


def test_embed_is_allowed_alone(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)
    choose(tab, "allow")
    wait_until(lambda: site.loaded == ["ferry"])

    assert ran(tab) == ["necessary"]
    assert tab.locator("iframe[title=Film]").count() == 1


def test_withdrawal_shuts_all_of_it_again(tab: Page, site: MovedSite) -> None:
    open_page(tab, site)
    choose(tab, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED)
    tab.goto(f"{site.url}/privacy-choices/")
    press_native(tab, "withdraw")
    site.loaded.clear()
    open_page(tab, site)

    assert ran(tab) == ["necessary"]
    assert site.loaded == []


def test_without_javascript_nothing_loads_before_a_choice_and_frames_and_images_after_it(
    page: Page, site: MovedSite
) -> None:
    page.goto(f"{site.url}/page")
    before = list(site.loaded)
    press_native(page, "accept_all")
    wait_until(lambda: {"onetrust.png", "frame", "ferry"} <= set(site.loaded))

    assert before == []
