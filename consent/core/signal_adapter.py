"""How a provider's own consent API is told what the visitor chose: which states, and by which calls.

A signal tells a tag that runs how far it may go. It is no gate: what is denied stays held, whatever its provider was told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType

from consent.core.declaration import NECESSARY, PurposeKind
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalMap:
    """Bind an adapter to one policy: what each of its types follows."""

    adapter: SignalAdapter
    rules: Mapping[str, Rule]

    def find_states(self, is_open: Callable[[Collection[str]], bool]) -> dict[str, Choice]:
        """Return the state of each type.

        Args:
            is_open: Says whether everything among some keys is granted.
        """
        return {
            name: Choice.GRANTED if any(is_open(keys) for keys in rule) else Choice.DENIED
            for name, rule in self.rules.items()
        }


def bind_adapter(adapter: SignalAdapter, policy: Policy, overrides: Mapping[str, Collection[str]]) -> SignalMap:
    """Find out which purposes and services each type of an adapter follows.

    A type follows the services that are told by this adapter and serve a purpose of its kind: one
    that is granted is enough, or of one that serves others too, its purposes of this kind. Where there is
    none, it follows the purposes of that kind, all of them. What nothing stands for is denied.

    Args:
        overrides: Purposes or services that a type follows instead, all of them, by type.

    Raises:
        ConfigError: If an override names what does not exist, or would grant what the visitor refused.
    """
    _check_overrides(adapter, policy, overrides)
    rules = {
        name: (tuple(overrides[name]),) if name in overrides else _find_rule(adapter, policy, kind)
        for name, kind in adapter.types.items()
    }
    return SignalMap(adapter=adapter, rules=MappingProxyType(rules))


def _find_rule(adapter: SignalAdapter, policy: Policy, kind: str) -> Rule:
    if kind == NECESSARY:
        return ((NECESSARY,),)
    purposes = tuple(purpose.key for purpose in policy.optional_purposes if purpose.kind == kind)
    told: list[tuple[str, ...]] = []
    for service in policy.services:
        own = tuple(key for key in service.purposes if key in purposes)
        if own and adapter.key in service.signals:
            told.append((service.key,))
            # Of a tool for several purposes, such as a tag manager, a part may be granted.
            told += [own] if len(own) < len(service.purposes) else []
    return tuple(dict.fromkeys(told)) or ((purposes,) if purposes else ())


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
