"""Calendar months: not 180 days, never above what browsers keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from consent.core.lifetime import MONTHS_LIMIT, Months, add_months
from consent.core.record import Choice

EVERY_DAY = [datetime(2027, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(366 + 365)]


@pytest.mark.parametrize(
    ("begin", "months", "end"),
    [
        ("2025-08-31", 6, "2026-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2026-08-30", 6, "2027-02-28"),
        ("2026-08-28", 6, "2027-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-03-31", 1, "2026-04-30"),
        ("2026-06-15", 6, "2026-12-15"),
        ("2026-07-15", 6, "2027-01-15"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-12-31", 12, "2027-12-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-31", 13, "2028-01-31"),
        ("2099-08-31", 6, "2100-02-28"),
    ],
)
def test_add_months_keeps_the_day_or_takes_the_last(begin, months, end):
    start = datetime.fromisoformat(f"{begin}T23:59:58Z")

    assert add_months(start, months) == datetime.fromisoformat(f"{end}T23:59:58Z")


def test_six_months_are_181_to_184_days():
    assert {(add_months(day, 6) - day).days for day in EVERY_DAY} == {181, 182, 183, 184}


@pytest.mark.parametrize("months", range(1, MONTHS_LIMIT + 1))
def test_no_allowed_lifetime_is_longer_than_browsers_keep(months):
    longest = max(add_months(day, months) - day for day in EVERY_DAY)

    assert timedelta(days=28) <= longest <= timedelta(days=400)
    assert longest.total_seconds() <= 34_560_000


def test_add_months_keeps_the_time_zone():
    zone = timezone(timedelta(hours=9))

    assert add_months(datetime(2026, 8, 31, tzinfo=zone), 6) == datetime(2027, 2, 28, tzinfo=zone)


def test_later_choices_never_end_earlier():
    ends = [add_months(day, 6) for day in EVERY_DAY]

    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("choices", "months"),
    [
        ({}, 12),
        ({"analytics": Choice.DENIED}, 12),
        ({"analytics": Choice.DENIED, "stats": Choice.GRANTED}, 6),
    ],
    ids=["noted", "refused", "granted"],
)
def test_one_grant_makes_a_choice_hold_as_long_as_a_grant(choices, months):
    assert Months(accept=6, refuse=12).after(choices) == months
