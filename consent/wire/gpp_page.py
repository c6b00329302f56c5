"""What a page is told of GPP: the data of the `__gpp` API, and the script that answers until the API has loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources

from consent.wire.gpp import Section, describe_section, encode_gpp

_NOT_APPLICABLE = -1
"""What `applicableSections` holds when no section applies (CMP API 1.1, `PingReturn`)."""


def describe_gpp(sections: Sequence[Section], *, applicable_ids: Collection[int] | None = None) -> dict[str, object]:
    """Return what `gpp.js` and the address it asks are told, as JSON values.

    Args:
        sections: What the string holds.
        applicable_ids: Ids of the sections in force for this visitor; None for all that are given.

    Returns:
        `{"gppString": str, "applicableSections": ids or [-1], "sectionList": ids, "parsedSections": {prefix: segments}}`.

    Raises:
        ValueError: If a section contradicts itself, or one applies that the string does not hold.
    """
    by_id = {section.section_id: section for section in sorted(sections, key=lambda each: each.section_id)}
    applicable = sorted(by_id if applicable_ids is None else applicable_ids)
    if missing := [each for each in applicable if each not in by_id]:
        raise ValueError(
            f"'applicable_ids' must be ids of the sections given, {sorted(by_id)}, got {missing}. Give those sections too."
        )
    return {
        "gppString": encode_gpp(by_id),
        "applicableSections": applicable or [_NOT_APPLICABLE],
        "sectionList": list(by_id),
        "parsedSections": {section.prefix: describe_section(section) for section in by_id.values()},
    }


@cache
def read_gpp_stub() -> str:
    """Return the script that stands in front of whatever reads GPP: constant, and safe inside `<script>`."""
    return (resources.files("consent") / "static" / "consent" / "gpp_stub.js").read_text(encoding="utf-8")
