"""Which requests ask for a part of a page, and so get no banner and no runtime of their own."""

from __future__ import annotations

from collections.abc import Mapping

_FRAME_DESTINATIONS = frozenset({"frame", "iframe", "embed", "object"})


def find_fragment_header(environ: Mapping[str, object]) -> str:
    """Return the name of the request header that says the answer is no page of its own; empty for none."""
    if "HTTP_HX_REQUEST" in environ and not (
        "HTTP_HX_BOOSTED" in environ or "HTTP_HX_HISTORY_RESTORE_REQUEST" in environ
    ):
        return "HX-Request"
    if "HTTP_TURBO_FRAME" in environ:
        return "Turbo-Frame"
    return "Sec-Fetch-Dest" if environ.get("HTTP_SEC_FETCH_DEST") in _FRAME_DESTINATIONS else ""


def find_fetch_header(environ: Mapping[str, object]) -> str:
    """Return the name of the request header that says a script of a page asks, for a part or for all; empty for none."""
    # A service worker that hands a page on asks for it as a script would, but says what for.
    if environ.get("HTTP_SEC_FETCH_MODE") == "navigate":
        return ""
    if environ.get("HTTP_SEC_FETCH_DEST") == "empty":
        return "Sec-Fetch-Dest"
    return "" if environ.get("HTTP_SEC_FETCH_DEST") in _FRAME_DESTINATIONS else find_fragment_header(environ)
