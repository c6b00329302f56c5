"""Calls that the server makes itself, such as events for a provider's API: made only where they are granted."""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast, overload
from uuid import UUID

from flask import current_app, has_app_context, has_request_context

from consent.core.decision import Reason
from consent.core.gate import is_open
from consent.core.jurisdiction import Jurisdiction, parse_place
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import ConsentRecord, read_record
from consent.engine import Outcome
from consent.errors import LedgerError, RecordError, SetupError, quote_all
from consent.web.guard_order import check_guardable, remember_guarded
from consent.web.site import Site
from consent.web.visit import get_site, get_visit

log = logging.getLogger("consent")

P = ParamSpec("P")
T = TypeVar("T")


class _Unset(Enum):
    """Tell what was not given from None, which a job has for a visitor without a record."""

    UNSET = "unset"


Stored = ConsentRecord | Mapping[str, object] | None
"""A record, the plain values that `ConsentRecord.as_dict()` gave, or None for a visitor who has decided nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedGuard:
    """Say what a guard was asked."""

    keys: tuple[str, ...]
    """The purposes and services, as the code names them."""

    is_open: bool
    """What it answered."""

    function: str
    """Name of the function that it guards, or that asked it."""


_heard_by: list[list[AskedGuard]] = []


class Guard:
    """Say whether something may be done for a visitor: as a condition, or on a function.

    Made by `guard()`. Each use asks anew.
    """

    def __init__(self, keys: tuple[str, ...], record: Stored | _Unset, subject_id: str | _Unset | None) -> None:
        self._keys = keys
        self._record = record
        self._subject_id = subject_id

    def __bool__(self) -> bool:
        """Whether everything named is granted."""
        return self._ask(_find_caller())

    if not TYPE_CHECKING:  # so that type checkers refuse `with`, too

        def __enter__(self) -> NoReturn:
            """Refuse `with`, which cannot leave its block out: it would send what is not granted.

            Raises:
                SetupError: Always.
            """
            raise SetupError(
                f"'with' cannot leave its block out, granted or not. Write instead: if guard({quote_all(self._keys)}):"
            )

        def __exit__(self, *_: object) -> None:
            """Stand beside `__enter__`: without it, Python would not ask that."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T | None]]: ...

    @overload
    def __call__(self, function: Callable[P, T]) -> Callable[P, T | None]: ...

    def __call__(self, function: Callable[P, Any]) -> Callable[P, Any]:  # Any: async or not, as the overloads say
        """Let a function, async or not, run only where everything named is granted at its call; else it returns None.

        Stands right above `def`: what another decorator registers, or hands to a queue, must be the guarded function.

        Raises:
            SetupError: If it is no function, one that yields, or one that carries other ways in; see `check_guardable`.
        """
        check_guardable(function)
        remember_guarded(function)
        name = getattr(function, "__name__", repr(function))
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def wait(*args: P.args, **kwargs: P.kwargs) -> object:
                return await function(*args, **kwargs) if self._ask(name) else None

            return wait

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> object:
            return function(*args, **kwargs) if self._ask(name) else None

        return call

    def _ask(self, function: str) -> bool:
        answer = self._judge()
        for heard in tuple(_heard_by):
            heard.append(AskedGuard(keys=self._keys, is_open=answer, function=function))
        return answer

    def _judge(self) -> bool:
        if self._record is not _Unset.UNSET:
            return _is_open_for(_open_site(self._keys), self._record, self._keys)
        if self._subject_id is not _Unset.UNSET:
            site = _open_site(self._keys)
            return _is_open_for(site, _find_current(site, self._subject_id), self._keys)
        if not has_request_context():
            raise SetupError(
                f"guard({self._keys[0]!r}) was asked outside a request, where there is no visitor. Give it what a job was "
                "given of them, guard(…, record=…), or whom the ledger is to be asked about, guard(…, subject_id=…)."
            )
        visit = get_visit()
        _check_keys(visit.policy, self._keys)
        # No provider is told from here what is denied, so what loads before the choice ('CONSENT_ADVANCED') is shut, too.
        return is_open(visit.decision, self._keys) and visit.waiting.isdisjoint(self._keys)


def guard(*keys: str, record: Stored | _Unset = _Unset.UNSET, subject_id: str | _Unset | None = _Unset.UNSET) -> Guard:
    """Ask whether the server may do something for a visitor, such as send an event to a provider.

    Fails closed: whatever is missing, malformed, over or out of reach, the answer is no.

        if guard("analytics"): send()
        @guard("analytics")  # right above `def`, below every other decorator

    Args:
        keys: Purposes and services; all must be granted.
        record: Outside a request, the visitor's record, or what its `as_dict()` gave; None for a visitor without one. Needs
            an app context. What was withdrawn since, it cannot know.
        subject_id: Of whom the ledger is asked for the record that is current now; None for nobody. Needs an app context.

    Raises:
        SetupError: If no key is given, or both a record and a subject. When it is asked: outside a request without either,
            without an app context, or for a subject without a ledger.
        UnknownKeyError: When it is asked, if the policy does not declare a key.
    """
    if not keys or callable(keys[0]):
        raise SetupError("guard() needs at least one key, such as guard('analytics').")
    if record is not _Unset.UNSET and subject_id is not _Unset.UNSET:
        raise SetupError(
            "guard() was given both 'record' and 'subject_id'. Give one of them: the ledger's record is the newer one."
        )
    return Guard(keys, record, subject_id)


@contextmanager
def listen_to_guards() -> Iterator[list[AskedGuard]]:
    """Lend a list that fills with what every guard of the process is asked meanwhile, whatever thread asks."""
    heard: list[AskedGuard] = []
    _heard_by.append(heard)
    try:
        yield heard
    finally:
        # By identity: two empty lists are equal.
        _heard_by[:] = [each for each in _heard_by if each is not heard]


def _find_caller() -> str:
    """Return the name of the function that uses the guard: of interest in tests alone."""
    return sys._getframe(2).f_code.co_name if _heard_by else ""  # noqa: SLF001 - `inspect` reads source files for it


def _open_site(keys: tuple[str, ...]) -> Site:
    if not has_app_context():
        raise SetupError(
            f"guard({keys[0]!r}) was asked without an app. In a job, ask it within: with app.app_context(): …"
        )
    site = get_site(current_app)
    _check_keys(site.engine.policy, keys)
    return site


def _check_keys(policy: Policy, keys: tuple[str, ...]) -> None:
    for key in keys:
        policy.check_key(key, where="guard()")


def _find_current(site: Site, subject_id: str | None) -> Stored:
    """Return the subject's current record by the ledger; None for none, and for a ledger that does not answer."""
    if site.ledger is None:
        raise SetupError(
            "guard() was given 'subject_id', and there is no ledger to ask. Set 'CONSENT_LEDGER', or give the record."
        )
    try:
        event = site.ledger.current(str(UUID(str(subject_id)))) if subject_id is not None else None
        return cast("Stored", json.loads(event.payload)) if event else None  # read member by member below
    except LedgerError as error:
        log.error("The ledger could not be asked what a visitor allows, so nothing is: %s", error)  # noqa: TRY400 - the message says it all
    except (ValueError, RecursionError):
        log.error("guard() was given what is no id of a subject, or led to no record; nothing is granted.")  # noqa: TRY400 - the error would quote it
    return None


def _is_open_for(site: Site, stored: Stored, keys: tuple[str, ...]) -> bool:
    try:
        outcome = _judge_stored(site, stored)
    except (RecordError, TypeError, AttributeError, ValueError, OverflowError) as error:
        wrong = repr(error.name) if isinstance(error, RecordError) else "a member"
        log.error("A stored record could not be read, so nothing is granted: %s is malformed.", wrong)  # noqa: TRY400 - the error would quote it
        outcome = _judge_stored(site, None)
    # Nobody is there to ask the browser for its signal, and only what was granted in so many words stands without.
    unheard = {key for key in outcome.closed_by_gpc if outcome.decision.reasons[key] is not Reason.GRANTED}
    return is_open(outcome.decision, keys) and unheard.isdisjoint(keys)


def _judge_stored(site: Site, stored: Stored) -> Outcome:
    record = stored if stored is None or isinstance(stored, ConsentRecord) else read_record(stored)
    signals = record.signals if record else Signals()
    rules = _find_rules(site, stored, record)
    return site.engine.judge(record, signals=signals, jurisdiction=rules).outcome


def _find_rules(site: Site, stored: Stored, record: ConsentRecord | None) -> Jurisdiction:
    """Return what holds today at the place where a record was made; of a place that is not named, the regime of then."""
    named: object
    if isinstance(stored, ConsentRecord):
        named = stored.account.jurisdiction if stored.account else None
    else:
        named = stored.get("jurisdiction") if stored else None
    place = parse_place(named) if isinstance(named, str) else None
    rules = site.jurisdictions.find(place, now=site.engine.read_clock())
    if named is None and record is not None:
        return replace(rules, regime=record.regime, regime_by_kind={})
    return rules
