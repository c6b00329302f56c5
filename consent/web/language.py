"""Which language to speak to a visitor: what the app says, else the page, else the setting."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl

from consent.web.site import Site

log = logging.getLogger("consent")


LANGUAGE_PARAMETER = "lang"
"""Query parameter by which pages in another language than the default lead to the library's own."""


def parse_language(environ: Mapping[str, object]) -> str | None:
    """Return what a request's query says of the language."""
    query = str(environ.get("QUERY_STRING", ""))
    return dict(parse_qsl(query)).get(LANGUAGE_PARAMETER) if query else None


def ask_app(site: Site) -> str | None:
    """Return the language that the site's own function or Flask-Babel names; None for neither."""
    locale = site.settings.locale
    try:
        named = site.messages.match(locale()) if locale else None
        return named or (site.messages.match(_ask_babel()) if site.has_babel else None)
    except Exception:  # the site's own code: whatever it raises, the banner can still speak the configured language
        log.exception("The language could not be found out; the configured one is used.")
        return None


def _ask_babel() -> str | None:
    # Imported only where the site uses it: Flask-Babel is no dependency of this library.
    from flask_babel import get_locale  # noqa: PLC0415

    locale = get_locale()
    return str(locale) if locale else None
