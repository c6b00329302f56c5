"""The SQLite ledger of the library, over a disk of our making."""

from __future__ import annotations

from pathlib import Path

from consent.ledger._sqlite_database import SQLiteDatabase
from consent.ledger._sqlite_file import SQLiteFile, rewrite_log
from consent.ledger.relational import RelationalLedger
from tests.faults.apsw_connection import ApswConnect
from tests.faults.disk import RecordingVFS


def open_over(path: Path, vfs: RecordingVFS, *, synchronous: str = "FULL") -> RelationalLedger:
    """Return the ledger in a file that is reached through a VFS: its code, and SQLite's, are those of every site."""

    def rewrite(log: Path) -> None:
        rewrite_log(log)
        if log.exists():
            vfs.disk.note("write", str(log), 0, log.read_bytes())

    file = SQLiteFile(
        path=path, wait_seconds=2.0, connect=ApswConnect(vfs.name), synchronous=synchronous, rewrite=rewrite
    )
    return RelationalLedger(SQLiteDatabase(file))
