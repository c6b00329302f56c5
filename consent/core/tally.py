"""Numbers without identifiers: how often something happened, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from consent.core.decision import Decision, Reason
from consent.core.record import Choice, ConsentRecord, Event
from consent.core.regime import Regime


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
    """What runs was noted, and nothing granted or denied."""

    ANSWERED = "answered"
    """A choice, of whatever outcome, left nothing to ask of somebody who was being asked."""

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
        """Return the tallies of days from `since` to `until`, both included; None for no limit.

        What this version does not know how to count is left out: a newer one may write beside it.
        """


def find_outcome(record: ConsentRecord, before: Decision) -> Counted:
    """Return as what a choice counts.

    Args:
        record: The choice with its account, whose `event` says what kind of act it was.
        before: What the visitor's pages were rendered by until then.

    Returns:
        One of `accepted`, `partial`, `refused`, `withdrawn`, `opted_out` and `acknowledged`.
    """
    event = record.account.event if record.account else Event.CHOICE
    denied = [key for key, choice in record.choices.items() if choice is Choice.DENIED]
    if event is Event.ACKNOWLEDGEMENT:
        return Counted.ACKNOWLEDGED
    if any(before.reasons.get(key) is Reason.GRANTED for key in denied):
        return Counted.WITHDRAWN
    # Whatever was granted beside it: how many have opted out is what a regulator asks for (11 CCR 7102).
    if event is Event.OPT_OUT:
        return Counted.OPTED_OUT
    asked = _find_asked(before)
    granted = [key for key in asked if record.choices.get(key) is Choice.GRANTED]
    if granted:
        return Counted.ACCEPTED if len(granted) == len(asked) else Counted.PARTIAL
    if not denied:
        return Counted.ACKNOWLEDGED
    return Counted.REFUSED if _is_refusal(event, asked, before) else Counted.OPTED_OUT


def _find_asked(before: Decision) -> tuple[str, ...]:
    """Return the keys in question: what the prompt was about, else all that there is to choose."""
    if before.prompt is not None and before.prompt.is_partial:
        return before.prompt.asked
    return tuple(key for key, reason in before.reasons.items() if reason is not Reason.NECESSARY)


def _is_refusal(event: Event, asked: tuple[str, ...], before: Decision) -> bool:
    if before.regime is not Regime.OPT_IN:
        return False
    # Under opt-in, too, something may run by an exemption; who says no to that alone has not been asked.
    return event is not Event.OBJECTION or any(before.reasons[key] is Reason.UNDECIDED for key in asked)
