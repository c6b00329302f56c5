"""A ledger that lives as long as the process: for tests, and for trying things out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from weakref import finalize

from consent.errors import LedgerError
from consent.ledger._database import Result
from consent.ledger._fork import watch
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger._sqlite_errors import explain
from consent.ledger.relational import RelationalLedger
from consent.ledger.waiting import find_wait

_WAIT_SECONDS = 2.0
_NAME = Path("memory:")


class MemoryLedger(RelationalLedger):
    """Keep everything in memory: proves nothing once the process has ended."""

    def __init__(self) -> None:
        super().__init__(_MemoryDatabase())
        self.prepare()


class _MemoryDatabase:
    """Give one connection to one caller at a time. A forked process goes on with a copy of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_forking = False
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        finalize(self, self._connection.close)
        watch(self)

    def read(self, work: Callable[[SQLiteTransaction], Result]) -> Result:
        with self._hold():
            return work(SQLiteTransaction(self._connection))

    def write(
        self,
        work: Callable[[SQLiteTransaction], Result],
        *,
        is_repeatable: bool = True,  # noqa: ARG002 - nothing fails half-way here
        is_erasing: bool = False,  # noqa: ARG002 - and there is no file
    ) -> Result:
        with self._hold():
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
        """Keep nobody out: each step is one transaction, and looks whether it was taken."""
        yield

    def describe(self) -> Mapping[str, object]:
        return {"backend": "memory", "version": sqlite3.sqlite_version}

    def close(self) -> None:
        """Keep everything: there is no other place that it could be read from again."""

    def before_fork(self) -> None:
        self._is_forking = self._lock.acquire(timeout=_WAIT_SECONDS)

    def after_fork_in_parent(self) -> None:
        if self._is_forking:
            self._is_forking = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        # Still locked, and for ever, if another thread was at work: what it had done by half is nothing to go on with.
        self.after_fork_in_parent()

    @contextmanager
    def _hold(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=find_wait(_WAIT_SECONDS)):
            raise LedgerError(
                "The ledger in memory was busy: another thread is at work with it, or was when this process was forked, or "
                "this call is made within another one. Try again, or keep a ledger in a file.",
                reason="busy",
            )
        try:
            yield
        except sqlite3.Error as error:
            raise explain(error, _NAME) from error
        finally:
            self._lock.release()
