from __future__ import annotations

from consent.core.record import Choice
from consent.core.signal_call import Region
from consent.core.signal_region import group_regions

DENIED = {"ad_storage": Choice.DENIED}
GRANTED = {"ad_storage": Choice.GRANTED}


def test_places_with_the_same_states_are_named_together():
    assert group_regions({"JP": GRANTED, "FR": DENIED, "IN": GRANTED}, DENIED) == (
        Region(codes=("IN", "JP"), states=GRANTED),
    )


def test_stricter_region_of_a_country_is_named_too():
    assert group_regions({"US": GRANTED, "US-XX": DENIED, "US-YY": GRANTED}, DENIED) == (
        Region(codes=("US",), states=GRANTED),
        Region(codes=("US-XX",), states=DENIED),
    )


def test_region_of_a_country_without_a_row_is_compared_with_an_unknown_place():
    assert group_regions({"XX-A": DENIED, "XX-B": GRANTED}, DENIED) == (Region(codes=("XX-B",), states=GRANTED),)
