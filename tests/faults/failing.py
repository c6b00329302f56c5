"""Disks that fail: now and then, or because they are full."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import apsw

_CODES = {
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "open": apsw.SQLITE_CANTOPEN,
}


@dataclass
class Flaky:
    """Fail some of the calls of some kinds.

    Args:
        rates: Share of calls that fail, from 0 to 1, by kind: `write`, `sync`, `truncate`, `open`.
    """

    rates: dict[str, float]
    chance: Random
    is_on: bool = True
    failures: int = 0

    def __call__(self, kind: str) -> None:
        """Raise, or do nothing."""
        if self.is_on and self.chance.random() < self.rates.get(kind, 0):
            self.failures += 1
            raise _make_error(kind)


@dataclass
class FailNext:
    """Fail the next calls of the kinds that are planned, in this order; those in between go through."""

    planned: list[str] = field(default_factory=list)

    def plan(self, kinds: list[str]) -> None:
        """Say what fails next."""
        self.planned = list(kinds)

    def __call__(self, kind: str) -> None:
        """Raise, or do nothing."""
        if self.planned and kind == self.planned[0]:
            raise _make_error(self.planned.pop(0))


@dataclass
class Room:
    """Have room for so many more writes; then the disk is full."""

    writes: int
    failures: int = 0

    def __call__(self, kind: str) -> None:
        """Take room, or say that there is none."""
        if kind != "write":
            return
        if self.writes <= 0:
            self.failures += 1
            raise apsw.FullError("the disk is full")
        self.writes -= 1


def _make_error(kind: str) -> apsw.Error:
    error: apsw.Error = apsw.CantOpenError("injected") if kind == "open" else apsw.IOError("injected")
    # What apsw hands on to SQLite; its type hints leave it out.
    vars(error)["extendedresult"] = _CODES[kind]
    return error
