"""What a visitor's action means: from the decision before to the choices after."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from consent.core.decision import Decision, Reason
from consent.core.policy import Policy
from consent.core.record import Choice


class Action(StrEnum):
    """Name what a visitor can do."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    ALLOW = "allow"
    ONCE = "once"
    WITHDRAW = "withdraw"


def choose(policy: Policy, action: Action, *, granted: Collection[str], before: Decision) -> Mapping[str, Choice]:
    """Return the choices that an action leads to, by purpose and service key.

    Args:
        granted: For `save` and `allow`, the keys to grant: a purpose grants all its services, a
            service that service alone. A service of several purposes needs all of them.
        before: What applied so far; only `allow` keeps anything of it.

    Returns:
        The verdict by key. Only `allow` leaves keys out: those nobody has decided on yet.
    """
    opened = _expand(policy, policy.fingerprints if action is Action.ACCEPT_ALL else granted)
    if action in (Action.REJECT_ALL, Action.WITHDRAW):
        opened = frozenset()
    if action is Action.ALLOW:
        kept = {key: _recorded(before.reasons[key]) for key in policy.fingerprints if _is_decided(before.reasons[key])}
        return kept | dict.fromkeys(opened, Choice.GRANTED)
    return {key: Choice.GRANTED if key in opened else Choice.DENIED for key in policy.fingerprints}


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


def _expand(policy: Policy, granted: Collection[str]) -> frozenset[str]:
    opened = {key for key in granted if key in policy.fingerprints}
    for service in policy.services:
        purposes = policy.optional_purposes_of(service)
        if purposes and all(purpose in granted for purpose in purposes):
            opened.add(service.key)
    return frozenset(opened)


def _is_decided(reason: Reason) -> bool:
    return reason is not Reason.UNDECIDED


def _recorded(reason: Reason) -> Choice:
    # What a signal keeps shut is recorded as denied: the new record may itself be made while the signal
    # is present, and would otherwise turn a grant made without it into one made in spite of it.
    return Choice.GRANTED if reason is Reason.GRANTED else Choice.DENIED
