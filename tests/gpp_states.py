"""Random states of the GPP sections, all of which may be written: the same seed always gives the same state."""

from __future__ import annotations

from dataclasses import fields
from random import Random
from typing import Any

from consent.wire.gpp import Section, UsCalifornia, UsNational

_GUARDED = ("sale_opt_out", "sharing_opt_out", "targeted_advertising_opt_out")


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
    """Say nothing of what was not announced, and nothing of the agreement outside of it."""
    for name in _GUARDED:
        if values.get(f"{name}_notice", 1) != 1:
            values[name] = 0
    if kind is UsCalifornia and values["sensitive_data_limit_use_notice"] != 1:
        values["sensitive_data_processing"] = (0,) * 9
    if values["mspa_covered_transaction"] == 2:
        values["mspa_opt_out_option_mode"] = values["mspa_service_provider_mode"] = 0
    return values
