"""Which providers are told what the visitor chose, and how: worked out once, when the app starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consent.catalogue.adapters import adapter_keys, load_adapter
from consent.core.decision import Decision
from consent.core.gate import is_open
from consent.core.jurisdiction import Jurisdiction, Place
from consent.core.lint import Finding, Severity
from consent.core.policy import Policy
from consent.core.signal_adapter import SignalAdapter, SignalMap, bind_adapter, find_told
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
    """By adapter key; those that are switched off are left out."""

    stubs: Mapping[str, str] = field(default_factory=dict)
    """What tags stand on, by adapter key, those that are switched off included."""

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
            return self.tcf.find_macros(decision, place)
        raise SetupError(
            f"No declared service is told by a signal adapter {key!r}. Those of the declared services, the closest first: "
            f"{quote_all(order_by_likeness(key, self.keys))}. Declare the service, or use one of these."
        )


def build_signals(policy: Policy, settings: Settings) -> tuple[SignalSetup, tuple[Finding, ...]]:
    """Return the adapters of the services of a policy, and what is doubtful about their options.

    Raises:
        ConfigError: If a setting names what does not exist, or maps a type to what it does not stand for.
    """
    _check_setting(settings.signals)
    told = {service.key: service.signals for service in policy.services if service.signals}
    names = dict.fromkeys(key for keys in told.values() for key in keys)
    _check_names(names)
    _check_frames(policy)
    loaded = {key: load_adapter(key) for key in names if key != GPP}
    # The tag of a provider that is told nothing still stands on the stub.
    adapters = {
        key: adapter
        for key, adapter in loaded.items()
        if settings.signals.get(key) is not False and find_told(key, policy)
    }
    advanced = _read_advanced(policy, settings, adapters)
    options = {key: _read_options(adapter, settings.signals.get(key, {})) for key, adapter in adapters.items()}
    setup = SignalSetup(
        maps=MappingProxyType(
            {
                key: bind_adapter(
                    adapter, policy, _read_types(adapter, settings.signals.get(key, {})), advanced=advanced
                )
                for key, adapter in adapters.items()
            }
        ),
        stubs=MappingProxyType({key: adapter.stub.strip() for key, adapter in loaded.items()}),
        options=MappingProxyType(options),
        adapters_by_service=MappingProxyType(told),
        advanced=advanced,
        gpp=_read_gpp(settings, policy, is_read=GPP in names),
        tcf=read_tcf_hook(settings.signals[TCF]) if settings.signals.get(TCF, False) is not False else None,
    )
    findings = (
        *_warn_of_advanced(setup),
        *_warn_of_options(adapters, options),
        *_warn_of_idle(settings, names),
        *_warn_of_denied(setup, policy),
    )
    return setup, findings


def _check_names(names: Iterable[str]) -> None:
    known = (*adapter_keys(), GPP)
    for key in names:
        if key not in known:
            advice = " An IAB TCF platform is hooked in by 'CONSENT_SIGNALS'." if key == TCF else ""
            raise ConfigError(
                f"A service names signal adapter {key!r}, which does not exist. There are, the closest first: "
                f"{quote_all(order_by_likeness(key, known))}. Use one of them in 'signals', or leave it out: then the tag is only "
                f"held.{advice}",
                key="signals",
                value=key,
            )


def _check_frames(policy: Policy) -> None:
    for service in policy.services:
        if service.embed and service.signals:
            raise ConfigError(
                f"Service {service.key!r} is a frame and names 'signals'. A frame is a page of its own provider, in which nothing "
                "can be called; leave 'signals' out.",
                key=service.key,
                value=service.signals,
            )


def _read_gpp(settings: Settings, policy: Policy, *, is_read: bool) -> GppSetup | None:
    given = settings.signals.get(GPP, {})
    # Read also where nobody reads the string: a mistake is a mistake.
    setup = None if given is False else read_gpp_setup(given, policy)
    return setup if is_read else None


def _check_setting(signals: Mapping[str, object]) -> None:
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


def _read_advanced(policy: Policy, settings: Settings, adapters: Collection[str]) -> frozenset[str]:
    for key in settings.advanced:
        if key not in policy.services_by_key:
            raise UnknownKeyError(key, allowed=policy.services_by_key, where="in 'CONSENT_ADVANCED'")
        if not any(adapter in adapters for adapter in policy.services_by_key[key].signals):
            raise ConfigError(
                f"'CONSENT_ADVANCED' names service {key!r}, which has no consent API that could be told what is denied: its tag "
                "can only be held. Take it out.",
                key="CONSENT_ADVANCED",
                value=key,
            )
    return frozenset(settings.advanced)


def _warn(key: str, message: str, *, rule: str = "-") -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, key=key, message=message)


def _warn_of_advanced(setup: SignalSetup) -> list[Finding]:
    return [
        _warn(
            "CONSENT_ADVANCED",
            f"The tag of service {key!r} loads before anyone has agreed, and after they refused ('CONSENT_ADVANCED'). It is told "
            "that consent is denied, and its provider still receives the visitor's address and browser, which in Europe needs "
            "consent as well (EDPB Guidelines 2/2023). Take it out to hold the tag.",
            rule="S13",
        )
        for key in sorted(setup.advanced)
    ]


def _warn_of_options(adapters: Mapping[str, SignalAdapter], options: Mapping[str, frozenset[str]]) -> list[Finding]:
    return [
        _warn(_SETTING, f"Option {name!r} of signal adapter {key!r} is on. {adapters[key].options[name]}")
        for key, names in options.items()
        for name in sorted(names)
    ]


def _warn_of_denied(setup: SignalSetup, policy: Policy) -> list[Finding]:
    """Tell of services that run once they are granted, and whose providers would then hear of refusals alone."""
    advice = "Give the purposes the 'kind' that they are of, or map the types with 'types' in 'CONSENT_SIGNALS'."
    unheard = [
        _warn(
            _SETTING,
            f"Service {service.key!r} is told by signal adapter {key!r}, whose types follow purposes of kind "
            f"{quote_all(sorted(found.kinds))}, and it serves none of these: when it is granted, its provider is told that "
            f"everything is denied. {advice}",
        )
        for key, found in setup.maps.items()
        for service in find_told(key, policy)
        if not found.follows(service)
    ]
    if setup.gpp and not setup.gpp.advertising:
        unheard.append(
            _warn(
                _SETTING,
                f"No purpose is of kind 'advertising', so IAB GPP says of everyone that they have opted out. {advice}",
            )
        )
    return unheard


def _warn_of_idle(settings: Settings, names: Collection[str]) -> list[Finding]:
    return [
        _warn(
            _SETTING, f"{_SETTING!r} has options for {key!r}, but no declared service is told by it: they do nothing."
        )
        for key, value in settings.signals.items()
        if key not in (*names, TCF) and value is not False
    ]
