"""Keep a posted choice in the ledger: who, the how-manieth time, once however often it is posted."""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from consent.core.ledger import ConsentEvent, Ledger, make_event
from consent.core.record import ConsentRecord, read_record
from consent.engine import Standing
from consent.errors import LedgerError, RecordError
from consent.web.shown_notice import keep_notice
from consent.web.visit import Visit
from consent.wire.signature import SignedKind
from consent.wire.submission import Submission

log = logging.getLogger("consent")

# What is posted again later is a new act, whoever posts it: a cache may have given one page to two visitors.
_REPEAT_WINDOW = timedelta(seconds=10)


class Filing:
    """File one choice, as far as there is a ledger and it answers. Nothing here raises.

    Args:
        submission: What was posted; None for a browser signal that was taken for an objection, which nobody was shown
            anything for.
        shown: The standing that the page was rendered by.
        is_limited: Whether the ledger is to be spared.
    """

    def __init__(
        self,
        visit: Visit,
        submission: Submission | None = None,
        *,
        shown: Standing | None = None,
        is_limited: bool = False,
    ) -> None:
        self._visit = visit
        self._submission = submission
        self._shown = shown
        self._ledger: Ledger | None = visit.site.ledger
        self._is_limited = is_limited
        self.is_kept: bool | None = None
        """Whether the ledger keeps the choice; None where there is no ledger."""

        self.is_repeated = False
        """Whether the very same choice had been kept before: a double click, or a retry."""

    @property
    def has_failed(self) -> bool:
        """Whether there is a ledger that does not keep the choice."""
        return self.is_kept is False

    def keep(self, record: ConsentRecord, *, before: Standing) -> ConsentRecord:
        """Keep a choice; return its record with the visitor's id and the number of the choice, or the earlier twin of it.

        What could not be kept gets no new visitor's id: nothing in the ledger would answer to it.
        """
        if self._ledger is None:
            return record
        self.is_kept = False
        last = before.last_record
        unkept = (
            replace(record, subject_id=last.subject_id, revision=last.revision + 1)
            if last and last.subject_id
            else record
        )
        if self._is_limited:
            return unkept
        try:
            self._prepare(self._ledger)
            kept = self._keep(self._ledger, self._identify(self._ledger, self._note(record), last))
        except LedgerError as error:
            log.error("A choice could not be recorded: %s", error)  # noqa: TRY400 - the message says it all
            return unkept
        self.is_kept = True
        return kept

    @property
    def is_accounted(self) -> bool:
        """Whether the ledger has the choice, or is not to have it: what remains is to be told as lost."""
        return bool(self.is_kept) or self._is_limited

    def is_announced(self, record: ConsentRecord) -> bool:
        """Whether this process has told every receiver of this very choice.

        What another process has kept may never have been told: it may have died in between. So it is told again.
        """
        return self.is_repeated and record.record_id in self._visit.site.announced

    def note_announced(self, record: ConsentRecord) -> None:
        """Note that every receiver has been told of a choice."""
        self._visit.site.announced.append(record.record_id)

    def correct(self, record: ConsentRecord, *, of: ConsentRecord) -> ConsentRecord:
        """Keep what is in force instead of a choice that could not take effect; return its record."""
        corrected = replace(record, record_id=self._visit.site.engine.new_id())
        if self.has_failed:
            # Nobody has heard of that choice, and nothing keeps it: what came before it stays the one before.
            return corrected
        account = record.account and replace(record.account, previous_id=of.record_id)
        corrected = replace(corrected, account=account)
        if self._ledger is None:
            return corrected
        corrected = replace(corrected, revision=of.revision + 1)
        try:
            self._ledger.append([make_event(corrected)])
        except LedgerError as error:
            log.error("The ledger keeps a grant that did not take effect, and could not be corrected: %s", error)  # noqa: TRY400 - the message says it all
        return corrected

    def _prepare(self, ledger: Ledger) -> None:
        """Make good what start-up could not do because the ledger was away."""
        site = self._visit.site
        if not site.is_ledger_ready:
            ledger.prepare()
            site.is_ledger_ready = True

    def _note(self, record: ConsentRecord) -> ConsentRecord:
        """Keep what the visitor was shown; return the record that says where it is to be found."""
        account, submission, shown = record.account, self._submission, self._shown
        if account is None or submission is None or shown is None:
            return record
        kept = keep_notice(
            self._visit,
            source=account.source,
            shown=shown,
            service_key=submission.granted[0] if len(submission.granted) == 1 else "",
            mark=submission.shown,
        )
        notice = replace(
            account.notice, text_sha256=kept.text_sha256, ui_sha256=kept.ui_sha256, is_as_shown=kept.is_as_shown
        )
        return replace(record, account=replace(account, notice=notice))

    def _identify(self, ledger: Ledger, record: ConsentRecord, last: ConsentRecord | None) -> ConsentRecord:
        """Return the record with its ids and its number.

        Of one page, posted twice by one client with the same content from the same standing, the ids are the same (R16);
        nobody can choose them, since they are made with the app's key.
        """
        engine = self._visit.site.engine
        event_id, subject_id = record.record_id, ""
        attempt = self._submission.attempt if self._submission else ""
        if attempt:
            click = [attempt, last.record_id if last else "", *self._describe_client()]
            act = [record.account and record.account.action, record.signals.gpc, record.is_complete]
            event_id = self._derive_id("event", *click, *act, sorted(record.choices.items()))
            subject_id = self._derive_id("subject", *click)
        revision = 0
        if last and last.subject_id:
            subject_id = last.subject_id
            current = ledger.current(subject_id)
            # An older cookie may have come back; what is chosen now is still the latest.
            revision = max(last.revision, current.revision if current else 0)
        return replace(record, record_id=event_id, subject_id=subject_id or engine.new_id(), revision=revision + 1)

    def _describe_client(self) -> list[str]:
        """Return what tells clients apart whom a cache gave the same page; it goes into a keyed hash and nowhere else."""
        names = ("REMOTE_ADDR", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE")
        return [str(self._visit.environ.get(name, "")) for name in names]

    def _derive_id(self, *parts: object) -> str:
        signature = self._visit.site.engine.sign(SignedKind.ATTEMPT, json.dumps(parts).encode())
        return str(UUID(bytes=urlsafe_b64decode(signature + "=")[:16], version=4))

    def _keep(self, ledger: Ledger, record: ConsentRecord) -> ConsentRecord:
        event = make_event(record)
        if record.record_id in ledger.append([event]).stored:
            return record
        twin = self._find_twin(ledger, record, event)
        if twin is not None:
            self.is_repeated = True
            return twin
        engine = self._visit.site.engine
        subject_id = record.subject_id if record.revision > 1 else engine.new_id()
        fresh = replace(record, record_id=engine.new_id(), subject_id=subject_id)
        if fresh.record_id not in ledger.append([make_event(fresh)]).stored:
            raise LedgerError("The ledger did not take an event of a fresh id.")
        return fresh

    @staticmethod
    def _find_twin(ledger: Ledger, record: ConsentRecord, event: ConsentEvent) -> ConsentRecord | None:
        """Return the record that is kept under the same id, if it is of the same act a moment ago; None if not.

        One that was followed by another event of the visitor's is none: a grant may have been corrected since.
        """
        stored = ledger.find(record.record_id)
        if stored is None or stored.event is None:
            return None
        current = ledger.current(stored.event.subject_id)
        if current is None or current.event_id != stored.event_id:
            return None
        if abs(event.recorded_at - stored.event.recorded_at) > _REPEAT_WINDOW:
            return None
        try:
            twin = read_record(json.loads(stored.event.payload))
        except (RecordError, ValueError) as error:
            log.warning("A record in the ledger cannot be read: %s", error)
            return None
        account = record.account and replace(record.account, acted_at=stored.event.recorded_at)
        return replace(twin, account=account)
