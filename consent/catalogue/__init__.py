"""The services that are shipped, one data file each, a site's own folders of such files, and their loader."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from consent.catalogue.entry import Entry, read_entry
from consent.catalogue.search import find_closest
from consent.core.declaration import NECESSARY, Service
from consent.core.declared_value import Text
from consent.errors import ConfigError, quote_all

__all__ = [
    "Entry",
    "list_entries",
    "load_entry",
    "load_necessary",
    "load_service",
    "open_folders",
    "read_shipped",
    "service_keys",
]

_SUFFIX = ".toml"
_SETTING = "CONSENT_CATALOGUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """Hold one file of a folder that was listed."""

    content: Traversable
    path: Path | None
    """Where the site keeps it; None for one that is shipped."""


def service_keys(*, folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the keys of every service in the catalogue, by alphabet.

    Args:
        folders: The site's own folders, as `open_folders` gives them.
    """
    return tuple(sorted(_find_files(folders)))


def load_service(key: str, *, folders: Sequence[Path] = ()) -> Service:
    """Read the service of that key from its data file.

    Called while the app starts; every call reads the file anew.

    Args:
        folders: The site's own folders, as `open_folders` gives them: a later one comes before an earlier one,
            and all of them before the shipped services.

    Raises:
        ConfigError: If the catalogue has no such service, or its file is malformed.
    """
    return load_entry(key, folders=folders).service


def load_necessary(key: str, *, justification: Text = "", folders: Sequence[Path] = ()) -> Service:
    """Read the service of that key, filed under `necessary`: it runs on every page that holds it, and nobody is asked.

    That this site cannot do without it is the site's own word. What the file says in `necessary_when` must be true of it.

    Args:
        justification: Why visitors cannot get what they ask for without it, for them to read; empty for the file's words.
        folders: The site's own folders, as `open_folders` gives them.

    Raises:
        ConfigError: If the catalogue has no such service, its file names no case in which it is necessary, or nobody says why.
    """
    entry = load_entry(key, folders=folders)
    if not entry.necessary_when:
        raise ConfigError(
            f"Service {key!r} is no candidate for 'necessary': its file has no 'necessary_when'. Load it with load_service(), "
            "and hold it until it is granted.",
            key="services",
            value=key,
        )
    words = justification or entry.service.justification
    if not any(text.strip() for text in ([words] if isinstance(words, str) else words.values())):
        raise ConfigError(
            f"Service {key!r} has no words on why a site cannot do without it. Give 'justification': why visitors cannot get "
            "what they ask for without it.",
            key="justification",
            value=justification,
        )
    return replace(entry.service, purposes=(NECESSARY,), justification=words)


def load_entry(key: str, *, folders: Sequence[Path] = ()) -> Entry:
    """Read the service of that key, with what its file says about sources and what is not known.

    Raises:
        ConfigError: If the catalogue has no such service, or its file is malformed.
    """
    known = _find_files(folders)
    # Only a name that was listed is ever opened, so a key cannot lead out of the folder.
    if isinstance(key, str) and key in known:
        return _read(key, known[key])
    raise ConfigError(
        f"The catalogue has no service {key!r}. The closest: {quote_all(find_closest(str(key), known))}. "
        "`flask consent services list` names them all. Use one of them, or declare your own.",
        key="services",
        value=key,
    )


def list_entries(*, folders: Sequence[Path] = ()) -> tuple[Entry, ...]:
    """Read every entry of the catalogue, by the alphabet of their keys.

    Raises:
        ConfigError: If a file is malformed.
    """
    return tuple(_read(key, file) for key, file in sorted(_find_files(folders).items()))


def read_shipped(key: str) -> str:
    """Return the file of a shipped service as it is.

    Raises:
        KeyError: If none of that key is shipped.
    """
    return _find_files(())[key].content.read_text(encoding="utf-8")


def open_folders(paths: Iterable[str | os.PathLike[str]], *, root: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Find the folders of `CONSENT_CATALOGUE`, and read every file in them once, so that no mistake waits for its service.

    Args:
        root: What relative paths start from.

    Raises:
        ConfigError: If one is missing or no folder, is named twice, or holds a file that is no service. For one that is
            missing, `value` is its path.
    """
    found: list[Path] = []
    for path in paths:
        folder = Path(root, path)
        _check_folder(folder)
        if any(folder.samefile(other) for other in found):
            # A text: a path as the value stands for a folder that is missing.
            raise ConfigError(
                f"{_SETTING!r} names {str(folder)!r} twice. Name it once.", key=_SETTING, value=str(folder)
            )
        found.append(folder)
        for key, file in sorted(_list_files(folder, is_own=True).items()):
            _read(key, file)
    return tuple(found)


def _check_folder(folder: Path) -> None:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError as error:
        raise ConfigError(
            f"{_SETTING!r} names {str(folder)!r}, which does not exist. Correct it, create the folder, or let "
            "`flask consent services new` do so.",
            key=_SETTING,
            value=folder,
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{_SETTING!r} names {str(folder)!r}, which cannot be listed as a folder: {error.strerror}. Name the folder that "
            "holds your files, and let the site read it.",
            key=_SETTING,
            value=str(folder),
        ) from error
    misnamed = [name for name in names if _is_misnamed(name)]
    if misnamed:
        raise ConfigError(
            f"{str(folder / misnamed[0])!r} is not read, because its name does not end in {_SUFFIX!r}. Rename it.",
            key=_SETTING,
            value=misnamed[0],
        )


def _is_misnamed(name: str) -> bool:
    return name.lower().endswith(_SUFFIX) and not name.endswith(_SUFFIX)


def _shipped_folder() -> Traversable:
    return files(__package__) / "services"


def _find_files(folders: Sequence[Path]) -> dict[str, _File]:
    found = _list_files(_shipped_folder(), is_own=False)
    for folder in folders:
        found |= _list_files(folder, is_own=True)
    return found


def _list_files(folder: Traversable, *, is_own: bool) -> dict[str, _File]:
    return {
        entry.name.removesuffix(_SUFFIX): _File(content=entry, path=Path(str(entry)) if is_own else None)
        for entry in folder.iterdir()
        # Editors and file managers leave hidden files about.
        if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".") and not entry.is_dir()
    }


def _read(key: str, file: _File) -> Entry:
    try:
        data = file.content.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Catalogue file {str(file.content)!r} cannot be read: {error.strerror}. Correct its permissions, or remove it.",
            key=file.content.name,
        ) from error
    return read_entry(key, data, path=file.path)
