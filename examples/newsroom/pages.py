"""The pages of an edition; the blueprint is registered once for each language."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consent import current_consent, requires_consent

from .documents import KEYS
from .edition import SECTIONS, Article, Edition
from .services import OFFERS_COOKIE, READING_COOKIE

pages = Blueprint("pages", __name__)

_DOCUMENT = f"<any({', '.join(KEYS)}):key>"
_DAY_SECONDS = 24 * 60 * 60
# Enough to catch a slip; whether the address exists only a letter can tell.
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@pages.get("/")
def front() -> str:
    return render_template("front.html", articles=_edition().articles)


@pages.get("/section/<section>")
def section(section: str) -> str:
    if section not in SECTIONS:
        abort(404)
    return render_template("section.html", section=section, articles=_edition().in_section(section))


@pages.get("/article/<slug>")
def article(slug: str) -> Response:
    story = _find(slug)
    page = render_template(
        "article.html",
        article=story,
        related=_edition().related_to(story),
        is_kept=slug in _reading_list(),
        outside_host=_find_outside_host,
    )
    return _count_for_offers(make_response(page))


@pages.get("/search")
def search() -> str:
    query = request.args.get("q", "").strip()[:100]
    return render_template("search.html", query=query, articles=_edition().search(query))


@pages.get(f"/{_DOCUMENT}")
def document(key: str) -> ResponseReturnValue:
    # The library knows one address of a document, whatever the language of the page that links it.
    if request.blueprint == "en" and _comes_from_arabic_page():
        return redirect(url_for("ar.document", key=key))
    declared = next(each for each in current_consent.policy.documents if each.key == key)
    version = "revised" if current_app.extensions["newsroom"].is_revised else "earlier"
    return render_template("document.html", document=declared, text=_edition().documents[key], version=version)


@pages.post("/newsletter")
def newsletter() -> ResponseReturnValue:
    email = request.form.get("email", "").strip()
    if not _EMAIL.fullmatch(email):
        return render_template("newsletter.html", email=email, has_error=True), 400
    return redirect(_link("newsletter_thanks"), 303)


@pages.get("/newsletter")
def newsletter_form() -> str:
    return render_template("newsletter.html", email="", has_error=False)


@pages.get("/newsletter/thanks")
def newsletter_thanks() -> str:
    return render_template("newsletter_thanks.html")


@pages.get("/reading-list")
@requires_consent("preferences")
def reading_list() -> str:
    return render_template("reading_list.html", articles=[_find(slug) for slug in _reading_list()])


@pages.post("/reading-list")
@requires_consent("preferences")
def change_reading_list() -> Response:
    slug = _find(request.form.get("slug", "")).slug
    kept = [other for other in _reading_list() if other != slug]
    if request.form.get("action") == "keep":
        kept.insert(0, slug)
    response = make_response(redirect(_link("reading_list"), 303))
    response.set_cookie(READING_COOKIE, ".".join(kept), max_age=180 * _DAY_SECONDS, httponly=True, samesite="Lax")
    return response


def _edition() -> Edition:
    edition: Edition = current_app.extensions["newsroom"].editions[request.blueprint]
    return edition


def _comes_from_arabic_page() -> bool:
    came_from = urlsplit(request.referrer or "")
    return came_from.path.startswith("/ar/") or "lang=ar" in came_from.query


def _link(page: str) -> str:
    return url_for(f".{page}")


def _find(slug: str) -> Article:
    return _edition().find(slug) or abort(404)


def _find_outside_host(service_key: str) -> str:
    """Return where a service's frame really comes from; empty for the demonstration's own, which run on this machine."""
    embed = current_consent.policy.services_by_key[service_key].embed
    host = urlsplit(embed.url).hostname if embed else None
    return "" if host is None or host.endswith(".localhost") else host


def _reading_list() -> list[str]:
    return [slug for slug in request.cookies.get(READING_COOKIE, "").split(".") if _edition().find(slug)]


def _count_for_offers(response: Response) -> Response:
    """Set a cookie that only consent makes lawful; the library takes it back when consent is withdrawn."""
    if current_consent.allows("subscription-offers"):
        count = request.cookies.get(OFFERS_COOKIE, default=0, type=int) + 1
        response.set_cookie(OFFERS_COOKIE, str(count), max_age=90 * _DAY_SECONDS, httponly=True, samesite="Lax")
    return response
