"""What docs/signals.md says is true: its code runs, and its table names every adapter with its services."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string

from consent import Consent, Service, current_consent
from consent.catalogue import load_service, service_keys
from consent.catalogue.adapters import adapter_keys, load_adapter
from consent.testing import grant
from consent.web.gpp_setup import GPP

GUIDE = (Path(__file__).parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|(.*)$", GUIDE.partition("## Basic")[0], re.MULTILINE))


def find_row(key):
    return next(row for keys, row in ROWS.items() if f"`{key}`" in keys)


@pytest.mark.parametrize("key", [*adapter_keys(), GPP])
def test_row_of_an_adapter_names_the_services_that_it_tells(key):
    told = {service for service in service_keys() if key in load_service(service).signals}

    assert all(f"`{service}`" in find_row(key) for service in told)
    assert told or "a site that" in find_row(key)


@pytest.mark.parametrize("key", adapter_keys())
def test_row_of_an_adapter_names_its_types(key):
    assert all(f"`{name}`" in find_row(key) for name in load_adapter(key).types)


@pytest.mark.parametrize("option", sorted({name for key in adapter_keys() for name in load_adapter(key).options}))
def test_option_of_an_adapter_is_in_the_guide(option):
    assert f"| `{option}` |" in GUIDE


class Requests:
    """What the guide's example sends, in place of the network."""

    def __init__(self):
        self.sent = []

    def post(self, url, **values):
        self.sent.append({"url": url, **values["json"]})


def test_call_of_the_servers_own_says_what_the_visitor_chose():
    (block,) = re.findall(r"```python\n(def report_purchase.*?)```", GUIDE, re.DOTALL)
    app = Flask("guide")
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=["google-analytics"])
    sender = Requests()
    names: dict[str, Any] = {"requests": sender, "SECRET": "s", "current_consent": current_consent}
    exec(compile(block, "docs/signals.md", "exec"), names)
    app.add_url_rule("/buy", "buy", lambda: names["report_purchase"]("1.2", 9) or "Thank you")
    client = app.test_client()
    client.get("/buy")
    grant(client, "analytics")
    client.get("/buy")

    assert [each["consent"] for each in sender.sent] == [{"ad_user_data": "DENIED", "ad_personalization": "DENIED"}]


def test_order_in_the_guide_is_that_of_the_page():
    (block,) = re.findall(r"```js\n(.*?)```", GUIDE, re.DOTALL)
    app = Flask("guide")
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=["google-analytics"])
    template = (
        '{% from "consent/macros.html" import script %}{{ script("google-analytics", measurement_id="G-AB12CD34EF") }}'
    )
    app.add_url_rule("/", "index", lambda: render_template_string(template))
    client = app.test_client()
    grant(client, "analytics")
    calls = re.compile(r"^[a-zA-Z.]+\((?:\{?\"[a-z_]+\")", re.MULTILINE)

    assert calls.findall(block) == calls.findall(client.get("/").text)


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL))
def test_python_of_the_guide_runs(block):
    app = Flask("guide")
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    names = {"app": app, "Consent": lambda _app, **given: Consent(app, **given), "write_tc_string": str}
    with app.test_request_context():
        if "signals(" in block:
            Consent(app, services=["google-analytics"])
            names["current_consent"] = current_consent
        exec(compile(block, "docs/signals.md", "exec"), names)
    if "app.config" in block:
        purpose = Service("personal-ads", name="Ads", purposes=("marketing",))
        Consent(app, services=["google-analytics", "google-tag-manager", "zendesk", purpose])
        assert "consent" in app.extensions
