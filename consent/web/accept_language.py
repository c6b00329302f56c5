"""The browser's own language, for sites that ask for it."""

from __future__ import annotations

from flask import request

from consent.web.visit import get_visit


def accept_language() -> str | None:
    """Return the language of ours that the browser likes best; None for none of ours.

    Set `CONSENT_LOCALE` to this function to use it. Responses then vary with `Accept-Language`.
    """
    visit = get_visit()
    visit.add_vary("Accept-Language")
    found = (visit.site.messages.match(tag) for tag in request.accept_languages.values())
    return next((language for language in found if language), None)
