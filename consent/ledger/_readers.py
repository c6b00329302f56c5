"""Connections that only read, each lent to one caller at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Condition

from consent.ledger._sqlite_connection import Connection
from consent.ledger._sqlite_file import SQLiteFile

# More are opened while more read at once, and closed afterwards.
_IDLE_LIMIT = 8


@dataclass(frozen=True, slots=True)
class _Reader:
    connection: Connection
    identity: tuple[int, int] | None

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.connection.close()


class StoppedError(Exception):
    """Nothing is lent any more."""


class Readers:
    """Lend connections until `stop`; what is out then is closed when it comes back."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file
        self._condition = Condition()
        self._idle: list[_Reader] = []
        self._lent = 0
        self._is_stopped = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection; one on which anything failed is not lent again.

        Raises:
            StoppedError: After `stop`.
            LedgerError: If the file lies where no ledger may.
            sqlite3.Error: If SQLite cannot open it.
        """
        with self._condition:
            if self._is_stopped:
                raise StoppedError
            self._lent += 1
        reader = None
        is_sound = False
        try:
            reader = self._take()
            yield reader.connection
            is_sound = True
        finally:
            self._give_back(reader, is_sound=is_sound)

    def stop(self) -> bool:
        """Close what nobody reads from; return whether the rest came back, and was closed, in time."""
        with self._condition:
            self._is_stopped = True
            while self._idle:
                self._idle.pop().close()
            return self._condition.wait_for(lambda: not self._lent, self._file.wait_seconds)

    def _take(self) -> _Reader:
        identity = self._file.identify()
        with self._condition:
            while self._idle:
                reader = self._idle.pop()
                if reader.identity == identity:
                    return reader
                # Another file was put in place of the one that this connection reads.
                reader.close()
        return _Reader(self._file.open_reader(), identity)

    def _give_back(self, reader: _Reader | None, *, is_sound: bool) -> None:
        with self._condition:
            if reader is not None:
                if is_sound and not self._is_stopped and len(self._idle) < _IDLE_LIMIT:
                    self._idle.append(reader)
                else:
                    reader.close()
            self._lent -= 1
            self._condition.notify_all()
