"""A site whose ledger notes which notices are kept, and what its visitors read and post."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from consent import Consent
from consent.core.erasure import is_erasure
from consent.core.ledger import AppendResult, ConsentEvent
from consent.core.notice import Artefact, NoticeStore, ShownNotice
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.web.visit import get_site

CHOICES = "/privacy-choices/"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
RETENTION = {"CONSENT_LEDGER_RETENTION_MONTHS": 36}
SERVICES = ("google-analytics", "youtube")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Notices:
    """A store that notes what it is asked to keep, and refuses it while `is_full`."""

    def __init__(self, store: NoticeStore) -> None:
        self.asked: list[ShownNotice] = []
        self.is_full = False
        self.list, self.find, self.read, self.list_hashes = store.list, store.find, store.read, store.list_hashes
        self._keep = store.keep

    def keep(self, notice: ShownNotice, artefacts: Sequence[Artefact], *, at: datetime) -> None:
        if self.is_full:
            raise LedgerError("There is no room for a notice.", reason="full")
        self.asked.append(notice)
        self._keep(notice, artefacts, at=at)


class Ledger(MemoryLedger):
    """A ledger in memory that says what its records and notices hold."""

    @cached_property
    def notices(self) -> Any:
        return Notices(MemoryLedger.notices.func(self))  # type: ignore[attr-defined]  # the property that is laid over

    def append(self, events: Sequence[ConsentEvent]) -> AppendResult:
        """Keep events, all of which point to what is there already."""
        for digest in (each for event in events for each in (event.text_sha256, event.ui_sha256) if each):
            assert self.notices.read(digest), "a record points to nothing"
        return super().append(events)

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record that is kept, the oldest first."""
        return [json.loads(row.event.payload) for row in self.scan() if row.event and not is_erasure(row.event)]

    @property
    def shown(self) -> str:
        """The markup that the newest record points to."""
        return str(self.notices.read(self.records[-1]["notice"]["ui_sha256"]).body)


def set_up(app: Flask, ledger: Ledger, **parts: Any) -> Flask:
    """Give an app the library, with a ledger and a clock that stands still."""
    Consent(app, ledger=ledger, **({"services": SERVICES} | parts))
    get_site(app).engine.read_clock = lambda: NOW
    return app


def read_form(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that a button is in."""
    form = next(form for form in page.split("<form")[1:] if f'value="{action}"' in form.partition("</form")[0])
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.partition("</form")[0]))


def press(client: FlaskClient, path: str, action: str, *granted: str, **changes: str) -> dict[str, Any]:
    """Open a page, press a button in it, and return the fields that were posted."""
    answer = client.get(path)
    assert answer.status_code == 200
    fields: dict[str, Any] = {"action": action, **read_form(answer.text, action), **changes}
    fields |= {"granted": list(granted)} if granted else {}
    assert client.post(CHOICES, data=fields, headers=SAME_ORIGIN).status_code == 303
    return fields
