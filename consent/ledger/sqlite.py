"""The ledger in a file of SQLite's, with nothing but the standard library: for a site on one machine."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from consent.ledger._sqlite_database import SQLiteDatabase
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger.relational import RelationalLedger


class SQLiteLedger(RelationalLedger):
    """Keep everything in one file, which any number of processes may share, and which nothing but this library writes.

    Nothing is opened, and no thread started, before the first use. Beside the file lie its log (`-wal`, `-shm`) and the
    file whose lock the processes pass on (`.lock`).

    Args:
        path: The file; it is made when it is first written to. Its folder must exist, on a local disk.
        wait_seconds: How long a caller waits at most for the disk, for other processes, and for those before it.
    """

    def __init__(self, path: str | PathLike[str], *, wait_seconds: float = 2.0) -> None:
        super().__init__(SQLiteDatabase(SQLiteFile(path=Path(path).absolute(), wait_seconds=wait_seconds)))
