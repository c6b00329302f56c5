"""What ruled a notice, written out once: the policy as it was declared, the rules of the place, and the code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date

from consent.core.jurisdiction import Jurisdiction
from consent.core.notice import Artefact
from consent.core.policy import Policy
from consent.core.policy_version import describe_material

SCHEMA = "consent-configuration/1"


def describe_configuration(
    policy: Policy, jurisdiction: Jurisdiction, *, code: Mapping[str, object], stylesheets: Mapping[str, str]
) -> Artefact:
    """Return everything that was declared, as an artefact.

    Its member `material` has the policy's version as its digest (`consent.core.policy_version.digest_material`).

    Args:
        code: What was running, as plain JSON values: the library's version, and the hash of each file it serves.
        stylesheets: By name, in full: how the notice looked.
    """
    return write_artefact(
        {
            "schema": SCHEMA,
            "policy_version": policy.version,
            "material": describe_material(policy.controller, policy.purposes, policy.services, policy.documents),
            "policy": to_plain(policy),
            "jurisdiction": {"row": jurisdiction.row_id, **_describe_members(jurisdiction)},
            "code": code,
            "stylesheets": stylesheets,
        }
    )


def write_artefact(values: Mapping[str, object]) -> Artefact:
    """Return plain JSON values in the one spelling that is hashed: members sorted, no space, every script as it is."""
    body = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Artefact(media_type="application/json", body=body)


def to_plain(value: object) -> object:
    """Return a declaration as plain JSON values: the members that were given, sets in order, days in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return _describe_members(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return value.isoformat() if isinstance(value, date) else value


def _describe_members(declared: object) -> dict[str, object]:
    # What is worked out from the rest, such as fingerprints, was not declared.
    names = [each.name for each in fields(declared) if each.init]  # type: ignore[arg-type]  # a dataclass, as asked above
    return {name: to_plain(getattr(declared, name)) for name in names}
