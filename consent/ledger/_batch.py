"""Pieces of work that are committed together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from consent.ledger._sqlite_connection import Connection, SQLiteTransaction
from consent.ledger._sqlite_errors import is_statements_own

GROUP_LIMIT = 256
"""How many pieces one commit holds at most."""


@dataclass(slots=True, kw_only=True)
class Piece:
    """Hold what one caller wants written, and the answer for which it waits."""

    work: Callable[[SQLiteTransaction], object]
    is_erasing: bool
    future: Future[object] = field(default_factory=Future)
    result: object = None
    error: BaseException | None = None


class Batch:
    """Hold the piece that came first, and what waits behind it."""

    def __init__(self, first: Piece, waiting: SimpleQueue[Piece | None]) -> None:
        self._first: Piece | None = first
        self._waiting = waiting
        self._pieces: list[Piece] = []

    @property
    def is_erasing(self) -> bool:
        """Whether one of the pieces must leave no trace."""
        return any(piece.is_erasing for piece in self._pieces)

    def begin(self) -> None:
        """Take in what waits, but for what its callers have taken back; from now on they cannot. Does so once."""
        if self._first is None:
            return
        candidates, self._first = [self._first], None
        while len(candidates) < GROUP_LIMIT:
            try:
                piece = self._waiting.get_nowait()
            except Empty:
                break
            if piece is None:
                # The end, which is for whoever began this batch to see.
                self._waiting.put(None)
                break
            candidates.append(piece)
        self._pieces = [piece for piece in candidates if piece.future.set_running_or_notify_cancel()]

    def run(self, connection: Connection) -> None:
        """Run each piece inside the open transaction; one that fails is undone and leaves the others alone.

        Raises:
            sqlite3.Error: If the disk, the file or the transaction as a whole failed: nothing of it may be committed.
        """
        transaction = SQLiteTransaction(connection)
        for piece in self._pieces:
            connection.execute("SAVEPOINT piece")
            try:
                piece.result = piece.work(transaction)
            except Exception as error:
                if not connection.in_transaction or (isinstance(error, sqlite3.Error) and not is_statements_own(error)):
                    raise
                connection.execute("ROLLBACK TO piece")
                piece.error = error
            connection.execute("RELEASE piece")

    def fail(self, error: BaseException) -> None:
        """Let every piece that has no error of its own end in this one."""
        self.begin()
        for piece in self._pieces:
            piece.error = piece.error or error

    def answer(self, explain: Callable[[BaseException], BaseException], *, is_erasing: bool) -> None:
        """Tell the callers of the pieces that erase, or of the others, what came of it."""
        for piece in self._pieces:
            if piece.is_erasing is not is_erasing or piece.future.done():
                continue
            if piece.error is None:
                piece.future.set_result(piece.result)
            else:
                piece.future.set_exception(explain(piece.error))
