"""The site that is measured: the same app with and without the library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from flask import Flask, Response, render_template
from jinja2 import DictLoader

from consent import Consent, Policy, Purpose
from consent.catalogue import load_service
from consent.core.declaration import default_purposes

SERVICES = ("google-analytics", "meta-pixel", "matomo", "youtube", "vimeo", "google-maps")
CHUNK_BYTES = 8 * 1024
STREAM_BYTES = 5 * 1024 * 1024

# How many stories make a page of about that many kilobytes.
STORIES = {5: 11, 50: 132, 500: 1330}


class Placed(StrEnum):
    """Say what the templates place by themselves."""

    NOTHING = "nothing"
    """Also how the site without the library looks."""

    LINK = "link"
    """`settings_link()` in the footer."""

    ALL = "all"
    """`head()`, `banner()` and `settings_link()`."""


_LAYOUT = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{% block title %}{% endblock %} - The Harbour Courier</title>
  <link rel="stylesheet" href="/static/site.css">
  <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
  [head]
</head>
<body class="page">
  [banner]
  <header><a href="/">The Harbour Courier</a>
    <nav aria-label="Sections"><ul>
      {%- for name in sections %}
      <li><a href="/section/{{ name|lower }}"{% if name == section %} aria-current="page"{% endif %}>{{ name }}</a></li>
      {%- endfor %}
    </ul></nav>
  </header>
  <main>{% block main %}{% endblock %}</main>
  <footer><p>{{ imprint }}</p><a href="https://www.facebook.com/sharer/sharer.php">Share</a>[link]</footer>
</body>
</html>
"""

_PAGE = """{% extends "layout.html" %}
{% block title %}{{ section }}{% endblock %}
{% block main %}
<h1>{{ section }}</h1>
{%- for story in stories %}
<article id="story-{{ loop.index }}" class="{{ loop.cycle('odd', 'even') }}">
  <h2><a href="/story/{{ story.slug }}">{{ story.title }}</a></h2>
  <p class="byline">{{ story.author|title }}, <time datetime="{{ story.date }}">{{ story.date }}</time></p>
  <p>{{ story.teaser }}</p>
  {%- if story.tags %}
  <ul>{% for tag in story.tags %}<li>{{ tag|upper }}</li>{% endfor %}</ul>
  {%- endif %}
</article>
{%- endfor %}
{% endblock %}
"""

_MACROS = {
    Placed.NOTHING: ("", "", "", ""),
    Placed.LINK: (
        '{% from "consent/macros.html" import settings_link %}',
        "",
        "",
        "{{ settings_link() }}",
    ),
    Placed.ALL: (
        '{% from "consent/macros.html" import banner, head, settings_link %}',
        "{{ head() }}",
        "{{ banner() }}",
        "{{ settings_link() }}",
    ),
}


def make_site(
    *,
    has_library: bool,
    placed: Placed = Placed.NOTHING,
    policy: Policy | None = None,
    config: Mapping[str, object] | None = None,
) -> Flask:
    """Build the site, and answer the first request.

    Args:
        placed: What its templates place; the site without the library can place nothing.
        policy: What it declares; None for the shipped purposes and six services.
        config: More of the app's configuration, such as `CONSENT_LEDGER`.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", **(config or {}))
    app.jinja_loader = DictLoader(_write_templates(placed))
    _add_views(app)
    if has_library:
        Consent(app, policy=policy or make_policy())
    # The library settles what depends on other extensions now, and leaves Flask's signal for it.
    app.test_client().get("/data")
    return app


def make_policy(*extra_purposes: str, services: Sequence[str] = SERVICES) -> Policy:
    """Declare the shipped purposes and some more."""
    more = (Purpose(key, title=key.title(), description=f"Texts about {key}.") for key in extra_purposes)
    return Policy(
        controller="Harbour Courier Ltd",
        purposes=(*default_purposes(), *more),
        services=tuple(load_service(key) for key in services),
    )


def stream_chunks() -> Iterator[bytes]:
    """Give 5 MB of a page in chunks of 8 KB."""
    for at in range(0, STREAM_BYTES, CHUNK_BYTES):
        yield _LONG_PAGE[at : at + CHUNK_BYTES]


def _write_templates(placed: Placed) -> dict[str, str]:
    imports, head, banner, link = _MACROS[placed]
    layout = _LAYOUT.replace("[head]", head).replace("[banner]", banner).replace("[link]", link)
    return {"layout.html": imports + layout, "page.html": _PAGE}


def _add_views(app: Flask) -> None:
    @app.get("/data")
    def data() -> dict[str, object]:
        return {"name": "Harbour Courier", "stories": 3, "is_open": True}

    @app.get("/page/<int:kilobytes>")
    def page(kilobytes: int) -> str:
        stories = _STORIES[: STORIES[kilobytes]]
        return render_template("page.html", stories=stories, section="Harbour", sections=_SECTIONS, imprint=_IMPRINT)

    @app.get("/stream")
    def stream() -> Response:
        return Response(stream_chunks(), mimetype="text/html")


_SECTIONS = ("Front", "Harbour", "Town", "Culture", "Sport", "Weather")
_IMPRINT = "Harbour Courier Ltd, 4 Quay Street"
_STORIES = [
    {
        "slug": f"ferry-{number}",
        "title": f"Ferry {number} runs late & nobody's surprised",
        "author": "mara lindqvist",
        "date": f"2025-03-{number % 28 + 1:02}",
        "teaser": "The evening crossing waited for the tide, the mail and the choir; <all> three came within the hour. "
        * 2,
        "tags": ["harbour", "ferry"] if number % 2 else [],
    }
    for number in range(max(STORIES.values()))
]
_LONG_PAGE = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log</title></head><body>'
    + b"<p>22:04 ferry 12 has left the quay</p>\n" * (STREAM_BYTES // 40 + 1)
)[:STREAM_BYTES]
