"""Events, seals and notices made to order for tests of ledgers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from consent.core.erasure import Erasure, is_erasure, read_erasure
from consent.core.ledger import ConsentEvent, Ledger
from consent.core.notice import Artefact, ShownNotice
from consent.core.seal import Seal
from tests.conftest import NOW

ALICE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
BOB = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
# Longer than a page of any database, in several scripts, and with what SQL and templates would read as their own.
AWKWARD = "'; DROP TABLE consent_events; -- \" :subject %s {0} \\ \u202e\U0001f36a Straße 同意 " + "x" * 100_000

Outcome = TypeVar("Outcome")


def number_id(number: int) -> str:
    """Make a UUID that shows its number."""
    return str(UUID(int=number, version=4))


def make_event(number: int = 1, **changes: Any) -> ConsentEvent:
    """Make the event of a number, Alice's first choice but for what `changes` says."""
    event_id = changes.get("event_id", number_id(number))
    values: dict[str, Any] = {
        "event_id": event_id,
        "subject_id": ALICE,
        "revision": 1,
        "kind": "choice",
        "recorded_at": NOW,
        "valid_until": NOW + timedelta(days=180),
        "text_sha256": "1" * 64,
        "ui_sha256": None,
        "payload": json.dumps({"record_id": event_id, "choices": {"analytics": "granted"}}),
    }
    return ConsentEvent(**(values | changes))


def make_events(numbers: Sequence[int], **changes: Any) -> list[ConsentEvent]:
    """Make the events of several numbers."""
    return [make_event(number, **changes) for number in numbers]


def make_seal(number: int, tree_size: int, sealed_at: datetime = NOW) -> Seal:
    """Make a seal that says nothing true: stores do not look into it."""
    mark = bytes([number]) * 32
    return Seal(
        number=number,
        tree_size=tree_size,
        root=mark,
        previous_hash=bytes(32),
        sealed_at=sealed_at,
        seal_hash=mark,
        signature=f"signature-{number}",
    )


def make_notice(**changes: Any) -> tuple[ShownNotice, tuple[Artefact, ...]]:
    """Make a notice and what it refers to; `text`, `ui` and `configuration` are the bodies of those artefacts."""
    text = Artefact(media_type="application/json", body=changes.pop("text", '{"title": "Cookies?"}'))
    ui = Artefact(media_type="text/html", body=changes.pop("ui", "<p>Cookies?</p>"))
    configuration = Artefact(media_type="application/json", body=changes.pop("configuration", '{"purposes": []}'))
    values: dict[str, Any] = {
        "policy_version": "v1",
        "language": "en",
        "profile": "EEA",
        "layer": 1,
        "prompt_kind": "choice",
        "text_sha256": text.sha256,
        "ui_sha256": ui.sha256,
        "configuration_sha256": configuration.sha256,
    }
    return ShownNotice(**(values | changes)), (text, ui, configuration)


def list_visitors_ids(ledger: Ledger) -> list[str]:
    """Return the ids of the events of visitors that are not erased, in the order of their arrival."""
    return [row.event_id for row in ledger.scan(limit=10_000) if row.event and not is_erasure(row.event)]


def list_erasures(ledger: Ledger) -> list[Erasure]:
    """Return what the log says of erasing, in the order of arrival."""
    return [erasure for row in ledger.scan(limit=10_000) if row.event and (erasure := read_erasure(row.event))]


def run_at_once(count: int, work: Callable[[int], Outcome]) -> list[Outcome]:
    """Run `work(number)` in as many threads, and return what each returned."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
