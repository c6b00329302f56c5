"""The hosts of every service of the catalogue in one file, so that an app need not read all of theirs to know a tracker.

`make services` writes it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from consent.core.host_table import HostRow
from consent.core.loader import Loader

FILE_NAME = "hosts.json"
_SHARED_NAME = "shared_hosts.toml"


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Hold what the catalogue knows of hosts and addresses."""

    rows: tuple[HostRow, ...]
    loaders: tuple[Loader, ...]


@lru_cache(maxsize=1)
def load_known() -> KnownHosts:
    """Read the shipped file."""
    return decode_known((files(__package__) / FILE_NAME).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def load_shared() -> frozenset[str]:
    """Read which hosts serve anybody's files; a service's there are told by their whole address."""
    told = tomllib.loads((files(__package__) / _SHARED_NAME).read_text(encoding="utf-8"))
    return frozenset(told["hosts"])


def encode_known(rows: Iterable[HostRow], loaders: Iterable[Loader]) -> str:
    """Return what is known as text: one line for each host and address."""
    told: dict[str, list[list[object]]] = {
        "rows": [[row.service, row.host, row.use] for row in rows],
        "loaders": [[each.service, each.host, each.path, [list(pair) for pair in each.query]] for each in loaders],
    }
    tables = (f"{json.dumps(name)}: [\n{_join(lines)}\n]" for name, lines in told.items())
    return "{\n" + ",\n".join(tables) + "\n}\n"


def decode_known(text: str) -> KnownHosts:
    """Return what `encode_known` wrote."""
    told = json.loads(text)
    return KnownHosts(
        tuple(HostRow(*row) for row in told["rows"]),
        tuple(Loader(key, host, path, tuple((n, p) for n, p in query)) for key, host, path, query in told["loaders"]),
    )


def _join(lines: Sequence[object]) -> str:
    return ",\n".join(json.dumps(line) for line in lines)
