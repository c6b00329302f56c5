"""A consent record in the Data Privacy Vocabulary, as JSON-LD after ISO/IEC TS 27560.

Source:
    W3C DPVCG, "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV", 15 February 2026; terms of DPV 2.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from consent.wire.dpv_places import EEA, find_place_term

# Any: the plain JSON values of a record and of JSON-LD, in either direction.
Values = Mapping[str, Any]

MEDIA_TYPE = "application/ld+json"

CONTEXT: Mapping[str, object] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "loc": "https://w3id.org/dpv/loc#",
        "dct": "http://purl.org/dc/terms/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dct:conformsTo": {"@type": "@id"},
        "dct:created": {"@type": "xsd:dateTime"},
        "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
    }
)

# Never the profiles for the GDPR: they stand for all that articles 13 and 14 ask for, and no banner knows that.
# The guide lists `#receipt-record`, its example and the published schema have `#receipt`.
_PROFILES = "https://w3id.org/dpv/schema/dpv-27560"
_RECORD_PROFILE, _RECEIPT_PROFILE = f"{_PROFILES}#record", f"{_PROFILES}#receipt"

# What the shipped purposes are called there; a site's own is a `dpv:Purpose` with a title.
_PURPOSES = MappingProxyType(
    {"preferences": "dpv:Personalisation", "analytics": "dpv:ServiceUsageAnalytics", "marketing": "dpv:Marketing"}
)
_NOTICES = MappingProxyType({"privacy": "dpv:PrivacyNotice", "cookies": "dpv:PrivacyNotice"})
_INTEREST = "legitimate_interest"

_MANDATORY: Mapping[str, str] = MappingProxyType(
    {
        "schema version": "dct:conformsTo",
        "record id": "dct:identifier",
        "pii principal id": "dpv:hasDataSubject",
        "privacy notice": "dpv:hasNotice",
        "language": "dct:language",
        "purpose": "dpv:hasPurpose",
        "pii information": "dpv:hasPersonalData",
        "pii controllers": "dpv:hasDataController",
        "storage locations": "dpv:StorageLocation",
        "retention period": "dpv:StorageDuration",
        "jurisdiction": "dpv:hasJurisdiction",
        "recipient third parties": "dpv:hasRecipient",
        "withdrawal method": "dpv:hasConsentControl",
        "party name": "dpv:hasName",
        "party identifier": "dpv:hasIdentifier",
        "party address": "schema:address",
        "party contact": "schema:contactPoint",
        "event time": "dpv:isIndicatedAtTime",
        "validity duration": "dpv:hasDuration",
        "entity id": "dpv:isIndicatedBy",
        "event type": "dpv:hasLegalBasis",
        "event state": "dpv:hasConsentStatus",
    }
)
"""Mandatory field of ISO/IEC TS 27560:2023 to the term that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedSite:
    """Hold what a description says of the site; records name purposes and services by key alone."""

    controller: str
    base_url: str = ""
    """Such as `https://shop.example`, without a path; empty where it is not known, and then the controller has no identifier."""

    purposes: Mapping[str, str] = field(default_factory=dict)
    """Title by purpose key."""

    providers: Mapping[str, str] = field(default_factory=dict)
    """Name of who receives data, by service key."""


def describe_dpv(record: Values, *, site: DescribedSite, previous: Values | None = None) -> dict[str, object]:
    """Return a record as a `dpv:ConsentRecord`.

    Args:
        record: In the shape `consent-record/1`, with its account or without.
        previous: The subject's record before this one, which tells what was withdrawn from what was refused all along. Without
            it a record of a withdrawal has everything withdrawn that is not granted in it.

    Returns:
        JSON-LD with a context of its own, so that nothing has to be fetched. What neither record nor site says is left out;
        `find_missing` lists it.
    """
    return {"@context": dict(CONTEXT), **_describe_record(record, site, previous)}


def describe_dpv_receipt(receipt: Values, *, site: DescribedSite) -> dict[str, object]:
    """Return a receipt as a `dpv:ConsentReceipt` around its record and the earlier ones.

    Args:
        receipt: In the shape `consent-receipt/1`; a signature in it is left out, since it covers another text.
    """
    records = [receipt["record"], *receipt["history"]]
    by_id = {each["record_id"]: each for each in records}
    return {
        "@context": dict(CONTEXT),
        "@id": _urn(receipt["receipt_id"]),
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt["receipt_id"],
        "dpv:hasIdentifier": receipt["receipt_id"],
        "dct:conformsTo": _RECEIPT_PROFILE,
        "dct:created": receipt["issued_at"],
        "dct:publisher": _describe_controller(site),
        "dpv:hasRecordOfActivity": [
            _describe_record(each, site, by_id.get(each.get("previous") or "")) for each in records
        ],
    }


def find_missing(described: Values) -> tuple[str, ...]:
    """Return the mandatory fields of ISO/IEC TS 27560:2023 that a described record does not have.

    Personal data, storage, address and contact are the site's to add: no banner knows them.
    """
    found = frozenset(_list_terms(described))
    return tuple(name for name, term in _MANDATORY.items() if term not in found)


def _describe_record(record: Values, site: DescribedSite, previous: Values | None) -> dict[str, object]:
    subject_id, place = record.get("subject_id"), find_place_term(record.get("jurisdiction"))
    return {
        "@id": _urn(record["record_id"]),
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record["record_id"],
        "dct:conformsTo": _RECORD_PROFILE,
        "dct:created": record["event_time"],
        **({"dct:replaces": {"@id": _urn(record["previous"])}} if record.get("previous") else {}),
        **({"dpv:hasDataSubject": {"@id": _urn(subject_id), "@type": "dpv:DataSubject"}} if subject_id else {}),
        "dpv:hasDataController": _describe_controller(site),
        **({"dpv:hasJurisdiction": {"@id": place}} if place else {}),
        "dpv:hasNotice": [*_describe_notice(record), *map(_describe_document, record["documents"].items())],
        **_describe_control(record, site),
        "dpv:hasProcess": [
            _describe_process(key, each, record, site)
            for key, each in record["decisions"].items()
            if "vendors" in each or key in site.purposes
        ],
        **_describe_statuses(record, previous),
    }


def _describe_controller(site: DescribedSite) -> dict[str, object]:
    controller_id = f"{site.base_url}/#controller" if site.base_url else ""
    known = {"@id": controller_id, "dpv:hasIdentifier": controller_id} if controller_id else {}
    return {"@type": "dpv:DataController", "dpv:hasName": site.controller, **known}


def _describe_notice(record: Values) -> Iterable[dict[str, object]]:
    notice = record.get("notice")
    if notice is None:
        return
    hashes = (notice.get(name) for name in ("text_sha256", "ui_sha256"))
    identifiers = [notice["version"], *(f"sha256:{each}" for each in hashes if each)]
    yield {"@type": "dpv:ConsentNotice", "dct:identifier": identifiers, "dct:language": record["language"]}


def _describe_document(entry: tuple[str, Values]) -> dict[str, object]:
    key, known = entry
    version = known.get("version") or known["fingerprint"]
    return {"@type": _NOTICES.get(key, "dpv:Notice"), "dct:identifier": f"{key} {version}"}


def _describe_control(record: Values, site: DescribedSite) -> dict[str, object]:
    path = record.get("withdrawal_url")
    if not path:
        return {}
    where: dict[str, object] = {"dpv:isExercisedAt": {"@id": f"{site.base_url}{path}"} if site.base_url else path}
    right = {"dpv:hasRight": {"@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"], **where}}
    return {
        "dpv:hasConsentControl": {"@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"], **where},
        **(right if _is_in_eea(record) else {}),
    }


def _describe_process(key: str, decision: Values, record: Values, site: DescribedSite) -> dict[str, object]:
    kinds = ["dpv:Purpose", *([_PURPOSES[key]] if key in _PURPOSES else [])]
    basis = _find_basis(decision, record)
    recipients = [
        {"@type": "dpv:Recipient", "dct:identifier": each, "dpv:hasName": site.providers.get(each, each)}
        for each in decision.get("vendors", ())
    ]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@type": kinds, "dct:identifier": key, "dct:title": site.purposes.get(key, key)},
        **({"dpv:hasLegalBasis": {"@id": basis}} if basis else {}),
        **({"dpv:hasRecipient": recipients} if recipients else {}),
    }


def _find_basis(decision: Values, record: Values) -> str:
    is_in_eea = _is_in_eea(record)
    if decision["basis"] == _INTEREST:
        return "eu-gdpr:A6-1-f" if is_in_eea else "dpv:LegitimateInterest"
    # Where nobody is asked first, what was not granted does not rest on consent.
    if record["mode"] != "opt_in" and decision["state"] != "granted":
        return ""
    return "eu-gdpr:A6-1-a" if is_in_eea else "dpv:ExplicitlyExpressedConsent"


def _describe_statuses(record: Values, previous: Values | None) -> dict[str, object]:
    if record.get("event") == "acknowledgement":
        # Whoever has noted something has agreed to nothing by it (requirement R15).
        return {"dpv:hasConsentStatus": [_describe_act(["dpv:ConsentUnknown", "dpv:ImpliedConsent"], record)]}
    consents: list[dict[str, object]] = []
    interests: list[dict[str, object]] = []
    for key, decision in record["decisions"].items():
        is_interest = decision["basis"] == _INTEREST
        kinds = _judge_interest(decision) if is_interest else _judge_consent(key, decision, record, previous)
        (interests if is_interest else consents).append({"dct:subject": key, **_describe_act(kinds, record)})
    return {"dpv:hasConsentStatus": consents, **({"dpv:hasStatus": interests} if interests else {})}


def _judge_interest(decision: Values) -> list[str]:
    is_objected = decision["state"] == "refused"
    return ["dpv:LegitimateInterestObjected" if is_objected else "dpv:LegitimateInterestNotObjected"]


def _judge_consent(key: str, decision: Values, record: Values, previous: Values | None) -> list[str]:
    if decision["state"] == "granted" and record["mode"] != "notice":
        return ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"]
    if decision["state"] != "refused":
        return ["dpv:ConsentUnknown"]
    was_granted = previous is None or previous["decisions"].get(key, {}).get("state") == "granted"
    is_withdrawn = record.get("event") == "withdrawal" and was_granted
    return ["dpv:ConsentWithdrawn" if is_withdrawn else "dpv:ConsentRefused"]


def _describe_act(kinds: list[str], record: Values) -> dict[str, object]:
    is_noted = record.get("event") == "acknowledgement"
    method = f"{record['source']}: {record['action']}" if "action" in record else ""
    end = {"@type": "xsd:dateTime", "@value": record["valid_until"]}
    return {
        "@type": kinds,
        "dpv:isIndicatedBy": {"@id": "dpv:DataSubject"},
        **({"dpv:hasIndicationMethod": method} if method else {}),
        "dpv:isIndicatedAtTime": record["event_time" if is_noted else "decided_at"],
        "dpv:hasDuration": {"@type": "dpv:UntilTimeDuration", "rdf:value": end},
    }


def _is_in_eea(record: Values) -> bool:
    return str(record.get("jurisdiction") or "").partition("-")[0] in EEA


def _urn(record_id: str) -> str:
    return f"urn:uuid:{record_id}"


def _list_terms(value: object) -> Iterator[str]:
    """Yield every property and type that is used anywhere below a value, but for its context."""
    if isinstance(value, Mapping):
        kinds = value.get("@type", ())
        yield from [kinds] if isinstance(kinds, str) else kinds
        for name, below in value.items():
            if name != "@context" and below not in ([], {}):
                yield name
                yield from _list_terms(below)
    elif isinstance(value, list):
        for each in value:
            yield from _list_terms(each)
