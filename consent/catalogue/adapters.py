"""The shipped signal adapters, one data file each, and their loader."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from consent.catalogue._schema import ADAPTER
from consent.core.data_schema import check_table
from consent.core.signal_adapter import SignalAdapter
from consent.core.signal_call import Call

__all__ = ["adapter_keys", "load_adapter"]

_SUFFIX = ".toml"


def adapter_keys() -> tuple[str, ...]:
    """Return the keys of every signal adapter, by alphabet."""
    names = (entry.name for entry in (files(__package__) / "signals").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_adapter(key: str) -> SignalAdapter:
    """Read a signal adapter from its data file. Called while the app starts.

    Args:
        key: One of `adapter_keys()`: whoever has a key from elsewhere compares it first, so that it cannot lead out of
            the folder.

    Raises:
        ConfigError: If the file is malformed.
    """
    file = files(__package__) / "signals" / f"{key}{_SUFFIX}"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    # Any: TOML values have no static type; `check_table` has just compared each with the schema.
    fields: dict[str, Any] = check_table(table, ADAPTER, where=f"Signal adapter {key!r}")
    for name in ("before", "change"):
        fields[name] = tuple(_build_call(each) for each in fields.get(name, ()))
    return SignalAdapter(key, **fields)


def _build_call(fields: dict[str, Any]) -> Call:
    for name in ("arguments", "regimes"):
        fields[name] = tuple(fields.get(name, ()))
    return Call(**fields)
