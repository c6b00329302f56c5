"""What a visitor's action means: from the decision before to the choices after."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from consent.core.decision import UNASKED_REASONS, Decision, Reason
from consent.core.policy import Policy
from consent.core.record import Choice, Event
from consent.core.regime import Regime


class Action(StrEnum):
    """Name what a visitor can do."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    ALLOW = "allow"
    ONCE = "once"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"


def choose(
    policy: Policy, action: Action, *, granted: Collection[str], before: Decision, is_partial: bool = False
) -> Mapping[str, Choice]:
    """Return the choices that an action leads to, by purpose and service key.

    Args:
        granted: For `save` and `allow`, the keys to grant: a purpose grants all its services, a
            service that service alone. A service of several purposes needs all of them.
        before: What applied so far; `allow` and `acknowledge` keep it.
        is_partial: Whether the answer is to what was asked alone; what was decided before then stands.

    Returns:
        The verdict by key. Left out is what nobody has decided on: also, with `save`, what ran
        unasked and was left on, since a switch that somebody else has set is no grant (CJEU C-673/17),
        and under `notice` whatever would be a new one.
    """
    opened = _expand(policy, policy.fingerprints if action is Action.ACCEPT_ALL else granted)
    if action in (Action.REJECT_ALL, Action.WITHDRAW):
        opened = frozenset()
    kept = {key: _RECORDED[reason] for key, reason in before.reasons.items() if reason in _RECORDED}
    if action is Action.ACKNOWLEDGE:
        return kept
    if action is Action.ALLOW:
        chosen = kept | dict.fromkeys(opened, Choice.GRANTED)
    else:
        # In a notice's place there is nothing to grant, whatever is pressed (L48).
        ungrantable = UNASKED_REASONS if action is Action.SAVE else {Reason.INFORMED}
        left_on = {key for key in opened if before.reasons[key] in ungrantable}
        decided = [key for key in policy.fingerprints if key not in left_on]
        chosen = {key: Choice.GRANTED if key in opened else Choice.DENIED for key in decided}
        # To withdraw is to withdraw everything.
        if is_partial and action is not Action.WITHDRAW:
            chosen = dict(_answer_partly(chosen, kept, before))
    if before.regime is Regime.NOTICE:
        return {key: choice for key, choice in chosen.items() if choice is Choice.DENIED}
    return chosen


def find_switched_on(policy: Policy, decision: Decision) -> frozenset[str]:
    """Return the purposes whose switch shows "on": those that can be saved again without opening anything.

    A purpose grants all its services, so one is off while it would open a service that is shut,
    such as one that was added after the choice.
    """
    on = {purpose.key for purpose in policy.optional_purposes if decision.choices[purpose.key] is Choice.GRANTED}
    for service in policy.services:
        purposes = policy.optional_purposes_of(service)
        if purposes and decision.services[service.key] is not Choice.GRANTED and on.issuperset(purposes):
            on.discard(purposes[0])
    return frozenset(on)


def _answer_partly(chosen: Mapping[str, Choice], kept: Mapping[str, Choice], before: Decision) -> Mapping[str, Choice]:
    """Return the choices after an answer to what was asked alone: the rest stands, decided or not."""
    if before.prompt is None:
        # Another tab has answered in the meantime, and what this one asked is not known: a refusal means all, a grant nothing.
        is_refusal = Choice.GRANTED not in chosen.values()
        return dict.fromkeys(chosen, Choice.DENIED) if is_refusal else kept
    asked = before.prompt.asked
    answered = {key: choice for key, choice in chosen.items() if key in asked}
    return answered | {key: choice for key, choice in kept.items() if key not in asked}


def _expand(policy: Policy, granted: Collection[str]) -> frozenset[str]:
    opened = {key for key in granted if key in policy.fingerprints}
    for service in policy.services:
        purposes = policy.optional_purposes_of(service)
        if purposes and all(purpose in granted for purpose in purposes):
            opened.add(service.key)
    return frozenset(opened)


# What a signal keeps shut is recorded as denied: the new record may itself be made while the signal is present, and
# would otherwise turn a grant made without it into one made in spite of it. What merely runs is not decided on.
_RECORDED: Mapping[Reason, Choice] = {
    Reason.GRANTED: Choice.GRANTED,
    Reason.REFUSED: Choice.DENIED,
    Reason.GPC: Choice.DENIED,
    Reason.DNT: Choice.DENIED,
}


def find_event(before: Decision, closed: Collection[str], *, regime: Regime) -> Event:
    """Return what kind of act it is to close these keys: taking consent back, or objecting to what ran without.

    Args:
        before: The decision under which they were open.
        closed: Keys that were open and are not any more; at least one.
        regime: What holds at the place as a whole.
    """
    if any(before.reasons[key] is Reason.GRANTED for key in closed):
        return Event.WITHDRAWAL
    return Event.OPT_OUT if regime is Regime.OPT_OUT else Event.OBJECTION
