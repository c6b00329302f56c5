"""The heart: what this visitor has allowed, with one reason per purpose and service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from consent.core.declaration import NECESSARY
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime

# Clocks of two machines behind one load balancer differ; a fresh choice must not be lost for it (T7).
CLOCK_LEEWAY = timedelta(seconds=300)


class Reason(StrEnum):
    """Say why a purpose or service has its verdict."""

    NECESSARY = "necessary"
    GRANTED = "granted"
    REFUSED = "refused"
    GPC = "gpc"
    """Granted once, but Global Privacy Control now says no."""

    UNDECIDED = "undecided"
    """Nothing valid is recorded on this declaration."""


class PromptReason(StrEnum):
    """Say why the visitor is asked (Garante, 10 June 2021: never without a reason)."""

    NO_RECORD = "no_record"
    EXPIRED = "expired"
    POLICY_CHANGED = "policy_changed"
    INCOMPLETE = "incomplete"
    """One embed was allowed from its placeholder; the rest is still open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Hold the outcome for one visitor."""

    choices: Mapping[str, Choice]
    """One verdict per purpose of the policy."""

    services: Mapping[str, Choice]
    """One verdict per service of the policy."""

    reasons: Mapping[str, Reason]
    """One reason per purpose and service."""

    regime: Regime
    prompt_reason: PromptReason | None
    """Why to ask; None for not asking."""

    @property
    def needs_prompt(self) -> bool:
        """Whether to show the banner."""
        return self.prompt_reason is not None


def decide(
    policy: Policy, record: ConsentRecord | None, *, signals: Signals, regime: Regime, now: datetime
) -> Decision:
    """Work out what this visitor has allowed, and whether to ask.

    A purpose or service whose declaration changed since the record is undecided again; the
    others keep their verdict. A signal can only close.

    Args:
        record: The last known record; None on a first visit or after a bad cookie.
        now: Aware instant, used only to judge the record's age.

    Returns:
        A Decision with exactly one verdict per purpose and per service of `policy`. Never partial.

    Raises:
        ValueError: If `now` is naive.

    Source:
        GDPR art. 7(3); ePrivacy Directive art. 5(3); Global Privacy Control, `Sec-GPC` request header.
    """
    if now.utcoffset() is None:
        raise ValueError("'now' must be an aware instant, got a naive one. Use datetime.now(UTC).")
    is_current = record is not None and is_valid(record, now=now)
    current = record if is_current else None
    reasons = {key: _judge_purpose(policy, key, record=current, signals=signals) for key in policy.purposes_by_key}
    for key in policy.services_by_key:
        reasons[key] = _judge_service(policy, key, record=current, signals=signals)
    return Decision(
        choices=MappingProxyType({key: _verdict(reasons[key]) for key in policy.purposes_by_key}),
        services=MappingProxyType({key: _verdict(reasons[key]) for key in policy.services_by_key}),
        reasons=MappingProxyType(reasons),
        regime=regime,
        prompt_reason=_find_prompt_reason(policy, record, reasons=reasons, is_current=is_current),
    )


def is_valid(record: ConsentRecord, *, now: datetime) -> bool:
    """Whether a record is neither too old nor from the future."""
    return record.decided_at - now <= CLOCK_LEEWAY and now < record.valid_until


def _judge_purpose(policy: Policy, key: str, *, record: ConsentRecord | None, signals: Signals) -> Reason:
    if key == NECESSARY:
        return Reason.NECESSARY
    is_denied_by_signal = policy.purposes_by_key[key].denied_by_gpc
    return _judge(policy, key, record=record, signals=signals, is_denied_by_signal=is_denied_by_signal)


def _judge_service(policy: Policy, key: str, *, record: ConsentRecord | None, signals: Signals) -> Reason:
    service = policy.services_by_key[key]
    if service.purposes == (NECESSARY,):
        return Reason.NECESSARY
    is_denied_by_signal = any(policy.purposes_by_key[purpose].denied_by_gpc for purpose in service.purposes)
    return _judge(policy, key, record=record, signals=signals, is_denied_by_signal=is_denied_by_signal)


def _judge(
    policy: Policy, key: str, *, record: ConsentRecord | None, signals: Signals, is_denied_by_signal: bool
) -> Reason:
    if record is None or record.fingerprints.get(key) != policy.fingerprints[key]:
        return Reason.UNDECIDED
    if record.choices.get(key) is not Choice.GRANTED:
        return Reason.REFUSED
    # A grant made while the signal was present is the later, more specific act of the same visitor.
    if signals.gpc and is_denied_by_signal and not record.signals.gpc:
        return Reason.GPC
    return Reason.GRANTED


def _verdict(reason: Reason) -> Choice:
    return Choice.GRANTED if reason in (Reason.NECESSARY, Reason.GRANTED) else Choice.DENIED


def _find_prompt_reason(
    policy: Policy, record: ConsentRecord | None, *, reasons: Mapping[str, Reason], is_current: bool
) -> PromptReason | None:
    if not policy.is_asking or Reason.UNDECIDED not in reasons.values():
        return None
    if record is None:
        return PromptReason.NO_RECORD
    if not is_current:
        return PromptReason.EXPIRED
    return PromptReason.POLICY_CHANGED if record.is_complete else PromptReason.INCOMPLETE
