"""A site with the least markup of its own, so that what is looked at is the library's."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request
from jinja2 import ChoiceLoader, DictLoader
from markupsafe import Markup

from consent import Consent, CookieDeclaration, Service, current_consent, requires_consent

LINK_COUNT = 40

_DIRECTIONS = {"en": "ltr", "ar": "rtl"}

_LAYOUT = """{% from "consent/macros.html" import cookie_table, embed, settings_link %}<!doctype html>
<html lang="{{ language }}" dir="{{ direction }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Plain</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; color: CanvasText; background: Canvas } a { display: inline-block; padding: .25rem }
:root { color-scheme: light dark }</style>
</head>
<body>
<main>
<h1>Plain</h1>
{% block main %}{% endblock %}
</main>
<footer>{{ settings_link() }}</footer>
</body>
</html>
"""

_PAGES = {
    "links.html": """<ul>{% for n in range(count) %}<li><a href="/links?{{ n }}">Story {{ n + 1 }}</a></li>{% endfor %}</ul>""",
    "embed.html": """{{ embed("youtube", "aqz-KE-bpKQ", title="Big Buck Bunny") }}""",
    "small_embed.html": """{{ embed("youtube", "aqz-KE-bpKQ", title="Big Buck Bunny", width=320, height=180) }}""",
    "cookies.html": "{{ cookie_table() }}",
    "members.html": "<p>Members</p>",
    "preconnect.html": """<link rel="preconnect" href="{{ request.args.origin }}"><p>Live</p>""",
}


def make_plain_site(language: str) -> Flask:
    """Build the site in a language; its pages place `settings_link()` and leave the rest to injection."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="Plain Paper Ltd",
        CONSENT_LANGUAGE=language,
    )
    extended = {name: _extend(body) for name, body in _PAGES.items()}
    app.jinja_loader = ChoiceLoader([DictLoader({"layout.html": _LAYOUT, **extended})])
    app.context_processor(lambda: {"language": language, "direction": _DIRECTIONS[language]})
    Consent(app, services=["google-analytics", "matomo", "meta-pixel", "youtube", _choice_store(), _session()])
    _add_views(app)
    return app


def _extend(body: str) -> str:
    imports = '{% from "consent/macros.html" import cookie_table, embed %}'
    return f'{{% extends "layout.html" %}}{imports}{{% block main %}}{body}{{% endblock %}}'


def _choice_store() -> Service:
    """Serve two purposes, so that its switch depends on both."""
    return Service(
        "reader-panel",
        name="Reader panel",
        purposes=("analytics", "marketing"),
        provider="Panel & Sons",
        provider_country="FR",
        cookies=(CookieDeclaration("panel_*", months=2), CookieDeclaration("panel", kind="local_storage")),
    )


def _session() -> Service:
    return Service(
        "sign-in",
        name="Sign-in",
        purposes=("necessary",),
        justification={"en": "Without it nobody stays signed in.", "ar": "بدونه لا يبقى أحد مسجّل الدخول."},
        cookies=(CookieDeclaration("session", session=True),),
    )


def _add_views(app: Flask) -> None:
    @app.get("/")
    def front() -> str:
        return render_template("links.html", count=1)

    @app.get("/<any(links, embed, small_embed, cookies, preconnect):name>")
    def show(name: str) -> str:
        return render_template(f"{name}.html", count=LINK_COUNT)

    @app.get("/members")
    @requires_consent("preferences")
    def members() -> str:
        return render_template("members.html")

    @app.get("/bare")
    def bare() -> str:
        return "<!doctype html><html lang=en><title>Bare</title><body><main><h1>Bare</h1><p>No stylesheet.</p></main></body></html>"

    @app.get("/plain.txt")
    def cacheable() -> Response:
        response = make_response("the same for everyone")
        response.headers["Cache-Control"] = "public, max-age=600"
        response.mimetype = "text/plain"
        return response

    @app.get("/verdicts")
    def verdicts() -> Markup:
        # For the shared cache's test: who asked, and what the page thinks of them.
        granted = [key for key, choice in current_consent.decision.choices.items() if choice == "granted"]
        return Markup(
            "<!doctype html><html lang=en><title>V</title><body><p id=verdicts>{}</p><p id=path>{}</p>"
        ).format(" ".join(granted), request.path)
