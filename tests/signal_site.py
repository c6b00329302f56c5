"""A site whose tags are told by Google Consent Mode, and what its pages say: for the tests of signals."""

from __future__ import annotations

import json
import re

from flask import render_template_string

from consent import Service, current_consent

STATS = Service(
    "stats",
    name="Stats",
    purposes=("analytics",),
    signals=("google",),
    hosts=("stats.example",),
    snippet='<script async src="https://stats.example/s.js"{% if nonce %} nonce="{{ nonce }}"{% endif %}></script>',
)
ADS = Service(
    "ads",
    name="Ads",
    purposes=("marketing",),
    signals=("google",),
    hosts=("ads.example",),
    snippet='<script async src="https://ads.example/a.js"></script>',
)
SHOP = Service("shop", name="Shop", purposes=("marketing",), hosts=("shop.example",))
TYPES = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)
ALL_DENIED = dict.fromkeys(TYPES, "denied") | {"security_storage": "granted"}
ONLY_STATISTICS = ALL_DENIED | {"analytics_storage": "granted"}
HEAD = '<!doctype html><html lang="en"><head><title>News</title></head><body>'
MACROS = '{% from "consent/macros.html" import gate, script, settings_link with context %}'
PAGE = HEAD + MACROS + '{{ script("stats") }}{{ script("ads") }}{{ settings_link() }}</body></html>'


def make_client(make_app, template=PAGE, **config):
    services = config.pop("services", (STATS, ADS, SHOP))
    app = make_app(services=services, **config)
    app.testing = True
    app.view_functions["index"] = lambda: render_template_string(template)
    app.add_url_rule("/signals/<name>", "signals", lambda name: dict(current_consent.signals(name)))
    return app.test_client()


def find_calls(text, name="gtag"):
    """Return the arguments of each call that the page makes unasked."""
    live = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    found = re.findall(rf"^{re.escape(name)}\((.*)\);$", live, flags=re.MULTILINE)
    return [json.loads(f"[{values}]") for values in found]


def find_held(text):
    return [json.loads(held) for held in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)]
