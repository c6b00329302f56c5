"""`flask consent evidence`: the bundle of what was shown, from a site with records in its ledger."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from flask.cli import ScriptInfo

from consent import Consent
from consent.cli import group
from consent.ledger import MemoryLedger
from consent.web.visit import get_site
from tests.command_runner import make_runner

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
CHOICES = "/privacy-choices/"
POST = {"headers": {"Sec-Fetch-Site": "same-origin"}}


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def app(bare_app, ledger):
    """A site where two accepted in English, one saved in German, and one was erased."""
    app = bare_app(CONSENT_LEDGER_RETENTION_MONTHS=36)
    Consent(app, services=["youtube"], ledger=ledger)
    get_site(app).engine.read_clock = lambda: NOW
    for language, action in (("en", "accept_all"), ("en", "accept_all"), ("de", "save"), ("en", "reject_all")):
        answer = app.test_client().post(f"{CHOICES}?lang={language}", data={"action": action}, **POST)
        assert answer.status_code == 303
    last = ledger.scan()[-1].event.subject_id
    ledger.erase(last, reason="request", at=NOW)
    return app


@pytest.fixture
def version(app):
    return get_site(app).engine.policy.version


@pytest.fixture
def run(app, monkeypatch, tmp_path):
    """Return a function that runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*options, app=app):
        return make_runner().invoke(group, ["evidence", *map(str, options)], obj=ScriptInfo(create_app=lambda: app))

    return invoke


def edit(ledger, statement):
    ledger.database.write(lambda transaction: transaction.execute(statement))


class Reader(HTMLParser):
    """Collect what a page would fetch, and its words."""

    def __init__(self, page):
        super().__init__()
        self.fetched, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag in ("script", "img", "iframe", "link") and (named.get("src") or named.get("href")):
            self.fetched.append(named)

    def handle_data(self, data):
        self.text += data


def test_versions_are_listed_with_what_there_is_of_each(run, version):
    result = run()

    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    assert head.split() == ["version", "notices", "records", "languages", "profiles"]
    assert row.split() == [version, "in", "force", "2", "3", "de", "en", "unknown"]
    assert json.loads(run("--json").stdout) == [
        {
            "version": version,
            "is_current": True,
            "notices": 2,
            "records": 3,
            "languages": ["de", "en"],
            "profiles": ["unknown"],
        }
    ]


def test_bundle_holds_what_was_shown_as_pages_that_open_by_themselves(run, version, tmp_path):
    result = run(version[:5], "--output", "proof")

    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "proof" / "manifest.json").read_text(encoding="utf-8"))
    notices = {(each["language"], each["layer"]): each for each in manifest["notices"]}
    assert {key: each["records"] for key, each in notices.items()} == {("en", 1): 2, ("de", 2): 1}
    for key, words in {("en", 1): "Accept all", ("de", 2): "Auswahl speichern"}.items():
        page = Reader((tmp_path / "proof" / notices[key]["page"]).read_text(encoding="utf-8"))
        assert words in page.text
        assert page.fetched == []
        assert ".pvc-" in page.text  # the stylesheet
    written = {
        path.relative_to(tmp_path / "proof").as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "proof").rglob("*")
        if path.is_file()
    }
    assert written.pop("manifest.json") in result.stdout
    assert manifest["files"] == written


def test_zip_holds_the_same_as_the_folder_and_is_the_default(run, version, tmp_path):
    assert (run(version, "--output", "proof").exit_code, run(version).exit_code) == (0, 0)

    with zipfile.ZipFile(tmp_path / f"evidence-{version}.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.relative_to(tmp_path / "proof").as_posix(): path.read_bytes()
            for path in (tmp_path / "proof").rglob("*")
            if path.is_file()
        }


def test_bundle_can_be_of_one_language_and_one_place(run, version, tmp_path):
    assert run(version, "--language", "de", "--profile", "unknown", "--output", "proof").exit_code == 0

    manifest = json.loads((tmp_path / "proof" / "manifest.json").read_text(encoding="utf-8"))
    assert [each["language"] for each in manifest["notices"]] == ["de"]
    assert manifest["troubles"] == []


@pytest.mark.parametrize("output", ["proof", "proof.zip"])
def test_evidence_is_never_written_over(run, version, tmp_path, output):
    assert run(version, "--output", output).exit_code == 0
    (tmp_path / "other").mkdir()

    for taken in (output, "other") if output == "proof" else (output,):
        result = run(version, "--output", taken)
        assert result.exit_code == 1
        assert f"'{taken}' exists already, and evidence is never written over." in result.stderr


def test_unknown_version_names_those_there_are(run, version):
    result = run("0123")

    assert result.exit_code == 2
    assert f"No notice of a policy version '0123' is kept. Versions with notices: '{version}'." in result.stderr


def test_beginning_of_several_versions_is_refused(run, ledger, version):
    twin = f"{version[:3]}{'z' * 13}"
    edit(ledger, f"UPDATE consent_notices SET policy_version = '{twin}' WHERE language = 'de'")

    result = run(version[:3])

    assert result.exit_code == 2
    assert f"2 versions begin with '{version[:3]}'. Versions with notices: '{version}', '{twin}'." in result.stderr
    assert "Written to" in run(version[:4]).stdout


def test_language_that_nobody_was_spoken_to_names_those_there_are(run, version):
    result = run(version, "--language", "fr")

    assert result.exit_code == 1
    assert "in language 'fr'. Languages: 'de', 'en'. Profiles: 'unknown'." in result.stderr
    assert "in language 'fr' and profile 'JP'." in run(version, "--language", "fr", "--profile", "JP").stderr


def test_hashes_hold_while_nobody_has_changed_anything(run):
    result = run("--verify")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Every hash holds, and every record finds what it points to. Notices: 2.\n"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE consent_artefacts SET body = body || ' ' WHERE media_type = 'text/html'", "was changed"),
        ("DELETE FROM consent_artefacts WHERE media_type = 'text/html'", "is missing"),
        ("DELETE FROM consent_notices WHERE language = 'de'", "Records point to a notice that is not kept (1 of them)"),
        ("UPDATE consent_notices SET policy_version = '0000000000000000'", "is not that of policy version"),
    ],
)
def test_changes_to_what_is_kept_are_found(run, ledger, statement, told):
    edit(ledger, statement)

    result = run("--verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert any(told in each for each in json.loads(run("--verify", "--json").stdout)["troubles"])


def test_bundle_of_changed_notices_is_written_and_says_so(run, ledger, version, tmp_path):
    edit(ledger, "UPDATE consent_artefacts SET body = body || ' ' WHERE media_type = 'text/html'")

    result = run(version, "--output", "proof")

    assert result.exit_code == 1
    assert "was changed" in result.stderr
    assert len(json.loads((tmp_path / "proof" / "manifest.json").read_text(encoding="utf-8"))["troubles"]) == 2


def test_empty_ledger_says_what_brings_the_first_notice(run, bare_app):
    app = bare_app(CONSENT_LEDGER_RETENTION_MONTHS=36)
    Consent(app, ledger=MemoryLedger())

    assert (
        run(app=app).stdout
        == "No notice is kept yet: the first one is with the first choice that the ledger records.\n"
    )


def test_site_without_a_ledger_is_told_how_to_get_one(run, make_app):
    result = run(app=make_app())

    assert result.exit_code == 1
    assert "Set CONSENT_LEDGER to a URL" in result.stderr


def test_policies_one_after_the_other_stay_apart(run, bare_app, ledger, version, tmp_path):
    later = bare_app(CONSENT_LEDGER_RETENTION_MONTHS=36)
    Consent(later, services=["youtube", "google-analytics"], ledger=ledger)
    get_site(later).engine.read_clock = lambda: NOW + timedelta(days=1)
    assert later.test_client().post(CHOICES, data={"action": "accept_all"}, **POST).status_code == 303
    newer = get_site(later).engine.policy.version

    listed = {
        each["version"]: (each["is_current"], each["records"]) for each in json.loads(run("--json", app=later).stdout)
    }

    assert listed == {version: (False, 3), newer: (True, 1)}
    assert run(version, "--output", "older", app=later).exit_code == 0
    manifest = json.loads((tmp_path / "older" / "manifest.json").read_text(encoding="utf-8"))
    assert {each["policy_version"] for each in manifest["notices"]} == {version}
