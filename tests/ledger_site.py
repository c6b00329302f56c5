"""A site with a ledger that stands still in time, and its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result
from flask import Flask
from flask.cli import ScriptInfo

from consent import Consent
from consent.cli import group
from consent.core.ledger import Ledger
from consent.web.visit import get_site
from tests.command_runner import make_runner
from tests.conftest import CONTROLLER, NOW

Command = Callable[..., Result]


def make_ledger_site(ledger: Ledger | None, **config: Any) -> Flask:
    """Make a site with a ledger, which it keeps for 24 months; None for a site without."""
    app = Flask("newspaper", static_folder=None)
    app.config.from_mapping({"SECRET_KEY": "k" * 32, "CONSENT_CONTROLLER": CONTROLLER} | config)
    if ledger is not None:
        app.config.setdefault("CONSENT_LEDGER_RETENTION_MONTHS", 24)
    Consent(app, services=("youtube",), ledger=ledger)
    get_site(app).engine.read_clock = lambda: NOW
    return app


def make_ledger_command(app: Flask) -> Command:
    """Return a function that runs `flask consent ledger …` with options; `answer` is what is typed."""

    def run(*options: str, answer: str | None = None) -> Result:
        info = ScriptInfo(create_app=lambda: app)
        return make_runner().invoke(group, ["ledger", *options], obj=info, input=answer)

    return run
