"""What tallies say: numbers and rates, in total and by what they differ in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from consent.core.tally import Counted, TallyKey


class Dimension(StrEnum):
    """Name what tallies can be told apart by."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    JURISDICTION = "jurisdiction"
    LANGUAGE = "language"
    POLICY_VERSION = "policy_version"
    SIGNAL = "signal"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold how often each thing was counted."""

    counts: Mapping[Counted, int] = field(default_factory=dict)
    """What is missing was never counted."""

    def __getitem__(self, counted: Counted) -> int:
        """Return how often something was counted."""
        return self.counts.get(counted, 0)

    @property
    def choices(self) -> int:
        """How many chose between granting and denying where nothing runs before: the whole of the three rates below."""
        return self[Counted.ACCEPTED] + self[Counted.PARTIAL] + self[Counted.REFUSED]

    @property
    def answered_rate(self) -> float | None:
        """Prompts that were answered, of all that were shown, from 0 to 1; None for none shown.

        Who reads on without answering sees the prompt on each page.
        """
        return self._divide(Counted.ANSWERED, self[Counted.PROMPT])

    @property
    def accepted_rate(self) -> float | None:
        """Choices that granted everything, of all, from 0 to 1; None for no choices."""
        return self._divide(Counted.ACCEPTED, self.choices)

    @property
    def partial_rate(self) -> float | None:
        """Choices that granted some of it, of all, from 0 to 1; None for no choices."""
        return self._divide(Counted.PARTIAL, self.choices)

    @property
    def refused_rate(self) -> float | None:
        """Choices that denied everything, of all, from 0 to 1; None for no choices."""
        return self._divide(Counted.REFUSED, self.choices)

    def _divide(self, counted: Counted, whole: int) -> float | None:
        # A prompt on a cached page, or in a page still open, is answered without being counted again.
        return min(self[counted] / whole, 1.0) if whole else None


def sum_up(tallies: Mapping[TallyKey, int]) -> Numbers:
    """Return the total."""
    counts: Counter[Counted] = Counter()
    for key, number in tallies.items():
        counts[key.counted] += number
    return Numbers(counts)


def group(tallies: Mapping[TallyKey, int], by: Sequence[Dimension]) -> dict[tuple[str, ...], Numbers]:
    """Return numbers by the values of some dimensions, ordered by these.

    Returns:
        `{("2026-11", "US-CA"): Numbers}` for month and jurisdiction; a value that does not apply is empty.
    """
    counts: dict[tuple[str, ...], Counter[Counted]] = {}
    readers = [_READERS[dimension] for dimension in by]
    for key, number in tallies.items():
        counts.setdefault(tuple(read(key) for read in readers), Counter())[key.counted] += number
    return {values: Numbers(counts[values]) for values in sorted(counts)}


_READERS: Mapping[Dimension, Callable[[TallyKey], str]] = {
    Dimension.DAY: lambda key: key.day.isoformat(),
    Dimension.MONTH: lambda key: f"{key.day:%Y-%m}",
    Dimension.YEAR: lambda key: f"{key.day:%Y}",
    Dimension.JURISDICTION: lambda key: key.jurisdiction,
    Dimension.LANGUAGE: lambda key: key.language,
    Dimension.POLICY_VERSION: lambda key: key.policy_version,
    Dimension.SIGNAL: lambda key: key.signal,
    Dimension.SOURCE: lambda key: key.source,
}
