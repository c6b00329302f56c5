"""A connection of apsw's that passes for one of the standard library's: the same backend code, over a disk of our making."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from consent.ledger._database import Value

# As in CPython's Modules/_sqlite/util.c, `get_exception_class`; everything else is a DatabaseError.
_OPERATIONAL = {
    *(
        apsw.SQLITE_ERROR,
        apsw.SQLITE_PERM,
        apsw.SQLITE_ABORT,
        apsw.SQLITE_BUSY,
        apsw.SQLITE_LOCKED,
        apsw.SQLITE_READONLY,
    ),
    *(apsw.SQLITE_INTERRUPT, apsw.SQLITE_IOERR, apsw.SQLITE_FULL, apsw.SQLITE_CANTOPEN, apsw.SQLITE_PROTOCOL),
}
_NAMES = {
    code: name
    for names in (apsw.mapping_result_codes, apsw.mapping_extended_result_codes)
    for name, code in names.items()
    if isinstance(name, str) and isinstance(code, int)
}


@dataclass(frozen=True, slots=True)
class ApswConnect:
    """Open files through a VFS that is registered under a name: a `consent.ledger._sqlite_connection.Connect`."""

    vfs: str

    def __call__(self, path: Path, *, is_writer: bool, wait_seconds: float) -> ApswConnection:
        """Return a connection."""
        writing = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with _translating():
            connection = apsw.Connection(
                str(path), flags=writing if is_writer else apsw.SQLITE_OPEN_READONLY, vfs=self.vfs
            )
            connection.set_busy_timeout(int(wait_seconds * 1000))
        return ApswConnection(connection)


class ApswConnection:
    """Do what the ledger asks of `sqlite3.Connection`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, statement: str, values: Mapping[str, Value] | None = None, /) -> ApswCursor:
        """Run a statement."""
        with _translating():
            return ApswCursor(self._connection, self._connection.execute(statement, values))

    def executemany(self, statement: str, rows: Sequence[Mapping[str, Value]], /) -> ApswCursor:
        """Run a statement once for each row of values."""
        with _translating():
            return ApswCursor(self._connection, self._connection.executemany(statement, rows))

    def close(self) -> None:
        """Close, and roll back what is open."""
        with _translating():
            self._connection.close()


class ApswCursor:
    """Do what the ledger asks of `sqlite3.Cursor`."""

    def __init__(self, connection: apsw.Connection, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self._changed = connection.changes()

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        return self._changed

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        with _translating():
            return list(self._cursor)


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise _translate(error) from error


def _translate(error: apsw.Error) -> sqlite3.Error:
    code = getattr(error, "result", apsw.SQLITE_ERROR) & 0xFF
    kind: type[sqlite3.Error] = sqlite3.OperationalError if code in _OPERATIONAL else sqlite3.DatabaseError
    if code == apsw.SQLITE_CONSTRAINT:
        kind = sqlite3.IntegrityError
    translated = kind(str(error))
    translated.sqlite_errorcode = getattr(error, "extendedresult", code)
    translated.sqlite_errorname = _NAMES.get(translated.sqlite_errorcode, "SQLITE_UNKNOWN")
    return translated
