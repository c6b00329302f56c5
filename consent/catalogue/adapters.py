"""The shipped signal adapters, one data file each, and their loader."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from consent.catalogue._schema import ADAPTER
from consent.core.data_schema import check_table
from consent.core.signal_adapter import SignalAdapter
from consent.core.signal_call import Call
from consent.errors import ConfigError, order_by_likeness, quote_all

__all__ = ["adapter_keys", "load_adapter"]

_SUFFIX = ".toml"


def adapter_keys() -> tuple[str, ...]:
    """Return the keys of every signal adapter, by alphabet."""
    names = (entry.name for entry in (files(__package__) / "signals").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_adapter(key: str) -> SignalAdapter:
    """Read the signal adapter of that key from its data file. Called while the app starts.

    Raises:
        ConfigError: If there is no such adapter, or its file is malformed.
    """
    known = adapter_keys()
    # Only a name that was listed is ever opened, so a key cannot lead out of the folder.
    if key not in known:
        raise ConfigError(
            f"There is no signal adapter {key!r}. There are, the closest first: {quote_all(order_by_likeness(str(key), known))}. "
            "Use one of them in 'signals' of a service, or leave 'signals' out: then the tag is only held.",
            key="signals",
            value=key,
        )
    file = files(__package__) / "signals" / f"{key}{_SUFFIX}"
    return build_adapter(key, tomllib.loads(file.read_text(encoding="utf-8")))


def build_adapter(key: str, table: Mapping[str, object]) -> SignalAdapter:
    """Return the adapter that a data file describes.

    Raises:
        ConfigError: If the file is malformed.
    """
    # Any: TOML values have no static type; `check_table` has just compared each with the schema.
    fields: dict[str, Any] = check_table(table, ADAPTER, where=f"Signal adapter {key!r}")
    for name in ("before", "change"):
        fields[name] = tuple(_build_call(each) for each in fields.get(name, ()))
    return SignalAdapter(key, **fields)


def _build_call(fields: dict[str, Any]) -> Call:
    for name in ("arguments", "regimes"):
        fields[name] = tuple(fields.get(name, ()))
    return Call(**fields)
