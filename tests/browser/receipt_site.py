"""A site with a ledger, whose visitors get whole receipts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from flask import Flask

from consent import Consent, Document
from tests.browser.serving import serve

RECEIPT = "/privacy-choices/receipt"
_HOST = "receipts.localhost"


def make_receipt_site(language: str) -> Flask:
    """Build the site in a language, in the European Economic Area, with two documents."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="The Harbour Courier Ltd",
        CONSENT_LANGUAGE=language,
        CONSENT_LEDGER="memory:",
        CONSENT_LEDGER_RETENTION_MONTHS=36,
    )
    documents = (
        Document("privacy", url="/privacy", version="2026-11"),
        Document("terms", url="/terms", version="4"),
    )
    Consent(
        app,
        services=["google-analytics", "matomo", "meta-pixel", "youtube"],
        documents=documents,
        jurisdiction=lambda: "FR",
    )
    app.add_url_rule(
        "/", "front", lambda: f'<!doctype html><html lang="{language}"><title>Courier</title><body><h1>News</h1>'
    )
    return app


@contextmanager
def open_receipt_sites() -> Iterator[Mapping[str, str]]:
    """Serve it in two languages; give the address by language."""
    with ExitStack() as stack:
        servers = {language: stack.enter_context(serve(make_receipt_site(language))) for language in ("en", "ar")}
        yield {language: f"http://{_HOST}:{server.port}" for language, server in servers.items()}
