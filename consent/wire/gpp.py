"""IAB Global Privacy Platform: the string, and what a decision says in it.

Written byte for byte as the IAB's own package writes it. Sections that this library does not know stay the text they are.

Source: IAB Tech Lab, Global Privacy Platform String 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from consent.wire._gpp_bits import BitReader, encode_fibonacci, encode_int, pack_bits
from consent.wire.us_sections import (
    Section,
    UsCalifornia,
    UsNational,
    decode_section,
    describe_section,
    encode_section,
)

__all__ = [
    "MspaMode",
    "Section",
    "UsCalifornia",
    "UsNational",
    "decode_gpp",
    "describe_section",
    "describe_us_privacy_choices",
    "encode_gpp",
]

MspaMode = Literal["opt_out_option", "service_provider"]

_HEADER_TYPE = 3
_HEADER_VERSION = 1
_HIGHEST_ID = 4095
"""The registered ids end below 100; without a limit, a few characters could name a thousand million sections."""

_KINDS: Mapping[str, type[Section]] = MappingProxyType({kind.prefix: kind for kind in (UsNational, UsCalifornia)})
_NONE_SENSITIVE: Mapping[int, bool | None] = MappingProxyType({})


def encode_gpp(sections: Mapping[int, Section | str]) -> str:
    """Write a GPP string.

    Args:
        sections: By section id; a text stands for a section that this module does not know, as it is to be in the string.

    Raises:
        ValueError: For an id that is no section's or not that of the section, a text that no section can be, or a section
            that contradicts itself: an opt-out without its notice, a mode of the MSPA outside of a covered transaction.
    """
    ids = sorted(sections)
    return "~".join((_encode_header(ids), *(encode_section(each, sections[each]) for each in ids)))


def decode_gpp(text: str) -> dict[int, Section | str]:
    """Read a GPP string; either padding will do.

    Returns:
        By section id, in their order: what this module knows as its class, another section or version as its text.

    Raises:
        ValueError: If the text is no GPP string, or a section that is known holds a value it cannot have.
    """
    header, *parts = text.split("~")
    ids = _decode_header(header, len(parts))
    return {section_id: decode_section(section_id, part) for section_id, part in zip(ids, parts, strict=True)}


def describe_us_privacy_choices(
    prefix: Literal["usnat", "usca"],
    *,
    is_advertising_open: bool,
    gpc: bool,
    sensitive: Mapping[int, bool | None] = _NONE_SENSITIVE,
    mspa_signatory: bool = False,
    mspa_mode: MspaMode | None = None,
) -> Section:
    """Say in a section what a decision means.

    Notices count as given, since every page links the choices; those on sensitive data only if there is any. One switch
    stands for sale, sharing and targeted advertising. In the MSPA's service provider mode there is none of the three, whatever
    the decision: their notices and opt-outs do not apply.

    Args:
        is_advertising_open: Whether the decision opens what serves advertising.
        gpc: Whether this request, or the visitor's memory of one, carries the signal; written as it is.
        sensitive: By the section's own number of the kind of sensitive data, from 1: True if its use is open, False if it
            is closed, None if the site does not process it. Kinds left out are not processed.
        mspa_signatory: Whether the site has signed the Multi-State Privacy Agreement and declares its transactions covered.
        mspa_mode: The agreement's mode that the site has chosen; needed from a signatory, and from nobody else.

    Raises:
        ValueError: For an unknown section, a number that the section does not have, or a mode that does not fit.
    """
    kind = _KINDS.get(prefix)
    if kind is None:
        raise ValueError(f"'prefix' must be 'usnat' or 'usca', got {prefix!r}.")
    opt_out = 2 if is_advertising_open else 1
    sensitive_data = _read_sensitive(sensitive, count=len(kind().sensitive_data_processing))
    sensitive_notice = int(any(sensitive_data))
    covered, opt_out_option, service_provider = _read_mspa(is_signatory=mspa_signatory, mode=mspa_mode)
    section = kind(
        sale_opt_out_notice=1,
        sharing_opt_out_notice=1,
        sensitive_data_limit_use_notice=sensitive_notice,
        sale_opt_out=opt_out,
        sharing_opt_out=opt_out,
        sensitive_data_processing=sensitive_data,
        mspa_covered_transaction=covered,
        mspa_opt_out_option_mode=opt_out_option,
        mspa_service_provider_mode=service_provider,
        gpc=gpc,
    )
    if isinstance(section, UsNational):
        section = replace(
            section,
            sharing_notice=1,
            targeted_advertising_opt_out_notice=1,
            sensitive_data_processing_opt_out_notice=sensitive_notice,
            targeted_advertising_opt_out=opt_out,
        )
    return _leave_out_sale(section) if mspa_mode == "service_provider" else section


def _leave_out_sale(section: Section) -> Section:
    """Return the section of a site that neither sells nor shares, nor limits what it does with sensitive data."""
    section = replace(
        section,
        sale_opt_out_notice=0,
        sharing_opt_out_notice=0,
        sensitive_data_limit_use_notice=0,
        sale_opt_out=0,
        sharing_opt_out=0,
    )
    if isinstance(section, UsCalifornia):
        # Its values are opt-outs behind that notice; those of `usnat` are consents, which stay.
        return replace(section, sensitive_data_processing=UsCalifornia().sensitive_data_processing)
    return replace(section, sharing_notice=0, targeted_advertising_opt_out_notice=0, targeted_advertising_opt_out=0)


def _read_sensitive(sensitive: Mapping[int, bool | None], *, count: int) -> tuple[int, ...]:
    for number in sensitive:
        if not 1 <= number <= count:
            raise ValueError(f"'sensitive' must be numbered from 1 to {count} in this section, got {number!r}.")
    # "No consent" and "opted out" are both 1, "consent" and "did not opt out" both 2.
    codes = {None: 0, False: 1, True: 2}
    return tuple(codes[sensitive.get(number)] for number in range(1, count + 1))


def _read_mspa(*, is_signatory: bool, mode: MspaMode | None) -> tuple[int, int, int]:
    allowed = ("opt_out_option", "service_provider") if is_signatory else (None,)
    if mode not in allowed:
        who = "a signatory of the MSPA" if is_signatory else "a site that has not signed the MSPA"
        raise ValueError(f"'mspa_mode' must be {' or '.join(map(repr, allowed))} for {who}, got {mode!r}.")
    if mode is None:
        return 2, 0, 0
    return (1, 1, 2) if mode == "opt_out_option" else (1, 2, 1)


def _encode_header(ids: list[int]) -> str:
    groups: list[tuple[int, int]] = []
    for section_id in ids:
        if not 1 <= section_id <= _HIGHEST_ID:
            raise ValueError(f"A section id of a GPP string must be between 1 and {_HIGHEST_ID}, got {section_id!r}.")
        if groups and groups[-1][1] + 1 == section_id:
            groups[-1] = (groups[-1][0], section_id)
        else:
            groups.append((section_id, section_id))
    bits = encode_int(_HEADER_TYPE, 6) + encode_int(_HEADER_VERSION, 6) + encode_int(len(groups), 12)
    last = 0
    for start, end in groups:
        length = encode_fibonacci(end - start) if end > start else ""
        bits += ("1" if length else "0") + encode_fibonacci(start - last) + length
        last = end
    return pack_bits(bits)


def _decode_header(text: str, count: int) -> list[int]:
    reader = BitReader(text)
    if (reader.read_int(6), reader.read_int(6)) != (_HEADER_TYPE, _HEADER_VERSION):
        raise ValueError("A GPP string must begin with 'DB', its type and version. Take the string as it was made.")
    ids: list[int] = []
    last = 0
    for _ in range(reader.read_int(12)):
        is_group = reader.read_int(1)
        start = last + reader.read_fibonacci()
        last = start + (reader.read_fibonacci() if is_group else 0)
        if last > _HIGHEST_ID:
            raise ValueError(f"A section id of a GPP string must be between 1 and {_HIGHEST_ID}, got {last}.")
        ids.extend(range(start, last + 1))
    reader.finish()
    if len(ids) != count:
        raise ValueError(f"The header of the GPP string names {len(ids)} sections, and {count} follow it.")
    return ids
