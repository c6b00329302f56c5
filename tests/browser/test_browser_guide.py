"""What docs/browser.md promises is so: its scripts run, its policies hold, its command finds the file."""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from flask import Flask, Response, g, render_template_string, request
from playwright.sync_api import Browser, Page, expect

from consent import Consent
from tests.browser import chromium
from tests.browser.serving import serve, wait_until

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / "docs" / "browser.md").read_text(encoding="utf-8")

_NOTE_VIOLATIONS: Final = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""
_PAGE: Final = """{% from "consent/macros.html" import embed, gate, settings_link %}<!doctype html>
<html lang="en"><title>Guide</title>
@body@
<main>{% call gate("analytics") %}<script src="/held.js"{{ nonce }}></script>{% endcall %}
{{ embed("youtube", "aqz-KE-bpKQ", title="Film") }}{{ embed("youtube", "aqz-KE-bpKR", title="Another") }}</main>
<button type="button" id="story" data-count>Story</button>{{ settings_link() }}
<script src="/own.js"{{ nonce }}></script></body></html>
"""


def blocks(language: str) -> list[str]:
    """Return the guide's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """The tab of a new visitor with JavaScript on."""
    with chromium.visitor(browser, javascript=True) as visitor:
        page = visitor.new_page()
        page.add_init_script(_NOTE_VIOLATIONS)
        yield page


def make_site(counted: list[str], *, policy: str = "") -> Flask:
    """Build a site around what the guide shows.

    Args:
        counted: Where what its example counts is kept.
        policy: Its Content-Security-Policy, with `{nonce}` where the nonce goes.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="a key that is long enough for every check", CONSENT_CONTROLLER="Guide Ltd")
    if "{nonce}" in policy:
        app.config["CONSENT_CSP_NONCE"] = _nonce
    Consent(app, services=["youtube"])

    @app.get("/")
    def show() -> str:
        nonce = f' nonce="{_nonce()}"' if "{nonce}" in policy else ""
        return render_template_string(_PAGE.replace("@body@", blocks("jinja")[0]).replace("{{ nonce }}", nonce))

    @app.get("/<any(own, held):name>.js")
    def give_script(name: str) -> Response:
        code = blocks("js")[0] if name == "own" else "window.held = (window.held ?? 0) + 1"
        return Response(code, content_type="text/javascript")

    @app.post("/count")
    def count() -> str:
        counted.append(request.get_data(as_text=True))
        return ""

    @app.after_request
    def guard(response: Response) -> Response:
        if policy:
            response.headers["Content-Security-Policy"] = policy.replace("{nonce}", _nonce())
        return response

    return app


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def test_script_of_the_guide_follows_the_choice(tab: Page) -> None:
    counted: list[str] = []
    with serve(make_site(counted)) as server:
        tab.goto(f"http://guide.localhost:{server.port}/")
        tab.get_by_role("button", name="Story").click()
        tab.locator(".pvc-banner [data-consent-action=accept_all]").click()
        expect(tab.locator("iframe")).to_have_count(2)

        tab.get_by_role("button", name="Story").click()
        wait_until(lambda: len(counted) == 1)

        # Where nothing is asked nor held, by what the server wrote.
        tab.goto(f"http://guide.localhost:{server.port}/")
        assert tab.evaluate("() => 'flaskConsent' in window") is False
        tab.get_by_role("button", name="Story").click()
        wait_until(lambda: len(counted) == 2)
    assert counted == ["story", "story"]


@pytest.mark.parametrize("policy", blocks("csp"))
def test_policy_of_the_guide_is_not_violated(tab: Page, policy: str) -> None:
    with serve(make_site([], policy=policy.strip())) as server:
        tab.goto(f"http://guide.localhost:{server.port}/")
        tab.locator("footer, .pvc-settings-link").last.click()
        dialog = tab.locator(".pvc-dialog")
        expect(dialog).to_be_visible()
        expect(tab.locator(".pvc-dialog .pvc-actions")).to_be_visible()
        tab.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        tab.locator("main [data-consent-action=once]").first.click()
        expect(tab.locator("iframe")).to_have_count(1)
        tab.locator(".pvc-banner [data-consent-action=accept_all]").click()
        expect(tab.locator("iframe")).to_have_count(2)
        tab.wait_for_function("() => window.held === 1")

    assert tab.evaluate("() => violations") == []


def test_policies_of_the_guide_name_every_kind() -> None:
    strict, nonced, hosts = blocks("csp")

    assert "'strict-dynamic'" in strict
    assert "require-trusted-types-for 'script'; trusted-types consent" in strict
    assert "'nonce-{nonce}'" in nonced
    assert "nonce" not in hosts


def test_violation_would_be_seen(tab: Page) -> None:
    """Prove that the policies' test could fail."""
    with serve(make_site([], policy="script-src 'self'; style-src 'none'")) as server:
        tab.goto(f"http://guide.localhost:{server.port}/")

        tab.wait_for_function("() => violations.length")

    assert set(tab.evaluate("() => violations")) == {"style-src-elem"}


def test_command_of_the_guide_prints_where_the_declarations_are() -> None:
    (command,) = [block for block in blocks("sh") if "consent.d.ts" in block]
    program, *arguments = shlex.split(command)

    assert program == "python"
    printed = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout.strip()
    assert "interface FlaskConsent" in Path(printed).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("browser_name", "words"), [("chrome", "Chrome and Edge"), ("firefox", "Firefox"), ("safari", "Safari")]
)
def test_oldest_browser_of_the_guide_is_what_the_script_is_built_for(browser_name: str, words: str) -> None:
    built_for = re.search(
        rf'"{browser_name}([\d.]+)"', (ROOT / "tools" / "build_assets.mjs").read_text(encoding="utf-8")
    )

    assert built_for is not None
    assert f"{words} {built_for[1]}" in GUIDE
