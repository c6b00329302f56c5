"""The receipt of one visitor: their record, their history, and the names of what both are about."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent.core.ledger import Ledger
from consent.core.receipt import Origin, Receipt, encode_receipt, sign_content
from consent.core.record import ConsentRecord
from consent.core.stored_record import read_stored_record
from consent.errors import LedgerError
from consent.web.described_site import describe_site
from consent.web.visit import Visit
from consent.wire.dpv import describe_dpv_receipt
from consent.wire.signature import ALGORITHM, SignedKind

log = logging.getLogger("consent")

# Any: the plain JSON values of a record.
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundReceipt:
    """Hold a visitor's receipt, and whether the ledger could be asked for it."""

    receipt: Receipt
    is_out_of_reach: bool = False
    """Whether a ledger is configured and could not be read, so that the account and the history are missing."""


def find_receipt(visit: Visit) -> FoundReceipt | None:
    """Return the receipt of the choice that this visitor's browser holds; None for none.

    Whose it is follows from the signed cookie alone, or from what the site keeps for a user who is logged in: nothing that a
    request could ask for changes it (requirement T24).
    """
    held = visit.standing.last_record
    if held is None:
        return None
    try:
        records = _find_records(visit.site.ledger, held.subject_id)
    except LedgerError as error:
        log.warning("A receipt was made without the ledger, which could not be read: %s", error)
        return FoundReceipt(receipt=_make_receipt(visit, held, ()), is_out_of_reach=True)
    return FoundReceipt(receipt=_make_receipt(visit, held, records))


def describe_signed(visit: Visit, receipt: Receipt) -> dict[str, object]:
    """Return the receipt as plain values, signed so that the operator can tell it from a forged one."""
    content = receipt.as_dict()
    signature = visit.site.engine.sign(SignedKind.RECEIPT, encode_receipt(content))
    return sign_content(content, algorithm=ALGORITHM, signature=signature)


def describe_in_dpv(visit: Visit, receipt: Receipt, *, base_url: str) -> dict[str, object]:
    """Return the receipt in the Data Privacy Vocabulary."""
    return describe_dpv_receipt(receipt.as_dict(), site=describe_site(visit, base_url=base_url))


def title_of(visit: Visit, key: str) -> str:
    """Return the name of a purpose or service as it is declared today; of one that is not declared any more, its key."""
    policy = visit.policy
    return visit.title_of(key) if key in policy.purposes_by_key or key in policy.services_by_key else key


def _find_records(ledger: Ledger | None, subject_id: str | None) -> tuple[Values, ...]:
    if ledger is None or subject_id is None:
        return ()
    read = {event.event_id: read_stored_record(event.payload) for event in ledger.history(subject_id)}
    unreadable = [event_id for event_id, record in read.items() if record is None]
    if unreadable:
        log.error(
            "The ledger's record %r is no record any more: somebody has changed it. Verify the ledger.", unreadable[0]
        )
    return tuple(record for record in read.values() if record is not None)


def _make_receipt(visit: Visit, held: ConsentRecord, records: Sequence[Values]) -> Receipt:
    engine = visit.site.engine
    stored = next((each for each in records if each["record_id"] == held.record_id), None)
    record: Values = stored or held.as_dict()
    return Receipt(
        receipt_id=engine.new_id(),
        issued_at=engine.read_clock(),
        controller=visit.policy.controller,
        origin=Origin.LEDGER if stored else Origin.COOKIE,
        record=record,
        purposes=tuple(_name_purposes(visit, record)),
        documents=tuple(_name_documents(visit, record)),
        history=tuple(each for each in records if each is not stored),
    )


def _name_purposes(visit: Visit, record: Values) -> Iterator[Mapping[str, object]]:
    """Name what was decided on, in the order of the policy; what is not declared any more comes last."""
    decisions = record["decisions"]
    services = [key for key in decisions if _is_service(key, decisions[key], visit)]
    order = list(visit.policy.purposes_by_key)
    purposes = sorted(
        decisions.keys() - services, key=lambda key: (order.index(key) if key in order else len(order), key)
    )
    for key in purposes:
        served = decisions[key].get("vendors") or [
            service.key for service in visit.policy.services if key in service.purposes and service.key in services
        ]
        yield {
            "key": key,
            "title": title_of(visit, key),
            "services": [_name_service(visit, each) for each in served],
        }


def _is_service(key: str, decision: Values, visit: Visit) -> bool:
    return key in visit.policy.services_by_key or (
        key not in visit.policy.purposes_by_key and "vendors" not in decision
    )


def _name_service(visit: Visit, key: str) -> dict[str, str]:
    service = visit.policy.services_by_key.get(key)
    return {"key": key, "title": service.name if service else key, "provider": service.provider if service else ""}


def _name_documents(visit: Visit, record: Values) -> Iterator[Mapping[str, object]]:
    declared = {document.key: document for document in visit.policy.documents}
    for key, noted in record["documents"].items():
        document = declared.get(key)
        # Its address shows the version of today, which is the one that was noted only if both have one fingerprint.
        is_same = document is not None and document.fingerprint.hex() == noted["fingerprint"]
        yield {
            "key": key,
            "title": visit.asking.document_title(document) if document else key,
            "version": noted.get("version") or (document.version if document and is_same else ""),
            "url": document.url if document and is_same else "",
        }
