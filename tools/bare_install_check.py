"""Check that the wheel works with its run-time dependencies alone: no extra, no developer tool, no checkout.

Run it isolated (`python -I`) by an environment in which nothing but the wheel was installed.
"""

from __future__ import annotations

import importlib.metadata
import sys

WELCOME = {
    "blinker", "click", "flask", "flask-cookie-consent", "itsdangerous", "jinja2", "markupsafe", "pip", "setuptools", "werkzeug",
}  # fmt: skip


def check_nothing_else_installed() -> None:
    """Fail if the environment holds more than the wheel and what it asks for."""
    found = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions()}
    if extra := sorted(found - WELCOME):
        sys.exit(f"The bare environment holds more than the wheel asks for: {', '.join(extra)}.")


def check_core_stands_alone() -> None:
    """Fail if importing the pure core loads Flask."""
    import consent.core  # noqa: F401, PLC0415 - the import is what is checked

    if loaded := sorted({"flask", "werkzeug", "jinja2"} & sys.modules.keys()):
        sys.exit(f"Importing 'consent.core' loaded {', '.join(loaded)}; it must load none of them.")


def check_smallest_site_asks() -> None:
    """Fail unless three lines make a site ask, with the texts, templates and styles from the wheel."""
    from flask import Flask  # noqa: PLC0415 - after the check above

    from consent import Consent  # noqa: PLC0415

    app = Flask(__name__)
    app.config.update(SECRET_KEY="a key for this check alone", CONSENT_CONTROLLER="Bare Ltd")  # noqa: S106 - a made-up key
    Consent(app, services=["google-analytics", "youtube"])
    app.add_url_rule("/", "page", lambda: "<!doctype html><title>Bare</title><body><p>Hello")
    client = app.test_client()
    if 'data-consent-ui="banner"' not in client.get("/").text:
        sys.exit("The smallest site shows no banner.")
    for path in ("/privacy-choices/", "/privacy-choices/policy"):
        if (status := client.get(path).status_code) != 200:
            sys.exit(f"{path} answered {status}; expected 200.")


if __name__ == "__main__":
    check_nothing_else_installed()
    check_core_stands_alone()
    check_smallest_site_asks()
    print("The wheel works alone.")
