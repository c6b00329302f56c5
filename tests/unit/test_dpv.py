"""Records and receipts in the Data Privacy Vocabulary: read by a JSON-LD processor, in terms that exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.namespace import XSD

from consent.core.regime import Regime
from consent.jurisdictions import load_table
from consent.wire.dpv import DescribedSite, describe_dpv, describe_dpv_receipt, find_missing
from consent.wire.dpv_places import EEA, find_place_term

DPV = Namespace("https://w3id.org/dpv#")
GDPR = Namespace("https://w3id.org/dpv/legal/eu/gdpr#")
TERMS = {
    namespace: frozenset(" ".join(lines).split())
    for namespace, lines in json.loads(
        (Path(__file__).parents[1] / "vectors" / "dpv_terms.json").read_text(encoding="utf-8")
    )["terms"].items()
}
# rdflib 7 warns of a class that its own reader of JSON-LD still uses.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

RECORD_ID = "1f6a3d0e-7c1b-4b0e-9a55-0d2f6c1e8b11"
EARLIER_ID = "77e34c5e-31b0-4b8e-a3f0-6b5a0b0a9d10"
SUBJECT_ID = "c0a8f7e2-2d0b-4f5e-8d5a-3b7b6f1f2a90"
RECORD = URIRef(f"urn:uuid:{RECORD_ID}")
SITE = DescribedSite(
    controller="Shop SAS",
    base_url="https://shop.example",
    purposes={"analytics": "Audience measurement", "marketing": "Marketing"},
    providers={"stats": "Stats Inc.", "pixel": "Pixel"},
)


def make_record(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "consent-record/1",
        "record_id": RECORD_ID,
        "subject_id": SUBJECT_ID,
        "revision": 2,
        "event": "choice",
        "source": "preferences",
        "action": "save",
        "event_time": "2026-11-22T10:15:30Z",
        "decided_at": "2026-11-22T10:15:30Z",
        "valid_until": "2027-05-22T10:15:30Z",
        "mode": "opt_in",
        "jurisdiction": "FR",
        "profile": "FR",
        "language": "fr",
        "notice": {"version": "0123456789abcdef", "text_sha256": "ab" * 32, "ui_sha256": None},
        "decisions": {
            "analytics": {"state": "granted", "basis": "consent", "fingerprint": "0d3348", "vendors": ["stats"]},
            "marketing": {"state": "refused", "basis": "consent", "fingerprint": "c06fb2", "vendors": ["pixel"]},
            "stats": {"state": "granted", "basis": "consent", "fingerprint": "173516"},
        },
        "documents": {"privacy": {"version": "2026-11", "fingerprint": "aabbcc"}},
        "withdrawal_url": "/privacy-choices/",
        "previous": EARLIER_ID,
    } | changes


def make_cookie_record() -> dict[str, Any]:
    """What a cookie holds: no account."""
    decisions = {
        key: {name: each[name] for name in ("state", "basis", "fingerprint")}
        for key, each in make_record()["decisions"].items()
    }
    told = ("schema", "record_id", "event_time", "decided_at", "valid_until", "mode")
    return {name: make_record()[name] for name in told} | {
        "subject_id": None,
        "decisions": decisions,
        "documents": {"privacy": {"fingerprint": "aabbcc"}},
    }


def state(word: str, basis: str = "consent") -> dict[str, Any]:
    return {"analytics": {"state": word, "basis": basis, "fingerprint": "0d3348", "vendors": []}}


def parse(described: object) -> Graph:
    return Graph().parse(data=json.dumps(described), format="json-ld")


def read(record: dict[str, Any], **given: Any) -> Graph:
    return parse(describe_dpv(record, site=SITE, **given))


def kinds_of(graph: Graph, key: str | None = None) -> set[str]:
    """Return the types of the status of a key, or of the one that is about no key."""
    subject = Literal(key) if key else None
    found = [
        each for each in graph.objects(RECORD, DPV.hasConsentStatus) if graph.value(each, DCTERMS.subject) == subject
    ]
    assert len(found) == 1
    return {str(kind).removeprefix(DPV) for kind in graph.objects(found[0], RDF.type)}


RECORDS = {
    "with an account": make_record(),
    "of a cookie": make_cookie_record(),
    "withdrawal": make_record(event="withdrawal", action="withdraw", decisions=state("refused")),
    "acknowledgement": make_record(event="acknowledgement", mode="notice", jurisdiction="JP", decisions={}),
    "interest": make_record(
        decisions=state("refused", "legitimate_interest") | {"a": state("granted", "legitimate_interest")["analytics"]}
    ),
    "opt-out": make_record(event="opt_out", mode="opt_out", jurisdiction="US-CA", decisions=state("refused")),
    "undecided": make_record(
        decisions=state("undecided"), documents={"terms": {"version": "3", "fingerprint": "aabbcc"}}
    ),
    "signal": make_record(event="signal", decisions=state("refused"), jurisdiction=None),
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_term_of_a_record_is_in_the_vocabulary(name):
    assert find_strange_terms(read(RECORDS[name])) == set()


def test_every_term_of_a_receipt_is_in_the_vocabulary():
    receipt = {
        "receipt_id": EARLIER_ID,
        "issued_at": "2026-11-23T08:00:00Z",
        "record": make_record(),
        "history": [make_record(record_id=EARLIER_ID, previous=None)],
    }

    graph = parse(describe_dpv_receipt(receipt, site=SITE))

    assert find_strange_terms(graph) == set()
    held = set(graph.objects(URIRef(f"urn:uuid:{EARLIER_ID}"), DPV.hasRecordOfActivity))
    assert held == {RECORD, URIRef(f"urn:uuid:{EARLIER_ID}")}


def find_strange_terms(graph: Graph) -> set[str]:
    """Return what is named like a term of a vocabulary and is none."""
    own = {str(each) for triple in graph for each in triple if isinstance(each, URIRef)}
    strange = set()
    for iri in own:
        namespace = next((each for each in sorted(TERMS, key=len, reverse=True) if iri.startswith(each)), "")
        is_term = iri.removeprefix(namespace) in TERMS[namespace] if namespace else is_known_elsewhere(iri)
        if not is_term:
            strange.add(iri)
    return strange


def is_known_elsewhere(iri: str) -> bool:
    if iri.startswith(str(DCTERMS)):
        # A closed namespace: rdflib knows the terms of the Dublin Core.
        return URIRef(iri) in DCTERMS
    return iri in (str(RDF.type), str(RDF.value)) or iri.startswith(("urn:uuid:", f"{SITE.base_url}/"))


def test_terms_that_nobody_has_published_are_found():
    described = describe_dpv(make_record(), site=SITE) | {"dpv:hasConsentStatus": {"@type": "dpv:ConsentTerminated"}}

    assert find_strange_terms(parse(described)) == {f"{DPV}ConsentTerminated"}


def test_a_grant_is_given_and_a_refusal_refused():
    graph = read(make_record())

    assert kinds_of(graph, "analytics") == {"ConsentGiven", "ExplicitlyExpressedConsent"}
    assert kinds_of(graph, "marketing") == {"ConsentRefused"}


def test_a_status_says_when_until_when_by_whom_and_how():
    graph = read(make_record())
    status = next(
        each
        for each in graph.objects(RECORD, DPV.hasConsentStatus)
        if (each, DCTERMS.subject, Literal("analytics")) in graph
    )
    duration = graph.value(status, DPV.hasDuration)

    assert graph.value(status, DPV.isIndicatedAtTime) == Literal("2026-11-22T10:15:30Z", datatype=XSD.dateTime)
    assert graph.value(duration, RDF.value) == Literal("2027-05-22T10:15:30Z", datatype=XSD.dateTime)
    assert graph.value(status, DPV.isIndicatedBy) == DPV.DataSubject
    assert graph.value(status, DPV.hasIndicationMethod) == Literal("preferences: save")


@pytest.mark.parametrize(
    ("before", "kind"), [("granted", "ConsentWithdrawn"), ("refused", "ConsentRefused"), (None, "ConsentWithdrawn")]
)
def test_only_what_was_granted_before_is_withdrawn_as_far_as_that_is_known(before, kind):
    withdrawal = make_record(event="withdrawal", decisions=state("refused"))
    previous = make_record(decisions=state(before)) if before else None

    assert kinds_of(read(withdrawal, previous=previous), "analytics") == {kind}


@pytest.mark.parametrize("mode", ["notice", "opt_in"])
def test_an_acknowledgement_is_never_consent_given(mode):
    # R15. Under opt-in it leaves earlier grants standing, which the earlier record accounts for.
    graph = read(make_record(event="acknowledgement", action="acknowledge", mode=mode))

    assert kinds_of(graph) == {"ConsentUnknown", "ImpliedConsent"}
    assert (None, RDF.type, DPV.ConsentGiven) not in graph


@pytest.mark.parametrize(
    ("place", "mode", "word", "basis", "expected"),
    [
        ("FR", "opt_in", "refused", "consent", GDPR["A6-1-a"]),
        ("FR", "opt_in", "refused", "legitimate_interest", GDPR["A6-1-f"]),
        ("GB", "opt_in", "granted", "consent", DPV.ExplicitlyExpressedConsent),
        ("US-CA", "opt_out", "granted", "consent", DPV.ExplicitlyExpressedConsent),
        ("US-CA", "opt_out", "refused", "consent", None),
        ("US-CA", "opt_out", "refused", "legitimate_interest", DPV.LegitimateInterest),
        (None, "opt_in", "granted", "consent", DPV.ExplicitlyExpressedConsent),
    ],
)
def test_the_legal_basis_is_that_of_the_place(place, mode, word, basis, expected):
    graph = read(make_record(jurisdiction=place, mode=mode, decisions=state(word, basis)))

    assert next(graph.objects(None, DPV.hasLegalBasis), None) == expected


def test_an_objection_to_a_legitimate_interest_is_no_refused_consent():
    graph = read(make_record(decisions=state("refused", "legitimate_interest")))

    assert set(graph.objects(RECORD, DPV.hasConsentStatus)) == set()
    assert (None, RDF.type, DPV.LegitimateInterestObjected) in graph


def test_recipients_are_told_by_purpose():
    graph = read(make_record())
    names = {
        str(graph.value(graph.value(process, DPV.hasPurpose), DCTERMS.title)): str(
            graph.value(graph.value(process, DPV.hasRecipient), DPV.hasName)
        )
        for process in graph.objects(RECORD, DPV.hasProcess)
    }

    assert names == {"Audience measurement": "Stats Inc.", "Marketing": "Pixel"}


def test_notice_document_and_way_back_are_told():
    graph = read(make_record())
    notice = graph.value(None, RDF.type, DPV.ConsentNotice)
    control = graph.value(RECORD, DPV.hasConsentControl)

    assert set(graph.objects(notice, DCTERMS.identifier)) == {
        Literal("0123456789abcdef"),
        Literal(f"sha256:{'ab' * 32}"),
    }
    assert graph.value(notice, DCTERMS.language) == Literal("fr")
    assert graph.value(graph.value(None, RDF.type, DPV.PrivacyNotice), DCTERMS.identifier) == Literal("privacy 2026-11")
    assert graph.value(control, DPV.isExercisedAt) == URIRef("https://shop.example/privacy-choices/")


def test_without_an_address_nothing_is_made_up():
    described = describe_dpv(make_record(), site=DescribedSite(controller="Shop SAS"))

    assert described["dpv:hasDataController"] == {"@type": "dpv:DataController", "dpv:hasName": "Shop SAS"}
    assert described["dpv:hasConsentControl"]["dpv:isExercisedAt"] == "/privacy-choices/"  # type: ignore[index]  # plain JSON


def test_what_the_site_has_to_add_is_listed():
    assert find_missing(describe_dpv(make_record(), site=SITE)) == (
        "pii information",
        "storage locations",
        "retention period",
        "party address",
        "party contact",
    )


def test_nothing_is_missing_once_the_site_has_added_it():
    described = describe_dpv(make_record(), site=SITE)
    described["dpv:hasDataController"] |= {"schema:address": "Rue 1", "schema:contactPoint": "DPO"}  # type: ignore[operator]  # plain JSON
    described["dpv:hasProcess"][0] |= {  # type: ignore[index]  # plain JSON
        "dpv:hasPersonalData": "pd:Identifying",
        "dpv:hasStorageCondition": [{"@type": ["dpv:StorageLocation", "dpv:StorageDuration"]}],
    }

    assert find_missing(described) == ()


def test_what_a_cookie_does_not_hold_is_listed():
    missing = find_missing(describe_dpv(make_cookie_record(), site=DescribedSite(controller="Shop SAS")))

    assert {"pii principal id", "language", "purpose", "jurisdiction", "withdrawal method", "party identifier"} <= set(
        missing
    )


def test_every_place_of_our_rules_has_a_term():
    places = {row.key for row in load_table()[0].rows} - {"unknown", "EEA"}

    assert {find_place_term(each) for each in places} == {f"loc:{each}" for each in places}


def test_places_without_a_term_are_left_out_and_regions_fall_back_to_their_country():
    assert [find_place_term(each) for each in ("XK", "GB-ENG", "US-XX", None, "")] == ["", "loc:GB", "loc:US", "", ""]


def test_the_economic_area_is_that_of_the_rules():
    row = next(each for each in load_table()[0].rows if each.key == "EEA")

    assert set(row.countries) == EEA
    assert row.regime is Regime.OPT_IN
