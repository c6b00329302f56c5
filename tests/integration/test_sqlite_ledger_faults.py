"""The SQLite ledger on disks that fail, are full, or cannot be written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.errors import LedgerError
from consent.ledger._file_lock import FileLock
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger.relational import RelationalLedger
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event, number_id

PATIENT_SECONDS = 60.0
NOBODY = 65534


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One that waits for a slow disk."""
    ledger = SQLiteLedger(path, wait_seconds=PATIENT_SECONDS)
    ledger.prepare()
    yield ledger
    ledger.close()


def refuse(ledger: RelationalLedger, number: int = 1, **changes: object) -> LedgerError:
    """Append an event, which must fail, and return the error."""
    with pytest.raises(LedgerError) as caught:
        ledger.append([make_event(number, **changes)])
    return caught.value


def test_failed_sync_acknowledges_nothing_and_the_connection_is_not_used_again(faulty, faults):
    faulty.append([make_event(1)])
    faults.statement = "COMMIT"

    error = refuse(faulty, 2)

    assert error.reason == "unavailable"
    assert "disk I/O error (SQLITE_IOERR_FSYNC)" in str(error)
    assert faults.closed == 1
    assert "ROLLBACK" not in faults.statements

    faults.statement = ""
    assert faulty.append([make_event(3)]).stored == {number_id(3)}
    assert [row.event_id for row in faulty.scan()] == [number_id(1), number_id(3)]


def test_failed_sync_is_told_to_everyone_in_the_group(faulty, faults, path):
    lock = FileLock(path.with_name("consent.db.lock"))
    results: list[str] = []

    def keep(number: int) -> None:
        try:
            faulty.append([make_event(number)])
        except LedgerError as error:
            results.append(error.reason)

    faults.statement = "COMMIT"
    with lock:
        threads = [threading.Thread(target=keep, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()

    assert results == ["unavailable"] * 8
    faults.statement = ""
    assert faulty.scan() == ()


def test_failed_write_fails_the_group_even_where_sqlite_could_go_on(faulty, faults):
    faults.statement, faults.code, faults.name = "INSERT", sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"

    assert refuse(faulty).reason == "unavailable"
    assert faults.closed == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("SQLITE_FULL", "full"),
        ("SQLITE_READONLY_DBMOVED", "read_only"),
        ("SQLITE_CORRUPT_INDEX", "corrupt"),
        ("SQLITE_BUSY_SNAPSHOT", "busy"),
        ("SQLITE_NOMEM", "unavailable"),
        ("SQLITE_CANTOPEN", "unavailable"),
    ],
)
def test_every_error_of_sqlite_has_a_reason(faulty, faults, code, reason):
    faults.statement, faults.code, faults.name = "BEGIN IMMEDIATE", getattr(sqlite3, code), code

    error = refuse(faulty)

    assert error.reason == reason
    assert code in str(error)


def test_full_disk_keeps_what_was_there_and_writing_goes_on_once_there_is_room(ledger):
    ledger.append([make_event(1)])

    def fill(transaction: SQLiteTransaction) -> None:
        pages = transaction.fetch("PRAGMA page_count")[0][0]
        transaction.fetch(f"PRAGMA max_page_count = {pages!r}")

    ledger.database.write(fill)
    error = refuse(ledger, 2, payload="x" * 100_000)

    assert error.reason == "full"
    assert "The disk is full. Make room" in str(error)
    assert [row.event_id for row in ledger.scan()] == [number_id(1)]
    # The limit was that of the connection, which is gone with what failed on it.
    assert ledger.append([make_event(2, payload="x" * 100_000)]).stored


LIMITED = """
import resource, sys
from consent.errors import LedgerError
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event

ledger = SQLiteLedger(sys.argv[1], wait_seconds=60)
ledger.prepare()
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
kept = []
for number in range(60):
    try:
        kept += ledger.append([make_event(number, payload="x" * 20_000)]).stored
    except LedgerError as error:
        failed = error
assert [row.event_id for row in ledger.scan()] == kept, "reading works, and shows what was acknowledged"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept += ledger.append([make_event(99)]).stored
assert [row.event_id for row in ledger.scan()] == kept
print(len(kept), failed.reason, ledger.database.read(lambda t: t.fetch("PRAGMA integrity_check"))[0][0])
"""


def test_files_that_may_not_grow_lose_nothing_that_was_acknowledged(path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert done.returncode == 0, done.stderr
    kept, reason, integrity = done.stdout.split()
    assert 1 < int(kept) < 60
    assert (reason, integrity) == ("unavailable", "ok")


@pytest.fixture
def shut_folder() -> Iterator[Path]:
    """A folder that this process may read and not write: as root, it becomes nobody for the test."""
    with tempfile.TemporaryDirectory(prefix="consent-") as name:
        folder = Path(name)
        made = SQLiteLedger(folder / "consent.db")
        made.prepare()
        made.close()
        for database in list(folder.iterdir()):
            database.chmod(0o444)
        is_root = os.geteuid() == 0
        folder.chmod(0o555)
        if is_root:
            os.seteuid(NOBODY)
        yield folder
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.parametrize("name", ["consent.db", "new.db"])
def test_folder_that_cannot_be_written_is_no_place_to_keep_anything(shut_folder, name):
    ledger = SQLiteLedger(shut_folder / name)

    error = refuse(ledger)

    assert error.reason == "read_only"
    assert "Give the user that runs the site the right to write the file and its folder" in str(error)
    assert not ledger.health().is_writable
    ledger.close()
