"""Consent helpers: DuckDuckGo's autoconsent refuses for the visitor, by its heuristics and by the rule in `docs/`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from consent import Consent
from tests.browser import chromium
from tests.browser.autoconsent import PACKAGE, RULE, RULE_NAME, RULE_PATH, Autoconsent
from tests.browser.newsroom import FILM_ARTICLE, MAP_ARTICLE, Newsroom, is_foreign
from tests.browser.serving import serve

_BANNER: Final = "[data-consent-ui=banner]"
_COMPILER: Final = Path(__file__).parents[2] / "node_modules" / "typescript" / "bin" / "tsc"
_TIMEOUT_SECONDS: Final = 120

_DESKTOP: Final = (1280, 800)
_PHONE: Final = (390, 700)
_PHONE_ON_ITS_SIDE: Final = (800, 390)


@pytest.fixture(params=[FILM_ARTICLE, f"/ar{FILM_ARTICLE}"], ids=["en", "ar"])
def article_url(request: pytest.FixtureRequest, newsroom: Newsroom) -> str:
    """Address of an article with scripts, a frame and a pixel held back."""
    return f"{newsroom.url}{request.param}"


def make_site(language: str) -> Flask:
    """Build a site of one page in any language."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="Plain Paper Ltd",
        CONSENT_LANGUAGE=language,
    )
    Consent(app, services=["google-analytics", "youtube"])
    app.add_url_rule("/", "front", lambda: f"<!doctype html><html lang={language}><title>1</title><body><h1>1</h1>")
    return app


def read_state(page: Page) -> Any:
    """Return what the server knows of this visitor."""
    return page.evaluate("fetch('/privacy-choices/state').then((answer) => answer.json())")


def granted(state: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the keys of what a state grants, beyond the necessary."""
    verdicts = {**state["choices"], **state["services"]}
    return [key for key, choice in verdicts.items() if choice == "granted" and key != "necessary"]


def expect_refused(page: Page) -> None:
    expect(page.locator(_BANNER)).to_have_count(0)
    state = read_state(page)
    assert state["decided_at"] is not None
    assert state["needs_prompt"] is False
    assert granted(state) == []


def choose(page: Page, action: str, url: str) -> None:
    """Answer the banner, as a visitor without a helper."""
    page.goto(url)
    page.locator(f"{_BANNER} [data-consent-action={action}]").click()
    expect(page.locator(_BANNER)).to_have_count(0)


def open_preferences(page: Page) -> Locator:
    page.locator("footer [data-consent-action=settings]").click()
    dialog = page.locator("dialog [data-consent-ui=preferences]")
    expect(dialog).to_be_visible()
    return dialog


def run_node(script: str) -> str:
    done = subprocess.run(
        ["node", "--eval", script],
        capture_output=True,
        check=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )
    return done.stdout


def compile_types(source: Path) -> str:
    """Return what the TypeScript compiler finds wrong with a file; nothing for none."""
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    done = subprocess.run(
        ["node", str(_COMPILER), "--pretty", "false", *options, source.name],
        cwd=source.parent,
        capture_output=True,
        check=False,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )
    return done.stdout


def read_on(page: Page, newsroom: Newsroom) -> None:
    """Read another article to its end, so that whatever is late or lazy has its chance."""
    page.goto(f"{newsroom.url}{MAP_ARTICLE}")
    page.locator("footer").last.scroll_into_view_if_needed()


@pytest.mark.parametrize(
    ("language", "viewport"),
    [("en", _DESKTOP), ("en", _PHONE), ("en", _PHONE_ON_ITS_SIDE), ("de", _DESKTOP), ("de", _PHONE), ("fr", _DESKTOP)],
    ids=["en", "en-phone", "en-phone-on-its-side", "de", "de-phone", "fr"],
)
def test_heuristics_refuse(browser: Browser, language: str, viewport: tuple[int, int]) -> None:
    with serve(make_site(language)) as server, chromium.visitor(browser, javascript=True, viewport=viewport) as reader:
        helper = Autoconsent.install(reader, heuristics="reject")
        page = reader.new_page()
        page.goto(f"http://plain.localhost:{server.port}/")

        result = helper.wait_for(page, "optOutResult")

        assert (result["cmp"], result["result"]) == ("HEURISTIC-REJECT", True)
        assert helper.wait_for(page, "autoconsentDone")["totalClicks"] == 1
        expect_refused(page)


@pytest.mark.parametrize("language", ["es", "ar", "zh-Hans"])
def test_heuristics_never_accept_in_a_language_they_do_not_know(browser: Browser, language: str) -> None:
    with serve(make_site(language)) as server, chromium.visitor(browser, javascript=True) as reader:
        helper = Autoconsent.install(reader, heuristics="tier2")
        page = reader.new_page()
        page.goto(f"http://plain.localhost:{server.port}/")

        assert helper.wait_for_outcome(page) == "nothingDetected"

        expect(page.locator(_BANNER)).to_be_visible()
        assert read_state(page)["decided_at"] is None


def test_nothing_of_a_third_party_after_heuristics_refused(reader: BrowserContext, newsroom: Newsroom) -> None:
    shipped = json.loads((PACKAGE / "rules" / "rules.json").read_text(encoding="utf-8"))
    helper = Autoconsent.install(reader, rules=shipped, heuristics="reject")
    sent = chromium.record_requests(reader)
    page = reader.new_page()
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    # No rule that was written for another banner takes this one for it.
    assert helper.wait_for(page, "cmpDetected")["cmp"] == "HEURISTIC-REJECT"
    assert helper.wait_for(page, "optOutResult")["result"] is True
    expect_refused(page)
    read_on(page, newsroom)

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []


def test_rule_refuses(reader: BrowserContext, newsroom: Newsroom, article_url: str) -> None:
    helper = Autoconsent.install(reader, rules={"autoconsent": [RULE]})
    sent = chromium.record_requests(reader)
    page = reader.new_page()
    page.goto(article_url)

    assert helper.wait_for(page, "cmpDetected")["cmp"] == RULE_NAME
    assert helper.wait_for(page, "popupFound")["cmp"] == RULE_NAME
    assert helper.wait_for(page, "optOutResult")["result"] is True
    expect_refused(page)
    read_on(page, newsroom)

    assert [url for url in sent if is_foreign(url)] == []
    assert newsroom.sightings == []
    assert (len(helper.said("popupFound")), helper.said("autoconsentError")) == (1, [])


def test_rule_sees_that_the_refusal_worked(reader: BrowserContext, article_url: str) -> None:
    """Its test steps run on the page that was refused, so they need a refusal that stays on it."""
    helper = Autoconsent.install(reader, rules={"autoconsent": [RULE]})
    page = reader.new_page()
    page.goto(article_url)

    assert helper.wait_for(page, "selfTestResult")["result"] is True


def test_rule_accepts_when_a_visitor_has_asked_for_that(
    reader: BrowserContext, newsroom: Newsroom, article_url: str
) -> None:
    helper = Autoconsent.install(reader, rules={"autoconsent": [RULE]}, action="optIn")
    page = reader.new_page()
    page.goto(article_url)

    assert helper.wait_for(page, "optInResult")["result"] is True

    expect(page.locator(_BANNER)).to_have_count(0)
    assert set(read_state(page)["choices"].values()) == {"granted"}
    page.wait_for_load_state("networkidle")
    assert {"stats.localhost", "video.localhost"} <= newsroom.hosts_reached


def test_rule_works_in_the_packed_form_that_browsers_are_sent(reader: BrowserContext, article_url: str) -> None:
    packed = run_node(
        f"const {{ encodeRules }} = require({json.dumps(str(PACKAGE / 'dist' / 'autoconsent.cjs.js'))});"
        f"process.stdout.write(JSON.stringify(encodeRules([require({json.dumps(str(RULE_PATH))})], null)));"
    )
    helper = Autoconsent.install(reader, rules={"compact": json.loads(packed)})
    page = reader.new_page()
    page.goto(article_url)

    assert helper.wait_for(page, "optOutResult")["cmp"] == RULE_NAME
    expect_refused(page)


def test_rule_leaves_a_decided_visitor_alone(reader: BrowserContext, newsroom: Newsroom) -> None:
    page = reader.new_page()
    choose(page, "accept_all", f"{newsroom.url}{FILM_ARTICLE}")
    helper = Autoconsent.install(reader, rules={"autoconsent": [RULE]}, heuristics="tier2")

    page.goto(f"{newsroom.url}{MAP_ARTICLE}")

    assert helper.wait_for(page, "cmpDetected")["cmp"] == RULE_NAME
    assert helper.said("popupFound") == []
    assert set(read_state(page)["choices"].values()) == {"granted"}


def test_heuristics_leave_the_preferences_dialog_to_the_visitor(reader: BrowserContext, newsroom: Newsroom) -> None:
    """Who has refused and opens it means to allow something: nobody else may press a button in it."""
    page = reader.new_page()
    choose(page, "reject_all", f"{newsroom.url}{FILM_ARTICLE}")
    helper = Autoconsent.install(reader, heuristics="tier2", retries=5)
    page.goto(f"{newsroom.url}{FILM_ARTICLE}")

    dialog = open_preferences(page)

    assert helper.wait_for_outcome(page) == "nothingDetected"
    expect(dialog).to_be_visible()


def test_rule_leaves_the_preferences_dialog_to_the_visitor(reader: BrowserContext, newsroom: Newsroom) -> None:
    """A site that a rule knows is not looked at by heuristics."""
    page = reader.new_page()
    choose(page, "reject_all", f"{newsroom.url}{FILM_ARTICLE}")
    page.clock.install()
    helper = Autoconsent.install(reader, rules={"autoconsent": [RULE]}, heuristics="tier2", retries=5)

    # It goes on asking for five seconds, here by the page's own clock, and then gives up without a message.
    with page.expect_console_message(lambda message: message.text == "no popup found"):
        page.goto(f"{newsroom.url}{FILM_ARTICLE}")
        dialog = open_preferences(page)
        helper.wait_for(page, "cmpDetected")
        page.clock.run_for(6_000)

    expect(dialog).to_be_visible()
    assert [message["cmp"] for message in helper.said("cmpDetected")] == [RULE_NAME]
    assert helper.said("popupFound") == []


@pytest.mark.parametrize(
    ("slip", "complaint"),
    [
        ({}, ""),
        ({"detectPopups": []}, """'"detectPopups"' does not exist"""),
        ({"optOut": [{"clik": "button"}]}, """'"clik"' does not exist"""),
        ({"test": [{"visible": "button", "check": "no"}]}, """'"no"' is not assignable"""),
    ],
    ids=["none", "unknown part", "unknown step", "unknown value"],
)
def test_rule_fits_the_types_of_autoconsent(tmp_path: Path, slip: Mapping[str, object], complaint: str) -> None:
    types = json.dumps(str(PACKAGE / "dist" / "types" / "web"))
    source = tmp_path / "rule.ts"
    source.write_text(
        f"import type {{ AutoConsentCMPRule }} from {types};\n"
        f"export const rule: AutoConsentCMPRule = {json.dumps({**RULE, **slip})};\n",
        encoding="utf-8",
    )

    assert complaint in compile_types(source)
    assert bool(complaint) == bool(compile_types(source))


def test_rule_has_a_name_of_its_own() -> None:
    shipped = json.loads((PACKAGE / "rules" / "rules.json").read_text(encoding="utf-8"))["autoconsent"]

    assert RULE_NAME not in {rule["name"] for rule in shipped}
    # Some rules are code.
    assert f'"{RULE_NAME}"' not in (PACKAGE / "dist" / "autoconsent.playwright.js").read_text(encoding="utf-8")
