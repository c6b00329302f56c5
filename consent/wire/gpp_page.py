"""What a page is told of GPP: the data of the `__gpp` API, and the script that answers until the API has loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

from consent.wire.gpp import Section, describe_section, encode_gpp

_NOT_APPLICABLE = -1
"""What `applicableSections` holds when no section applies (CMP API 1.1, `PingReturn`)."""


def describe_gpp(sections: Sequence[Section]) -> dict[str, object]:
    """Return what `gpp.js` and the address it asks are told, as JSON values.

    Args:
        sections: What the string holds: those in force for this visitor, and no others.

    Returns:
        `{"gppString": str, "applicableSections": ids or [-1], "sectionList": ids, "parsedSections": {prefix: segments}}`.

    Raises:
        ValueError: If a section contradicts itself.
    """
    by_id = {section.section_id: section for section in sorted(sections, key=lambda each: each.section_id)}
    return {
        "gppString": encode_gpp(by_id),
        "applicableSections": list(by_id) or [_NOT_APPLICABLE],
        "sectionList": list(by_id),
        "parsedSections": {section.prefix: describe_section(section) for section in by_id.values()},
    }


@cache
def read_gpp_stub() -> str:
    """Return the script that stands in front of whatever reads GPP: constant, and safe inside `<script>`."""
    return (resources.files("consent") / "static" / "consent" / "gpp_stub.js").read_text(encoding="utf-8")
