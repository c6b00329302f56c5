"""`Permissions-Policy` as Chromium reads it, beside whatever header the app has: no other engine knows the header."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from playwright.sync_api import Page

from consent import Consent
from tests.browser.serving import serve

_ALLOWED = "() => ['browsing-topics', 'camera'].filter((name) => document.featurePolicy.allowsFeature(name))"


def make_app(headers: list[str]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="Shut Ltd",
        CONSENT_PERMISSIONS_POLICY=True,
    )
    Consent(app)

    @app.get("/")
    def show() -> Response:
        response = Response('<!doctype html><html lang="en"><title>Page</title><p>Page</p>', mimetype="text/html")
        for header in headers:
            response.headers.add("Permissions-Policy", header)
        return response

    return app


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([], ["camera"]),
        (["camera=()"], []),
        (["camera=()", "microphone=()"], []),
        ([""], ["camera"]),
        (["browsing-topics=*"], ["browsing-topics", "camera"]),
        # Chromium reads all of a header's lines as one, so nothing beside a malformed one would be heeded.
        (["camera 'none'"], ["browsing-topics", "camera"]),
    ],
)
def test_header_of_the_app_and_ours_are_both_heeded(tab: Page, headers: list[str], allowed: list[str]) -> None:
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    with serve(make_app(headers)) as server:
        tab.goto(f"http://shut.localhost:{server.port}/")

        assert tab.evaluate(_ALLOWED) == allowed
        about_headers = [text for text in complaints if "Permissions-Policy" in text]
        assert bool(about_headers) is (headers == ["camera 'none'"])
