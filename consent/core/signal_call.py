"""The calls of a provider's consent API: described as data, with what they depend on left open, and filled in here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from consent.core.declared_value import read_member
from consent.core.record import Choice
from consent.core.regime import Regime
from consent.errors import ConfigError, order_by_likeness, quote_all

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*)*")
_STATES, _CHOICES, _REGIONS = "$states", "$choices", "$regions"
_DENIED = "$denied:"
_SPREAD = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Describe one call of the provider's API."""

    call: str
    """A global function, or a method of a global: `gtag`, `uetq.push`."""

    arguments: tuple[object, ...] = ()
    """JSON values. `$states` stands for the state of each type, `$choices` for that of each purpose, `$denied:TYPE` for
    whether a type is denied; an object's member `...` spreads one of the first two. With `$regions`, a list of codes,
    the call is made for each group of regions, and `$states` are theirs."""

    when: Mapping[str, str] = field(default_factory=dict)
    """State by type that all must hold for the call to be made."""

    regimes: tuple[str, ...] = ()
    """Regimes under which it is made; empty for all."""

    while_asking: bool | None = None
    """True for while the visitor is asked, False for when not, None for both."""

    option: str = ""
    """The option of the adapter that a site must have switched on; empty for none."""

    @property
    def is_regional(self) -> bool:
        """Whether it is made once for each group of regions that differ from the rest."""
        return _holds(self.arguments, _REGIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Hold the states of visitors in some places, before they choose."""

    codes: tuple[str, ...]
    """Codes such as `JP` (ISO 3166-1) and `US-CA` (ISO 3166-2)."""

    states: Mapping[str, Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Hold what the calls of an adapter depend on."""

    states: Mapping[str, Choice]
    choices: Mapping[str, Choice]
    """Verdict of each purpose."""

    options: frozenset[str] = frozenset()
    """Options of the adapter that are on."""

    regions: tuple[Region, ...] = ()
    """Where other states hold, for a visitor whose place is not known."""

    regime: Regime
    is_asking: bool


def fill_calls(calls: Iterable[Call], situation: Situation) -> list[tuple[str, list[object]]]:
    """Return the calls that are made in a situation: function and arguments of each, as plain JSON values."""
    return [
        (call.call, [_fill(argument, case, codes) for argument in call.arguments])
        for call in calls
        for case, codes in _find_cases(call, situation)
        if _is_made(call, case)
    ]


def select_calls(calls: Iterable[Call], *, regime: Regime, options: Collection[str]) -> tuple[Call, ...]:
    """Return the calls that may be made under a regime with some options: by the states, the browser decides."""
    return tuple(call for call in calls if _is_made_under(call, regime, options))


def _find_cases(call: Call, situation: Situation) -> list[tuple[Situation, tuple[str, ...]]]:
    if not call.is_regional:
        return [(situation, ())]
    return [(replace(situation, states=region.states), region.codes) for region in situation.regions]


def _is_made_under(call: Call, regime: Regime, options: Collection[str]) -> bool:
    return (not call.regimes or regime.value in call.regimes) and (not call.option or call.option in options)


def _is_made(call: Call, situation: Situation) -> bool:
    return (
        _is_made_under(call, situation.regime, situation.options)
        and call.while_asking in (None, situation.is_asking)
        and all(situation.states[name] == state for name, state in call.when.items())
    )


def _fill(argument: object, situation: Situation, codes: tuple[str, ...]) -> object:
    """Return an argument with its placeholders filled in."""
    if isinstance(argument, Mapping):
        return _fill_object(argument, situation, codes)
    if isinstance(argument, list | tuple):
        return [_fill(each, situation, codes) for each in argument]
    if not isinstance(argument, str):
        return argument
    if argument.startswith(_DENIED):
        return situation.states[argument.removeprefix(_DENIED)] is Choice.DENIED
    named = {_STATES: dict(situation.states), _CHOICES: dict(situation.choices), _REGIONS: list(codes)}
    return named.get(argument, argument)


def _fill_object(members: Mapping[str, object], situation: Situation, codes: tuple[str, ...]) -> dict[str, object]:
    filled: dict[str, object] = {}
    for name, value in members.items():
        found = _fill(value, situation, codes)
        if name == _SPREAD and isinstance(found, dict):
            filled.update(found)
        else:
            filled[name] = found
    return filled


def check_call(call: Call, types: Mapping[str, str], options: Mapping[str, str], *, where: str) -> None:
    """Refuse a call that names no function, or depends on what its adapter does not have.

    Raises:
        ConfigError: With what was found and what is allowed.
    """
    if not _NAME.fullmatch(call.call):
        raise ConfigError(
            f"A call of {where} names {call.call!r}. Name a global function or a method of one, such as 'gtag' or 'uetq.push'.",
            key="call",
            value=call.call,
        )
    if call.option and call.option not in options:
        raise ConfigError(
            f"A call of {where} needs option {call.option!r}, which is not among its options: {quote_all(options)}.",
            key="option",
            value=call.option,
        )
    for regime in call.regimes:
        read_member(regime, Regime, name="regimes", where=where)
    for state in call.when.values():
        read_member(state, Choice, name="when", where=where)
    for name in (*call.when, *_find_denied(call.arguments)):
        if name not in types:
            raise ConfigError(
                f"A call of {where} depends on type {name!r}. Its types, the closest first: "
                f"{quote_all(order_by_likeness(name, types))}.",
                key="when",
                value=name,
            )


def _holds(argument: object, placeholder: str) -> bool:
    if isinstance(argument, Mapping):
        argument = list(argument.values())
    if isinstance(argument, list | tuple):
        return any(_holds(each, placeholder) for each in argument)
    return argument == placeholder


def _find_denied(argument: object) -> list[str]:
    if isinstance(argument, Mapping):
        argument = list(argument.values())
    if isinstance(argument, list | tuple):
        return [name for each in argument for name in _find_denied(each)]
    is_named = isinstance(argument, str) and argument.startswith(_DENIED)
    return [str(argument).removeprefix(_DENIED)] if is_named else []
