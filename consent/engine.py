"""Read a visitor's record, decide, and make new records: the only reader of clock and chance."""

from __future__ import annotations

import logging
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from hashlib import sha256

from consent.core.choice import Action, choose
from consent.core.decision import SIGNAL_REASONS, Decision, Reason, decide, is_valid
from consent.core.gate import CookieVerdicts, find_closed, judge_cookies
from consent.core.jurisdiction import Jurisdiction
from consent.core.lifetime import Months, add_months
from consent.core.merge import merge
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Account, Choice, ConsentRecord
from consent.core.regime import Regime
from consent.errors import CookieError
from consent.wire.cookie import (
    USER_NAME,
    CookieCodec,
    CookieNames,
    check_size,
    find_values,
    likeness_of,
    read_span,
)
from consent.wire.headers import compile_names
from consent.wire.signature import DocumentSigner, SignedKind

log = logging.getLogger("consent")

# Most visitors accept all or refuse all, so there are far fewer outcomes than visitors.
_MEMO_LIMIT = 512


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Hold a decision and what follows from it: the same for all visitors who chose alike."""

    policy: Policy
    decision: Decision
    signals: Signals
    jurisdiction: Jurisdiction

    kept_off: frozenset[str] = frozenset()
    """What a signal alone keeps shut: the visitor has granted nothing that it would take back."""

    closed_by_gpc: frozenset[str] = frozenset()
    """What is open and would be shut if the browser's scripts saw Global Privacy Control; empty where the regime is not `opt_out`."""

    @property
    def months(self) -> Months:
        """How long a choice holds here: as the site says, else as suits the place."""
        return Months(
            accept=self.policy.accept_months or self.jurisdiction.accept_months,
            refuse=self.policy.refuse_months or self.jurisdiction.refuse_months,
        )

    @cached_property
    def likeness(self) -> str:
        """32 hexadecimal digits that tell this outcome from others, as far as a page shows it; the same in every process."""
        decision = self.decision
        text = repr(
            (
                *(self.policy.version, self.jurisdiction.row_id, self.signals, decision.regime, decision.prompt),
                *(decision.revised, sorted(decision.reasons.items()), sorted(self.kept_off)),
            )
        )
        return sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def cookies(self) -> CookieVerdicts:
        """Which declared cookies are to go and which to stay."""
        return judge_cookies(self.policy, self.decision)

    @cached_property
    def unwanted_names(self) -> re.Pattern[str] | None:
        """What finds a cookie to go in a `Cookie` header; None for none."""
        return compile_names(self.cookies.unwanted)

    @cached_property
    def closed_cookies(self) -> CookieVerdicts:
        """The same as `cookies`, where what nobody has granted is to go as well."""
        return judge_cookies(self.policy, self.decision, takes_undecided=True)

    @cached_property
    def closed_names(self) -> re.Pattern[str] | None:
        """The same as `unwanted_names`, where what nobody has granted is to go as well."""
        return compile_names(self.closed_cookies.unwanted)


class Standing:
    """Hold where one visitor stands: the last record, and the outcome."""

    def __init__(
        self, outcome: Outcome, read_record: Callable[[], ConsentRecord | None], *, is_current: bool = True
    ) -> None:
        self.outcome = outcome
        self.decision = outcome.decision
        self._read_record = read_record
        self._is_current = is_current

    def holding(self, record: ConsentRecord) -> Standing:
        """Return the same standing with the record under the ids that it was kept by."""
        return Standing(self.outcome, lambda: record, is_current=self._is_current)

    @cached_property
    def last_record(self) -> ConsentRecord | None:
        """The last choice, even if it is over; None for none, or none that is signed."""
        return self._read_record()

    @property
    def record(self) -> ConsentRecord | None:
        """The choice that is in force; None for none."""
        return self.last_record if self._is_current else None


class Engine:
    """Run one policy: cookies in, decisions and records out.

    Raises:
        ConfigError: If the policy's cookie could be too large for browsers.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        keys_oldest_first: Sequence[bytes],
        is_shared: bool = False,
        read_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        check_size(policy)
        self.policy = policy
        self.read_clock = read_clock
        self.new_id = new_id
        self._names = CookieNames.shared() if is_shared else CookieNames()
        self._codecs = {
            name: CookieCodec(policy, name=name, keys_oldest_first=keys_oldest_first)
            for name in (self._names.secure, self._names.plain, USER_NAME)
        }
        self._signers = {kind: DocumentSigner(kind, keys_oldest_first=keys_oldest_first) for kind in SignedKind}
        self._outcomes: dict[tuple[bytes, Signals, str], Outcome] = {}
        self._strangers: dict[tuple[Signals, str], Standing] = {}

    def at(self, instant: datetime) -> Engine:
        """Return an engine for the same policy and keys whose clock stands still."""
        twin = copy(self)
        twin.read_clock = lambda: instant
        twin._outcomes, twin._strangers = {}, {}  # noqa: SLF001 - its own
        return twin

    def look_up(self, cookie_header: str, *, is_secure: bool, signals: Signals, jurisdiction: Jurisdiction) -> Standing:
        """Return where the visitor stands. Nothing in a header can raise or grant.

        Args:
            cookie_header: The request's `Cookie` field; empty for none.
            is_secure: Whether the request came over HTTPS; it decides which cookie counts.
        """
        name = self.cookie_name(is_secure=is_secure)
        values = find_values(cookie_header, name)
        if len(values) == 1:
            return self._look_up_value(values[0], name, signals, jurisdiction)
        if values:
            log.debug("The request carries %d different consent cookies; none is believed.", len(values))
        return self._judge_stranger(signals, jurisdiction)

    def judge(self, record: ConsentRecord | None, *, signals: Signals, jurisdiction: Jurisdiction) -> Standing:
        """Decide on a record as of now."""
        now = self.read_clock()
        decision = self._decide(record, signals, jurisdiction, now)
        unheard: frozenset[str] = frozenset()
        # Elsewhere a signal adds nothing to what the visitor is asked (opt-in), or nobody asks for it (notice).
        if jurisdiction.regime is Regime.OPT_OUT and not signals.gpc:
            heard = self._decide(record, replace(signals, gpc=True), jurisdiction, now)
            unheard = find_closed(decision, heard)
        outcome = Outcome(
            policy=self.policy,
            decision=decision,
            signals=signals,
            jurisdiction=jurisdiction,
            kept_off=_find_kept_off(decision, record),
            closed_by_gpc=unheard,
        )
        return Standing(outcome, lambda: record, is_current=record is not None and is_valid(record, now=now))

    def _decide(
        self, record: ConsentRecord | None, signals: Signals, jurisdiction: Jurisdiction, now: datetime
    ) -> Decision:
        return decide(
            self.policy,
            record,
            signals=signals,
            regime=jurisdiction.regime,
            now=now,
            regime_by_kind=jurisdiction.regime_by_kind,
        )

    def make_record(
        self,
        action: Action,
        *,
        granted: Sequence[str],
        before: Standing,
        account: Account,
        is_partial: bool = False,
    ) -> ConsentRecord:
        """Make the record of an act that was just posted.

        Args:
            before: Where the visitor stood, under the signals that came with the act.
            is_partial: Whether the visitor was asked of changes alone; then what was decided before stands.
        """
        decision = before.decision
        choices = choose(self.policy, action, granted=granted, before=decision, is_partial=is_partial)
        now = self.read_clock().replace(microsecond=0)
        kept = before.record if action is Action.ACKNOWLEDGE and before.record and before.record.choices else None
        # Who has noted something has decided on it no later than before.
        decided_at = kept.decided_at if kept else now
        noted, documents = self._note(action, before.record)
        is_adding = is_partial or action is Action.ALLOW
        if kept is None and (is_adding or action is Action.SAVE):
            choices = _drop_lesser_grants(choices, before)
        return ConsentRecord(
            record_id=self.new_id(),
            decided_at=decided_at,
            valid_until=kept.valid_until if kept else self._find_end(choices, before, now, is_adding=is_adding),
            regime=kept.regime if kept else decision.regime,
            signals=kept.signals if kept else before.outcome.signals,
            choices=choices,
            fingerprints={key: self.policy.fingerprints[key] for key in (*noted, *choices)},
            documents=documents,
            is_complete=action is not Action.ALLOW or choices.keys() == self.policy.fingerprints.keys(),
            account=replace(account, acted_at=now),
        )

    def _find_end(self, choices: Mapping[str, Choice], before: Standing, now: datetime, *, is_adding: bool) -> datetime:
        end = add_months(now, before.outcome.months.after(choices))
        is_carried = any(before.decision.reasons[key] is Reason.GRANTED for key in choices)
        # A grant that nobody gave anew ends when it would have ended.
        return min(end, before.record.valid_until) if is_adding and is_carried and before.record else end

    def narrow(self, record: ConsentRecord, *, before: Standing) -> ConsentRecord:
        """Return as much of a choice that could not be recorded as needs no record: what it closes.

        Grants that were in force before stay so, until the same day, and so do refusals; what was
        undecided stays so.
        """
        settled = {key: choice for key, choice in record.choices.items() if _is_settled(key, choice, before)}
        # Where things run until objected, an objection that is left out would let them run again.
        refused = [key for key, reason in before.decision.reasons.items() if reason is Reason.REFUSED]
        choices = settled | dict.fromkeys(refused, Choice.DENIED)
        kept = before.record if Choice.GRANTED in choices.values() else None
        months = before.outcome.months.after(choices)
        return replace(
            record,
            regime=kept.regime if kept else record.regime,
            signals=kept.signals if kept else record.signals,
            choices=choices,
            fingerprints={key: self.policy.fingerprints[key] for key in choices},
            documents=before.record.documents if before.record else {},
            decided_at=kept.decided_at if kept else record.decided_at,
            valid_until=kept.valid_until if kept else add_months(record.decided_at, months),
            is_complete=choices.keys() == self.policy.fingerprints.keys(),
        )

    def encode(self, record: ConsentRecord, *, is_secure: bool) -> str:
        """Return the signed cookie value of a record."""
        return self._codecs[self.cookie_name(is_secure=is_secure)].encode(record)

    def encode_user(self, record: ConsentRecord) -> str:
        """Return a record as the signed text that a site keeps for a known user: ASCII, and no cookie can pass for it.

        Without the subject: that is the browser's, and would lead from each of the user's devices to the others' history.
        """
        return self._codecs[USER_NAME].encode(replace(record, subject_id=None, revision=0))

    def read_user(self, text: str) -> ConsentRecord | None:
        """Return the record in a text that a site kept for a known user; None for none that can be read."""
        try:
            return self._codecs[USER_NAME].decode(text.strip()) if text else None
        except CookieError as error:
            log.debug("The choice kept for a known user is not believed: %s", error)
            return None

    def merge(self, first: ConsentRecord | None, second: ConsentRecord | None) -> ConsentRecord | None:
        """Return the record that stands for two of one person as of now; where they differ, the stricter wins."""
        return merge(first, second, policy=self.policy, now=self.read_clock())

    def sign(self, kind: SignedKind, data: bytes) -> str:
        """Return the signature of something that leaves the site, under the newest key."""
        return self._signers[kind].sign(data)

    def is_signed(self, kind: SignedKind, data: bytes, signature: str) -> bool:
        """Whether one of the keys signed this as something of that kind."""
        return self._signers[kind].is_signed(data, signature)

    def cookie_name(self, *, is_secure: bool) -> str:
        """Return the name of the consent cookie of a scheme: neither reads the other's."""
        return self._names.secure if is_secure else self._names.plain

    def new_page_key(self) -> str:
        """Return a fresh random key for one response: 128 bits, base64url."""
        return secrets.token_urlsafe(16)

    def _note(self, action: Action, record: ConsentRecord | None) -> tuple[Mapping[str, bytes], Mapping[str, bytes]]:
        """Return the declarations and the documents that the visitor knows of after an action.

        To allow one embed is to note nothing new: what was announced stays announced.
        """
        fingerprints = self.policy.fingerprints
        documents = {document.key: document.fingerprint for document in self.policy.documents}
        if action is not Action.ALLOW:
            return fingerprints, documents
        if record is None:
            return {}, documents
        noted = {key: each for key, each in fingerprints.items() if record.fingerprints.get(key) == each}
        return noted, {key: each for key, each in record.documents.items() if key in documents}

    def _look_up_value(self, value: str, name: str, signals: Signals, jurisdiction: Jurisdiction) -> Standing:
        codec = self._codecs[name]
        try:
            payload = codec.open(value)
            known = self._outcomes.get((likeness_of(payload), signals, jurisdiction.row_id))
            if known is not None and self._is_surely_valid(payload):
                return Standing(known, partial(codec.read, payload))
            return self._judge_payload(codec.read(payload), payload, signals, jurisdiction)
        except CookieError as error:
            log.debug("The consent cookie is not believed: %s", error)
            return self._judge_stranger(signals, jurisdiction)

    def _judge_stranger(self, signals: Signals, jurisdiction: Jurisdiction) -> Standing:
        key = (signals, jurisdiction.row_id)
        found = self._strangers.get(key)
        if found is None:
            found = self._strangers[key] = self.judge(None, signals=signals, jurisdiction=jurisdiction)
        return found

    def _judge_payload(
        self, record: ConsentRecord, payload: bytes, signals: Signals, jurisdiction: Jurisdiction
    ) -> Standing:
        standing = self.judge(record, signals=signals, jurisdiction=jurisdiction)
        # The outcome for a valid record depends on nothing but what was chosen, and under which conditions.
        if standing.record is not None:
            if len(self._outcomes) >= _MEMO_LIMIT:
                self._outcomes.clear()
            self._outcomes[likeness_of(payload), signals, jurisdiction.row_id] = standing.outcome
        return standing

    def _is_surely_valid(self, payload: bytes) -> bool:
        """Whether the record is in force, clocks being equal: comparing seconds is quicker than calendars."""
        decided_seconds, end_seconds = read_span(payload)
        return decided_seconds <= self.read_clock().timestamp() < end_seconds


def _find_kept_off(decision: Decision, record: ConsentRecord | None) -> frozenset[str]:
    choices = record.choices if record else {}
    signalled = (key for key, reason in decision.reasons.items() if reason in SIGNAL_REASONS)
    return frozenset(key for key in signalled if choices.get(key) is not Choice.GRANTED)


def _is_settled(key: str, choice: Choice, before: Standing) -> bool:
    return choice is Choice.DENIED or before.decision.reasons[key] is Reason.GRANTED


def _drop_lesser_grants(choices: Mapping[str, Choice], before: Standing) -> Mapping[str, Choice]:
    """Leave out grants that were given where the law asks for less than here, and that nobody gave anew.

    Carried over, they would count for more than they were given for. Where they count now, what
    they opened runs without a grant too.
    """
    record = before.record
    if record is None or record.regime.is_as_strict_as(before.decision.regime):
        return choices
    reasons = before.decision.reasons
    return {key: each for key, each in choices.items() if each is Choice.DENIED or reasons[key] is not Reason.GRANTED}
