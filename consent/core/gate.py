"""What a decision opens, and what closing takes with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from consent.core.cookie_declaration import CookieDeclaration
from consent.core.decision import SIGNAL_REASONS, Decision, Reason
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieVerdicts:
    """Hold which cookies are to go, and which are to stay where both could be meant."""

    unwanted: tuple[CookieDeclaration, ...]
    """What the visitor has said no to and this site can expire."""

    kept: tuple[CookieDeclaration, ...]
    """What granted services declare: it stays, even where a pattern of `unwanted` matches."""


def judge_cookies(policy: Policy, decision: Decision, *, takes_undecided: bool = False) -> CookieVerdicts:
    """Sort the declared cookies.

    Args:
        takes_undecided: Whether what belongs to undecided services is unwanted too; else it is neither.
    """
    unwanted = _SAID_NO | {Reason.UNDECIDED} if takes_undecided else _SAID_NO
    refused = (service for service in policy.services if decision.reasons[service.key] in unwanted)
    granted = (service for service in policy.services if decision.services[service.key] is Choice.GRANTED)
    return CookieVerdicts(
        unwanted=tuple(cookie for service in refused for cookie in service.cookies if cookie.is_clearable),
        kept=tuple(cookie for service in granted for cookie in service.cookies),
    )


_SAID_NO = frozenset({Reason.REFUSED}) | SIGNAL_REASONS


def _verdict_of(decision: Decision, key: str) -> Choice | None:
    return decision.choices.get(key) or decision.services.get(key)
