"""Parsed TOML for all apps of a run: each app reads the same dozen shipped files anew, and most tests make an app."""

from __future__ import annotations

import pickle
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock


@contextmanager
def parsing_once() -> Iterator[None]:
    """Parse each text but once; whoever asks gets a table of their own, to do with as they like."""
    with mock.patch.object(tomllib, "loads", _remembering(tomllib.loads)):
        yield


def _remembering(parse: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    @cache
    def parse_to_bytes(text: str) -> bytes:
        return pickle.dumps(parse(text))

    def loads(text: str) -> dict[str, Any]:
        table: dict[str, Any] = pickle.loads(parse_to_bytes(text))
        return table

    return loads
