"""Erasing as an event of the log itself: what was erased, when and why, and nothing of whom it was about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consent.core.ledger import ConsentEvent
from consent.core.seal import INSTANT_FORMAT

SCHEMA = "consent-erasure/1"
KIND = "erasure"
"""`ConsentEvent.kind` of an erasure; no visitor's act is called so."""

EVENTS_LIMIT = 1000
"""How many events one erasure names at most: a line of an export is to stay short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Say which events were erased in one go."""

    event_ids: tuple[str, ...]
    erased_at: datetime
    """Aware UTC instant, whole seconds."""

    reason: str


def make_erasure(event_id: str, *, event_ids: Sequence[str], reason: str, at: datetime) -> ConsentEvent:
    """Return the event that says so; it is of no subject, and neither erased nor purged itself.

    Args:
        event_id: Random UUID of this event.
        event_ids: The erased ones, at most `EVENTS_LIMIT`.
    """
    at = at.replace(microsecond=0)
    payload = {
        "schema": SCHEMA,
        "event": KIND,
        "event_time": f"{at:{INSTANT_FORMAT}}",
        "reason": reason,
        "event_ids": [*event_ids],
    }
    return ConsentEvent(
        event_id=event_id,
        subject_id="",
        revision=0,
        kind=KIND,
        recorded_at=at,
        valid_until=at,
        text_sha256=None,
        ui_sha256=None,
        payload=json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    )


def is_erasure(event: ConsentEvent) -> bool:
    """Whether an event is not a visitor's, but says which events were erased."""
    return event.kind == KIND and not event.subject_id


def read_erasure(event: ConsentEvent) -> Erasure | None:
    """Return what an erasure says; None if it says nothing that can be understood, or is none."""
    if not is_erasure(event):
        return None
    try:
        said = json.loads(event.payload)
        return _read(said) if said["schema"] == SCHEMA else None
    except (LookupError, TypeError, ValueError, RecursionError):
        return None


# Any: the plain JSON values of a payload, which somebody may have edited.
def _read(said: Mapping[str, Any]) -> Erasure:
    return Erasure(
        event_ids=tuple(map(str, said["event_ids"])),
        erased_at=datetime.strptime(said["event_time"], INSTANT_FORMAT).replace(tzinfo=UTC),
        reason=str(said["reason"]),
    )
