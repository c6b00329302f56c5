"""What the guides for moving from another consent manager say is true: their code runs, and their tags do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import html5lib
import pytest
from flask import Flask, render_template_string

import consent.testing
from consent.web.foreign_names import NAMES
from consent.wire.foreign_frame import PLACEHOLDER_CLASSES
from consent.wire.foreign_tag import Manager

FOLDER = Path(__file__).parents[2] / "docs" / "moving"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
GUIDES = sorted(TEXTS.keys() - {"README"})
TAG = "https://www.googletagmanager.com/gtag/js?id=G-AB12CD34EF"
FILM = "https://www.youtube.com/embed/aqz-KE-bpKQ"
OUR_FILM = "https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ"
LIVING = {
    "cookiebot": {TAG, FILM, "https://stats.example/pixel.gif"},
    "onetrust": {TAG, FILM, "https://weather.example/today.png"},
    "klaro": {TAG, FILM, "https://weather.example/today.png", "https://weather.example/icons.css"},
    "vanilla-cookieconsent": {TAG, "/static/ads.js", OUR_FILM},
    "tarteaucitron": {TAG, OUR_FILM, "https://player.vimeo.com/video/1084537?dnt=1", "https://weather.example/today"},
}


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def make_site(guide):
    """Return the site of a guide, with one page that has all of its markup."""
    app = Flask("moving", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    for block in blocks(TEXTS[guide], "python"):
        exec(compile(block, f"{guide}.md", "exec"), {"app": app})
    markup = "\n".join(blocks(TEXTS[guide], "jinja"))
    page = f'<!doctype html><html lang="en"><head><title>x</title></head><body>{markup}</body></html>'
    app.add_url_rule("/page", "page", lambda: render_template_string(page))
    return app


def find_living(markup):
    """Return what a page loads by itself, but for the library's own files."""
    tree = html5lib.parse(markup, treebuilder="etree", namespaceHTMLElements=False)
    found = set()
    for element in tree.iter():
        is_data = element.tag == "script" and element.get("type", "") not in ("", "module", "text/javascript")
        name = "href" if element.tag == "link" else "src"
        if element.tag in ("script", "iframe", "img", "link") and name in element.attrib and not is_data:
            found.add(element.attrib[name])
    return {address for address in found if not address.startswith("/privacy-choices/")}


@pytest.mark.parametrize("guide", GUIDES)
def test_nothing_of_a_guide_lives_before_a_choice(guide):
    client = make_site(guide).test_client()

    page = client.get("/page").text

    assert find_living(page) == set()
    assert "data-consent-gate=" in page


@pytest.mark.parametrize("guide", GUIDES)
def test_nothing_of_a_guide_lives_after_a_refusal(guide):
    client = make_site(guide).test_client()
    consent.testing.refuse(client)

    assert find_living(client.get("/page").text) == set()


@pytest.mark.parametrize("guide", GUIDES)
def test_all_of_a_guide_lives_once_it_is_granted(guide):
    client = make_site(guide).test_client()
    consent.testing.grant(client)

    assert find_living(client.get("/page").text) == LIVING[guide]


def test_code_of_the_overview_runs():
    (block,) = blocks(TEXTS["README"], "python")
    app = Flask("overview")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    exec(compile(block, "README.md", "exec"), {"app": app})

    consent.Consent(app)

    assert app.extensions["consent"].foreign_tags


@pytest.mark.parametrize("manager", list(Manager))
def test_every_manager_has_a_guide(manager):
    assert f"]({manager}.md)" in TEXTS["README"]
    assert manager in GUIDES


@pytest.mark.parametrize("manager", [Manager.COOKIEBOT, Manager.ONETRUST, Manager.VANILLA])
def test_names_that_are_known_are_in_the_guide(manager):
    missing = [name for name in NAMES[manager] if not name.isdigit() and f"`{name}`" not in TEXTS[manager]]

    assert missing == []


def test_every_placeholder_is_in_the_guide():
    assert [name for name in PLACEHOLDER_CLASSES if f"| `{name}`" not in TEXTS["tarteaucitron"]] == []


@pytest.mark.parametrize(
    ("guide", "target"),
    [(name, target) for name, text in TEXTS.items() for target in sorted(set(re.findall(r"\]\(([^)#:]+)[)#]", text)))],
)
def test_link_of_a_guide_leads_somewhere(guide, target):
    assert (FOLDER / target).is_file()
