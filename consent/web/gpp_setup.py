"""IAB GPP: in which places it applies, and the string that says what the visitor chose there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from consent.core.decision import Decision
from consent.core.declaration import PurposeKind
from consent.core.gate import is_open
from consent.core.jurisdiction import Jurisdiction, Place
from consent.core.policy import Policy
from consent.core.regime import Regime
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.wire.gpp import Section, UsCalifornia, UsNational, describe_us_privacy_choices, encode_gpp
from consent.wire.us_privacy import UsPrivacy, format_us_privacy

GPP = "gpp"
"""The key under which a service says that it reads IAB GPP."""

_OPTIONS = ("mspa_signatory", "mspa_mode", "sensitive", "legacy_usp")
_MODES = ("opt_out_option", "service_provider")
SectionName = Literal["usnat", "usca"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GppSetup:
    """Hold what a site says of itself in GPP strings."""

    advertising: tuple[str, ...]
    """Purposes whose refusal is an opt-out of sale, sharing and targeted advertising."""

    mspa_signatory: bool = False
    mspa_mode: Literal["opt_out_option", "service_provider"] | None = None
    sensitive: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """By section, the purpose that stands for a data activity of the section's own numbering."""

    legacy_usp: bool = False

    def find_section_name(self, place: Place | None, rules: Jurisdiction) -> SectionName | None:
        """Return the section that applies to a visitor; None for none."""
        if place is None or place.country != "US" or rules.regime is not Regime.OPT_OUT:
            return None
        return "usca" if place.region == "CA" else "usnat"

    def describe(self, name: SectionName, decision: Decision, *, has_gpc: bool) -> Section:
        """Return the section that says what a visitor has chosen."""
        return describe_us_privacy_choices(
            name,
            is_advertising_open=is_open(decision, self.advertising),
            gpc=has_gpc,
            sensitive={number: is_open(decision, (key,)) for number, key in self.sensitive.get(name, {}).items()},
            mspa_signatory=self.mspa_signatory,
            mspa_mode=self.mspa_mode,
        )

    def find_macros(
        self, place: Place | None, rules: Jurisdiction, decision: Decision, *, has_gpc: bool
    ) -> dict[str, str]:
        """Return what requests carry, by the names of IAB's URL macros; empty where GPP does not apply."""
        name = self.find_section_name(place, rules)
        if name is None:
            return {}
        section = self.describe(name, decision, has_gpc=has_gpc)
        macros = {"gpp": encode_gpp({section.section_id: section}), "gpp_sid": str(section.section_id)}
        return macros | ({"us_privacy": self._format_legacy(decision)} if self.legacy_usp else {})

    def _format_legacy(self, decision: Decision) -> str:
        choice = UsPrivacy(notice=True, has_opted_out=not is_open(decision, self.advertising), lspa_covered=False)
        return format_us_privacy(choice, legacy_usp=True)


def read_gpp_setup(given: object, policy: Policy) -> GppSetup:
    """Read `CONSENT_SIGNALS["gpp"]`.

    Raises:
        ConfigError: For an unknown option or a value that makes no sense.
    """
    options = given if isinstance(given, Mapping) else {}
    for name in options:
        if name not in _OPTIONS:
            raise _refuse(
                name, f"is unknown. The options, the closest first: {quote_all(order_by_likeness(str(name), _OPTIONS))}"
            )
    for name in ("mspa_signatory", "legacy_usp"):
        if not isinstance(options.get(name, False), bool):
            raise _refuse(name, f"must be True or False, got {options[name]!r}")
    mode = options.get("mspa_mode")
    if bool(options.get("mspa_signatory")) != (mode is not None) or mode not in (None, *_MODES):
        raise _refuse(
            "mspa_mode",
            f"must be one of {quote_all(_MODES)} for a signatory of IAB's Multi-State Privacy Agreement ('mspa_signatory': True), "
            f"and left out for everyone else, got {mode!r}",
        )
    return GppSetup(
        advertising=tuple(each.key for each in policy.optional_purposes if each.kind == PurposeKind.ADVERTISING),
        mspa_signatory=bool(options.get("mspa_signatory")),
        mspa_mode=mode,
        sensitive=_read_sensitive(options.get("sensitive", {}), policy),
        legacy_usp=bool(options.get("legacy_usp")),
    )


_SENSITIVE_LIMITS: Mapping[str, int] = {
    section.prefix: len(section().sensitive_data_processing) for section in (UsNational, UsCalifornia)
}


def _read_sensitive(given: object, policy: Policy) -> Mapping[str, Mapping[int, str]]:
    example = "{'usca': {1: 'health'}}"
    if not isinstance(given, Mapping) or not all(isinstance(each, Mapping) for each in given.values()):
        raise _refuse("sensitive", f"must give purposes by data activity and section, such as {example}, got {given!r}")
    for name, numbers in given.items():
        if name not in _SENSITIVE_LIMITS:
            raise _refuse("sensitive", f"names section {name!r}. Sections: {quote_all(_SENSITIVE_LIMITS)}")
        for number, key in numbers.items():
            if type(number) is not int or not 1 <= number <= _SENSITIVE_LIMITS[name]:
                raise _refuse(
                    "sensitive",
                    f"for {name!r} numbers data activities from 1 to {_SENSITIVE_LIMITS[name]}, as the section does, got {number!r}",
                )
            policy.check_key(key, where="in 'CONSENT_SIGNALS' for 'gpp'")
            if key not in (purpose.key for purpose in policy.optional_purposes):
                raise _refuse("sensitive", f"needs a purpose that visitors decide on, got {key!r}")
    return {name: dict(numbers) for name, numbers in given.items()}


def _refuse(name: str, trouble: str) -> ConfigError:
    return ConfigError(f"Option {name!r} in 'CONSENT_SIGNALS' for 'gpp' {trouble}.", key="CONSENT_SIGNALS", value=name)
