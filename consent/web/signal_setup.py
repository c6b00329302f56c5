"""Which providers are told what the visitor chose, and how: worked out once, when the app starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consent.catalogue.adapters import adapter_keys, load_adapter
from consent.core.decision import Decision
from consent.core.gate import is_open
from consent.core.jurisdiction import Jurisdiction, Place
from consent.core.lint import Finding, Severity
from consent.core.policy import Policy
from consent.core.signal_adapter import SignalAdapter, SignalMap, bind_adapter
from consent.errors import ConfigError, SetupError, UnknownKeyError, order_by_likeness, quote_all
from consent.web.gpp_setup import GPP, GppSetup, read_gpp_setup
from consent.web.settings import Settings
from consent.web.tcf_hook import TCF, TcfHook, read_tcf_hook

_SETTING = "CONSENT_SIGNALS"
_TYPES = "types"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSetup:
    """Hold the signal adapters of one policy."""

    maps: Mapping[str, SignalMap] = field(default_factory=dict)
    """By adapter key."""

    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Options that are on, by adapter key."""

    adapters_by_service: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys of the adapters that tell a service, IAB GPP included, by service key; only services that are told."""

    advanced: frozenset[str] = frozenset()
    """Services whose tags load before the choice."""

    gpp: GppSetup | None = None
    """IAB GPP; None if no service reads it."""

    tcf: TcfHook | None = None
    """The site's own IAB TCF platform; None for none."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that `describe` knows."""
        return (*self.maps, *([GPP] if self.gpp else []), *([TCF] if self.tcf else []))

    def find_gpp_section(self, place: Place | None, rules: Jurisdiction) -> str | None:
        """Return the section of IAB GPP that pages tell of a visitor; None for none."""
        return self.gpp.find_section_name(place, rules) if self.gpp else None

    def describe(
        self, key: str, decision: Decision, *, place: Place | None, rules: Jurisdiction, has_gpc: bool
    ) -> Mapping[str, str]:
        """Return what a provider is to be told of a visitor, for a call that the server makes itself.

        Raises:
            SetupError: If no declared service is told by it.
        """
        if key in self.maps:
            return self.maps[key].find_states(lambda keys: is_open(decision, keys))
        if key == GPP and self.gpp:
            return self.gpp.find_macros(place, rules, decision, has_gpc=has_gpc)
        if key == TCF and self.tcf:
            return self.tcf.find_macros(decision)
        raise SetupError(
            f"No declared service is told by a signal adapter {key!r}. Those of the declared services, the closest first: "
            f"{quote_all(order_by_likeness(key, self.keys))}. Declare the service, or use one of these."
        )


def build_signals(policy: Policy, settings: Settings) -> tuple[SignalSetup, tuple[Finding, ...]]:
    """Return the adapters of the services of a policy, and what is doubtful about their options.

    Raises:
        ConfigError: If a setting names what does not exist, or maps a type to what it does not stand for.
    """
    _check_adapter_names(settings.signals)
    switched_off = {key for key, value in settings.signals.items() if value is False}
    told = {
        service.key: tuple(key for key in service.signals if key not in switched_off) for service in policy.services
    }
    names = dict.fromkeys(key for keys in told.values() for key in keys)
    adapters = {key: load_adapter(key) for key in names if key != GPP}
    options = {key: _read_options(adapter, settings.signals.get(key, {})) for key, adapter in adapters.items()}
    setup = SignalSetup(
        maps=MappingProxyType(
            {
                key: bind_adapter(adapter, policy, _read_types(adapter, settings.signals.get(key, {})))
                for key, adapter in adapters.items()
            }
        ),
        options=MappingProxyType(options),
        adapters_by_service=MappingProxyType({key: keys for key, keys in told.items() if keys}),
        advanced=_read_advanced(policy, settings, told),
        gpp=read_gpp_setup(settings.signals.get(GPP, {}), policy) if GPP in names else None,
        tcf=read_tcf_hook(settings.signals[TCF]) if settings.signals.get(TCF) else None,
    )
    return setup, (*_warn_of_advanced(setup), *_warn_of_options(adapters, options), *_warn_of_idle(settings, names))


def _check_adapter_names(signals: Mapping[str, object]) -> None:
    known = (*adapter_keys(), GPP, TCF)
    for key, value in signals.items():
        if key not in known:
            raise ConfigError(
                f"{_SETTING!r} names signal adapter {key!r}, which does not exist. There are, the closest first: "
                f"{quote_all(order_by_likeness(key, known))}.",
                key=_SETTING,
                value=key,
            )
        if value is not False and not isinstance(value, Mapping):
            raise ConfigError(
                f"{_SETTING!r} for {key!r} must be a mapping of options, or False to tell the provider nothing, got {value!r}.",
                key=_SETTING,
                value=value,
            )


def _read_options(adapter: SignalAdapter, given: object) -> frozenset[str]:
    options = given if isinstance(given, Mapping) else {}
    for name, value in options.items():
        if name == _TYPES:
            continue
        if name not in adapter.options:
            raise ConfigError(
                f"{_SETTING!r} for {adapter.key!r} has an unknown option {name!r}. Its options, the closest first: "
                f"{quote_all(order_by_likeness(str(name), (_TYPES, *adapter.options)))}.",
                key=_SETTING,
                value=name,
            )
        if not isinstance(value, bool):
            raise ConfigError(
                f"Option {name!r} in {_SETTING!r} for {adapter.key!r} must be True or False, got {value!r}.",
                key=_SETTING,
                value=value,
            )
    return frozenset(name for name in adapter.options if options.get(name))


def _read_types(adapter: SignalAdapter, given: object) -> Mapping[str, tuple[str, ...]]:
    types = given.get(_TYPES, {}) if isinstance(given, Mapping) else {}
    is_sound = isinstance(types, Mapping) and all(
        isinstance(keys, list | tuple) and keys and all(isinstance(key, str) for key in keys) for keys in types.values()
    )
    if not is_sound:
        raise ConfigError(
            f"{_TYPES!r} in {_SETTING!r} for {adapter.key!r} must give the purposes of a type, such as "
            f"{{{next(iter(adapter.types))!r}: ['marketing']}}, got {types!r}.",
            key=_SETTING,
            value=types,
        )
    return {name: tuple(keys) for name, keys in types.items()}


def _read_advanced(policy: Policy, settings: Settings, told: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    for key in settings.advanced:
        if key not in policy.services_by_key:
            raise UnknownKeyError(key, allowed=policy.services_by_key, where="in 'CONSENT_ADVANCED'")
        if not any(adapter != GPP for adapter in told[key]):
            raise ConfigError(
                f"'CONSENT_ADVANCED' names service {key!r}, which has no consent API that could be told what is denied: its tag "
                "can only be held. Take it out.",
                key="CONSENT_ADVANCED",
                value=key,
            )
    return frozenset(settings.advanced)


def _warn(key: str, message: str) -> Finding:
    return Finding(rule="S13", severity=Severity.WARNING, key=key, message=message)


def _warn_of_advanced(setup: SignalSetup) -> list[Finding]:
    return [
        _warn(
            "CONSENT_ADVANCED",
            f"The tag of service {key!r} loads before anyone has agreed ('CONSENT_ADVANCED'). It is told that consent is denied, and "
            "its provider still receives the visitor's address and browser, which in Europe needs consent as well (EDPB "
            "Guidelines 2/2023). Take it out to hold the tag.",
        )
        for key in sorted(setup.advanced)
    ]


def _warn_of_options(adapters: Mapping[str, SignalAdapter], options: Mapping[str, frozenset[str]]) -> list[Finding]:
    return [
        _warn(_SETTING, f"Option {name!r} of signal adapter {key!r} is on. {adapters[key].options[name]}")
        for key, names in options.items()
        for name in sorted(names)
    ]


def _warn_of_idle(settings: Settings, names: Collection[str]) -> list[Finding]:
    return [
        _warn(
            _SETTING, f"{_SETTING!r} has options for {key!r}, but no declared service is told by it: they do nothing."
        )
        for key, value in settings.signals.items()
        if key not in (*names, TCF) and value is not False
    ]
