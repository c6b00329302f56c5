"""The little of a SQLite connection that the ledger uses, and statements on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from consent.ledger._database import SQLITE, Dialect, Row, Value


class Cursor(Protocol):
    """Hold what a statement has to say."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""


class Connection(Protocol):
    """Be a connection of `sqlite3`, or act like one and raise its errors with their `sqlite_errorcode`."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open: SQLite ends one by itself after some errors."""

    def execute(self, statement: str, values: Mapping[str, Value] = ..., /) -> Cursor:
        """Run a statement."""

    def executemany(self, statement: str, rows: Sequence[Mapping[str, Value]], /) -> Cursor:
        """Run a statement once for each row of values."""

    def close(self) -> None:
        """Close, and roll back what is open."""


class Connect(Protocol):
    """Open a file: to write, and make it if there is none, or only to read."""

    def __call__(self, path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
        """Return a connection on which nothing but the statements given begins or ends a transaction."""


def connect(path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
    """Open a file with the standard library."""
    address = f"{path.absolute().as_uri()}?mode={'rwc' if is_writer else 'ro'}"
    # Used by one thread at a time, but not always by the same.
    connection = sqlite3.connect(address, uri=True, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
    # Bytes that are no text can have been put there by hand alone: they are read, so that verifying can name the row.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    return connection


class SQLiteTransaction:
    """Run statements on a connection of SQLite."""

    dialect: Dialect = SQLITE

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Return the rows of a query."""
        return self._connection.execute(statement, values or {}).fetchall()

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement; return how many rows it changed."""
        return self._connection.execute(statement, values or {}).rowcount

    def execute_many(self, statement: str, rows: Sequence[Mapping[str, Value]]) -> int:
        """Run a statement once for each row of values; return how many rows it changed."""
        return self._connection.executemany(statement, rows).rowcount
