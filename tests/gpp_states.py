"""Random states of the GPP sections, all of which may be written: the same seed always gives the same state."""

from __future__ import annotations

from dataclasses import fields
from random import Random
from typing import Any

from consent.wire.gpp import Section, UsCalifornia, UsNational

_GUARDED = ("sale_opt_out", "sharing_opt_out", "targeted_advertising_opt_out")
_UNSOLD = ("sale_opt_out_notice", "sharing_opt_out_notice", "sensitive_data_limit_use_notice")
"""Notices that do not apply in the agreement's service provider mode."""

_OUTSIDE, _OPT_OUT_OPTION, _SERVICE_PROVIDER = (
    {"mspa_opt_out_option_mode": one, "mspa_service_provider_mode": other} for one, other in ((0, 0), (1, 2), (2, 1))
)
_MODES = {1: (_OPT_OUT_OPTION, _SERVICE_PROVIDER), 2: (_OUTSIDE, _OUTSIDE)}


def draw_sections(seed: int) -> dict[int, Section]:
    """Draw one section or both, by their ids."""
    random = Random(seed)
    kinds: list[type[Section]] = random.choice([[UsNational], [UsCalifornia], [UsNational, UsCalifornia]])
    return {kind.section_id: _draw_section(random, kind) for kind in kinds}


def _draw_section(random: Random, kind: type[Section]) -> Section:
    values: dict[str, Any] = {
        field.name: tuple(random.randint(0, 2) for _ in field.default)
        if isinstance(field.default, tuple)
        else random.randint(0, 2)
        for field in fields(kind)
    }
    values["gpc"] = random.choice([True, False, None])
    values["mspa_covered_transaction"] = random.randint(1, 2)
    return kind(**_make_consistent(values, kind))


def _make_consistent(values: dict[str, Any], kind: type[Section]) -> dict[str, Any]:
    """Say nothing of what was not announced, nothing of the agreement outside of it, and one mode of it inside."""
    values |= _MODES[values["mspa_covered_transaction"]][values["mspa_service_provider_mode"] % 2]
    if values["mspa_service_provider_mode"] == 1:
        values |= dict.fromkeys(_UNSOLD, 0)
    for name in _GUARDED:
        if values.get(f"{name}_notice", 1) != 1:
            values[name] = 0
    if kind is UsCalifornia and values["sensitive_data_limit_use_notice"] != 1:
        values["sensitive_data_processing"] = (0,) * 9
    return values
