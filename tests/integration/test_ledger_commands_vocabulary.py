"""`flask consent ledger export --format dpv`: records in the Data Privacy Vocabulary, and what they lack."""

from __future__ import annotations

import json

import pytest

from consent.ledger import MemoryLedger
from tests.conftest import NOW
from tests.ledger_events import BOB, make_event, number_id
from tests.ledger_site import make_ledger_command, make_ledger_site


@pytest.fixture
def ledger():
    return MemoryLedger()


def test_export_in_the_data_privacy_vocabulary_is_one_document(ledger):
    site = make_ledger_site(ledger, SERVER_NAME="news.example")
    client = site.test_client()
    for action in ("accept_all", "withdraw"):
        client.post("/privacy-choices/", data={"action": action}, headers={"Sec-Fetch-Site": "same-origin"})

    document = json.loads(make_ledger_command(site)("export", "--format", "dpv").stdout)

    assert document["@context"]["dpv"] == "https://w3id.org/dpv#"
    given, withdrawn = document["@graph"]
    assert given["dct:identifier"] == withdrawn["dct:replaces"]["@id"].removeprefix("urn:uuid:")
    assert given["dpv:hasDataController"]["@id"] == "http://news.example/#controller"
    assert {each["dct:subject"] for each in given["dpv:hasConsentStatus"]} >= {"analytics", "marketing"}
    assert {tuple(each["@type"]) for each in given["dpv:hasConsentStatus"]} == {
        ("dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent")
    }
    assert {tuple(each["@type"]) for each in withdrawn["dpv:hasConsentStatus"]} == {("dpv:ConsentWithdrawn",)}


@pytest.mark.parametrize(
    ("config", "lacks"), [({"SERVER_NAME": "news.example"}, False), ({}, True)], ids=["address", "no address"]
)
def test_export_in_the_vocabulary_says_which_mandatory_fields_are_missing(ledger, config, lacks):
    site = make_ledger_site(ledger, **config)
    site.test_client().post(
        "/privacy-choices/", data={"action": "accept_all"}, headers={"Sec-Fetch-Site": "same-origin"}
    )

    result = make_ledger_command(site)("export", "--format", "dpv")

    (told,) = result.stderr.splitlines()
    assert told.startswith("Not every record has what ISO/IEC TS 27560 asks for. Missing: ")
    assert "pii information, storage locations, retention period" in told
    assert ("party identifier" in told) is lacks
    assert "missing" not in result.stdout.lower()


def test_export_in_the_vocabulary_tells_what_was_withdrawn_from_what_was_refused_before(ledger):
    site = make_ledger_site(ledger)
    client = site.test_client()
    for fields in ({"action": "save", "granted": "analytics"}, {"action": "withdraw"}):
        client.post("/privacy-choices/", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    document = json.loads(make_ledger_command(site)("export", "--format", "dpv").stdout)

    found = {each["dct:subject"]: each["@type"] for each in document["@graph"][1]["dpv:hasConsentStatus"]}
    assert (found["analytics"], found["marketing"]) == (["dpv:ConsentWithdrawn"], ["dpv:ConsentRefused"])


def test_export_in_the_vocabulary_leaves_out_what_cannot_be_read_and_says_so(ledger):
    ledger.append(
        [make_event(1, payload="{"), make_event(2, payload='{"decisions":[]}'), make_event(3, subject_id=BOB)]
    )
    ledger.erase(BOB, reason="request", at=NOW)

    result = make_ledger_command(make_ledger_site(ledger))("export", "--format", "dpv")

    assert json.loads(result.stdout)["@graph"] == []
    assert result.stderr.splitlines() == [
        f"Record {number_id(number)} cannot be read, and was left out. Run: flask consent ledger verify"
        for number in (1, 2)
    ]
