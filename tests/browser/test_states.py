"""Promise 1 in both browsers with JavaScript on, as the table of `tests/browser/states.py` shows it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.browser.newsroom import TRACKERS, Newsroom
from tests.browser.states import Sight, print_table, visit_with_chromium, visit_with_firefox, walk

_STATES = ["before a choice", "rejected", "accepted", "withdrawn"]
_FILM_TRACKERS = {*TRACKERS} - {"maps.localhost"}


@pytest.fixture(params=["chromium", "firefox"])
def sights(request: pytest.FixtureRequest, newsroom: Newsroom) -> list[Sight]:
    """What one browser's walk through all states showed."""
    if request.param == "chromium":
        return walk(visit_with_chromium(request.getfixturevalue("whole_browser")), newsroom)
    return walk(visit_with_firefox(request.getfixturevalue("scripting_fox")), newsroom)


def test_third_parties_get_something_in_the_one_state_alone(sights: list[Sight]) -> None:
    before, rejected, accepted, withdrawn = sights

    assert [sight.state for sight in sights] == _STATES
    for sight in (before, rejected, withdrawn):
        assert (sight.sent, sight.arrived, sight.connections, sight.stored) == ({}, {}, 0, 0)
    assert set(accepted.arrived) == _FILM_TRACKERS
    assert set(accepted.sent) == _FILM_TRACKERS | {"www.googletagmanager.com"}
    assert [sight.own_cookies for sight in sights] == [
        *((), ("consent",)),
        *(("consent", "hs_id", "hs_seen"), ("consent",)),
    ]
    # What third parties keep under their own names, no site can take away.
    kept = ("ads.localhost:ha_profile", "social.localhost:hso_user", "video.localhost:hv_viewer")
    assert [sight.foreign_cookies for sight in sights] == [(), (), kept, kept]


def test_table_has_a_line_for_each_state(capsys: pytest.CaptureFixture[str]) -> None:
    sight = Sight(
        state="accepted",
        sent=Counter({"b.example": 1, "a.example": 2}),
        arrived=Counter(),
        connections=3,
        own_cookies=("consent", "hs_id"),
        foreign_cookies=(),
        stored=4,
    )

    print_table("A browser", [sight])

    assert capsys.readouterr().out.splitlines()[-1] == (
        "| accepted | 3 (a.example 2, b.example 1) | 0 | 3 | consent, hs_id | none | 4 |"
    )
