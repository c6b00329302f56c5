"""What a visitor was shown: kept before the record that points to it, the same for all, and in nobody's way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from consent import Document
from consent.core.policy_version import digest_material
from consent.web.shown_notice import MARK_DIGITS
from consent.web.visit import get_site
from tests.notice_site import CHOICES, NOW, RETENTION, SAME_ORIGIN, SERVICES, Ledger, press, read_form, set_up

ROOT = Path(__file__).parent.parent.parent
EMBED = '{% from "consent/macros.html" import embed %}<!doctype html><title>Film</title>{{ embed("youtube", "aqz-KE-bpKQ", title="Big Buck Bunny", WIDTH) }}'


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def build(bare_app, ledger):
    """Return a function that makes a site with the ledger, whose clock stands still."""

    def make(templates=None, *, documents=(), jurisdiction=None, **config):
        app = bare_app(templates, **(RETENTION | config))
        return set_up(app, ledger, documents=documents, jurisdiction=jurisdiction)

    return make


@pytest.fixture
def app(build):
    return build()


def add_embed(app, **size):
    source = EMBED.replace("WIDTH", ", ".join(f"{name}={value}" for name, value in size.items()))
    app.add_url_rule("/film", "film", lambda: app.jinja_env.from_string(source).render())


# -- what a record points to


@pytest.mark.parametrize(
    ("path", "action", "layer", "kind"),
    [("/", "accept_all", 1, "choice"), ("/", "reject_all", 1, "choice"), (CHOICES, "save", 2, "")],
)
def test_record_points_to_what_the_page_had_and_says_so(client, ledger, path, action, layer, kind):
    fields = press(client, path, action)

    notice = ledger.records[0]["notice"]
    (kept,) = ledger.notices.list()
    assert notice["ui_sha256"].startswith(fields["shown"])
    assert len(fields["shown"]) == MARK_DIGITS
    assert notice["is_as_shown"] is True
    assert (kept.layer, kept.prompt_kind, kept.language, kept.profile) == (layer, kind, "en", "unknown")
    assert (kept.text_sha256, kept.ui_sha256) == (notice["text_sha256"], notice["ui_sha256"])
    for digest in (kept.text_sha256, kept.ui_sha256, kept.configuration_sha256):
        assert ledger.notices.read(digest).sha256 == digest


def test_columns_of_the_event_say_the_same_as_its_record(client, ledger):
    press(client, "/", "accept_all")

    event = ledger.scan()[0].event
    assert [event.text_sha256, event.ui_sha256] == [
        ledger.records[0]["notice"][name] for name in ("text_sha256", "ui_sha256")
    ]


def test_markup_is_that_of_before_the_choice(client, ledger):
    press(client, "/", "accept_all")
    assert 'data-consent-ui="banner"' in ledger.shown
    assert "Accept all" in ledger.shown

    press(client, CHOICES, "withdraw")
    assert 'data-consent-ui="preferences"' in ledger.shown
    assert 'value="withdraw"' in ledger.shown


def test_signal_that_came_with_the_choice_was_not_on_the_page(build, ledger):
    client = build(jurisdiction=lambda: "US-CA").test_client()

    press(client, "/", "reject_all", gpc="1")

    assert ledger.records[0]["signals"]["dom_gpc"] is True
    assert ledger.records[0]["notice"]["is_as_shown"] is True


def test_preferences_are_the_same_for_all_who_chose_alike(app, ledger):
    client, other = app.test_client(), app.test_client()
    first = press(client, CHOICES, "save", "analytics")["shown"]
    granted = press(client, CHOICES, "save", "marketing", "youtube")["shown"]
    # What one visitor was shown first must not be what the others are said to have seen.
    get_site(app).notices.specimens.clear()
    still_granted = press(client, CHOICES, "save")["shown"]
    refused = press(client, CHOICES, "save")["shown"]
    strangers = press(other, CHOICES, "save")["shown"]

    assert len({first, granted, refused}) == 3
    assert (granted, first) == (still_granted, strangers)
    assert [each["notice"]["is_as_shown"] for each in ledger.records] == [True] * 5


@pytest.mark.parametrize(("size", "is_described"), [({}, True), ({"width": 300, "height": 200}, False)])
def test_embed_is_kept_with_the_words_that_its_size_had_room_for(app, client, ledger, size, is_described):
    add_embed(app, **size)

    press(client, "/film", "allow")

    (kept,) = ledger.notices.list()
    assert ledger.records[0]["notice"]["is_as_shown"] is True
    assert (kept.layer, kept.prompt_kind) == (0, "")
    assert ("pvc-embed__about" in ledger.shown) is is_described
    assert not re.search("Big Buck Bunny|aqz-KE-bpKQ", ledger.shown)


def test_call_of_the_api_points_to_words_without_markup(client, ledger, choose):
    assert choose(client, "accept_all", json=True).json["recorded"] is True

    notice = ledger.records[0]["notice"]
    (kept,) = ledger.notices.list()
    assert (notice["ui_sha256"], notice["is_as_shown"], kept.ui_sha256, kept.layer) == (None, None, None, 0)
    assert json.loads(ledger.notices.read(notice["text_sha256"]).body)["purposes"]["analytics"]["title"] == "Analytics"


@pytest.mark.parametrize(("mark", "expected"), [("0" * 16, False), ("", None)])
def test_page_that_is_older_than_the_server_is_told_of(client, ledger, mark, expected):
    press(client, "/", "accept_all", shown=mark)

    assert ledger.records[0]["notice"]["is_as_shown"] is expected
    assert ledger.records[0]["notice"]["ui_sha256"]


def test_banner_in_another_tab_is_still_the_one_that_was_shown(client, ledger):
    fields = read_form(client.get("/").text, "accept_all")
    press(client, "/", "reject_all")

    client.post(CHOICES, data={"action": "accept_all", **fields}, headers=SAME_ORIGIN)

    assert [each["notice"]["is_as_shown"] for each in ledger.records] == [True, True]


def test_words_are_those_of_the_language_that_was_spoken(build, ledger):
    privacy = Document("privacy", url="/privacy", version="7", changes={"en": "New address", "de": "Neue Anschrift"})
    client = build(CONSENT_LANGUAGE="de", documents=(privacy,)).test_client()

    press(client, "/", "accept_all")

    notice = ledger.records[0]["notice"]
    words = json.loads(ledger.notices.read(notice["text_sha256"]).body)
    assert (words["language"], words["controller"]) == ("de", "Example News Ltd")
    assert words["texts"]["banner.accept_all"] in ledger.shown
    assert words["purposes"]["analytics"]["title"] in ledger.shown
    assert words["services"]["google-analytics"]["cookies"][0]["name"] == "_ga"
    (document,) = words["documents"]
    assert (document["url"], document["version"], document["changes"]) == ("/privacy", "7", "Neue Anschrift")


def test_policy_version_follows_from_the_configuration(build, ledger):
    app = build(jurisdiction=lambda: "US-CA")
    press(app.test_client(), "/", "reject_all")

    configuration = json.loads(ledger.notices.read(ledger.notices.list()[0].configuration_sha256).body)
    policy = get_site(app).engine.policy
    assert digest_material(configuration["material"]) == policy.version == ledger.records[0]["notice"]["version"]
    assert [each["key"] for each in configuration["policy"]["services"]] == [*SERVICES]
    assert configuration["jurisdiction"]["row"] == ledger.notices.list()[0].profile
    assert configuration["stylesheets"]["banner.css"] == get_site(app).assets["banner.css"].body.decode()
    assert configuration["code"]["files"].keys() == get_site(app).assets.keys()


# -- the same for everybody


def test_nothing_of_one_visitor_or_one_page_is_in_it(build, ledger):
    app = build(CONSENT_CSP_NONCE=lambda: "n0nce", CONSENT_COOKIE_DOMAIN="example.com")
    client = app.test_client()
    base = {"base_url": "https://shop.example.com/reader-4711", "query_string": "session=secret"}
    for path, action in (("/", "accept_all"), (CHOICES, "save"), (CHOICES, "save")):
        fields = read_form(client.get(path, **base).text, action)
        assert client.post(CHOICES, data={"action": action, **fields}, headers=SAME_ORIGIN, **base).status_code == 303
        traces = '4711|secret|n0nce|shop|2026|2027|attempt|data-consent-key|name="next" value="[^"]'
        found = re.findall(traces, ledger.shown)
        assert found == []
        assert ledger.records[-1]["notice"]["is_as_shown"] is True


@pytest.mark.parametrize(("host", "is_shared"), [("news.example.com", True), ("elsewhere.test", False)])
def test_host_that_shares_no_choice_is_not_said_to_have_told_so(build, ledger, host, is_shared):
    client = build(CONSENT_COOKIE_DOMAIN="example.com").test_client()
    fields = read_form(client.get("/", base_url=f"https://{host}").text, "accept_all")

    client.post(CHOICES, data={"action": "accept_all", **fields}, headers=SAME_ORIGIN, base_url=f"https://{host}")

    assert ("example.com" in ledger.shown) is is_shared
    assert ledger.records[0]["notice"]["is_as_shown"] is True


def test_hashes_are_the_same_in_every_process():
    script = """
from flask import Flask, render_template_string
from consent import Consent
app = Flask("site")
app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example", CONSENT_LEDGER="memory:", CONSENT_LEDGER_RETENTION_MONTHS=36)
Consent(app, services=["youtube", "google-analytics"])
app.add_url_rule("/", "index", lambda: "<!doctype html><title>News</title>")
client = app.test_client()
site = app.extensions["consent"]
for action in ("reject_all", "save"):
    client.post("/privacy-choices/", data={"action": action}, headers={"Sec-Fetch-Site": "same-origin"})
print(*site.ledger.notices.list_hashes())
"""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.split()
        for seed in ("1", "2")
    ]

    assert printed[0] == printed[1]
    assert len(printed[0]) == 4


def test_stream_that_outlives_the_request_has_the_same_mark(app, client, ledger, add_page):
    add_page(
        app, "/live", lambda: app.response_class(iter(["<!doctype html><html><body>", "News"]), mimetype="text/html")
    )
    answer = client.get("/live", buffered=False)

    fields = read_form(b"".join(answer.response).decode(), "accept_all")

    assert fields["shown"] == press(client, "/", "accept_all")["shown"]
    assert len(fields["attempt"]) == 22


# -- what forms carry


def test_forms_stay_as_they_were_where_there_is_no_ledger(make_app):
    app = make_app()
    add_embed(app)
    client = app.test_client()

    for path in ("/", CHOICES, "/film"):
        assert not re.search('name="(shown|attempt)"', client.get(path).text)


def test_every_form_of_every_page_has_a_random_value_of_its_own(app, client):
    add_embed(app)
    found = [
        value
        for path in ("/", "/", CHOICES, "/film", "/film")
        for value in re.findall(r'name="attempt" value="([\w-]{22})"', client.get(path).text)
    ]

    # A film's page has a banner, too.
    assert len(found) == len(set(found)) == 7


def test_form_that_is_posted_twice_is_one_choice(client, ledger):
    fields = press(client, "/", "accept_all")
    # The second click has not seen the first one's answer, nor its cookie.
    hasty = client.application.test_client()
    again = hasty.post(CHOICES, data=fields, headers=SAME_ORIGIN)

    assert (again.status_code, len(ledger.records)) == (303, 1)


# -- how often, and what happens when it fails


def test_notice_is_kept_once_a_minute_and_not_with_every_choice(app, ledger):
    site = get_site(app)
    for seconds in (0, 1, 59, 61):
        instant = NOW + timedelta(seconds=seconds)
        site.engine.read_clock = partial(datetime.fromtimestamp, instant.timestamp(), UTC)
        press(app.test_client(), "/", "accept_all")

    assert (len(ledger.notices.asked), len(ledger.records), len(ledger.notices.list())) == (2, 4, 1)


def test_notice_that_was_purged_is_kept_again_with_the_next_choice(app, ledger):
    press(app.test_client(), "/", "accept_all")
    ledger.erase(ledger.records[0]["subject_id"], reason="request", at=NOW)
    assert ledger.purge_artefacts(kept_before=NOW + timedelta(minutes=30)) == 3
    get_site(app).engine.read_clock = lambda: NOW + timedelta(hours=1)

    press(app.test_client(), "/", "accept_all")

    assert ledger.notices.read(ledger.records[0]["notice"]["ui_sha256"])


def test_notices_stay_as_long_as_a_record_points_to_them(client, ledger):
    press(client, "/", "accept_all")
    press(client, CHOICES, "save")

    assert ledger.purge_artefacts(kept_before=NOW + timedelta(days=1)) == 0
    assert len(ledger.notices.list()) == 2


def test_grant_fails_and_refusal_passes_while_the_notice_cannot_be_kept(client, ledger, choose):
    ledger.notices.is_full = True

    grant, refusal = choose(client, "accept_all", json=True), choose(client, "reject_all", json=True)

    assert (grant.status_code, grant.headers["Retry-After"]) == (503, "30")
    assert (refusal.status_code, refusal.json["recorded"]) == (200, False)
    assert ledger.records == []
