"""Where the states of a signal differ from those for an unknown place: for providers that find the place themselves."""

from __future__ import annotations

from collections.abc import Mapping

from consent.core.record import Choice
from consent.core.signal_call import Region


def group_regions(
    states_by_place: Mapping[str, Mapping[str, Choice]], unknown: Mapping[str, Choice]
) -> tuple[Region, ...]:
    """Return the places in which other states hold than in an unknown one, those with the same states together.

    A region within such a country is named, too, where the states are those of an unknown place: for
    the provider, the more specific code wins.

    Args:
        states_by_place: State of each type by place code, such as `JP` or `US-CA`.
        unknown: State of each type where the place is not known.
    """
    groups: dict[tuple[tuple[str, Choice], ...], list[str]] = {}
    for code, states in sorted(states_by_place.items()):
        country, _, region = code.partition("-")
        around = states_by_place.get(country, unknown) if region else unknown
        if dict(states) != dict(around):
            groups.setdefault(tuple(states.items()), []).append(code)
    return tuple(Region(codes=tuple(codes), states=dict(states)) for states, codes in groups.items())
