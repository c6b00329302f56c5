"""The canonical form of a policy, its digest, and the fingerprint of each key.

A fingerprint covers what a visitor agreed to: it changes when a purpose or service becomes
materially another one, and not with wording, order or colours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, Service
from consent.core.document import Document

# 24 bits keep 20 services within a 300-byte cookie; a clash within one policy is a start-up error.
FINGERPRINT_BYTES = 3


def fingerprint_purpose(purpose: Purpose) -> bytes:
    """Return the 3-byte fingerprint of what a grant of this purpose covers."""
    return _digest(_material_purpose(purpose))[:FINGERPRINT_BYTES]


def fingerprint_service(service: Service, purposes: Mapping[str, Purpose]) -> bytes:
    """Return the 3-byte fingerprint of what a grant of this service covers.

    Args:
        purposes: Every declared purpose by key.
    """
    return _digest(_material_service(service, purposes))[:FINGERPRINT_BYTES]


def digest_policy(
    controller: str, purposes: Sequence[Purpose], services: Sequence[Service], documents: Sequence[Document] = ()
) -> str:
    """Return the policy version: 16 hexadecimal digits over everything material."""
    return digest_material(describe_material(controller, purposes, services, documents))


def describe_material(
    controller: str, purposes: Sequence[Purpose], services: Sequence[Service], documents: Sequence[Document] = ()
) -> dict[str, object]:
    """Return everything material of a policy as plain JSON values, in an order that does not depend on the declaration's."""
    by_key = {purpose.key: purpose for purpose in purposes}
    return {
        "controller": controller,
        "purposes": sorted((_material_purpose(purpose) for purpose in purposes), key=_canonical),
        "services": sorted((_material_service(service, by_key) for service in services), key=_canonical),
        "documents": sorted((document.key, document.version) for document in documents),
    }


def digest_material(material: Mapping[str, object]) -> str:
    """Return the policy version of what `describe_material` gave, also once it was written as JSON and read back."""
    return _digest(material).hex()[:16]


def _material_purpose(purpose: Purpose) -> dict[str, object]:
    return {
        "purpose": purpose.key,
        "kind": str(purpose.kind),
        "denied_by_gpc": purpose.denied_by_gpc,
        "revision": purpose.revision,
    }


def _material_service(service: Service, purposes: Mapping[str, Purpose]) -> dict[str, object]:
    return {
        "service": service.key,
        "purposes": [_material_purpose(purposes[key]) for key in sorted(service.purposes)],
        "provider": service.provider,
        "country": service.provider_country,
        "third_party_use": service.third_party_use,
        "cookies": sorted((_material_cookie(cookie) for cookie in service.cookies), key=_canonical),
        "revision": service.revision,
    }


def _material_cookie(cookie: CookieDeclaration) -> list[object]:
    return [
        cookie.name,
        str(cookie.kind),
        cookie.months,
        cookie.days,
        cookie.minutes,
        cookie.session,
        cookie.third_party,
        # Left out where it is false: declarations of before there was such a thing keep their fingerprint.
        *(["unpublished"] if cookie.unpublished else []),
    ]


def _digest(material: Mapping[str, object]) -> bytes:
    return sha256(_canonical(material).encode()).digest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
