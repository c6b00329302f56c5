"""A site whose pages hold tags of other consent managers, and what its developer is told of them."""

from __future__ import annotations

import json

import consent.testing

STATS = b'<script type="text/plain" data-cookieconsent="statistics" src="/stats.js"></script>'
LIVE_STATS = b'<script src="/stats.js"></script>'
ALL_MANAGERS: dict[str, dict[str, str]] = {
    "cookiebot": {},
    "onetrust": {},
    "klaro": {},
    "vanilla-cookieconsent": {},
    "tarteaucitron": {},
}


class ForeignSite:
    """Give pages around some markup.

    Args:
        make_app: Makes an app by its settings.
        add_page: Adds a page to it.
    """

    def __init__(self, make_app, add_page) -> None:
        self._make_app = make_app
        self._add_page = add_page

    def visit(self, markup, *granted, everything=False, refused=False, is_whole=True, **config):
        """Return a page as a visitor gets it who granted these keys.

        Args:
            everything: Whether the visitor granted all there is.
            refused: Whether the visitor refused.
            is_whole: Whether the markup stands in a document.
        """
        app = self._make_app(**{"CONSENT_FOREIGN_TAGS": ALL_MANAGERS, "CONSENT_AUTO_HOLD": "enforce"} | config)
        page = markup.encode() if isinstance(markup, str) else markup
        if is_whole:
            page = b"<!doctype html><html lang=en><head><title>x</title></head><body>" + page + b"</body></html>"
        self._add_page(app, "/page", lambda: app.response_class(page, mimetype="text/html"))
        client = app.test_client()
        if granted or everything:
            consent.testing.grant(client, *granted)
        if refused:
            consent.testing.refuse(client)
        return client.get("/page")


def read_leaks(lines):
    """Return the leaks among lines of the log."""
    return [json.loads(line.partition("consent-audit ")[2]) for line in lines if "consent-audit " in line]
