"""SQLite through SQLAlchemy: as the ledger of the standard library keeps it, but for its writer and its lock file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from consent.errors import LedgerError
from consent.ledger._backend import UNKEPT, Failure, Mode
from consent.ledger._database import SQLITE
from consent.ledger._file_system import check_file_system
from consent.ledger._sqlite_file import SOUND_VERSION, make_private
from consent.ledger._trace import TRACE_DETAIL, has_trace, leave_trace, wipe_trace

log = logging.getLogger("consent")

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

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def file(self) -> Path:
        """The file."""
        return self._file

    def get_ready(self) -> None:
        """Refuse a network file system, warn of versions with a fault, and make the file so that nobody else may read it."""
        if self._file.parent.is_dir():
            check_file_system(self._file.parent)
        _warn_of_version(sqlite3.sqlite_version_info)
        # Where it cannot be made, connecting tells why.
        with suppress(OSError):
            make_private(self._file)

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

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:
        """Return what begins: a write takes its lock at once, since one that began by reading may never get it."""
        wait = f"PRAGMA busy_timeout = {int(seconds * _LOCK_SHARE * 1000)}"
        return (wait, "BEGIN") if mode is Mode.READ else (wait, "BEGIN IMMEDIATE")

    def commit(self, mode: Mode) -> Sequence[str]:  # noqa: ARG002 - it is the same for both
        """Return what commits."""
        return ("COMMIT",)

    def mark_erasing(self, connection: Connection) -> None:
        """Note it in the file: whoever writes next empties the log, if this process cannot."""
        leave_trace(partial(_run, connection))

    def cleanse(self, connection: Connection, *, is_worth_waiting: bool) -> None:
        """Empty the log, which still holds the pages as they were. What fails here is owed on, and undoes no write."""
        with suppress(DBAPIError):
            # Each transaction sets anew for how long it waits.
            wipe_trace(partial(_run, connection), is_worth_waiting=is_worth_waiting, usual_milliseconds=0)

    def lock(self, connection: Connection, *, seconds: float) -> bool:  # noqa: ARG002 - see there
        """Take none: a step begins with the one lock there is, and looks again whether it was taken."""
        return False

    def describe(self, connection: Connection) -> Mapping[str, object]:
        """Return the version of SQLite."""
        trace = {TRACE_DETAIL: True} if has_trace(partial(_run, connection)) else {}
        return {"backend": "sqlite", "version": sqlite3.sqlite_version, "driver": "pysqlite by SQLAlchemy", **trace}

    def judge(self, error: DBAPIError) -> Failure:
        """Say what an error means by its code."""
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN) & 0xFF
        return _FAILURES.get(code, _AWAY)

    def cut(self, driver_connection: object) -> None:
        """Stop what runs on another thread."""
        if isinstance(driver_connection, sqlite3.Connection):
            driver_connection.interrupt()


@cache
def _warn_of_version(version: tuple[int, ...]) -> None:
    if version < SOUND_VERSION:
        log.warning(
            "SQLite %s can damage a database when two programs write to it at once (fixed in %s), and through SQLAlchemy no "
            "lock file keeps them apart: that is for tests. For a site, set CONSENT_LEDGER to 'sqlite:///' and the path.",
            ".".join(map(str, version)),
            ".".join(map(str, SOUND_VERSION)),
        )


def _run(connection: Connection, statement: str) -> Sequence[Sequence[Any]]:
    result = connection.exec_driver_sql(statement)
    return result.all() if result.returns_rows else ()
