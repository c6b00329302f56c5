"""A visitor of a site with services that read IAB GPP."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template_string

from consent import Purpose, Service, current_consent
from tests.traveller import Traveller, make_traveller

STATE = "/privacy-choices/gpp"
TRACE = re.compile(r"__gpp|gpp\.|data-consent-gpp")
"""What a page has nothing of where GPP does not apply."""


def _make_service(key: str, purpose: str, *signals: str) -> Service:
    snippet = f'<script async src="https://{key}.example/tag.js"></script>'
    return Service(key, name=key, purposes=(purpose,), signals=signals, hosts=(f"{key}.example",), snippet=snippet)


STATS = _make_service("stats", "analytics", "gpp")
WIDGET = _make_service("widget", "preferences", "gpp")
ADS = _make_service("ads", "marketing", "gpp")
SHOP = _make_service("shop", "marketing")
HEALTH = Purpose("health", title="Health", description="What you say of your health.", kind="sensitive")
NOWHERE = [None, "XX", "FR", "GB", "CA-ON", "CA-QC", "JP", "US-ID"]
MACROS = (
    '<!doctype html><html lang="en"><head><title>News</title></head><body>'
    '{% from "consent/macros.html" import gate, script, settings_link with context %}'
)
PAGE = MACROS + '{{ script("stats") }}{{ script("widget") }}{{ script("ads") }}{{ settings_link() }}</body></html>'


def make_visitor(
    place: str | None = "US-CA",
    *,
    page: str = PAGE,
    services: Sequence[Service] = (STATS, WIDGET, ADS, SHOP),
    **declared: Any,
) -> Traveller:
    """Make a site and a visitor of it; `/signals/<name>` answers with what the server's own calls tell."""
    visitor = make_traveller(place, services=services, **declared)
    visitor.app.view_functions["index"] = lambda: render_template_string(page)
    visitor.app.add_url_rule("/signals/<name>", "signals", lambda name: dict(current_consent.signals(name)))
    visitor.app.testing = True
    return visitor


def read_state(visitor: Traveller, query: str = "", headers: Mapping[str, str] | None = None) -> Any:
    """Return what the page's script is told; None where GPP does not apply."""
    return visitor.client.get(STATE + query, headers=headers or {}).json


def read_macros(visitor: Traveller, headers: Mapping[str, str] | None = None) -> Any:
    """Return what the server's own calls tell."""
    return visitor.client.get("/signals/gpp", headers=headers or {}).json
