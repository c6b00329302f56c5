"""The shipped services, one data file each, and their loader."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from consent.catalogue._schema import SERVICE
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.data_schema import check_table
from consent.core.declaration import Service
from consent.core.embed import Embed, Parameter
from consent.errors import ConfigError, order_by_likeness, quote_all

__all__ = ["load_service", "service_keys"]

Folder = Traversable | Path
"""Where data files lie: a directory, or a package's resources (which may be inside a zip)."""

_SUFFIX = ".toml"


def service_keys(*, folder: Folder | None = None) -> tuple[str, ...]:
    """Return the keys of every service in the catalogue, by alphabet.

    Args:
        folder: Where to look; None for the shipped services.
    """
    names = (entry.name for entry in _folder(folder).iterdir() if entry.is_file())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_service(key: str, *, folder: Folder | None = None) -> Service:
    """Read the service of that key from its data file.

    Called while the app starts; every call reads the file anew.

    Args:
        folder: Where to look; None for the shipped services.

    Raises:
        ConfigError: If the catalogue has no such service, or its file is malformed.
    """
    known = service_keys(folder=folder)
    # Only a name that was listed is ever opened, so a key cannot lead out of the folder.
    if key not in known:
        raise ConfigError(
            f"The catalogue has no service {key!r}. Its services, the closest first: "
            f"{quote_all(order_by_likeness(str(key), known))}. "
            "Use one of them, or declare your own with Service(…).",
            key="services",
            value=key,
        )
    file = _folder(folder) / f"{key}{_SUFFIX}"
    return _build(key, _read(file), file=file.name)


def _folder(folder: Folder | None) -> Folder:
    return files(__package__) / "services" if folder is None else folder


def _read(file: Folder) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"Catalogue file {file.name!r} is not UTF-8 text. Save it as UTF-8.", key=file.name
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"Catalogue file {file.name!r} is not valid TOML: {error}. Correct it.", key=file.name
        ) from error


def _build(key: str, table: dict[str, object], *, file: str) -> Service:
    # Any: TOML values have no static type; `check_table` has just compared each with the schema.
    fields: dict[str, Any] = check_table(table, SERVICE, where=f"Catalogue file {file!r}")
    try:
        fields["hosts_by_use"] = fields.pop("hosts")
        fields["has_unknown_storage"] = "cookies" not in table and "cookieless" not in table
        if "embed" in fields:
            fields["embed"] = Embed(**fields["embed"])
        fields["cookies"] = tuple(CookieDeclaration(**each) for each in fields.get("cookies", ()))
        fields["parameters"] = tuple(Parameter(**each) for each in fields.get("parameters", ()))
        return Service(key, **fields)
    except ConfigError as error:
        raise ConfigError(f"Catalogue file {file!r}: {error}", key=error.key, value=error.value) from error
