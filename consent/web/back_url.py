"""The way back from the library's own pages to the page that the visitor came from."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from flask import request

from consent.web.visit import Visit
from consent.wire.origin import is_safe_path
from consent.wire.submission import fits_form


def find_back_url(visit: Visit) -> str:
    """Return the path of the page the visitor came from; the site's root if it is not one of ours."""
    asked = request.args.get("back") or _referer_path()
    is_page = is_safe_path(asked) and not asked.startswith(visit.base_path)
    return asked if is_page else visit.home_path


def find_stay_url(visit: Visit, back_url: str) -> str:
    """Return where saving leads: back here, with the way back to the page kept if it is short enough."""
    saved = _add_query(visit.preferences_url, saved="1")
    with_back = _add_query(saved, back=back_url)
    return with_back if is_safe_path(with_back) and fits_form(with_back) else saved


def _add_query(url: str, **values: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"


def _referer_path() -> str:
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return ""
    if parts.netloc.lower() != request.host.lower():
        return ""
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}"
