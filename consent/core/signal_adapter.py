"""How a provider's own consent API is told what the visitor chose: which states, and by which calls.

A signal tells a tag that runs how far it may go. It is no gate: what is denied stays held, whatever its provider was told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType

from consent.core.declaration import NECESSARY, PurposeKind, Service
from consent.core.declared_value import read_member
from consent.core.policy import Policy
from consent.core.record import Choice
from consent.core.signal_call import Call, check_call
from consent.errors import ConfigError, order_by_likeness, quote_all

Rule = tuple[tuple[str, ...], ...]
"""Sets of keys; the state is granted if everything in one of the sets is."""


@dataclass(frozen=True, slots=True)
class SignalAdapter:
    """Describe the consent API of one provider.

    Raises:
        ConfigError: If a call names no function, or a type that the API does not have.
    """

    key: str
    _: KW_ONLY
    name: str
    types: Mapping[str, str]
    """The API's own types, such as `ad_storage`, and the kind of purpose that each follows, or `necessary`."""

    stub: str = ""
    """Script that sees to it that the functions called exist. It can run twice."""

    before: tuple[Call, ...] = ()
    """Calls in front of the tag."""

    change: tuple[Call, ...] = ()
    """Calls when a state changed while the page is open."""

    options: Mapping[str, str] = field(default_factory=dict)
    """What a site can switch on, and what is doubtful about it."""

    def __post_init__(self) -> None:
        where = f"signal adapter {self.key!r}"
        for name, kind in self.types.items():
            if kind != NECESSARY:
                read_member(kind, PurposeKind, name=f"types.{name}", where=where)
        for call in (*self.before, *self.change):
            check_call(call, self.types, self.options, where=where)
        for call in self.change:
            if call.is_regional or call.while_asking is not None:
                raise ConfigError(
                    f"A change call of {where} names '$regions' or 'while_asking'. Who changes something has chosen, and the server "
                    "is not there to be asked: leave them out.",
                    key="change",
                    value=call.call,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalMap:
    """Bind an adapter to one policy: what each of its types follows."""

    adapter: SignalAdapter
    rules: Mapping[str, Rule]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of purpose that the types follow."""
        return frozenset(self.adapter.types.values()) - {NECESSARY}

    def follows(self, service: Service) -> bool:
        """Whether granting a service grants some type."""
        named = {key for rule in self.rules.values() for keys in rule for key in keys}
        return service.key in named or not named.isdisjoint(service.purposes)

    def find_states(self, is_open: Callable[[Collection[str]], bool]) -> dict[str, Choice]:
        """Return the state of each type.

        Args:
            is_open: Says whether everything among some keys is granted.
        """
        return {
            name: Choice.GRANTED if any(is_open(keys) for keys in rule) else Choice.DENIED
            for name, rule in self.rules.items()
        }


def bind_adapter(
    adapter: SignalAdapter,
    policy: Policy,
    overrides: Mapping[str, Collection[str]],
    *,
    advanced: Collection[str] = (),
) -> SignalMap:
    """Find out which purposes and services each type of an adapter follows.

    A type follows the services that are told by this adapter and serve a purpose of its kind: one
    that is granted is enough, or of one that serves others too, its purposes of this kind. Where there is
    none, it follows the purposes of that kind, all of them. What nothing stands for is denied. The one
    type of an adapter that has no other follows the services that are told, whatever they are for.

    A tag that runs although its service was refused hears of no grant of what the service is for, whoever it was given to.

    Args:
        overrides: Purposes or services that a type follows instead, all of them, by type.
        advanced: Keys of the services whose tags run before the choice.

    Raises:
        ConfigError: If an override names what does not exist, or would grant what the visitor refused.
    """
    _check_overrides(adapter, policy, overrides)
    told = find_told(adapter.key, policy)
    running = [service for service in told if service.key in advanced]
    rules: dict[str, Rule] = {}
    for name, kind in adapter.types.items():
        purposes = tuple(purpose.key for purpose in policy.optional_purposes if purpose.kind == kind)
        rule = (tuple(overrides[name]),) if name in overrides else _find_rule(adapter, told, purposes, kind)
        # What only others stand for is meant for none of the provider's tags in particular, and so for all that run.
        is_meant_for_all = not any(_serves(service, purposes) for service in told)
        for service in running if kind != NECESSARY else ():
            if is_meant_for_all or _serves(service, purposes):
                rule = _require(rule, _list_ways(service, purposes))
        rules[name] = rule
    return SignalMap(adapter=adapter, rules=MappingProxyType(rules))


def find_told(adapter_key: str, policy: Policy) -> tuple[Service, ...]:
    """Return the services that an adapter tells: what is necessary runs, and nobody decides on it."""
    return tuple(
        service
        for service in policy.services
        if adapter_key in service.signals and policy.optional_purposes_of(service)
    )


def _find_rule(adapter: SignalAdapter, told: Sequence[Service], purposes: tuple[str, ...], kind: str) -> Rule:
    if kind == NECESSARY:
        return ((NECESSARY,),)
    is_only_type = len(adapter.types) == 1
    ways = [
        way for service in told if is_only_type or _serves(service, purposes) for way in _list_ways(service, purposes)
    ]
    return tuple(dict.fromkeys(ways)) or ((purposes,) if purposes else ())


def _serves(service: Service, purposes: Collection[str]) -> bool:
    return any(key in purposes for key in service.purposes)


def _list_ways(service: Service, purposes: tuple[str, ...]) -> Rule:
    """Return what counts as a grant of a service, as far as some purposes go: itself, or its own among them."""
    own = tuple(key for key in service.purposes if key in purposes)
    # Of a tool for several purposes, such as a tag manager, a part may be granted.
    return ((service.key,), own) if 0 < len(own) < len(service.purposes) else ((service.key,),)


def _require(rule: Rule, ways: Rule) -> Rule:
    """Return the rule that also asks for one of several ways."""
    both = (tuple(dict.fromkeys((*keys, *way))) for keys in rule for way in ways)
    return tuple(dict.fromkeys(both))


def _check_overrides(adapter: SignalAdapter, policy: Policy, overrides: Mapping[str, Collection[str]]) -> None:
    for name, keys in overrides.items():
        setting = f"'CONSENT_SIGNALS' for {adapter.key!r}"
        if name not in adapter.types:
            raise ConfigError(
                f"{setting} maps {name!r}, which {adapter.name} does not have. Its types, the closest first: "
                f"{quote_all(order_by_likeness(name, adapter.types))}.",
                key="CONSENT_SIGNALS",
                value=name,
            )
        for key in keys:
            policy.check_key(key, where=setting)
        kind = adapter.types[name]
        if not any(_is_of_kind(policy, key, kind) for key in keys):
            raise ConfigError(
                f"{setting} lets {name!r} follow {quote_all(keys)}, none of which is for {kind!r}: {name!r} would be granted to "
                f"visitors who refused that. Name a purpose of that kind, or give yours kind={kind!r}.",
                key="CONSENT_SIGNALS",
                value=tuple(keys),
            )


def _is_of_kind(policy: Policy, key: str, kind: str) -> bool:
    if kind == NECESSARY:
        return True
    service = policy.services_by_key.get(key)
    purposes = service.purposes if service else (key,)
    return any(policy.purposes_by_key[purpose].kind == kind for purpose in purposes if purpose != NECESSARY)
