"""SQLite through SQLAlchemy: the same settings as the ledger of the standard library, without its writer and its lock file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from consent.errors import LedgerError
from consent.ledger._backend import UNKEPT, Failure, Mode
from consent.ledger._database import SQLITE

# A little less than the caller waits, so that what is locked is told apart from what hangs.
_LOCK_SHARE = 0.8

_BUSY = Failure(reason="busy", advice="Another program writes to the file. Try again.")
_CORRUPT = Failure(reason="corrupt", advice="The file is damaged, or no database. Restore it from a backup.")
_READ_ONLY = Failure(reason="read_only", advice="The file cannot be written to. Make it and its folder writable.")
_AWAY = Failure(
    reason="unavailable", advice="The file cannot be opened, read or written. Look at its folder and its disk."
)

# Source: https://sqlite.org/rescode.html, the low byte of the code.
_FAILURES: Mapping[int, Failure] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_FULL: Failure(reason="full", advice="The disk is full. Make room; nothing needs to be restarted."),
    sqlite3.SQLITE_CONSTRAINT: UNKEPT,
}


class SQLite:
    """Speak to a SQLite file."""

    dialect = SQLITE

    def connect_arguments(self, wait_seconds: float) -> Mapping[str, object]:
        """Return how long a statement waits for a lock."""
        return {"timeout": wait_seconds * _LOCK_SHARE}

    def check(self, connection: Connection, wait_seconds: float) -> None:  # noqa: ARG002 - told when it connected
        """Set what a connection has to have: a log that is synced at each commit, and deleting that overwrites."""
        mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one()
        if mode != "wal":
            raise LedgerError(
                f"SQLite cannot keep a write-ahead log there (journal_mode is {mode!r}). Put the ledger on a local disk.",
                reason="unsupported",
            )
        for pragma in ("synchronous = FULL", "secure_delete = ON"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:  # noqa: ARG002 - there is no server
        """Return what begins: a write takes its lock at once, since one that began by reading may never get it."""
        return {Mode.READ: ("BEGIN",), Mode.WRITE: ("BEGIN IMMEDIATE",), Mode.BARE: ()}[mode]

    def commit(self, mode: Mode) -> Sequence[str]:
        """Return what commits."""
        return () if mode is Mode.BARE else ("COMMIT",)

    def cleanse(self, connection: Connection) -> None:
        """Empty the log, which still holds the pages as they were."""
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()

    def lock(self, *, seconds: float) -> Sequence[str]:  # noqa: ARG002 - see there
        """Return nothing: a step begins with the one lock there is, and looks again whether it was taken."""
        return ()

    def describe(self, connection: Connection) -> Mapping[str, object]:  # noqa: ARG002 - the library is the server
        """Return the version of SQLite."""
        return {"backend": "sqlite", "version": sqlite3.sqlite_version, "driver": "pysqlite by SQLAlchemy"}

    def judge(self, error: DBAPIError) -> Failure:
        """Say what an error means by its code."""
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN) & 0xFF
        return _FAILURES.get(code, _AWAY)

    def cut(self, driver_connection: object) -> None:
        """Stop what runs on another thread."""
        if isinstance(driver_connection, sqlite3.Connection):
            driver_connection.interrupt()
