"""What the receipt page shows, sorted for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.core.receipt import Origin
from consent.web.receipt import FoundReceipt, title_of
from consent.web.visit import Visit

# Any: the plain JSON values of a record.
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownInstant:
    """Hold an instant in words, and for machines."""

    text: str
    machine: str
    """As `<time datetime>` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """Hold what was decided on one purpose or service."""

    title: str
    state: str
    """`granted`, `refused` or `undecided`."""

    words: str
    provider: str = ""
    services: Sequence[ShownVerdict] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChoice:
    """Hold one line of the history."""

    at: ShownInstant
    kind: str
    granted: str
    """Enumeration of the purposes that were granted; empty for none."""


class ReceiptPage:
    """Put a receipt into the visitor's words."""

    def __init__(self, visit: Visit, found: FoundReceipt) -> None:
        self._visit = visit
        self._found = found
        self._receipt = found.receipt

    @property
    def record(self) -> Values:
        """The record, in the shape `consent-record/1`."""
        return self._receipt.record

    @property
    def origin_text(self) -> str:
        """Where this comes from: the operator's records, or what the browser holds."""
        if self._found.is_out_of_reach:
            return self._visit.text("receipt.out_of_reach")
        if self._receipt.origin is Origin.LEDGER:
            return self._visit.text("receipt.recorded", controller=self._receipt.controller)
        # The site may have kept it for a user who was logged in when they chose.
        if self._visit.site.users.save:
            return self._visit.text("receipt.account")
        return self._visit.text("receipt.unrecorded", controller=self._receipt.controller)

    @property
    def decided_at(self) -> ShownInstant:
        """When the choice was made."""
        return self._show_instant(self.record["decided_at"])

    @property
    def valid_until(self) -> ShownInstant:
        """When it ends."""
        return self._show_instant(self.record["valid_until"])

    @property
    def source_text(self) -> str:
        """Where the choice was made; empty where the record does not say, or says what has no words."""
        name = f"receipt.source.{self.record.get('source')}"
        return self._visit.text(name) if self._visit.site.messages.has_text(name) else ""

    @property
    def policy_version(self) -> str:
        """Version of the declaration that was shown; empty where the record does not say."""
        return str(self.record.get("notice", {}).get("version", ""))

    @property
    def verdicts(self) -> Sequence[ShownVerdict]:
        """What was decided, by purpose, with the services that were decided on inside it."""
        return tuple(self._show_purpose(each) for each in self._receipt.purposes)

    @property
    def documents(self) -> Sequence[Mapping[str, object]]:
        """Documents that were in force: `{"key", "title", "version", "url"}`, the last two empty where not known."""
        return self._receipt.documents

    @property
    def history(self) -> Sequence[ShownChoice]:
        """The visitor's other choices, the newest first."""
        return tuple(self._show_choice(each) for each in self._receipt.history)

    def download_url(self, kind: str) -> str:
        """Return the address of the receipt as a file: `json` or `dpv`."""
        url = self._visit.receipt_url
        return f"{url}{'&' if '?' in url else '?'}format={kind}"

    def _show_instant(self, text: str) -> ShownInstant:
        instant = datetime.fromisoformat(text)
        day = self._visit.date_text(instant)
        words = self._visit.text("receipt.instant", date=day, time=instant.strftime("%H:%M"))
        return ShownInstant(text=words, machine=text)

    def _show_purpose(self, named: Values) -> ShownVerdict:
        state = self._state_of(named["key"])
        services = [self._show_service(each, state) for each in named["services"]]
        return ShownVerdict(title=named["title"], state=state, words=self._say(state), services=services)

    def _show_service(self, named: Values, purpose_state: str) -> ShownVerdict:
        # A service that nobody decided on by itself goes with its purpose.
        state = self._state_of(named["key"], purpose_state)
        return ShownVerdict(title=named["title"], state=state, words=self._say(state), provider=named["provider"])

    def _state_of(self, key: str, default: str = "undecided") -> str:
        return str(self.record["decisions"].get(key, {}).get("state", default))

    def _say(self, state: str) -> str:
        return self._visit.text(f"receipt.state.{state}")

    def _show_choice(self, record: Values) -> ShownChoice:
        granted = {key: each for key, each in record["decisions"].items() if each["state"] == "granted"}
        # Nobody needs to be told of a service beside the purpose that it was granted with.
        covered = {key for each in granted.values() for key in each.get("vendors", ())}
        titles = [title_of(self._visit, key) for key in granted if key not in covered]
        return ShownChoice(
            at=self._show_instant(record["event_time"]),
            kind=self._visit.text(f"receipt.event.{record['event']}"),
            granted=self._visit.list_text(titles),
        )
