"""Numbers without identifiers: how often something happened, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol


class Counted(StrEnum):
    """Name what is counted."""

    PROMPT = "prompt"
    """A page was sent with a banner in it."""

    ACCEPTED = "accepted"
    """A choice granted everything that was asked."""

    REFUSED = "refused"
    """A choice denied everything that was asked, and nothing had been granted before."""

    PARTIAL = "partial"
    """A choice granted some of it."""

    WITHDRAWN = "withdrawn"
    """Something that had been granted was denied."""

    OPTED_OUT = "opted_out"
    """Something that ran unasked was objected to."""

    ACKNOWLEDGED = "acknowledged"
    SIGNAL = "signal"
    """A page was sent to a browser whose privacy signal kept something shut that would have run."""

    UNRECORDED = "unrecorded"
    """A refusal took effect and could not be recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyKey:
    """Say what is counted, and for whom: every member has few possible values, none of which is about one person."""

    day: date
    """UTC."""

    counted: Counted
    source: str = ""
    """`banner`, `preferences`, `embed`, `api`; empty for a page that was merely shown."""

    jurisdiction: str = ""
    """Key of the row that applied, such as `EEA` or `US-CA`."""

    language: str = ""
    policy_version: str = ""
    signal: str = ""
    """`gpc`, `dnt` or empty."""


class TallyStore(Protocol):
    """Keep tallies."""

    def add(self, numbers: Mapping[TallyKey, int]) -> None:
        """Add to what is there, all of it or nothing. Not idempotent: a caller that cannot tell does not repeat it."""

    def read(self, *, since: date | None = None, until: date | None = None) -> Mapping[TallyKey, int]:
        """Return the tallies of days from `since` to `until`, both included; None for no limit."""
