"""One file of SQLite's: where it may lie, and how it is opened."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from consent.errors import LedgerError
from consent.ledger._file_lock import PRIVATE_MODE
from consent.ledger._file_system import check_file_system
from consent.ledger._sqlite_connection import Connect, Connection, connect
from consent.ledger._sqlite_errors import explain, get_code
from consent.ledger._trace import READER_WAIT_MILLISECONDS

log = logging.getLogger("consent")

# The first without the WAL-reset bug: https://www.sqlite.org/wal.html section 11.
SOUND_VERSION = (3, 51, 3)
# What a burst of writes leaves as the size of the log; SQLite begins it anew at a checkpoint and keeps its size otherwise.
_LOG_SIZE_BYTES = 16 * 1024 * 1024
# Ids are random, so each event changes pages all over the indexes: the log is moved into the file after many, since then a page
# is written once for several events, and the pages stay in memory. Together that takes a sixth off an event.
_LOG_PAGES, _CACHE_KIBIBYTES = 4000, 8192
_CHUNK_BYTES = 1024 * 1024


def rewrite_log(path: Path) -> None:
    """Write a log that was left behind once more as it is, so that the next sync brings it to the disk.

    After a sync that failed, Linux shows the pages as before and never writes them (the "fsyncgate" of 2018). Who reads the log
    back takes them for durable, and a loss of power then leaves a part of what was moved into the file: a damaged one.
    """
    if not path.exists():
        return
    with path.open("r+b") as log_file:
        while chunk := log_file.read(_CHUNK_BYTES):
            log_file.seek(-len(chunk), os.SEEK_CUR)
            log_file.write(chunk)


def make_private(path: Path) -> None:
    """Make a file that is not there yet so that only its user may read it; SQLite gives its log the same rights.

    One that is there is not even opened: closing it would drop the locks that this process has on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), PRIVATE_MODE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SQLiteFile:
    """Open one file, for writing or for reading."""

    path: Path
    wait_seconds: float
    """How long to wait for other programs before giving up."""

    connect: Connect = connect
    synchronous: str = "FULL"
    """`FULL` in every ledger; tests of lost power see with `NORMAL` that they would notice a loss."""

    rewrite: Callable[[Path], None] = rewrite_log
    """Writes the log again that was left behind; tests of lost power note that it did."""

    @property
    def lock_path(self) -> Path:
        """The file whose lock everyone holds who writes here."""
        return self.path.with_name(f"{self.path.name}.lock")

    @property
    def log_path(self) -> Path:
        """SQLite's write-ahead log, while there is one."""
        return self.path.with_name(f"{self.path.name}-wal")

    def check_place(self) -> None:
        """Refuse a place where no ledger may lie, before anything is made there.

        Raises:
            LedgerError: If it is one.
        """
        if not self.path.parent.is_dir():
            raise LedgerError(
                f"The folder '{self.path.parent}' of the ledger '{self.path.name}' does not exist, or is no folder. Make it, "
                "or correct the path in CONSENT_LEDGER."
            )
        if self.path.is_dir():
            raise LedgerError(
                f"The ledger '{self.path}' is a folder. Give the path of a file in it, such as "
                f"'sqlite:///{self.path / 'consent.db'}', in CONSENT_LEDGER.",
                reason="unsupported",
            )
        check_file_system(self.path.parent)

    def open_writer(self) -> Connection:
        """Open the file to write, and make it if there is none. Only who holds the lock may.

        Raises:
            LedgerError: If its file system lacks what it takes.
            sqlite3.Error: If SQLite cannot.
            OSError: If the file cannot be made, or a log that was left behind not be written.
        """
        warn_of_version(sqlite3.sqlite_version_info)
        make_private(self.path)
        self.rewrite(self.log_path)
        connection = self.connect(self.path, is_writer=True, wait_seconds=self.wait_seconds)
        try:
            self._configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def open_reader(self) -> Connection:
        """Open the file to read; one that does not exist reads as one without tables.

        Raises:
            LedgerError: If it lies where no ledger may.
            sqlite3.Error: If SQLite cannot.
        """
        self.check_place()
        try:
            return self.connect(self.path, is_writer=False, wait_seconds=self.wait_seconds)
        except sqlite3.Error as error:
            if get_code(error) == sqlite3.SQLITE_CANTOPEN and not self.path.exists():
                return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            raise

    def identify(self) -> tuple[int, int] | None:
        """Return what tells this file from another one put in its place; None while there is none."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def explain(self, error: BaseException) -> BaseException:
        """Return an error of SQLite or of the system in the library's words, and any other as it is."""
        return explain(error, self.path) if isinstance(error, sqlite3.Error | OSError) else error

    def _configure(self, connection: Connection) -> None:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchall()[0][0]
        if mode != "wal":
            raise LedgerError(
                f"The ledger '{self.path}' cannot have a write-ahead log: its file system has no shared memory (journal "
                f"mode {mode!r}). Put the file on a local disk, or set CONSENT_LEDGER to a PostgreSQL database.",
                reason="unsupported",
            )
        for setting in (
            f"synchronous = {self.synchronous}",
            "fullfsync = ON",  # macOS: fsync() alone leaves data in the drive's cache
            "mmap_size = 0",
            "secure_delete = ON",
            "temp_store = MEMORY",  # the journals of savepoints would leave copies of rows in /tmp
            "trusted_schema = OFF",
            f"journal_size_limit = {_LOG_SIZE_BYTES}",
            f"wal_autocheckpoint = {_LOG_PAGES}",
            f"cache_size = -{_CACHE_KIBIBYTES}",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
        self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """Move what the log holds into the file, and begin the log anew, before anything is acknowledged on top of it.

        What is read back may hold a commit that was refused, since its sync failed; on no account may the log go on behind it.

        A reader of an older state keeps the log from beginning anew, and is not waited for long: copying tools, such as
        Litestream, always have one. While there has been a reader, nobody has read the log back.
        """
        connection.execute(f"PRAGMA busy_timeout = {READER_WAIT_MILLISECONDS}").fetchall()
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        connection.execute(f"PRAGMA busy_timeout = {int(self.wait_seconds * 1000)}").fetchall()


@cache
def warn_of_version(version: tuple[int, ...]) -> None:
    """Say once per process that a version of SQLite has a fault that this library can only avoid for itself."""
    if version < SOUND_VERSION:
        log.warning(
            "SQLite %s can damage a database when two programs write to it at once (fixed in %s). This library's own "
            "processes take turns by a lock file and never meet the fault; no other program must write to the ledger.",
            ".".join(map(str, version)),
            ".".join(map(str, SOUND_VERSION)),
        )
