"""What happens to every response: injection first, headers last.

Flask runs `after_request` functions in reverse order of registration, so what compresses or
replaces the body may run before or after ours, depending on who was set up first. At the first
request ours is moved to where it runs first. Headers are finished in `request_finished`, after
every hook and after the session cookie.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from fnmatch import fnmatchcase
from http import HTTPStatus

from flask import Flask, Request, Response, request, request_finished, request_started

from consent.core.gate import find_unwanted_cookies
from consent.web.injection import inject
from consent.web.site import Site
from consent.web.templating import may_keep_banners
from consent.web.visit import Visit, find_visit, forget_visit, get_visit
from consent.wire.headers import CONSENT_VARY, add_vary, compile_names, expire_cookies, is_public, make_private

log = logging.getLogger("consent")

BLUEPRINT_NAME = "consent"

_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED})
_FRAME_DESTINATIONS = frozenset({"frame", "iframe", "embed", "object"})
# They describe the body as it was before injection, or invite a 304 that revives an old banner.
_STALE_HEADERS = ("ETag", "Last-Modified", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest", "Accept-Ranges")


def register_hooks(app: Flask, site: Site) -> None:
    """Connect the hooks of one app."""

    def insert(response: Response) -> Response:
        if _is_html(response):
            _insert_safely(response, site)
        return response

    def finish(_sender: Flask, response: Response, **_: object) -> None:
        visit = find_visit()
        # A stream may ask only after this; its visit must know that it is too late to tell caches.
        if visit is None and response.is_streamed:
            visit = get_visit()
        if visit is not None:
            _finish_headers(response, visit)
        if not response.is_streamed:
            forget_visit()

    def prepare(_sender: Flask, **_: object) -> None:
        request_started.disconnect(prepare, app)
        _run_first(app, insert)
        _prepare_for_neighbours(app, site)

    app.after_request(insert)
    request_finished.connect(finish, app, weak=False)
    request_started.connect(prepare, app, weak=False)


def _run_first(app: Flask, hook: object) -> None:
    hooks = app.after_request_funcs[None]
    app.after_request_funcs[None] = [*(each for each in hooks if each is not hook), hook]  # type: ignore[list-item]  # `hook` came from this list


def _prepare_for_neighbours(app: Flask, site: Site) -> None:
    """Settle what depends on other extensions, all of which are there by the first request."""
    site.find_nonce = site.settings.csp_nonce or _find_nonce_global(app)
    site.keeps_banners = may_keep_banners(app)
    csrf = app.extensions.get("csrf")
    if csrf is not None and hasattr(csrf, "exempt"):
        # Its token would have to be in the page, and the same-origin rule is as strict.
        csrf.exempt(app.blueprints[BLUEPRINT_NAME])
    if "cache" in app.extensions:
        log.warning(
            "Flask-Caching is in use. A cached view or fragment with a gate in it is one visitor's: add "
            "current_consent.cache_key to its cache key."
        )


def _find_nonce_global(app: Flask) -> Callable[[], str] | None:
    found = app.jinja_env.globals.get("csp_nonce")
    return found if callable(found) else None


def _is_html(response: Response) -> bool:
    content_type = response.headers.get("Content-Type")
    return content_type is not None and content_type[:9].lower() == "text/html"


def _insert_safely(response: Response, site: Site) -> None:
    try:
        if site.settings.inject and site.engine.policy.is_asking and _is_to_inject(response, site, request):
            visit = get_visit()
            _expire_unwanted(response, visit)
            inject(response, visit)
    except Exception:  # a fault of ours must never cost the page: it goes out without banner, gates shut
        log.exception("The banner could not be inserted; the page was sent without it.")


def _is_to_inject(response: Response, site: Site, current: Request) -> bool:
    if response.status_code < HTTPStatus.OK or response.status_code in _BODILESS or response.direct_passthrough:
        return False
    headers = response.headers
    if "Content-Encoding" in headers:
        site.warn_once(
            "encoded",
            "The page at %r was compressed inside its view, so no banner could be inserted. Place banner() and head() in "
            "the template.",
            current.path,
        )
        return False
    if headers.get("Content-Disposition", "").lower().startswith("attachment") or "no-transform" in headers.get(
        "Cache-Control", ""
    ):
        return False
    if _is_excluded(current, site):
        return False
    decider = _find_fragment_header(current)
    if decider:
        headers["Vary"] = add_vary(headers.get("Vary"), (decider,))
    return not decider


def _is_excluded(current: Request, site: Site) -> bool:
    endpoint = current.endpoint
    if endpoint is None:
        return False
    if current.blueprint == BLUEPRINT_NAME:
        return True
    excluded = site.settings.excluded_endpoints
    return bool(excluded) and any(fnmatchcase(endpoint, pattern) for pattern in excluded)


def _find_fragment_header(current: Request) -> str:
    """Return the name of the request header that says the answer is no page of its own."""
    environ = current.environ
    if "HTTP_HX_REQUEST" in environ and not (
        "HTTP_HX_BOOSTED" in environ or "HTTP_HX_HISTORY_RESTORE_REQUEST" in environ
    ):
        return "HX-Request"
    if "HTTP_TURBO_FRAME" in environ:
        return "Turbo-Frame"
    return "Sec-Fetch-Dest" if environ.get("HTTP_SEC_FETCH_DEST") in _FRAME_DESTINATIONS else ""


def _expire_unwanted(response: Response, visit: Visit) -> None:
    """Expire cookies of refused services that an earlier response had no room for, or that came back."""
    if not visit.cookie_header or visit.record is None:
        return
    unwanted = find_unwanted_cookies(visit.policy, visit.decision)
    names = compile_names(unwanted)
    if names is not None and names.search(visit.cookie_header):
        for value in expire_cookies(unwanted, sent=request.cookies, host=request.host, is_secure=visit.is_secure):
            response.headers.add("Set-Cookie", value)


def _finish_headers(response: Response, visit: Visit) -> None:
    visit.is_answered = True
    if not visit.is_dependent:
        return
    headers = response.headers
    headers["Vary"] = add_vary(headers.get("Vary"), (*CONSENT_VARY, *visit.extra_vary))
    cache_control = headers.get("Cache-Control")
    if is_public(cache_control):
        visit.site.warn_once(
            f"public {visit.environ.get('PATH_INFO')}",
            "The view of %r allows shared caches (%r), but its page depends on the visitor's consent; it was sent as private.",
            visit.environ.get("PATH_INFO"),
            cache_control,
        )
    headers["Cache-Control"] = make_private(cache_control)
    if _is_html(response):
        for name in _STALE_HEADERS:
            headers.pop(name, None)
