"""What the dashboard shows of tallies: totals, columns over time, lines by place and language, versions of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from consent.core.tally import Counted, TallyKey
from consent.core.tally_summary import Dimension, Numbers, group, sum_up

# Of the year, a column for each week: by day they would be thinner than a line on a phone.
_DAYS_OF_COLUMNS = 7
_LONG_SPAN_DAYS = 100

_OUTCOMES = (Counted.ACCEPTED, Counted.PARTIAL, Counted.REFUSED, Counted.OPTED_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hold the days that are looked at, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> Span:
        """As many days, up to the first one here: what the numbers are compared with."""
        end = self.since - timedelta(days=1)
        return Span(since=end - timedelta(days=self.days - 1), until=end)

    def __contains__(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.since <= day <= self.until

    @property
    def text(self) -> str:
        """The days with their years, such as `24 Nov 2025 to 23 Nov 2026`."""
        is_one_year = self.since.year == self.until.year
        return (
            f"{self} {self.until.year}"
            if is_one_year
            else f"{format_day(self.since)} {self.since.year} to {format_day(self.until)} {self.until.year}"
        )

    def __str__(self) -> str:
        """Return the days as people write them: `3 Nov`, or `3 to 9 Nov`."""
        if self.since == self.until:
            return format_day(self.until)
        is_one_month = (self.since.year, self.since.month) == (self.until.year, self.until.month)
        return f"{self.since.day if is_one_month else format_day(self.since)} to {format_day(self.until)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold the numbers of one value, such as those of a jurisdiction."""

    key: str
    title: str
    numbers: Numbers

    @property
    def choices(self) -> int:
        """How many chose, opting out included."""
        return sum(self.numbers[each] for each in _OUTCOMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hold the numbers of a day, or of several."""

    span: Span
    numbers: Numbers
    begun: tuple[str, ...]
    """Versions of the policy that were first seen then, in place of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Hold one version of the policy."""

    version: str
    first_seen: date | None
    """None if it was there before the days that were read."""

    numbers: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Hold what is shown of some days."""

    span: Span
    total: Numbers
    before: Numbers
    """Of as many days before."""

    columns: tuple[Column, ...]
    places: tuple[Line, ...]
    """Most choices first, and so the languages."""

    languages: tuple[Line, ...]
    versions: tuple[Version, ...]
    """The newest first."""

    @property
    def outcomes(self) -> tuple[Counted, ...]:
        """What choices come to here; objections only where there are any."""
        return tuple(each for each in _OUTCOMES if each is not Counted.OPTED_OUT or self.total[each])


def make_overview(tallies: Mapping[TallyKey, int], span: Span, *, place_titles: Mapping[str, str]) -> Overview:
    """Sum up what was counted.

    Args:
        tallies: Of the span and of the one before it.
        place_titles: Name by key of the rows of the jurisdiction table.
    """
    shown = {key: number for key, number in tallies.items() if key.day in span}
    before = {key: number for key, number in tallies.items() if key.day in span.before}
    versions = _list_versions(tallies, shown)
    return Overview(
        span=span,
        total=sum_up(shown),
        before=sum_up(before),
        columns=_list_columns(shown, span, versions),
        places=_list_lines(shown, Dimension.JURISDICTION, place_titles),
        languages=_list_lines(shown, Dimension.LANGUAGE, {}),
        versions=versions,
    )


def format_day(day: date) -> str:
    """Return a day as people write it, without its year."""
    return f"{day.day} {day:%b}"


def _list_columns(shown: Mapping[TallyKey, int], span: Span, versions: tuple[Version, ...]) -> tuple[Column, ...]:
    by_day = {values[0]: numbers for values, numbers in group(shown, [Dimension.DAY]).items()}
    return tuple(
        Column(
            span=part,
            numbers=_add_up([by_day.get(day.isoformat(), Numbers()) for day in _list_days(part)]),
            begun=tuple(each.version for each in versions if each.first_seen is not None and each.first_seen in part),
        )
        for part in _split(span)
    )


def _split(span: Span) -> list[Span]:
    """Return the parts that are a column each, counted back from the last day: what is left over begins the row."""
    size = _DAYS_OF_COLUMNS if span.days > _LONG_SPAN_DAYS else 1
    ends = [span.until - timedelta(days=at) for at in range(0, span.days, size)][::-1]
    return [Span(since=max(span.since, end - timedelta(days=size - 1)), until=end) for end in ends]


def _list_days(span: Span) -> list[date]:
    return [span.since + timedelta(days=at) for at in range(span.days)]


def _add_up(parts: list[Numbers]) -> Numbers:
    return Numbers({each: sum(part[each] for part in parts) for each in Counted})


def _list_lines(shown: Mapping[TallyKey, int], dimension: Dimension, titles: Mapping[str, str]) -> tuple[Line, ...]:
    lines = [
        Line(key=values[0], title=titles.get(values[0], values[0]), numbers=numbers)
        for values, numbers in group(shown, [dimension]).items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.choices, -line.numbers[Counted.PROMPT], line.key)))


def _list_versions(tallies: Mapping[TallyKey, int], shown: Mapping[TallyKey, int]) -> tuple[Version, ...]:
    first_days: dict[str, date] = {}
    for key in tallies:
        first_days[key.policy_version] = min(key.day, first_days.get(key.policy_version, key.day))
    earliest = min(first_days.values(), default=None)
    found = [
        Version(
            version=values[0],
            # Which day the very first one is from, the numbers cannot say.
            first_seen=None if first_days[values[0]] == earliest else first_days[values[0]],
            numbers=numbers,
        )
        for values, numbers in group(shown, [Dimension.POLICY_VERSION]).items()
    ]
    return tuple(sorted(found, key=lambda version: first_days[version.version], reverse=True))
