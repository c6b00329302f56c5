"""A SQLite file as a database of the ledger's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import cast

from consent.errors import LedgerError, quote_all
from consent.ledger._database import Result
from consent.ledger._open_file import OpenFile
from consent.ledger._readers import Readers, StoppedError
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger._sqlite_errors import needs_writer
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger._trace import TRACE_DETAIL, has_trace
from consent.ledger._writer import Writer
from consent.ledger.waiting import find_wait, waiting

# A step over many rows takes its time, and others wait that long for their turn.
_MIGRATION_SECONDS = 600.0


class SQLiteDatabase:
    """Write through one thread, read through connections that cannot write."""

    def __init__(self, file: SQLiteFile) -> None:
        self.file = file
        # The writer last: who closes last moves the log into the file, and readers cannot.
        self._open = OpenFile(file.path, kinds=(Readers, Writer), wait_seconds=file.wait_seconds)

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
        while True:
            # Those that are just being stopped lend nothing more.
            with suppress(StoppedError), self._open.get(Readers, lambda: Readers(self.file)).lend() as connection:
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
            future = self._open.get(Writer, lambda: Writer(self.file)).submit(work, is_erasing=is_erasing)
        return cast("Result", self._wait(future))

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Refuse a file of another program's. Keep nobody out: each step is one transaction, and looks whether it was taken."""
        tables = self.read(_list_tables)
        if tables and "consent_schema" not in tables:
            raise LedgerError(
                f"The file '{self.file.path}' has tables of another program ({quote_all(tables)}). Give the ledger a file of "
                "its own in CONSENT_LEDGER: two programs that write to one file keep each other waiting, or damage it.",
                reason="unsupported",
            )
        with waiting(_MIGRATION_SECONDS):
            yield

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
                **({TRACE_DETAIL: True} if self.read(lambda transaction: has_trace(transaction.fetch)) else {}),
            }
        except OSError as error:
            raise self.file.explain(error) from error

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._open.close()

    def _wait(self, future: Future[object]) -> object:
        seconds = find_wait(self.file.wait_seconds)
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.cancel():
                raise LedgerError(
                    f"The ledger '{self.file.path}' was busy for {seconds:g} seconds: the disk is slow, or "
                    "another process keeps it. Nothing was written. Try again later.",
                    reason="busy",
                ) from None
            if future.done():
                return future.result()
        raise LedgerError(
            f"The ledger '{self.file.path}' did not finish within {seconds:g} seconds: the disk is slow. "
            "Whether it was written is not known; an event may be sent again under its own id."
        )


def _list_tables(transaction: SQLiteTransaction) -> list[str]:
    found = transaction.fetch(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
    )
    return [str(row[0]) for row in found]


def _do_nothing(_: SQLiteTransaction) -> None:
    """Change nothing: that the file is opened to be written mends it."""
