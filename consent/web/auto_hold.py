"""Hold what belongs to services that are not granted, wherever it stands: in stored markup, and in whole pages.

`{{ body|hold }}` does it to markup that a page prints, `CONSENT_AUTO_HOLD` to every HTML response, or only tells what it would do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask, Response
from markupsafe import Markup

from consent.web.foreign_markup import warn_of_jobs
from consent.web.held_stream import HeldStream
from consent.web.injection import find_encoder, gather_error_page, is_said_to_be_utf8
from consent.web.markup_holding import MarkupHolding, PageKind
from consent.web.site import Site
from consent.web.visit import Visit, get_visit
from consent.wire.document import begins_document, find_places
from consent.wire.markup_edit import Edit, apply_edits
from consent.wire.markup_scan import scan
from consent.wire.other_format import begins_utf16, is_other_format
from consent.wire.prefilter import names_listed_host

_find_frameset = re.compile(rb"<(?i:frameset)").search


def register_filter(app: Flask) -> None:
    """Make the filter known to every template."""
    app.jinja_env.filters["hold"] = hold_markup


def hold_markup(markup: object) -> Markup:
    """Return markup in which nothing loads that is not granted; for markup that the site would print as it is.

    It is no sanitizer: what runs in the markup by itself still does.

    Raises:
        SetupError: Outside a request.
    """
    visit = get_visit()
    text = "" if markup is None else str(markup)
    page = text.encode("utf-8", "surrogatepass")
    if not may_hold(page, visit.site):
        return Markup(text)  # noqa: S704 - printed as it is; the site trusts it, see above
    held = hold_page(page, visit, PageKind(encode=str.encode))
    return Markup(held.decode("utf-8", "surrogatepass"))  # noqa: S704 - as before, with fewer parts that are alive


def hold_response(response: Response, visit: Visit, *, is_injected: bool) -> None:
    """Hold what is in an HTML response, or tell of it, by the settings.

    One that names no host of anybody's stays as it is, and nobody's consent is asked.

    Args:
        is_injected: Whether the runtime is put into the response later, if it is a document and whole.
    """
    content_type, site = response.headers["Content-Type"], visit.site
    encode = find_encoder(content_type)
    if encode is None:
        site.warn_once(
            "unread charset",
            "A page is sent as %r, an encoding in which markup cannot be found safely, so nothing in it was held. Send UTF-8.",
            content_type,
        )
        return
    gather_error_page(response, visit)
    is_reporting = site.settings.auto_hold == "report"
    kind = PageKind(encode=encode, is_utf8=is_said_to_be_utf8(content_type), is_reporting=is_reporting)
    if not response.is_sequence:
        _hold_stream(response, visit, kind)
        return
    page = response.get_data()
    if begins_utf16(page):
        _warn_of_utf16(site, content_type)
    elif may_hold(page, site) and not is_other_format(page):
        held = hold_page(
            page, visit, replace(kind, find_language=lambda: _find_language(page)), is_injected=is_injected
        )
        if held is not page:
            response.set_data(held)


def may_hold(page: bytes, site: Site) -> bool:
    """Whether there may be anything in a page to hold, or to bring to life."""
    tags = site.foreign_tags
    return names_listed_host(page, site.hosts.has_host) or bool(tags and tags.may_be_in(page))


def hold_page(page: bytes, visit: Visit, kind: PageKind, *, is_injected: bool = False) -> bytes:
    """Return a page, or a part of one, with nothing in it that loads what is not granted; the same object for no change.

    Args:
        is_injected: Whether the runtime is put into the page later, if it is a document.
    """
    kind = replace(kind, has_frameset=_find_frameset(page) is not None)
    holding = MarkupHolding(visit, kind)
    edits: list[Edit] = []
    for element in scan(page, wants=holding.wants):
        edits += holding.edit(element, page)
    warn_of_jobs(visit, page)
    if not edits:
        return page
    is_document = begins_document(page)
    places = find_places(page) if is_document else None
    # In front of the banner, and so once.
    visit.has_script = visit.has_script or (is_injected and places is not None and holding.needs_runtime)
    front, place_at = holding.write_front(), holding.take_place()
    if place_at is None:
        place_at = places.body_at if places else None if is_document else 0
    if front and place_at is not None:
        edits.insert(0, Edit(place_at, place_at, front))
    # Stable: what stands in front of an element stays in front of what takes its place.
    return apply_edits(page, sorted(edits, key=lambda edit: edit.start))


def _hold_stream(response: Response, visit: Visit, kind: PageKind) -> None:
    # Asked now, while there is a request: the stream may be read after it, and caches can be told no more.
    _ = visit.decision, visit.waiting, visit.nonce, visit.page_key, visit.next_path
    visit.ask_app_for_language()

    def make_holding(read_beginning: Callable[[], bytes]) -> MarkupHolding:
        # As far as it is known when there is something to say: its head, mostly.
        own_kind = replace(kind, find_language=lambda: _find_language(read_beginning() + b"<body>"))
        return MarkupHolding(visit, own_kind)

    site, content_type = visit.site, response.headers["Content-Type"]
    response.response = HeldStream(response.response, make_holding, partial(_is_no_markup, site, content_type))
    if not kind.is_reporting:
        response.headers.pop("Content-Length", None)


def _is_no_markup(site: Site, content_type: str, beginning: bytes) -> bool:
    """Whether the beginning of a stream says that it is nothing that can be held."""
    if begins_utf16(beginning):
        _warn_of_utf16(site, content_type)
        return True
    return is_other_format(beginning, is_whole=False)


def _warn_of_utf16(site: Site, content_type: str) -> None:
    site.warn_once(
        "byte order mark of UTF-16",
        "A page is sent as %r and begins with the byte order mark of UTF-16, which browsers heed first, so nothing in it was held. "
        "Send UTF-8.",
        content_type,
    )


def _find_language(page: bytes) -> str:
    places = find_places(page)
    return places.language if places else ""
