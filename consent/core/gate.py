"""What a decision opens, and what closing takes with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from consent.core.decision import Decision, Reason
from consent.core.declaration import CookieDeclaration, Service
from consent.core.policy import Policy
from consent.core.record import Choice


def is_open(decision: Decision, keys: Collection[str]) -> bool:
    """Whether every key is granted. No keys, or an unknown one, keeps the gate shut."""
    return bool(keys) and all(_verdict_of(decision, key) is Choice.GRANTED for key in keys)


def find_closed(before: Decision, after: Decision) -> frozenset[str]:
    """Return the purposes and services that went from granted to denied."""
    return frozenset(
        key for key in before.reasons if is_open(before, (key,)) and key in after.reasons and not is_open(after, (key,))
    )


def find_unwanted_cookies(policy: Policy, decision: Decision) -> tuple[CookieDeclaration, ...]:
    """Return the cookies the visitor has said no to and this site can expire.

    A cookie that a granted service declares too is left alone, and so is everything undecided.
    """
    kept = {cookie.name for service in _services_with(policy, decision, {Choice.GRANTED}) for cookie in service.cookies}
    refused = (service for service in policy.services if decision.reasons[service.key] in (Reason.REFUSED, Reason.GPC))
    return tuple(
        cookie for service in refused for cookie in service.cookies if cookie.is_clearable and cookie.name not in kept
    )


def _services_with(policy: Policy, decision: Decision, verdicts: Collection[Choice]) -> Iterable[Service]:
    return (service for service in policy.services if decision.services[service.key] in verdicts)


def _verdict_of(decision: Decision, key: str) -> Choice | None:
    return decision.choices.get(key) or decision.services.get(key)
