"""Where the state machine's ledger is kept: how each kind begins, crashes, restarts and ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from psycopg import sql

from consent.core.ledger import Ledger
from consent.ledger.memory import MemoryLedger
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from consent.ledger.sqlite import SQLiteLedger
from tests.postgres import PostgresServer

# Every table but that of the schema's version.
_TABLES = ("consent_events", "consent_seals", "consent_artefacts", "consent_notices", "consent_tallies")


class Storage(Protocol):
    """Give ledgers of one kind."""

    @property
    def name(self) -> str:
        """What the count of steps is printed under."""

    def start(self) -> Ledger:
        """Return an empty ledger."""

    def crash(self, ledger: Ledger) -> Ledger:
        """Return what another process finds after this one was killed."""

    def restart(self, ledger: Ledger) -> Ledger:
        """Return what another process finds after this one has ended in peace."""

    def finish(self, ledger: Ledger) -> None:
        """Let go of everything."""


class MemoryStorage:
    """Keep nothing: a restart finds the same process."""

    name = "memory"

    def start(self) -> Ledger:
        return MemoryLedger()

    def crash(self, ledger: Ledger) -> Ledger:
        return ledger

    def restart(self, ledger: Ledger) -> Ledger:
        ledger.close()
        return ledger

    def finish(self, ledger: Ledger) -> None:
        ledger.close()


class FileStorage:
    """Keep one SQLite file.

    Args:
        open_file: Opens the ledger in a file, whether the file exists or not.
    """

    def __init__(self, name: str, folder: Path, open_file: Callable[[Path], Ledger]) -> None:
        self.name, self._folder, self._open_file = name, folder, open_file
        self._number = 0

    def start(self) -> Ledger:
        self._number += 1
        return self._open_file(self._file)

    def crash(self, ledger: Ledger) -> Ledger:
        """Copy the files as they are, without what closing would have written, and go on with the copy.

        The `-shm` file stays behind: after a kill, the first to open the database makes it anew from the log.
        """
        before = self._file
        self._number += 1
        for suffix in ("", "-wal"):
            source = Path(f"{before}{suffix}")
            if source.exists():
                shutil.copyfile(source, f"{self._file}{suffix}")
        ledger.close()
        return self._open_file(self._file)

    def restart(self, ledger: Ledger) -> Ledger:
        ledger.close()
        return self._open_file(self._file)

    def finish(self, ledger: Ledger) -> None:
        ledger.close()
        for path in self._folder.glob(f"{self._file.stem}*"):
            path.unlink()

    @property
    def _file(self) -> Path:
        return self._folder / f"{self.name}-{self._number}.db"


class ServerStorage:
    """Keep one schema of a PostgreSQL server."""

    name = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._schema = server.create_schema()
        ledger = self._open()
        ledger.prepare()
        ledger.close()

    def start(self) -> Ledger:
        names = sql.SQL(", ").join(map(sql.Identifier, _TABLES))
        self._server.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names), schema=self._schema)
        return self._open()

    def crash(self, ledger: Ledger) -> Ledger:
        """Cut every connection: what the server sees of a client that was killed."""
        self._server.execute(
            sql.SQL(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        )
        ledger.close()
        return self._open()

    def restart(self, ledger: Ledger) -> Ledger:
        ledger.close()
        return self._open()

    def finish(self, ledger: Ledger) -> None:
        ledger.close()

    def _open(self) -> SQLAlchemyLedger:
        return SQLAlchemyLedger(self._server.url(self._schema))


def open_sqlite(path: Path) -> Ledger:
    """Open a file with the standard library."""
    return _prepare(SQLiteLedger(path))


def open_sqlalchemy(path: Path) -> Ledger:
    """Open a file through SQLAlchemy."""
    return _prepare(SQLAlchemyLedger(f"sqlite+pysqlite:///{path}"))


def _prepare(ledger: Ledger) -> Ledger:
    ledger.prepare()
    return ledger
