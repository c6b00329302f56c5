"""The nonce of the site's Content-Security-Policy."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask

from consent.web.site import Site

log = logging.getLogger("consent")


def find_nonce_source(app: Flask, site: Site) -> Callable[[], str] | None:
    """Return what gives the nonce: the setting, else the template global that Flask-Talisman provides."""
    found = site.settings.csp_nonce or app.jinja_env.globals.get("csp_nonce")
    return found if callable(found) else None


def ask_for_nonce(site: Site) -> str:
    """Return the nonce of the response under way; empty for none."""
    try:
        return (site.find_nonce() or "") if site.find_nonce else ""
    except (
        Exception
    ):  # the site's own code: whatever it raises, the page goes out, and the policy blocks what has no nonce
        log.exception("The CSP nonce could not be found out; markup was sent without it.")
        return ""
