"""A story from the database, with what people paste into stories: as the filter holds it, and as auto-hold holds the whole page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Page, expect

from consent import Consent, Service
from tests.browser.choosing import choose, press_native
from tests.browser.looks import assert_flawless
from tests.browser.same_page import is_marked, mark
from tests.browser.services import FILM_HOST, make_film
from tests.browser.serving import LoadingSite, wait_until

_STORY: Final = """
<p id="lead">Before <iframe src="http://film.localhost:{port}/asset/ferry" title="Ferry" width="400" height="300"></iframe> after.</p>
<p id="linked"><a href="/film">Watch <iframe src="http://film.localhost:{port}/asset/harbour" title="Harbour"></iframe> here</a></p>
<p>Counted <img src="http://ads.localhost:{port}/asset/pixel" width="1" height="1" alt=""> for us.</p>
<script src="http://stats.localhost:{port}/asset/stats.js"></script>
<p id="end">The end.</p>
"""
_DECORATED: Final = """<p style="background: url(http://ads.localhost:{port}/asset/back)">Decorated.</p>"""
_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Story</title></head>
<body><main><h1>A story</h1>{{ story }}</main></body>
</html>
"""
_LOADED: Final = {"ferry", "harbour", "pixel", "stats.js"}
_FILM: Final = "[data-consent-embed=film]"


class StorySite(LoadingSite):
    """A site with a story, which holds whole pages."""

    host = "stories.localhost"
    mode: ClassVar = "enforce"
    story: ClassVar = "{{ story|safe }}"

    def _make_app(self) -> Flask:
        port = self.url.rpartition(":")[2]
        app = Flask(__name__, static_folder=None)
        app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Stories Ltd")
        app.config["CONSENT_AUTO_HOLD"] = self.mode
        services = [
            make_film(f"http://{FILM_HOST}:{port}/asset/{{id}}"),
            Service(
                "ads",
                name="Ads",
                purposes=("marketing",),
                provider="A",
                provider_country="FR",
                hosts=("ads.localhost",),
            ),
            Service(
                "stats",
                name="Stats",
                purposes=("analytics",),
                provider="S",
                provider_country="FR",
                hosts=("stats.localhost",),
            ),
        ]
        Consent(app, services=services)

        @app.get("/<name>")
        def show(name: str) -> str:
            story = (_DECORATED if name == "decorated" else _STORY).replace("{port}", port)
            return render_template_string(_PAGE.replace("{{ story }}", self.story), story=story)

        @app.get("/asset/<name>")
        def load(name: str) -> tuple[str, dict[str, str]]:
            self.loaded.append(name)
            if name.endswith(".js"):
                return "window.hasCounted = true;", {"Content-Type": "text/javascript"}
            # Of no use as an image, which nobody looks at.
            return f"<!doctype html><html lang=en><title>{name}</title>", {"Content-Type": "text/html; charset=utf-8"}

        return app


class FilteredSite(StorySite):
    """A site that holds stories alone, by the filter."""

    mode = "off"
    story = "{{ story|hold }}"


@pytest.fixture(params=[StorySite, FilteredSite], ids=["auto-hold", "filter"])
def site(request: pytest.FixtureRequest) -> Iterator[StorySite]:
    with request.param.open() as running:
        yield running


def open_story(tab: Page, site: StorySite) -> None:
    tab.goto(f"{site.url}/story")


def assert_whole(tab: Page) -> None:
    """See that the paragraphs are as they were written, with a placeholder or frame in each of the first two."""
    held = f":is(iframe, {_FILM})"

    assert tab.locator("main > *").count() == len(("h1", "lead", "linked", "counted", "script", "end"))
    expect(tab.locator(f"#lead > {held}")).to_be_visible()
    expect(tab.locator(f"#linked > a > {held}")).to_be_visible()
    assert (tab.locator("#lead").text_content() or "").endswith(" after.")
    assert (tab.locator("#linked > a").text_content() or "").endswith(" here")


def test_story_is_whole_and_loads_nothing_before_a_choice(tab: Page, site: StorySite) -> None:
    open_story(tab, site)

    assert_whole(tab)
    assert tab.locator(_FILM).count() == len(("ferry", "harbour"))
    assert site.loaded == []


def test_grant_brings_all_of_it_to_life_where_it_stood(tab: Page, site: StorySite) -> None:
    open_story(tab, site)
    mark(tab)
    choose(tab, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED)
    tab.wait_for_function("() => window.hasCounted")

    assert_whole(tab)
    assert is_marked(tab)
    assert tab.locator(_FILM).count() == 0
    assert len(site.loaded) == len(_LOADED)


def test_one_service_is_allowed_alone(tab: Page, site: StorySite) -> None:
    open_story(tab, site)
    mark(tab)
    choose(tab, "allow")
    wait_until(lambda: set(site.loaded) == {"ferry", "harbour"})

    assert_whole(tab)
    assert is_marked(tab)


def test_one_film_is_shown_once(tab: Page, site: StorySite) -> None:
    open_story(tab, site)
    mark(tab)
    choose(tab, "once")
    wait_until(lambda: site.loaded == ["ferry"])

    assert_whole(tab)
    assert is_marked(tab)
    assert tab.locator("#lead > iframe").bounding_box() is not None
    assert tab.locator(_FILM).count() == 1


def test_withdrawal_shuts_all_of_it_again(tab: Page, site: StorySite) -> None:
    open_story(tab, site)
    choose(tab, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED)
    tab.goto(f"{site.url}/privacy-choices/")
    press_native(tab, "withdraw")
    site.loaded.clear()
    open_story(tab, site)

    assert_whole(tab)
    assert site.loaded == []


def test_what_was_disarmed_comes_back_with_the_page(tab: Page, site: StorySite) -> None:
    tab.goto(f"{site.url}/decorated")
    before = list(site.loaded)
    with tab.expect_navigation():
        tab.locator("[data-consent-action=accept_all]").click()
    wait_until(lambda: site.loaded == ["back"])

    assert before == []


def test_grant_without_javascript_brings_frames_and_images(page: Page, site: StorySite) -> None:
    open_story(page, site)
    before = list(site.loaded)
    press_native(page, "accept_all")
    wait_until(lambda: set(site.loaded) == _LOADED - {"stats.js"})

    assert before == []
    assert_whole(page)


def test_placeholder_in_a_paragraph_allows_without_javascript(page: Page, site: StorySite) -> None:
    open_story(page, site)
    press_native(page, "allow")
    wait_until(lambda: set(site.loaded) == {"ferry", "harbour"})

    assert_whole(page)


def test_placeholder_in_a_paragraph_shows_one_film_without_javascript(page: Page, site: StorySite) -> None:
    open_story(page, site)
    press_native(page, "once")
    wait_until(lambda: site.loaded == ["ferry"])

    assert page.url.endswith("/privacy-choices/")


def test_axe_finds_nothing_in_a_story_with_placeholders(tab: Page, site: StorySite) -> None:
    open_story(tab, site)
    # A link around a film is what the story's author wrote: buttons in it are found wherever it stands.
    tab.locator("#linked").evaluate("paragraph => paragraph.remove()")

    assert_flawless(tab)
