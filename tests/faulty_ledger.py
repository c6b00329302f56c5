"""A site with a ledger that can be made to fail, and what its visitors and its operator see."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from consent import ConsentRecord, consent_recorded, consent_withdrawn
from consent.core.ledger import AppendResult, ConsentEvent, Ledger
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.web.visit import get_site

CHOICES = "/privacy-choices/"
STATE = f"{CHOICES}state"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
RETENTION = {"CONSENT_LEDGER_RETENTION_MONTHS": 36}


class FaultyLedger(MemoryLedger):
    """A ledger in memory that answers as one whose database is away, while `is_away`."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked: list[str] = []
        """Names of the methods that were called, in order."""

        super().__init__()

    def append(self, events: Sequence[ConsentEvent]) -> AppendResult:
        self._ask("append")
        return super().append(events)

    def current(self, subject_id: str) -> ConsentEvent | None:
        self._ask("current")
        return super().current(subject_id)

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.is_away:
            raise LedgerError("The ledger's database does not answer.")

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record that is kept, the oldest first."""
        return [json.loads(row.event.payload) for row in self.scan() if row.event]


def post(client: FlaskClient, action: str, *granted: str, **fields: object) -> Any:
    """Post a choice as a script of the site does."""
    body = {"action": action, "granted": list(granted), **fields}
    return client.post(CHOICES, json=body, headers=SAME_ORIGIN)


def ledger_of(app: Flask) -> Ledger:
    """Return the ledger of a site that has one."""
    ledger = get_site(app).ledger
    assert ledger is not None
    return ledger


def choice_of(client: FlaskClient) -> str:
    """Return what holds for analytics."""
    state: Any = client.get(STATE).json
    return str(state["choices"]["analytics"])


@contextmanager
def listening() -> Iterator[list[tuple[str, ConsentRecord]]]:
    """Note what receivers are told: `recorded` or `withdrawn`, and the record."""
    told: list[tuple[str, ConsentRecord]] = []

    def hear_recorded(_app: object, record: ConsentRecord, **_: object) -> None:
        told.append(("recorded", record))

    def hear_withdrawn(_app: object, record: ConsentRecord, **_: object) -> None:
        told.append(("withdrawn", record))

    with consent_recorded.connected_to(hear_recorded), consent_withdrawn.connected_to(hear_withdrawn):
        yield told
