"""What is erased from a SQLite ledger is gone from its files, and not from its rows alone (T111)."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from consent.core.ledger import ConsentEvent
from consent.ledger._database import Row
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger.sqlite import SQLiteLedger
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, make_events

PATIENT_SECONDS = 60.0


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One that waits for a slow disk."""
    ledger = SQLiteLedger(path, wait_seconds=PATIENT_SECONDS)
    ledger.prepare()
    yield ledger
    ledger.close()


def find_in_files(path: Path, text: str) -> list[str]:
    """Return the files of a ledger that hold a text, read by another process: reading one here would drop SQLite's locks."""
    files = sorted(path.parent.glob("consent.db*"))
    done = subprocess.run(["grep", "-l", "-a", "-F", text, *files], check=False, capture_output=True, text=True)
    return [Path(line).name for line in done.stdout.splitlines()]


def make_secret(numbers: Sequence[int]) -> list[ConsentEvent]:
    return [
        make_event(
            number,
            subject_id=BOB,
            revision=number,
            payload=f'{{"secret": "melon-{number}"}}' + " " * (number * 97 % 9000),
        )
        for number in numbers
    ]


def test_erased_content_is_gone_from_file_and_log(ledger, path):
    for number in range(1, 120):
        ledger.append(make_secret([number]) + make_events([1000 + number]))
    ledger.history(BOB)
    assert find_in_files(path, "melon-7") != []

    assert ledger.erase(BOB, reason="asked to", at=NOW) == 119

    assert find_in_files(path, "melon") == []
    assert find_in_files(path, BOB) == []
    assert find_in_files(path, ALICE) != []


def test_purged_content_is_gone_from_file_and_log(ledger, path):
    ledger.append(make_secret(range(1, 120)))
    ledger.append(make_events([1000], recorded_at=NOW.replace(year=2027)))

    while ledger.purge(before=NOW.replace(year=2027), now=NOW.replace(year=2028), limit=50):
        pass

    assert find_in_files(path, "melon") == []
    assert find_in_files(path, BOB) == []


def test_content_that_a_reader_still_saw_goes_with_the_next_write(ledger, path):
    ledger.append(make_secret([1]))
    is_reading, may_end = threading.Event(), threading.Event()

    def read_slowly(transaction: SQLiteTransaction) -> list[Row]:
        rows = transaction.fetch("SELECT count(*) FROM consent_events")
        is_reading.set()
        may_end.wait(60)
        return rows

    reader = threading.Thread(target=lambda: ledger.database.read(read_slowly))
    reader.start()
    is_reading.wait(60)
    assert ledger.erase(BOB, reason="asked to", at=NOW) == 1
    may_end.set()
    reader.join()
    ledger.append(make_events([2]))
    ledger.append(make_events([3]))  # the log is emptied after the answer: this one waits for that

    assert ledger.history(BOB) == ()
    assert find_in_files(path, "melon") == []


def test_content_that_a_command_could_not_wipe_goes_with_the_next_write_of_the_site(ledger, path):
    ledger.append(make_secret([1]))
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_events").fetchall()
    command = SQLiteLedger(path, wait_seconds=PATIENT_SECONDS)
    command.erase(BOB, reason="asked to", at=NOW)
    told = command.health().details
    command.close()
    reader.close()
    ledger.append(make_events([2]))
    ledger.append(make_events([3]))  # the log is emptied after the answer: this one waits for that

    assert told["log_holds_erased"] is True
    assert "log_holds_erased" not in ledger.health().details
    assert find_in_files(path, "melon") == []


def test_log_that_cannot_be_emptied_does_not_undo_an_erasure(faulty, faults):
    faulty.append([make_event(1), make_event(2, subject_id=BOB)])
    faults.statement = "PRAGMA wal_checkpoint"

    assert faulty.erase(ALICE, reason="asked to", at=NOW) == 1

    faults.statement, faults.statements = "", []
    faulty.append([make_event(3, subject_id=BOB)])
    faulty.close()  # the log is emptied after the answer
    assert "PRAGMA wal_checkpoint(TRUNCATE)" in faults.statements
    assert faulty.current(ALICE) is None


def test_log_is_emptied_after_erasing_alone(faulty, faults):
    emptying = "PRAGMA wal_checkpoint(TRUNCATE)"
    faulty.append([make_event(1)])
    assert emptying not in faults.statements

    faulty.erase(ALICE, reason="asked to", at=NOW)
    faulty.append([make_event(2)])
    faulty.close()

    assert faults.statements.count(emptying) == 1
