"""Connections to SQLite that fail when they are told to, and count what is done with them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from consent.ledger._database import Value
from consent.ledger._sqlite_connection import Connection, Cursor, connect


class Faulty:
    """A connection on which chosen statements fail, as on a failing disk."""

    def __init__(self, path: Path, faults: Faults, *, is_writer: bool, wait_seconds: float) -> None:
        self._inner = connect(path, is_writer=is_writer, wait_seconds=wait_seconds)
        self._faults = faults

    @property
    def in_transaction(self) -> bool:
        return self._inner.in_transaction

    def execute(self, statement: str, values: Mapping[str, Value] | None = None, /) -> Cursor:
        self._faults.statements.append(statement)
        self._faults.strike(statement)
        return self._inner.execute(statement, values or {})

    def executemany(self, statement: str, rows: Sequence[Mapping[str, Value]], /) -> Cursor:
        self._faults.strike(statement)
        return self._inner.executemany(statement, rows)

    def close(self) -> None:
        self._faults.closed += 1
        self._inner.close()


class Faults:
    """What fails next, and what was done."""

    def __init__(self) -> None:
        self.statement = ""
        self.code = sqlite3.SQLITE_IOERR_FSYNC
        self.name = "SQLITE_IOERR_FSYNC"
        self.statements: list[str] = []
        self.closed = 0

    def strike(self, statement: str) -> None:
        if self.statement and statement.startswith(self.statement):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = self.code, self.name
            raise error

    def connect(self, path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
        return Faulty(path, self, is_writer=is_writer, wait_seconds=wait_seconds)


class Turns(Faults):
    """Count how many write or close at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._inside = 0
        self._mutex = threading.Lock()

    def enter(self, step: int) -> None:
        with self._mutex:
            self._inside += step
            self.most = max(self.most, self._inside)

    def connect(self, path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
        return Watched(path, self, is_writer=is_writer, wait_seconds=wait_seconds)


class Watched(Faulty):
    """A connection that says when it writes, and when it closes."""

    def __init__(self, path: Path, turns: Turns, *, is_writer: bool, wait_seconds: float) -> None:
        super().__init__(path, turns, is_writer=is_writer, wait_seconds=wait_seconds)
        self._turns = turns
        self._is_writer = is_writer

    def execute(self, statement: str, values: Mapping[str, Value] | None = None, /) -> Cursor:
        if statement == "BEGIN IMMEDIATE":
            self._turns.enter(1)
        cursor = super().execute(statement, values)
        if self._is_writer and statement == "COMMIT":
            self._turns.enter(-1)
        return cursor

    def close(self) -> None:
        self._turns.enter(self._is_writer)
        super().close()
        self._turns.enter(-self._is_writer)
