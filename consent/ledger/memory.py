"""A ledger that lives as long as the process: for tests, and for trying things out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from weakref import finalize

from consent.ledger._database import Result
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger.relational import RelationalLedger


class MemoryLedger(RelationalLedger):
    """Keep everything in memory: proves nothing once the process has ended."""

    def __init__(self) -> None:
        super().__init__(_MemoryDatabase())
        self.prepare()


class _MemoryDatabase:
    """Give one connection to one caller at a time."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        finalize(self, self._connection.close)

    def read(self, work: Callable[[SQLiteTransaction], Result]) -> Result:
        with self._lock:
            return work(SQLiteTransaction(self._connection))

    def write(
        self,
        work: Callable[[SQLiteTransaction], Result],
        *,
        is_repeatable: bool = True,  # noqa: ARG002 - nothing fails half-way here
        is_erasing: bool = False,  # noqa: ARG002 - and there is no file
    ) -> Result:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(SQLiteTransaction(self._connection))
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            return result

    @contextmanager
    def migrating(self) -> Iterator[None]:
        with self._lock:
            yield

    def describe(self) -> Mapping[str, object]:
        return {"backend": "memory", "version": sqlite3.sqlite_version}

    def close(self) -> None:
        """Keep everything: there is no other place that it could be read from again."""
