"""Which days, lines and versions the dashboard shows, and in which order."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from consent.core.tally import Counted, TallyKey
from consent.web.overview import Span, make_overview

LAST = date(2026, 11, 23)


def make_span(days):
    return Span(since=LAST - timedelta(days=days - 1), until=LAST)


def overview_of(tallies, days=30, **titles):
    return make_overview(tallies, make_span(days), place_titles=titles)


def count(number, *, ago=0, counted=Counted.ACCEPTED, **members):
    return {TallyKey(day=LAST - timedelta(days=ago), counted=counted, **members): number}


@pytest.mark.parametrize(
    ("since", "until", "short", "full"),
    [
        (LAST, LAST, "23 Nov", "23 Nov 2026"),
        (date(2026, 11, 3), date(2026, 11, 9), "3 to 9 Nov", "3 to 9 Nov 2026"),
        (date(2026, 10, 25), LAST, "25 Oct to 23 Nov", "25 Oct to 23 Nov 2026"),
        (date(2025, 11, 24), LAST, "24 Nov to 23 Nov", "24 Nov 2025 to 23 Nov 2026"),
    ],
)
def test_span_is_written_as_people_do(since, until, short, full):
    span = Span(since=since, until=until)

    assert (str(span), span.text) == (short, full)


def test_span_before_ends_where_the_span_begins():
    span = make_span(30)

    assert (span.before.days, span.before.until) == (30, date(2026, 10, 24))


@pytest.mark.parametrize(("days", "columns", "last"), [(7, 7, 1), (30, 30, 1), (90, 90, 1), (365, 53, 7)])
def test_columns_cover_every_day_once_and_end_with_a_whole_one(days, columns, last):
    parts = [column.span for column in overview_of({}, days).columns]

    assert len(parts) == columns
    assert parts[-1].days == last
    assert sum(part.days for part in parts) == days
    assert all(after.since - before.until == timedelta(days=1) for before, after in pairwise(parts))


def test_columns_of_weeks_add_up_their_days():
    columns = overview_of({**count(1), **count(2, ago=6), **count(4, ago=7), **count(8, ago=364)}, 365).columns

    assert [column.numbers[Counted.ACCEPTED] for column in (columns[-1], columns[-2], columns[0])] == [3, 4, 8]


def test_days_outside_count_neither_here_nor_before():
    overview = overview_of({**count(1, ago=29), **count(2, ago=30), **count(4, ago=59), **count(8, ago=60)})

    assert (overview.total[Counted.ACCEPTED], overview.before[Counted.ACCEPTED]) == (1, 6)


def test_lines_have_most_choices_first_and_the_titles_of_their_rows():
    overview = overview_of(
        {
            **count(5, jurisdiction="DE", language="de"),
            **count(9, jurisdiction="FR", language="fr", counted=Counted.REFUSED),
            **count(3, jurisdiction="XX", language="de", counted=Counted.PROMPT),
        },
        FR="France",
    )

    assert [(line.key, line.title, line.choices) for line in overview.places] == [
        ("FR", "France", 9),
        ("DE", "DE", 5),
        ("XX", "XX", 0),
    ]
    assert [line.key for line in overview.languages] == ["fr", "de"]


def test_objections_are_shown_only_where_there_are_any():
    assert Counted.OPTED_OUT not in overview_of(count(1)).outcomes
    assert Counted.OPTED_OUT in overview_of(count(1, counted=Counted.OPTED_OUT)).outcomes


def test_versions_are_newest_first_and_the_earliest_has_no_first_day():
    overview = overview_of(
        {**count(1, ago=40, policy_version="a"), **count(1, ago=9, policy_version="a"), **count(1, policy_version="b")}
    )

    assert [(each.version, each.first_seen) for each in overview.versions] == [("b", LAST), ("a", None)]
    assert [column.begun for column in overview.columns if column.begun] == [("b",)]


def test_version_of_the_days_before_is_not_listed_and_its_successor_is_marked():
    overview = overview_of({**count(1, ago=40, policy_version="a"), **count(1, ago=29, policy_version="b")})

    assert [each.version for each in overview.versions] == ["b"]
    assert overview.columns[0].begun == ("b",)
