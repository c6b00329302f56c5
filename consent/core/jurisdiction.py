"""Where a visitor is, and the rules that hold there on a day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from consent.core.declaration import PurposeKind
from consent.core.lifetime import MONTHS_LIMIT
from consent.core.regime import Regime
from consent.errors import ConfigError, quote_all

UNKNOWN = "unknown"
"""Key of the rules for a place that is not known, or that no other rules are for."""

# ISO 3166-1 alpha-2, and the part of an ISO 3166-2 code after its hyphen.
_COUNTRY = re.compile(r"[A-Z]{2}")
_REGION = re.compile(r"[A-Z0-9]{1,3}")
_ROW_KEY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?|[a-z]+")
# What services say when they do not know: Cloudflare's XX, its T1 for Tor, App Engine's ZZ, MaxMind's EU and AP
# for "somewhere on that continent", A1 and A2 for proxies and satellites.
_NO_COUNTRIES = frozenset({"XX", "T1", "ZZ", "EU", "AP", "A1", "A2"})


class Rule(StrEnum):
    """Name a duty that some places have on top of their regime."""

    SHOW_GPC = "show_gpc"
    """Say on every page that the opt-out request was honoured (11 CCR 7025(c)(6))."""

    OPT_OUT_LINK = "opt_out_link"
    """Title the link on every page in the words of the law (11 CCR 7013, 7015)."""

    TRANSMISSION_LIST = "transmission_list"
    """Publish what is sent, to whom and why, one click from every page (Japan, external transmission rule)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a visitor is.

    Raises:
        ValueError: If a code is not of its shape; use `parse_place` for what others say.
    """

    country: str
    """ISO 3166-1 alpha-2, such as `FR`."""

    region: str = ""
    """The part of an ISO 3166-2 code after its hyphen, such as `CA`; empty for not known."""

    def __post_init__(self) -> None:
        if not _COUNTRY.fullmatch(self.country) or (self.region and not _REGION.fullmatch(self.region)):
            raise ValueError(f"No place has the codes {self.country!r} and {self.region!r}.")

    def __str__(self) -> str:
        return f"{self.country}-{self.region}" if self.region else self.country


def parse_place(country: str | None, region: str | None = None) -> Place | None:
    """Read what somebody says of a place; None for whatever does not say it clearly.

    Args:
        country: Country code in either case, or country and region as `US-CA`.
        region: Region code, with or without the country before it; one that is malformed counts as not known.
    """
    # Upper case turns "ß" into "SS", which is South Sudan.
    if not f"{country or ''}{region or ''}".isascii():
        return None
    code, _, rest = (country or "").strip().upper().partition("-")
    if not _COUNTRY.fullmatch(code) or code in _NO_COUNTRIES:
        return None
    asked = (region or "").strip().upper().removeprefix(f"{code}-") or rest
    return Place(code, asked if _REGION.fullmatch(asked) else "")


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Hold the rules of one place from one day on: a row of the table.

    Raises:
        ConfigError: If a field is malformed.
    """

    key: str
    """`FR`, `US-CA`, `EEA` for many countries, or `unknown`."""

    _: KW_ONLY
    name: str
    regime: Regime
    regime_by_kind: Mapping[str, Regime] = field(default_factory=dict)
    """What holds for some kinds of purpose in place of `regime`."""

    countries: tuple[str, ...] = ()
    """The countries that a row for many is for; empty for the key's own."""

    without_region: str = ""
    """Key of the rules for a visitor whose region is not known; empty where regions make no difference."""

    regions: tuple[str, ...] = ()
    """The codes that count as a known region, where regions make a difference."""

    accept_months: int
    refuse_months: int
    gpc_mandatory_from: date | None = None
    """Day from which Global Privacy Control must be honoured; None where no law says so. It is honoured everywhere."""

    rules: frozenset[Rule] = frozenset()
    effective_from: date | None = None
    """First day on which the row holds; None for always."""

    basis: str
    """The law, and what of it."""

    sources: tuple[str, ...] = ()
    """Where that was read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "regime", _read_regime(self.regime, self.key))
        kinds = {_read_kind(kind, self.key): _read_regime(by, self.key) for kind, by in self.regime_by_kind.items()}
        object.__setattr__(self, "regime_by_kind", MappingProxyType(kinds))
        object.__setattr__(self, "rules", frozenset(_read_rule(rule, self.key) for rule in self.rules))
        object.__setattr__(self, "countries", tuple(self.countries))
        object.__setattr__(self, "regions", tuple(self.regions))
        object.__setattr__(self, "sources", tuple(self.sources))
        if not _ROW_KEY.fullmatch(self.key) and not self.countries:
            raise _refuse(self.key, "key", self.key, "a code such as 'FR' or 'US-CA'")
        for name in ("accept_months", "refuse_months"):
            months = getattr(self, name)
            if type(months) is not int or not 1 <= months <= MONTHS_LIMIT:
                raise _refuse(self.key, name, months, f"a whole number between 1 and {MONTHS_LIMIT}")

    @property
    def row_id(self) -> str:
        """Key and first day: tells apart the rows of one place."""
        return f"{self.key}@{self.effective_from}" if self.effective_from else self.key

    def regime_of(self, kind: str) -> Regime:
        """Return what holds for a kind of purpose."""
        return self.regime_by_kind.get(kind, self.regime)

    @property
    def has_opt_in(self) -> bool:
        """Whether some kind of purpose needs a grant."""
        return Regime.OPT_IN in (self.regime, *self.regime_by_kind.values())


class JurisdictionTable:
    """Find the rules of a place.

    Raises:
        ConfigError: If two rows have one key and day, or a row refers to one that is not there.
    """

    def __init__(self, rows: Iterable[Jurisdiction]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: (row.key, row.effective_from or date.min)))
        for before, after in pairwise(self.rows):
            if before.row_id == after.row_id:
                raise ConfigError(
                    f"Two rows of the jurisdiction table are for {after.row_id!r}. Leave one out, or give them different days.",
                    key=after.key,
                )
        self._rows_by_key: dict[str, list[Jurisdiction]] = {}
        # A country's own row comes after the one it shares, and the last that holds is taken.
        for row in sorted(self.rows, key=lambda row: not row.countries):
            for key in row.countries or (row.key,):
                self._rows_by_key.setdefault(key, []).append(row)
        self._unknown = self._check()

    def find(self, place: Place | None, *, now: datetime) -> Jurisdiction:
        """Return the rules for a place: of its region, else of its country, else of an unknown place.

        Rows of a law that is not in force yet are passed over; a country with rules by region has its
        own for a region that is not known.
        """
        if place is None:
            return self._unknown
        country = self._pick(place.country, now)
        found = self._pick(str(place), now) if place.region else None
        if found or country is None:
            return found or self._unknown
        # A code that is none of the country's says no more than none.
        is_known = not country.without_region or place.region in country.regions
        return country if is_known else self._pick(country.without_region, now) or self._unknown

    def find_case(self, row: Jurisdiction, *, now: datetime) -> tuple[Place | None, datetime]:
        """Return a place and an instant, now if it can be, for which a row of the table is the one that holds."""
        codes = row.countries or (row.key,)
        # In a region that no row is for, what holds is the rule for the rest of the country.
        regions = [region for region in row.regions if f"{row.key}-{region}" not in self._rows_by_key]
        places = [parse_place(code, regions[0] if regions else None) for code in codes]
        for place in places:
            if self.find(place, now=now) == row:
                return place, now
        place, code = places[0], codes[0]
        days = [each.effective_from for each in self._rows_by_key[code] if each.effective_from]
        ends_on = min((day for day in days if day > (row.effective_from or date.min)), default=None)
        day = row.effective_from or (ends_on - timedelta(days=1) if ends_on else now.date())
        return place, datetime.combine(day, time(12), tzinfo=UTC)

    def list_places(self, *, now: datetime) -> dict[str, Jurisdiction]:
        """Return the rules that hold now by place code, such as `JP` or `US-CA`, for every place that a row is for."""
        codes = (code for row in self.rows for code in row.countries or (row.key,))
        places = ((code, parse_place(code)) for code in dict.fromkeys(codes))
        return {code: self.find(place, now=now) for code, place in places if place and str(place) == code}

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of every row, each once."""
        return tuple(dict.fromkeys(row.key for row in self.rows))

    def _pick(self, key: str, now: datetime) -> Jurisdiction | None:
        rows = self._rows_by_key.get(key, ())
        # Nearly every place has one row that always holds: then no calendar is needed.
        if len(rows) == 1 and rows[0].effective_from is None:
            return rows[0]
        today = now.date()
        return next((row for row in reversed(rows) if row.effective_from is None or row.effective_from <= today), None)

    def _check(self) -> Jurisdiction:
        """Return the row for unknown places, once the table holds together."""
        unknown = self._rows_by_key.get(UNKNOWN, [])
        is_strict = all(row.regime is Regime.OPT_IN and not row.regime_by_kind for row in unknown)
        if len(unknown) != 1 or unknown[0].effective_from or not is_strict:
            raise ConfigError(
                "The jurisdiction table must have exactly one row 'unknown', of regime 'opt_in' for everything: where nobody "
                "knows which law holds, nothing may run before a grant. Leave it as it is shipped.",
                key=UNKNOWN,
            )
        for row in self.rows:
            if row.without_region and row.without_region not in self._rows_by_key:
                raise _refuse(
                    row.key, "without_region", row.without_region, f"the key of a row: {quote_all(self.keys)}"
                )
            rivals = {each.key for code in row.countries for each in self._rows_by_key[code] if each.countries} - {
                row.key
            }
            if rivals:
                raise ConfigError(
                    f"Jurisdictions {quote_all(sorted((row.key, *rivals)))} list the same country in 'countries'. Let each "
                    "country be in one list, or give it a row of its own.",
                    key=row.key,
                )
        return unknown[0]


def _read_regime(value: object, key: str) -> Regime:
    try:
        return Regime(str(value))
    except ValueError as error:
        raise _refuse(key, "regime", value, quote_all(Regime)) from error


def _read_kind(value: object, key: str) -> PurposeKind:
    try:
        return PurposeKind(str(value))
    except ValueError as error:
        raise _refuse(key, "regime_by_kind", value, quote_all(PurposeKind)) from error


def _read_rule(value: object, key: str) -> Rule:
    try:
        return Rule(str(value))
    except ValueError as error:
        raise _refuse(key, "rules", value, quote_all(Rule)) from error


def _refuse(key: str, field_name: str, value: object, allowed: str) -> ConfigError:
    return ConfigError(
        f"Jurisdiction {key!r}: {field_name!r} must be {allowed}, got {value!r}.",
        key=f"{key}.{field_name}",
        value=value,
    )
