"""Evidence: the files of a bundle, and what is found wrong with a store that somebody has changed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from consent.core.configuration import describe_configuration, write_artefact
from consent.core.evidence import MANIFEST, bundle, count_records, find_troubles, key_of
from consent.core.ledger import ConsentEvent
from consent.core.notice import Artefact, ShownNotice
from consent.core.policy import Policy
from consent.jurisdictions import load_table

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
POLICY = Policy(controller="Example Ltd")
WORDS = write_artefact({"language": "en"})
RULES = describe_configuration(
    POLICY,
    load_table()[0].rows[0],
    code={"library": "1.0", "files": {"banner.css": "ab"}},
    stylesheets={"banner.css": ".pvc-banner{color:red}", "preferences.css": "h1{color:blue}"},
)
BANNER = Artefact(media_type="text/html", body='<section class="pvc-banner">Ünsere Wahl</section>')
PAGE = Artefact(
    media_type="text/html",
    body='<!doctype html><html><head lang="en"><link rel="stylesheet" href="/shop/privacy-choices/assets/preferences.0123456789ab.css">'
    "</head><body><h1>Choices</h1></body></html>",
)
NOTICE = ShownNotice(
    policy_version=POLICY.version,
    language="en",
    profile="US-CA@2026-01-01",
    layer=1,
    prompt_kind="choice",
    text_sha256=WORDS.sha256,
    ui_sha256=BANNER.sha256,
    configuration_sha256=RULES.sha256,
)
STORE = {each.sha256: each for each in (WORDS, RULES, BANNER, PAGE)}


def make_bundle(*notices, store=STORE, records=None):
    return bundle(notices or (NOTICE,), store.get, records or {}, made_at=NOW, library="1.1")


def make_event(notice, *, payload=None):
    record = {
        "language": notice.language,
        "profile": notice.profile,
        "notice": {"version": notice.policy_version, "layer": notice.layer},
    }
    return ConsentEvent(
        event_id="e",
        subject_id="s",
        revision=1,
        kind="choice",
        recorded_at=NOW,
        valid_until=NOW,
        text_sha256=notice.text_sha256,
        ui_sha256=notice.ui_sha256,
        payload=json.dumps(record) if payload is None else payload,
    )


def test_every_file_is_in_the_manifest_under_its_hash():
    evidence = make_bundle(records={key_of(NOTICE): 5})

    manifest = json.loads(evidence.files[MANIFEST])
    others = {path: sha256(body).hexdigest() for path, body in evidence.files.items() if path != MANIFEST}
    assert manifest["files"] == others
    assert (manifest["made_at"], manifest["made_by"], manifest["policy_version"]) == (
        *("2026-11-23T10:00:00Z", "1.1"),
        POLICY.version,
    )
    assert manifest["notices"][0]["records"] == 5
    assert manifest["code"] == {RULES.sha256: {"library": "1.0", "files": {"banner.css": "ab"}}}
    assert evidence.manifest_sha256 == sha256(evidence.files[MANIFEST]).hexdigest()
    assert (evidence.troubles, manifest["troubles"]) == ((), [])


def test_artefacts_are_in_it_as_they_were_hashed():
    files = make_bundle().files

    for each, ending in ((WORDS, "json"), (RULES, "json"), (BANNER, "html")):
        assert sha256(files[f"artefacts/{each.sha256}.{ending}"]).hexdigest() == each.sha256


def test_banner_becomes_a_whole_page_in_the_style_of_its_time():
    files = make_bundle().files

    page = files[f"pages/en/US-CA@2026-01-01/banner-choice-{BANNER.sha256[:12]}.html"].decode()
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<style>.pvc-banner{color:red}</style>" in page
    assert BANNER.body in page


def test_page_has_its_stylesheets_in_it_and_fetches_nothing():
    files = make_bundle(replace(NOTICE, layer=2, prompt_kind="", ui_sha256=PAGE.sha256)).files

    page = files[f"pages/en/US-CA@2026-01-01/preferences-{PAGE.sha256[:12]}.html"].decode()
    assert "<link" not in page
    assert "<style>h1{color:blue}</style></head><body><h1>Choices</h1>" in page
    assert page.index("default-src 'none'") < page.index("<style>")


def test_notice_without_markup_has_no_page():
    evidence = make_bundle(replace(NOTICE, layer=0, prompt_kind="", ui_sha256=None))

    assert json.loads(evidence.files[MANIFEST])["notices"][0]["page"] is None
    assert evidence.troubles == ()


@pytest.mark.parametrize("missing", [WORDS, BANNER, RULES])
def test_missing_artefact_is_told_of_and_the_rest_is_bundled(missing):
    store = {digest: each for digest, each in STORE.items() if each is not missing}

    evidence = make_bundle(store=store)

    assert evidence.troubles == (f"Artefact {missing.sha256} is missing, although a notice refers to it.",)
    assert json.loads(evidence.files[MANIFEST])["troubles"] == [*evidence.troubles]


def test_changed_artefact_is_told_of():
    changed = replace(BANNER, body=BANNER.body.replace("Wahl", "Pflicht"))

    (trouble,) = find_troubles([NOTICE], (STORE | {BANNER.sha256: changed}).get, {})

    assert trouble == f"Artefact {BANNER.sha256} was changed: the hash of what is kept is {changed.sha256}."


@pytest.mark.parametrize(("body", "version"), [("{}", "none"), ("[]", "none"), ("nonsense", "none")])
def test_configuration_that_is_another_policys_is_told_of(body, version):
    other = Artefact(media_type="application/json", body=body)
    notice = replace(NOTICE, configuration_sha256=other.sha256)

    (trouble,) = find_troubles([notice], (STORE | {other.sha256: other}).get, {})

    assert trouble.endswith(f"is not that of policy version {POLICY.version}: its own version is {version}.")


def test_records_that_point_to_nothing_are_told_of():
    lost = replace(NOTICE, ui_sha256="ab" * 32)

    (trouble,) = find_troubles([NOTICE], STORE.get, count_records([make_event(NOTICE), make_event(lost)]))

    assert trouble.startswith("Records point to a notice that is not kept (1 of them): en, US-CA@2026-01-01, layer 1")


def test_records_are_counted_by_what_they_point_to():
    silent = replace(NOTICE, layer=0, ui_sha256=None)
    events = [make_event(NOTICE), make_event(NOTICE), make_event(silent)]
    before_notices = replace(make_event(NOTICE), text_sha256=None, ui_sha256=None)

    assert count_records([*events, before_notices]) == Counter({key_of(NOTICE): 2, key_of(silent): 1})


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"notice": null}', "nonsense"])
def test_payload_that_was_changed_points_to_nothing_that_is_kept(payload):
    (trouble,) = find_troubles([NOTICE], STORE.get, count_records([make_event(NOTICE, payload=payload)]))

    assert "not kept (1 of them)" in trouble


@pytest.mark.parametrize("name", ["../../etc", "/etc", "..\\..", "a\0b", ".."])
def test_no_name_leads_out_of_the_bundle(name):
    evil = Artefact(media_type="text/html", body="evil")
    notice = replace(NOTICE, language=name, profile=name, prompt_kind=name, ui_sha256=f"{name}")

    evidence = make_bundle(notice, store=STORE | {name: evil})

    assert {path.count("/") for path in evidence.files} == {0, 1, 3}
    assert not any(".." in path or "\\" in path or "\0" in path or path.startswith("/") for path in evidence.files)
