"""A SQLite file as a database of the ledger's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, get_ident
from typing import cast

from consent.errors import LedgerError, quote_all
from consent.ledger._database import Result
from consent.ledger._fork import watch
from consent.ledger._readers import Readers
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger._sqlite_errors import needs_writer
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger._writer import Writer

# What crossed a fork all the same. Kept, since closing it in the child would drop locks that the parent relies on.
_crossed: list[object] = []


class SQLiteDatabase:
    """Write through one thread, read through connections that cannot write, and let nothing open cross a fork.

    SQLite keeps account of a file's locks per process. A child inherits the account without the locks: what it writes
    through a connection of its own is lost once the parent closes the file. So all is closed before a fork, and a child
    for which that took too long is refused.
    """

    def __init__(self, file: SQLiteFile) -> None:
        self.file = file
        self._mutex = Lock()
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        # The two above, and earlier ones that have not ended yet.
        self._open: list[Writer | Readers] = []
        self._forking_thread: int | None = None
        self._is_crossed = False
        watch(self)

    def read(self, work: Callable[[SQLiteTransaction], Result]) -> Result:
        """Run work that changes nothing, on one snapshot."""
        try:
            try:
                return self._read(work)
            except sqlite3.Error as error:
                if not needs_writer(error):
                    raise
            self.write(_do_nothing)
            return self._read(work)
        except (sqlite3.Error, OSError) as error:
            raise self.file.explain(error) from error

    def _read(self, work: Callable[[SQLiteTransaction], Result]) -> Result:
        with self._get_readers().lend() as connection:
            connection.execute("BEGIN")
            result = work(SQLiteTransaction(connection))
            connection.execute("COMMIT")
            return result

    def write(
        self,
        work: Callable[[SQLiteTransaction], Result],
        *,
        is_repeatable: bool = True,  # noqa: ARG002 - nothing is repeated here: what fails may have been committed
        is_erasing: bool = False,
    ) -> Result:
        """Run work as one transaction, in the writer's thread; what it changed is durable when this returns."""
        future = None
        while future is None:  # a writer that is just being stopped takes nothing more
            future = self._get_writer().submit(work, is_erasing=is_erasing)
        return cast("Result", self._wait(future))

    def migrating(self) -> AbstractContextManager[None]:
        """Refuse a file of another program's. Keep nobody out: each step is one transaction, and looks whether it was taken."""
        tables = self.read(_list_tables)
        if tables and "consent_schema" not in tables:
            raise LedgerError(
                f"The file '{self.file.path}' has tables of another program ({quote_all(tables)}). Give the ledger a file of "
                "its own in CONSENT_LEDGER: two programs that write to one file keep each other waiting, or damage it.",
                reason="unsupported",
            )
        return nullcontext()

    def describe(self) -> Mapping[str, object]:
        """Return facts for the operator."""
        path, log = self.file.path, self.file.log_path
        try:
            return {
                "backend": "sqlite",
                "version": sqlite3.sqlite_version,
                "path": str(path),
                "size_bytes": path.stat().st_size,
                "log_bytes": log.stat().st_size if log.exists() else 0,
                "free_bytes": shutil.disk_usage(path.parent).free,
            }
        except OSError as error:
            raise self.file.explain(error) from error

    def close(self) -> None:
        """Write what waits, and close the file."""
        if self._mutex.acquire(timeout=self.file.wait_seconds):
            try:
                self._stop()
            finally:
                self._mutex.release()

    def before_fork(self) -> None:
        """Close all, and keep others from opening it before the fork is done."""
        if self._mutex.acquire(timeout=self.file.wait_seconds):
            self._forking_thread = get_ident()
            self._stop()

    def after_fork_in_parent(self) -> None:
        """Go on: whoever reads or writes next opens the file again."""
        if self._forking_thread == get_ident():
            self._forking_thread = None
            self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, unless something open has come along."""
        self._mutex = Lock()
        self._forking_thread = None
        self._writer = self._readers = None
        if self._open:
            _crossed.append(self._open)
            self._open = []
            self._is_crossed = True

    def _stop(self) -> None:
        self._writer = self._readers = None
        # The writer last: who closes last moves the log into the file, and readers cannot.
        items = sorted(self._open, key=lambda item: isinstance(item, Writer))
        self._open = [item for item in items if not item.stop()]

    def _get_writer(self) -> Writer:
        with self._hold():
            if self._writer is None:
                self._writer = Writer(self.file)
                self._open.append(self._writer)
            return self._writer

    def _get_readers(self) -> Readers:
        with self._hold():
            if self._readers is None:
                self._readers = Readers(self.file)
                self._open.append(self._readers)
            return self._readers

    @contextmanager
    def _hold(self) -> Iterator[None]:
        if self._is_crossed:
            raise LedgerError(
                f"The ledger '{self.file.path}' was in use when this process was forked, and cannot be used in it. Start the "
                "process afresh ('spawn'), or fork before the first request."
            )
        if not self._mutex.acquire(timeout=self.file.wait_seconds):
            raise LedgerError(
                f"The ledger '{self.file.path}' is being closed, or the process forked. Try again later.", reason="busy"
            )
        try:
            yield
        finally:
            self._mutex.release()

    def _wait(self, future: Future[object]) -> object:
        try:
            return future.result(self.file.wait_seconds)
        except TimeoutError:
            if future.cancel():
                raise LedgerError(
                    f"The ledger '{self.file.path}' was busy for {self.file.wait_seconds:g} seconds: the disk is slow, or "
                    "another process keeps it. Nothing was written. Try again later.",
                    reason="busy",
                ) from None
            if future.done():
                return future.result()
        raise LedgerError(
            f"The ledger '{self.file.path}' did not finish within {self.file.wait_seconds:g} seconds: the disk is slow. "
            "Whether it was written is not known; an event may be sent again under its own id."
        )


def _list_tables(transaction: SQLiteTransaction) -> list[str]:
    found = transaction.fetch(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
    )
    return [str(row[0]) for row in found]


def _do_nothing(_: SQLiteTransaction) -> None:
    """Change nothing: that the file is opened to be written mends it."""
