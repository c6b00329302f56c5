"""The one thread of a process that writes to a SQLite file: what waits is committed together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, current_thread

from consent.errors import LedgerError
from consent.ledger._batch import Batch, Piece
from consent.ledger._database import Row
from consent.ledger._file_lock import FileLock
from consent.ledger._sqlite_connection import Connection, SQLiteTransaction
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger._trace import has_trace, leave_trace, wipe_trace

QUEUE_LIMIT = 1024
"""How many pieces may wait: beyond it, a caller hears at once that the ledger is busy."""


class Writer:
    """Write in a thread of its own, which lives until `stop`; then another writer takes over.

    The thread waits for the disk and for other processes as long as these take. A caller need not: it can cancel the future
    that it has, and its work is not done unless it was begun.
    """

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file
        self._lock = FileLock(file.lock_path)
        self._mutex = Lock()
        self._waiting: SimpleQueue[Piece | None] = SimpleQueue()
        self._is_stopped = False
        self._thread: Thread | None = None
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._is_trace_left = False

    def submit(self, work: Callable[[SQLiteTransaction], object], *, is_erasing: bool) -> Future[object] | None:
        """Have work written; return None if this writer was stopped.

        Raises:
            LedgerError: If too much waits already, or no thread can be started.
        """
        piece = Piece(work=work, is_erasing=is_erasing)
        with self._mutex:
            if self._is_stopped:
                return None
            if self._waiting.qsize() >= QUEUE_LIMIT:
                raise LedgerError(
                    f"The ledger '{self._file.path}' is busy: {QUEUE_LIMIT} writes wait already. Try again later.",
                    reason="busy",
                )
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._start()
            self._waiting.put(piece)
        return piece.future

    def stop(self) -> bool:
        """Write what waits, close the file and end the thread; return whether that was done in time."""
        with self._mutex:
            if not self._is_stopped:
                self._is_stopped = True
                self._waiting.put(None)
            thread = self._thread
        if thread is None:
            return True
        if thread is current_thread():
            return False
        thread.join(self._file.wait_seconds)
        return not thread.is_alive()

    def _start(self) -> Thread:
        # A daemon: the interpreter waits for other threads before it calls what stops this one (`atexit`).
        thread = Thread(target=self._run, name=f"consent-ledger {self._file.path.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise LedgerError(
                f"The ledger '{self._file.path}' cannot start its writer ({error}): the process is ending, or has too many "
                "threads."
            ) from error
        return thread

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            self._serve(Batch(first, self._waiting))
        # Under the lock: whoever closes last moves the log into the file. Without its folder there is no lock, nor a file.
        with suppress(OSError), self._lock:
            self._wipe(is_worth_waiting=False)
            self._close()
        self._close()
        self._lock.close()

    def _serve(self, batch: Batch) -> None:
        try:
            if self._connection is None:
                self._file.check_place()
            with self._lock:
                self._commit(batch)
                batch.answer(self._file.explain, is_erasing=False)
                self._wipe(is_worth_waiting=batch.is_erasing)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the callers' to see, and others come after them
            batch.fail(error)
            batch.answer(self._file.explain, is_erasing=False)
        batch.answer(self._file.explain, is_erasing=True)

    def _commit(self, batch: Batch) -> None:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            batch.begin()
            batch.run(connection)
            if batch.is_erasing:
                leave_trace(partial(_run, connection))
            # Asked here, and not when others wait for the lock already: a thread that comes back at once would keep it for ever.
            self._is_trace_left = has_trace(partial(_run, connection))
            connection.execute("COMMIT")
        except BaseException:
            # Not rolled back and used again: after a failed fsync() nobody knows what the disk has, and after some errors
            # SQLite has rolled back by itself.
            self._close()
            raise

    def _wipe(self, *, is_worth_waiting: bool) -> None:
        """Empty the log of what this or another process erased; if a reader is in the way, again after the next commit."""
        if not self._is_trace_left or self._connection is None:
            return
        usual = int(self._file.wait_seconds * 1000)
        try:
            self._is_trace_left = not wipe_trace(
                partial(_run, self._connection), is_worth_waiting=is_worth_waiting, usual_milliseconds=usual
            )
        except sqlite3.Error:
            # What was committed stays so, and the log is written again from its beginning.
            self._close()

    def _open(self) -> Connection:
        """Return the connection; a new one if somebody put another file in place of the one that is open."""
        if self._connection is not None and self._identity != self._file.identify():
            self._close()
        if self._connection is None:
            self._connection = self._file.open_writer()
            self._identity = self._file.identify()
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _run(connection: Connection, statement: str) -> Sequence[Row]:
    return connection.execute(statement).fetchall()
