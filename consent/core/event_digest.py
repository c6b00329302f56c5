"""The digest of an event: what seals are made of, and what stays when the event is erased."""

from __future__ import annotations

from consent.core.field_encoding import encode_fields
from consent.core.ledger import ConsentEvent
from consent.core.merkle import hash_leaf

SCHEMA = b"consent-event/1"


def encode_event(event: ConsentEvent, salt: bytes) -> bytes:
    """Return the one spelling of an event and its salt: each field with its length before it, so that no two are alike.

    The fields, in order: schema, event id, subject id, revision, kind, recorded at and valid until (seconds since 1970),
    text and markup hash (empty for None), payload, salt. Numbers are in decimal digits; all is UTF-8.
    """
    texts = (
        *(event.event_id, event.subject_id, str(event.revision), event.kind),
        *(str(int(event.recorded_at.timestamp())), str(int(event.valid_until.timestamp()))),
        *(event.text_sha256 or "", event.ui_sha256 or "", event.payload),
    )
    return encode_fields((SCHEMA, *(each.encode() for each in texts), salt))


def digest_event(event: ConsentEvent, salt: bytes) -> bytes:
    """Return the 32-byte leaf hash of an event.

    Source:
        RFC 6962 section 2.1, `MTH({d(0)}) = SHA-256(0x00 || d(0))`, with `encode_event` as d.
    """
    return hash_leaf(encode_event(event, salt))
