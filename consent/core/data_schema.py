"""What a table of data may hold: which fields, of what type, and which are notes for its reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NoReturn

from consent.errors import ConfigError, order_by_likeness, quote_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Describe what values a field takes."""

    words: str
    """How an error message calls it."""

    accepts: Callable[[object], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Describe the fields of one table."""

    fields: Mapping[str, Kind]
    """Kind by name of every field that the declaration takes."""

    required: tuple[str, ...]
    notes: Mapping[str, Kind] = field(default_factory=dict)
    """Kind by name of the fields for the reader of the file: checked, then left out."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    """Schema by name of the fields that are a table, or a list of tables."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    # A file has lists; Python has more that are as good.
    return isinstance(value, list | tuple | set | frozenset) and all(map(_is_text, value))


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


TEXT = Kind(words="text", accepts=_is_text)
TEXTS = Kind(words="a list of texts", accepts=_is_texts)
# `true` is an int in Python, not in TOML.
WHOLE = Kind(words="a whole number", accepts=lambda value: type(value) is int)
SWITCH = Kind(words="true or false", accepts=lambda value: isinstance(value, bool))
DATE = Kind(words="a date such as 2026-11-22", accepts=_is_date)
WORDS = Kind(
    words="text, or a table of texts by language",
    accepts=lambda value: _is_text(value) or (isinstance(value, dict) and all(map(_is_text, value.values()))),
)
LIST = Kind(words="a list", accepts=lambda value: isinstance(value, list))
TABLE = Kind(words="a table", accepts=_is_table)
TABLES = Kind(words="a list of tables", accepts=lambda value: isinstance(value, list) and all(map(_is_table, value)))


def check_table(table: Mapping[str, object], schema: Table, *, where: str, path: str = "") -> dict[str, object]:
    """Compare a table with its schema, tables within it included.

    Args:
        where: What an error message calls the whole, such as `Catalogue file 'matomo.toml'`.
        path: Where in the file the table is, ending in a dot; empty for the whole file.

    Returns:
        The table without its notes.

    Raises:
        ConfigError: If a field is unknown, missing or of another type.
    """
    known = {**schema.fields, **schema.notes}
    for name in table:
        if name not in known:
            _refuse_unknown(name, known, where=where, path=path)
    for name in schema.required:
        if name not in table:
            raise ConfigError(f"{where} lacks '{path}{name}'. Add it: {known[name].words}.", key=f"{path}{name}")
    for name, value in table.items():
        if not known[name].accepts(value):
            raise ConfigError(
                f"{where}: '{path}{name}' must be {known[name].words}, got {value!r}.",
                key=f"{path}{name}",
                value=value,
            )
    return {
        name: _check_within(value, schema.tables.get(name), where=where, path=f"{path}{name}")
        for name, value in table.items()
        if name not in schema.notes
    }


def _check_within(value: object, schema: Table | None, *, where: str, path: str) -> object:
    if schema is None:
        return value
    if isinstance(value, list):
        return [check_table(each, schema, where=where, path=f"{path}[{index}].") for index, each in enumerate(value)]
    return check_table(value, schema, where=where, path=f"{path}.") if isinstance(value, dict) else value


def _refuse_unknown(name: str, known: Mapping[str, Kind], *, where: str, path: str) -> NoReturn:
    raise ConfigError(
        f"{where} has an unknown field '{path}{name}'. Allowed here, the closest first: "
        f"{quote_all(order_by_likeness(str(name), known))}. Correct or remove it.",
        key=f"{path}{name}",
        value=name,
    )
