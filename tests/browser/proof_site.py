"""A site with a strict ledger, whose gates report what opened, and which can be told to answer a choice late."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, render_template_string

from consent import Consent
from tests.browser.serving import ServedSite
from tests.faulty_ledger import FaultyLedger

# The end of the test's block comes before; this one only ends a server that nobody waits for.
_LATEST_SECONDS: Final = 120.0
_PAGE: Final = """{% from "consent/macros.html" import gate, settings_link %}<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>Proof</title>
<h1>Proof</h1>
{% call gate("analytics") %}<p class="opened">analytics</p><img src="/opened/analytics" alt="">{% endcall %}
<p>{{ settings_link() }}</p>
</html>
"""


class ProofSite(ServedSite):
    """The site, running."""

    host = "proof.localhost"

    def __init__(self, *, is_strict: bool = True) -> None:
        """Build it.

        Args:
            is_strict: Whether a grant counts only while it is the visitor's current one in the ledger.
        """
        super().__init__()
        self.ledger = FaultyLedger()
        self.posts = 0
        """How many choices were posted, and have been taken or refused."""

        self.opened: list[str] = []
        """What gates have asked for in a browser."""

        self._may_answer = threading.Event()
        self._may_answer.set()
        self._app = self._make_app(is_strict=is_strict)

    @contextmanager
    def late_answers(self) -> Iterator[None]:
        """Hold the answers to posted choices back until the block ends; what they ask for has taken effect by then."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, as soon as it may be answered."""
        if environ["PATH_INFO"].startswith("/opened/"):
            self.opened.append(environ["PATH_INFO"].removeprefix("/opened/"))
        answer = self._app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST":
            self.posts += 1
            self._may_answer.wait(_LATEST_SECONDS)
        return answer

    def _make_app(self, *, is_strict: bool) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.config.update(
            SECRET_KEY="a key that is long enough for every check",
            CONSENT_CONTROLLER="Proof Ltd",
            CONSENT_LEDGER_RETENTION_MONTHS=36,
            CONSENT_LEDGER_STRICT_REVOCATION=is_strict,
        )
        Consent(app, services=["google-analytics"], ledger=self.ledger)
        app.add_url_rule("/", "page", lambda: render_template_string(_PAGE))
        app.add_url_rule("/opened/<key>", "opened", lambda key: (key, 204))
        return app
