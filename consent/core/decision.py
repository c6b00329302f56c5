"""The heart: what this visitor has allowed, with one reason per purpose and service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from consent.core.declaration import NECESSARY
from consent.core.document import Document, find_revised
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.prompt import Prompt, PromptKind, PromptReason
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime, strictest

# Clocks of two machines behind one load balancer differ; a fresh choice must not be lost for it (T7).
CLOCK_LEEWAY = timedelta(seconds=300)


class Reason(StrEnum):
    """Say why a purpose or service has its verdict."""

    NECESSARY = "necessary"
    GRANTED = "granted"
    REFUSED = "refused"
    GPC = "gpc"
    """Global Privacy Control says no, and no grant was made in spite of it."""

    DNT = "dnt"
    """`DNT` says no, which the site heeds."""

    NOT_OBJECTED = "not_objected"
    """It runs until the visitor objects (`opt_out`)."""

    INFORMED = "informed"
    """It runs where the visitor is only told (`notice`)."""

    UNDECIDED = "undecided"
    """Nothing valid is recorded on this declaration."""


OPEN_REASONS = frozenset({Reason.NECESSARY, Reason.GRANTED, Reason.NOT_OBJECTED, Reason.INFORMED})
UNASKED_REASONS = frozenset({Reason.NOT_OBJECTED, Reason.INFORMED})
SIGNAL_REASONS = frozenset({Reason.GPC, Reason.DNT})


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
    """The strictest regime that holds for any of the purposes and services."""

    prompt: Prompt | None = None
    """What to show the visitor unasked, and why; None for nothing."""

    revised: tuple[str, ...] = ()
    """Keys of the documents that differ from what the visitor has noted."""

    @property
    def needs_prompt(self) -> bool:
        """Whether to show the banner."""
        return self.prompt is not None

    @property
    def prompt_reason(self) -> PromptReason | None:
        """Why to show the banner; None for not showing it."""
        return self.prompt.reason if self.prompt else None


def decide(
    policy: Policy,
    record: ConsentRecord | None,
    *,
    signals: Signals,
    regime: Regime,
    now: datetime,
    regime_by_kind: Mapping[str, Regime] = MappingProxyType({}),
) -> Decision:
    """Work out what this visitor has allowed, and whether to ask.

    A purpose or service whose declaration changed since the record is undecided again; the
    others keep their verdict. A refusal counts everywhere, a grant only where the law is no
    stricter than where it was given. A signal can only close.

    Args:
        record: The last known record; None on a first visit or after a bad cookie.
        regime: What holds where the visitor is.
        now: Aware instant, used only to judge the record's age.
        regime_by_kind: What holds there for some kinds of purpose instead.

    Returns:
        A Decision with exactly one verdict per purpose and per service of `policy`. Never partial.

    Raises:
        ValueError: If `now` is naive.

    Source:
        GDPR art. 7(3); ePrivacy Directive art. 5(3); PECR sch. A1; 11 CCR 7025; Global Privacy
        Control, `Sec-GPC` request header.
    """
    if now.utcoffset() is None:
        raise ValueError("'now' must be an aware instant, got a naive one. Use datetime.now(UTC).")
    is_current = record is not None and is_valid(record, now=now)
    judge = _Judge(policy, record if is_current else None, signals, regime, regime_by_kind)
    reasons = judge.judge_all()
    revised = find_revised(policy.documents, record.documents) if record else ()
    return Decision(
        choices=MappingProxyType({key: _verdict(reasons[key]) for key in policy.purposes_by_key}),
        services=MappingProxyType({key: _verdict(reasons[key]) for key in policy.services_by_key}),
        reasons=MappingProxyType(reasons),
        regime=judge.strictest_regime,
        prompt=_find_prompt(judge, reasons, last_record=record, revised=revised),
        revised=tuple(document.key for document in revised),
    )


def is_valid(record: ConsentRecord, *, now: datetime) -> bool:
    """Whether a record is neither too old nor from the future."""
    return record.decided_at - now <= CLOCK_LEEWAY and now < record.valid_until


@dataclass(frozen=True, slots=True)
class _Judge:
    """Find the reason of each key, for one visitor in one place."""

    policy: Policy
    record: ConsentRecord | None
    """The record that is in force."""

    signals: Signals
    regime: Regime
    regime_by_kind: Mapping[str, Regime]

    @property
    def strictest_regime(self) -> Regime:
        return strictest(tuple(map(self.regime_of, self.policy.fingerprints)) or (self.regime,))

    def judge_all(self) -> dict[str, Reason]:
        reasons = {key: self._judge((key,), key) for key in self.policy.purposes_by_key}
        for key, service in self.policy.services_by_key.items():
            reason = self._judge(service.purposes, key)
            # Who refused a purpose has refused what is later added to it, and is not asked again for that.
            is_refused = any(reasons[purpose] is Reason.REFUSED for purpose in service.purposes)
            reasons[key] = Reason.REFUSED if is_refused and not self.is_covered(key) else reason
        return reasons

    def is_covered(self, key: str) -> bool:
        """Whether the record was made on this very declaration."""
        return self.record is not None and self.record.fingerprints.get(key) == self.policy.fingerprints[key]

    def is_refusal_lost(self, key: str) -> bool:
        """Whether the visitor may have refused it as it was declared before: it stays shut until they are asked."""
        if self.record is None or self.is_covered(key):
            return False
        return self.record.has_unknown_refusal or self.record.choices.get(key) is Choice.DENIED

    def regime_of(self, key: str) -> Regime:
        service = self.policy.services_by_key.get(key)
        if service is None:
            return self.regime_by_kind.get(self.policy.purposes_by_key[key].kind, self.regime)
        own = strictest(tuple(self.regime_of(purpose) for purpose in service.purposes if purpose != NECESSARY))
        return strictest((own, self.regime)) if service.third_party_use else own

    def _judge(self, purpose_keys: tuple[str, ...], key: str) -> Reason:
        if purpose_keys == (NECESSARY,):
            return Reason.NECESSARY
        choice = self.record.choices.get(key) if self.record and self.is_covered(key) else None
        if choice is Choice.DENIED:
            return Reason.REFUSED
        regime = self.regime_of(key)
        is_granted = choice is Choice.GRANTED and self.record is not None and self.record.regime.is_as_strict_as(regime)
        if not is_granted and (regime is Regime.OPT_IN or self.is_refusal_lost(key)):
            return Reason.UNDECIDED
        signalled = self._heed_signals(purpose_keys, is_granted=is_granted)
        if signalled:
            return signalled
        if is_granted:
            return Reason.GRANTED
        return Reason.NOT_OBJECTED if regime is Regime.OPT_OUT else Reason.INFORMED

    def _heed_signals(self, purpose_keys: tuple[str, ...], *, is_granted: bool) -> Reason | None:
        if not any(self.policy.purposes_by_key[key].denied_by_gpc for key in purpose_keys):
            return None
        # A grant made while the signal was present is the later, more specific act of the same visitor.
        heard = self.record.signals if is_granted and self.record else Signals()
        if self.signals.gpc and not heard.gpc:
            return Reason.GPC
        return Reason.DNT if self.signals.dnt and not heard.dnt else None


def _verdict(reason: Reason) -> Choice:
    return Choice.GRANTED if reason in OPEN_REASONS else Choice.DENIED


def _find_prompt(
    judge: _Judge,
    reasons: Mapping[str, Reason],
    *,
    last_record: ConsentRecord | None,
    revised: tuple[Document, ...],
) -> Prompt | None:
    policy = judge.policy
    if not policy.is_asking:
        return None
    asked = tuple(key for key in policy.fingerprints if _is_open_question(judge, key, reasons[key]))
    if asked:
        return Prompt(
            kind=_find_kind(judge, asked, reasons), reason=_find_reason(judge, asked, last_record), asked=asked
        )
    if not revised:
        return None
    is_material = any(document.is_material for document in revised)
    kind = _KIND_BY_REGIME[judge.strictest_regime]
    if not is_material and kind is not PromptKind.NOTICE:
        kind = PromptKind.ANNOUNCEMENT
    return Prompt(
        kind=kind, reason=PromptReason.DOCUMENT_REVISED, asked=tuple(policy.fingerprints) if is_material else ()
    )


def _is_open_question(judge: _Judge, key: str, reason: Reason) -> bool:
    if reason is Reason.UNDECIDED:
        return True
    return reason not in (Reason.GRANTED, Reason.REFUSED) and not judge.is_covered(key)


def _find_kind(judge: _Judge, asked: tuple[str, ...], reasons: Mapping[str, Reason]) -> PromptKind:
    if any(reasons[key] is Reason.UNDECIDED for key in asked):
        return PromptKind.CHOICE
    return _KIND_BY_REGIME[strictest(tuple(judge.regime_of(key) for key in asked))]


def _find_reason(judge: _Judge, asked: tuple[str, ...], last_record: ConsentRecord | None) -> PromptReason:
    if last_record is None:
        return PromptReason.NO_RECORD
    if judge.record is None:
        return PromptReason.EXPIRED
    if not last_record.is_complete:
        return PromptReason.INCOMPLETE
    if not all(judge.is_covered(key) for key in asked):
        return PromptReason.POLICY_CHANGED
    # What was noted or granted there needs more here; who noted it here has not answered.
    is_elsewhere = not last_record.regime.is_as_strict_as(judge.strictest_regime)
    return PromptReason.PLACE_CHANGED if is_elsewhere else PromptReason.INCOMPLETE


_KIND_BY_REGIME: Mapping[Regime, PromptKind] = {
    Regime.OPT_IN: PromptKind.CHOICE,
    Regime.OPT_OUT: PromptKind.OBJECTION,
    Regime.NOTICE: PromptKind.NOTICE,
}
