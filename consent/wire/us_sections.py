"""The sections of a GPP string that speak of the United States: what they hold, and how it is written.

Source: IAB Tech Lab, MSPA US National section 2.0; California section 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import ClassVar

from consent.wire._gpp_bits import BitReader, encode_int, pack_bits

_GPC_SEGMENT_TYPE = 1
_OPT_OUT_OPTION_MODE = (1, 2)
_SERVICE_PROVIDER_MODE = (2, 1)
"""The values of the two fields on the MSPA's modes."""

_TEXT = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsNational:
    """Hold the section `usnat`, version 2.

    Notices: 0 does not apply, 1 given, 2 not given. Opt-outs: 0 does not apply, 1 opted out, 2 not. Consents: 0 does not
    apply, 1 no consent, 2 consent.

    Raises:
        ValueError: For a value that the field does not have.
    """

    section_id: ClassVar[int] = 7
    prefix: ClassVar[str] = "usnat"
    version: ClassVar[int] = 2

    sharing_notice: int = 0
    sale_opt_out_notice: int = 0
    sharing_opt_out_notice: int = 0
    targeted_advertising_opt_out_notice: int = 0
    sensitive_data_processing_opt_out_notice: int = 0
    sensitive_data_limit_use_notice: int = 0
    sale_opt_out: int = 0
    sharing_opt_out: int = 0
    targeted_advertising_opt_out: int = 0
    sensitive_data_processing: tuple[int, ...] = (0,) * 16
    """Consents, by kind of sensitive data."""

    known_child_sensitive_data_consents: tuple[int, ...] = (0,) * 3
    personal_data_consents: int = 0
    mspa_covered_transaction: int = 2
    """1 yes, 2 no. Yes is a statement about a contract: nothing but the site's own word may set it."""

    mspa_opt_out_option_mode: int = 0
    mspa_service_provider_mode: int = 0
    gpc: bool | None = None
    """Whether the browser sends Global Privacy Control; None leaves its segment out."""

    def __post_init__(self) -> None:
        _check_values(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsCalifornia:
    """Hold the section `usca`, version 1. Values are those of `UsNational`.

    Raises:
        ValueError: For a value that the field does not have.
    """

    section_id: ClassVar[int] = 8
    prefix: ClassVar[str] = "usca"
    version: ClassVar[int] = 1

    sale_opt_out_notice: int = 0
    sharing_opt_out_notice: int = 0
    sensitive_data_limit_use_notice: int = 0
    sale_opt_out: int = 0
    sharing_opt_out: int = 0
    sensitive_data_processing: tuple[int, ...] = (0,) * 9
    """Opt-outs, by kind of sensitive data; their numbers are others than those of `UsNational`."""

    known_child_sensitive_data_consents: tuple[int, ...] = (0,) * 2
    personal_data_consents: int = 0
    mspa_covered_transaction: int = 2
    """1 yes, 2 no. Yes is a statement about a contract: nothing but the site's own word may set it."""

    mspa_opt_out_option_mode: int = 0
    mspa_service_provider_mode: int = 0
    gpc: bool | None = None
    """Whether the browser sends Global Privacy Control; None leaves its segment out."""

    def __post_init__(self) -> None:
        _check_values(self)


Section = UsNational | UsCalifornia

_KINDS: Mapping[int, type[Section]] = MappingProxyType({kind.section_id: kind for kind in (UsNational, UsCalifornia)})
_LAYOUTS: Mapping[int, Mapping[str, int]] = MappingProxyType(
    {
        kind.section_id: {
            field.name: len(field.default) if isinstance(field.default, tuple) else 1
            for field in fields(kind)
            if field.name != "gpc"
        }
        for kind in _KINDS.values()
    }
)
"""By section, each field of two bits in its order, with the number of its values."""


def describe_section(section: Section) -> list[dict[str, object]]:
    """Return a section as the browser's API tells it: one object per segment, fields in UpperCamelCase."""
    layout = _LAYOUTS[section.section_id]
    core: dict[str, object] = {"Version": section.version}
    for name, count in layout.items():
        value = getattr(section, name)
        core[_camel(name)] = list(value) if count > 1 else value
    if section.gpc is None:
        return [core]
    return [core, {"SubsectionType": _GPC_SEGMENT_TYPE, "Gpc": section.gpc}]


def encode_section(section_id: int, section: Section | str) -> str:
    """Write a section; a text is written as it is.

    Raises:
        ValueError: If the id is not that of the section, the text can be no section's, or the section contradicts itself.
    """
    if isinstance(section, str):
        return _check_text(section_id, section)
    if section.section_id != section_id:
        raise ValueError(f"Section {section.prefix!r} has the id {section.section_id}, and stands under {section_id}.")
    _check_consistency(section)
    bits = encode_int(section.version, 6)
    for name in _LAYOUTS[section_id]:
        bits += "".join(encode_int(each, 2) for each in _values(section, name))
    core = pack_bits(bits)
    if section.gpc is None:
        return core
    return f"{core}.{pack_bits(encode_int(_GPC_SEGMENT_TYPE, 2) + encode_int(section.gpc, 1))}"


def decode_section(section_id: int, text: str) -> Section | str:
    """Read a section; one of another id or version stays the text it is.

    Raises:
        ValueError: If the text can be no section, or holds a value that it cannot have.
    """
    _check_text(section_id, text)
    kind = _KINDS.get(section_id)
    core, *others = text.split(".")
    if kind is None or BitReader(core[:1]).read_int(6) != kind.version:
        return text
    if len(others) > 1:
        raise ValueError(f"Section {kind.prefix!r} must have at most 2 segments, got {len(others) + 1}.")
    reader = BitReader(core)
    reader.read_int(6)
    values: dict[str, int | tuple[int, ...]] = {}
    for name, count in _LAYOUTS[section_id].items():
        read = tuple(reader.read_int(2) for _ in range(count))
        values[name] = read if count > 1 else read[0]
    reader.finish()
    return _build(kind, values, gpc=_decode_gpc(others[0]) if others else None)


def _build(kind: type[Section], values: Mapping[str, int | tuple[int, ...]], *, gpc: bool | None) -> Section:
    # Its names are those of the class's own layout, which a type checker cannot see.
    return kind(**values, gpc=gpc)  # type: ignore[arg-type]


def _decode_gpc(text: str) -> bool:
    reader = BitReader(text)
    if (found := reader.read_int(2)) != _GPC_SEGMENT_TYPE:
        raise ValueError(f"The second segment of a section must be of type {_GPC_SEGMENT_TYPE}, got {found}.")
    is_on = reader.read_int(1) == 1
    reader.finish()
    return is_on


def _check_text(section_id: int, text: str) -> str:
    if not _TEXT.fullmatch(text):
        raise ValueError(
            f"Section {section_id} must be one or more letters, digits, '-', '_' and '.', got {text[:40]!r}."
        )
    return text


def _check_values(section: Section) -> None:
    for name, count in _LAYOUTS[section.section_id].items():
        values = _values(section, name)
        allowed = (1, 2) if name == "mspa_covered_transaction" else (0, 1, 2)
        if len(values) != count or any(type(each) is not int or each not in allowed for each in values):
            amount = f"a tuple of {count} values, each" if count > 1 else "one value"
            raise ValueError(
                f"{name!r} of {section.prefix!r} must be {amount} of {allowed}, got {getattr(section, name)!r}."
            )
    if section.gpc is not None and type(section.gpc) is not bool:
        raise ValueError(f"'gpc' of {section.prefix!r} must be True, False or None, got {section.gpc!r}.")


def _check_consistency(section: Section) -> None:
    """Refuse what the specifications call impossible and the reference encoder writes all the same."""
    for name in ("sale_opt_out", "sharing_opt_out", "targeted_advertising_opt_out"):
        if hasattr(section, name):
            _check_notice(section, name, f"{name}_notice")
    if isinstance(section, UsCalifornia):
        _check_notice(section, "sensitive_data_processing", "sensitive_data_limit_use_notice")
    modes = (section.mspa_opt_out_option_mode, section.mspa_service_provider_mode)
    if section.mspa_covered_transaction == 2 and modes != (0, 0):
        raise ValueError(
            f"The MSPA modes of {section.prefix!r} must be 0 outside of a covered transaction, got {modes}. "
            "Set both to 0; only signatories of the MSPA may set 'mspa_covered_transaction' to 1."
        )
    if section.mspa_covered_transaction == 1 and modes not in {_OPT_OUT_OPTION_MODE, _SERVICE_PROVIDER_MODE}:
        raise ValueError(
            f"One of the MSPA modes of {section.prefix!r} must be 1 and the other 2 in a covered transaction, got {modes}. "
            "Set them to the mode that the site has chosen."
        )
    if modes == _SERVICE_PROVIDER_MODE:
        _check_service_provider(section)


def _check_service_provider(section: Section) -> None:
    # What IAB's encoders have validated (IABTechLab/iabgpp-java, pull request 36); 0 says "does not sell", "does not share".
    for name in ("sale_opt_out_notice", "sharing_opt_out_notice", "sensitive_data_limit_use_notice"):
        if getattr(section, name):
            raise ValueError(
                f"{name!r} of {section.prefix!r} must be 0 in the MSPA's service provider mode, in which nothing is sold or "
                f"shared, got {getattr(section, name)}. Set it to 0, or take the other mode."
            )


def _check_notice(section: Section, name: str, notice_name: str) -> None:
    notice = getattr(section, notice_name)
    if notice != 1 and any(_values(section, name)):
        raise ValueError(
            f"{name!r} of {section.prefix!r} must be 0 where {notice_name!r} is {notice}, got {getattr(section, name)!r}. "
            "Set it to 0, or the notice to 1 if it is given."
        )


def _values(section: Section, name: str) -> tuple[int, ...]:
    value = getattr(section, name)
    return value if isinstance(value, tuple) else (value,)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
