"""Read a visitor's record, decide, and make new records: the only reader of clock and chance."""

from __future__ import annotations

import logging
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial

from consent.core.choice import Action, choose
from consent.core.decision import Decision, decide, is_valid
from consent.core.gate import CookieVerdicts, is_open, judge_cookies
from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Account, Choice, ConsentRecord
from consent.core.regime import Regime
from consent.errors import CookieError
from consent.wire.cookie import (
    PLAIN_NAME,
    SECURE_NAME,
    CookieCodec,
    check_size,
    decided_seconds,
    find_values,
    likeness_of,
)
from consent.wire.headers import compile_names

log = logging.getLogger("consent")

# Most visitors accept all or refuse all, so there are far fewer outcomes than visitors.
_MEMO_LIMIT = 512
_SHORTEST_MONTH_SECONDS = 28 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Hold a decision and what follows from it: the same for all visitors who chose alike."""

    policy: Policy
    decision: Decision

    @cached_property
    def cookies(self) -> CookieVerdicts:
        """Which declared cookies are to go and which to stay."""
        return judge_cookies(self.policy, self.decision)

    @cached_property
    def unwanted_names(self) -> re.Pattern[str] | None:
        """What finds a cookie to go in a `Cookie` header; None for none."""
        return compile_names(self.cookies.unwanted)


class Standing:
    """Hold where one visitor stands: the last record, and the outcome."""

    def __init__(
        self, outcome: Outcome, read_record: Callable[[], ConsentRecord | None], *, is_current: bool = True
    ) -> None:
        self.outcome = outcome
        self.decision = outcome.decision
        self._read_record = read_record
        self._is_current = is_current

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
        read_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        check_size(policy)
        self.policy = policy
        self.read_clock = read_clock
        self.new_id = new_id
        self._codecs = {
            name: CookieCodec(policy, name=name, keys_oldest_first=keys_oldest_first)
            for name in (SECURE_NAME, PLAIN_NAME)
        }
        self._outcomes: dict[tuple[bytes, bool], Outcome] = {}
        self._surely_valid_seconds = min(policy.accept_months, policy.refuse_months) * _SHORTEST_MONTH_SECONDS
        self._strangers = {gpc: self.judge(None, signals=Signals(gpc=gpc)) for gpc in (False, True)}

    def look_up(self, cookie_header: str, *, is_secure: bool, signals: Signals) -> Standing:
        """Return where the visitor stands. Nothing in a header can raise or grant.

        Args:
            cookie_header: The request's `Cookie` field; empty for none.
            is_secure: Whether the request came over HTTPS; it decides which cookie counts.
        """
        name = cookie_name(is_secure=is_secure)
        values = find_values(cookie_header, name)
        if not values:
            return self._strangers[signals.gpc]
        if len(values) > 1:
            log.debug("The request carries %d different consent cookies; none is believed.", len(values))
            return self._strangers[signals.gpc]
        return self._look_up_value(values[0], name, signals)

    def judge(self, record: ConsentRecord | None, *, signals: Signals) -> Standing:
        """Decide on a record as of now."""
        now = self.read_clock()
        decision = decide(self.policy, record, signals=signals, regime=Regime.OPT_IN, now=now)
        return Standing(
            Outcome(policy=self.policy, decision=decision),
            lambda: record,
            is_current=record is not None and is_valid(record, now=now),
        )

    def make_record(
        self, action: Action, *, granted: Sequence[str], before: Standing, signals: Signals, account: Account
    ) -> ConsentRecord:
        """Make the record of a choice that was just posted."""
        choices = choose(self.policy, action, granted=granted, before=before.decision)
        is_complete = choices.keys() == self.policy.fingerprints.keys()
        decided_at = self.read_clock().replace(microsecond=0)
        return ConsentRecord(
            record_id=self.new_id(),
            decided_at=decided_at,
            valid_until=add_months(decided_at, self._months(choices)),
            regime=Regime.OPT_IN,
            signals=signals,
            choices=choices,
            fingerprints={key: self.policy.fingerprints[key] for key in choices},
            is_complete=is_complete,
            account=account,
        )

    def narrow(self, record: ConsentRecord, *, before: Standing) -> ConsentRecord:
        """Return as much of a choice that could not be recorded as needs no record: what it closes.

        Grants that were in force before stay so, until the same day; what was undecided stays so.
        """
        choices = {key: choice for key, choice in record.choices.items() if self._is_settled(key, choice, before)}
        since = before.record.decided_at if before.record else record.decided_at
        return replace(
            record,
            choices=choices,
            fingerprints={key: record.fingerprints[key] for key in choices},
            decided_at=since,
            valid_until=add_months(since, self._months(choices)),
            is_complete=choices.keys() == self.policy.fingerprints.keys(),
        )

    def _is_settled(self, key: str, choice: Choice, before: Standing) -> bool:
        return choice is Choice.DENIED or is_open(before.decision, (key,))

    def encode(self, record: ConsentRecord, *, is_secure: bool) -> str:
        """Return the signed cookie value of a record."""
        return self._codecs[cookie_name(is_secure=is_secure)].encode(record)

    def new_page_key(self) -> str:
        """Return a fresh random key for one response: 128 bits, base64url."""
        return secrets.token_urlsafe(16)

    def _look_up_value(self, value: str, name: str, signals: Signals) -> Standing:
        codec = self._codecs[name]
        try:
            payload = codec.open(value)
            known = self._outcomes.get((likeness_of(payload), signals.gpc))
            if known is not None and self._is_surely_valid(payload):
                return Standing(known, partial(codec.read, payload))
            return self._judge_payload(codec.read(payload), payload, signals)
        except CookieError as error:
            log.debug("The consent cookie is not believed: %s", error)
            return self._strangers[signals.gpc]

    def _judge_payload(self, record: ConsentRecord, payload: bytes, signals: Signals) -> Standing:
        standing = self.judge(record, signals=signals)
        # The outcome for a valid record depends on nothing but what was chosen, and under which conditions.
        if standing.record is not None:
            if len(self._outcomes) >= _MEMO_LIMIT:
                self._outcomes.clear()
            self._outcomes[likeness_of(payload), signals.gpc] = standing.outcome
        return standing

    def _is_surely_valid(self, payload: bytes) -> bool:
        """Whether the record is younger than its months can be short: calendar arithmetic takes longer than the rest."""
        age_seconds = self.read_clock().timestamp() - decided_seconds(payload)
        return 0 <= age_seconds < self._surely_valid_seconds

    def _months(self, choices: Mapping[str, Choice]) -> int:
        is_grant = Choice.GRANTED in choices.values()
        return self.policy.accept_months if is_grant else self.policy.refuse_months


def cookie_name(*, is_secure: bool) -> str:
    """Return the name of the consent cookie of a scheme: neither reads the other's."""
    return SECURE_NAME if is_secure else PLAIN_NAME
