"""The rules of each place, one reviewable data file, and how a site changes them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any

from consent.core.data_schema import check_table
from consent.core.jurisdiction import Jurisdiction, JurisdictionTable
from consent.errors import ConfigError, order_by_likeness, quote_all
from consent.jurisdictions._schema import ROW, RULES

__all__ = ["CHECKED_ON", "load_implied_consent", "load_table"]

# Any, here and below: data has no static type; `check_table` compares each value with the schema.
Fields = dict[str, Any]
"""Fields of a `Jurisdiction` by name."""

_SETTING = "CONSENT_JURISDICTION_RULES"
_NEEDED = ("name", "regime", "basis")
# Six months: the least that Italy allows before asking again (Garante, 10 June 2021).
_DEFAULTS: Fields = {"accept_months": 6, "refuse_months": 6}


def load_table(overrides: Sequence[Mapping[str, object]] = ()) -> tuple[JurisdictionTable, list[str]]:
    """Take the shipped rows and apply the site's own to them, in the order given.

    An override that has the key of a shipped row changes the fields it gives: in every row of that key,
    or, where it gives `effective_from`, from that day on. `regime_by_kind` is taken kind by kind. A `regime`
    holds for all kinds but those which the row was stricter on. Any other key is a new row.

    Args:
        overrides: `CONSENT_JURISDICTION_RULES`: fields of `Jurisdiction` by name.

    Returns:
        The table, and warnings of what was given and has no effect. What is unlawful, `lint()` says.

    Raises:
        ConfigError: For an unknown field, value or key, and for two overrides of one key and day.
    """
    rows = tuple(Jurisdiction(**fields) for fields in _RULES["jurisdiction"])
    seen: set[tuple[str, date | None]] = set()
    warnings: list[str] = []
    for index, override in enumerate(overrides):
        where = f"{_SETTING}[{index}]"
        fields = _check_override(override, rows, where=where)
        _check_is_first(fields, seen, where=where)
        try:
            rows = _apply(fields, rows)
        except ConfigError as error:
            raise _blame(error, where) from error
        warnings.extend(_warn_of_own_rows(fields, rows, where=where))
    try:
        return JurisdictionTable(rows), warnings
    except ConfigError as error:
        raise _blame(error, _SETTING) from error


def load_implied_consent() -> dict[str, tuple[str, ...]]:
    """Return, by language tag, the phrases by which texts take going on as agreement."""
    return {tag: tuple(phrases) for tag, phrases in _read("implied_consent.toml").items()}


def _read(name: str) -> Fields:
    return tomllib.loads((resources.files(__name__) / name).read_text(encoding="utf-8"))


def _check_override(override: object, rows: Iterable[Jurisdiction], *, where: str) -> Fields:
    if not isinstance(override, Mapping):
        raise ConfigError(
            f"{where} must be a table with fields of a jurisdiction, such as {{'key': 'FR', 'refuse_months': 12}}, "
            f"got {override!r}.",
            key=_SETTING,
            value=override,
        )
    fields = check_table(override, replace(ROW, required=("key",)), where=where)
    key = str(fields["key"])
    known = dict.fromkeys(row.key for row in rows)
    missing = [name for name in _NEEDED if name not in fields]
    if key not in known and missing:
        raise ConfigError(
            f"{where} is for {key!r}, which has no row yet. Rows there are, the closest first: "
            f"{quote_all(order_by_likeness(key, known))}. Use one of these keys, or give {quote_all(missing)} too.",
            key=_SETTING,
            value=key,
        )
    return fields


def _check_is_first(fields: Fields, seen: set[tuple[str, date | None]], *, where: str) -> None:
    key, day = subject = (fields["key"], fields.get("effective_from"))
    if subject in seen:
        raise ConfigError(
            f"{where} is the second for {key!r} {f'from {day} on' if day else 'without a day'}. Write all fields in one.",
            key=_SETTING,
            value=key,
        )
    seen.add(subject)


def _apply(fields: Fields, rows: tuple[Jurisdiction, ...]) -> tuple[Jurisdiction, ...]:
    same = sorted((row for row in rows if row.key == fields["key"]), key=_first_day)
    if not same:
        return (*rows, Jurisdiction(**_DEFAULTS | fields))
    others = [row for row in rows if row.key != fields["key"]]
    day: date | None = fields.get("effective_from")
    if day is None:
        return (*others, *(_change(row, fields) for row in same))
    # Before the first row's day nothing holds yet: then that row is the closest there is.
    held = [row for row in same if _first_day(row) <= day] or same[:1]
    return (*others, *(row for row in same if row.effective_from != day), _change(held[-1], fields))


def _first_day(row: Jurisdiction) -> date:
    return row.effective_from or date.min


def _change(row: Jurisdiction, fields: Fields) -> Jurisdiction:
    changed = replace(row, **fields)
    # `opt_in` for a place means all of it: an easier rule for statistics must not stay behind unseen.
    kept = {
        kind: by
        for kind, by in row.regime_by_kind.items()
        if "regime" not in fields or by.is_as_strict_as(changed.regime)
    }
    return replace(changed, regime_by_kind={**kept, **fields.get("regime_by_kind", {})})


def _warn_of_own_rows(fields: Fields, rows: Iterable[Jurisdiction], *, where: str) -> list[str]:
    keys = {row.key for row in rows if not row.countries}
    own = [code for code in fields.get("countries", ()) if code in keys]
    warning = (
        f"{where} is for {quote_all(own)} among others, which have rows of their own: these come first, so nothing changes "
        "there. Give them overrides by their own keys."
    )
    return [warning] if own else []


def _blame(error: ConfigError, where: str) -> ConfigError:
    return ConfigError(f"{where}: {error} Correct it there.", key=_SETTING, value=error.value)


_RULES: Fields = check_table(_read("rules.toml"), RULES, where="Data file 'rules.toml'")

CHECKED_ON: date = _RULES["checked"]
"""Day on which the shipped rules were last held against their sources."""
