"""Three mistakes that sites make, on purpose: `NEWSROOM_MISTAKES=1` puts them in, for `flask consent audit` to find.

None of them leaks: the library stops each, and says so; in debug mode on the page itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from flask import Flask, Response, request
from markupsafe import Markup

_ARTICLE_ENDPOINTS = frozenset({"en.article", "ar.article"})


def are_mistakes_wanted() -> bool:
    return os.environ.get("NEWSROOM_MISTAKES") == "1"


def make_mistakes(app: Flask, *, tracker_port: int) -> None:
    app.config.update(CONSENT_AUTO_HOLD="enforce", CONSENT_PANEL=True)
    app.after_request(_count_reader)
    pasted = _paste(tracker_port)
    app.context_processor(lambda: {"pasted": pasted})


def _paste(port: int) -> Mapping[str, Markup]:
    """Return markup that nobody put into a gate: what a template has in its head, and an editor in a story."""
    return {
        "head": Markup(f'<link rel="preconnect" href="http://ads.localhost:{port}">'),  # noqa: S704 - our own words
        "story": Markup(f'<script async src="http://social.localhost:{port}/share.js"></script>'),  # noqa: S704 - as above
    }


def _count_reader(response: Response) -> Response:
    """Set, whatever the reader allows, a cookie of the statistics, and one that nobody has declared."""
    if request.endpoint in _ARTICLE_ENDPOINTS:
        response.set_cookie("hs_id", "7f3a", max_age=3600)
        response.set_cookie("ab_bucket", "B")
    return response
