"""What caches are told of a response that depends on the visitor."""

from __future__ import annotations

from flask import Response, has_request_context, request
from werkzeug.datastructures import Headers

from consent.web.visit import Visit
from consent.wire.headers import CONSENT_VARY, add_vary, is_public, join_fields, make_private
from consent.wire.shown_response import is_page

# They describe the body as it was before injection, or invite a 304 that revives an old banner or an old policy.
STALE_HEADERS = frozenset(
    {"etag", "last-modified", "content-md5", "digest", "repr-digest", "content-digest", "accept-ranges"}
)
"""Headers of a page, in lower case, that no longer hold once something was inserted; or that held for another visitor."""


def describe_headers(visit: Visit) -> dict[str, str]:
    """Return what an ordinary page of a visit tells caches, where its view says nothing of its own."""
    response = Response("", mimetype="text/html")
    tell_caches(response.headers, visit)
    return {name: response.headers[name] for name in ("Vary", "Cache-Control") if name in response.headers}


def tell_caches(headers: Headers, visit: Visit) -> None:
    """Say in the headers of a response what it depends on, as far as its visit has been asked; saying it twice changes nothing."""
    names = (*(CONSENT_VARY if visit.is_dependent else ()), *visit.extra_vary)
    fields = join_fields(headers)
    if names:
        headers["Vary"] = add_vary(fields.get("vary"), names)
    if visit.is_own_page and not visit.is_asset:
        headers["Cache-Control"] = "no-store"
    elif visit.is_dependent:
        headers["Cache-Control"] = _find_cache_control(visit, fields.get("cache-control"))
    if visit.is_dependent and is_page(fields.get("content-type")):
        for name in STALE_HEADERS & fields.keys():
            del headers[name]


def _find_cache_control(visit: Visit, asked: str | None) -> str:
    if is_public(asked):
        # Who begins to answer late, as other layers may, does so when nothing is left of the request.
        endpoint, path = (request.endpoint, request.path) if has_request_context() else ("", visit.environ["PATH_INFO"])
        visit.site.warn_once(
            f"public {endpoint}",
            "The view of %r allows shared caches (%r), but its page depends on the visitor's consent; it was sent as private.",
            path,
            asked,
        )
    return make_private(asked)
