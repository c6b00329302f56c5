"""The SQLite ledger when the disk, other programs or too many callers are in its way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from consent.core.ledger import ConsentEvent
from consent.errors import LedgerError
from consent.ledger._database import Row, Value
from consent.ledger._file_lock import FileLock
from consent.ledger._sqlite_connection import Connection, Cursor, SQLiteTransaction, connect
from consent.ledger._sqlite_database import SQLiteDatabase
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger._writer import QUEUE_LIMIT, Writer
from consent.ledger.relational import RelationalLedger
from consent.ledger.sqlite import SQLiteLedger
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, make_events, number_id

IMPATIENT_SECONDS = 0.05
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "consent.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One that gives up soon: what it waits for in these tests does not come."""
    SQLiteLedger(path).prepare()
    ledger = SQLiteLedger(path, wait_seconds=IMPATIENT_SECONDS)
    yield ledger
    ledger.close()


@pytest.fixture
def lock(path: Path) -> FileLock:
    return FileLock(path.with_name("consent.db.lock"))


def refuse(ledger: RelationalLedger, number: int = 1, **changes: object) -> LedgerError:
    """Append an event, which must fail, and return the error."""
    with pytest.raises(LedgerError) as caught:
        ledger.append([make_event(number, **changes)])
    return caught.value


class Faulty:
    """A connection on which chosen statements fail, as on a failing disk."""

    def __init__(self, path: Path, faults: Faults, *, is_writer: bool, wait_seconds: float) -> None:
        self._inner = connect(path, is_writer=is_writer, wait_seconds=wait_seconds)
        self._faults = faults

    @property
    def in_transaction(self) -> bool:
        return self._inner.in_transaction

    def execute(self, statement: str, values: Mapping[str, Value] | None = None, /) -> Cursor:
        self._faults.statements.append(statement)
        self._faults.strike(statement)
        return self._inner.execute(statement, values or {})

    def executemany(self, statement: str, rows: Sequence[Mapping[str, Value]], /) -> Cursor:
        self._faults.strike(statement)
        return self._inner.executemany(statement, rows)

    def close(self) -> None:
        self._faults.closed += 1
        self._inner.close()


class Faults:
    """What fails next, and what was done."""

    def __init__(self) -> None:
        self.statement = ""
        self.code = sqlite3.SQLITE_IOERR_FSYNC
        self.name = "SQLITE_IOERR_FSYNC"
        self.statements: list[str] = []
        self.closed = 0

    def strike(self, statement: str) -> None:
        if self.statement and statement.startswith(self.statement):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = self.code, self.name
            raise error

    def connect(self, path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
        return Faulty(path, self, is_writer=is_writer, wait_seconds=wait_seconds)


class Turns(Faults):
    """Count how many write or close at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._inside = 0
        self._mutex = threading.Lock()

    def enter(self, step: int) -> None:
        with self._mutex:
            self._inside += step
            self.most = max(self.most, self._inside)

    def connect(self, path: Path, *, is_writer: bool, wait_seconds: float) -> Connection:
        return Watched(path, self, is_writer=is_writer, wait_seconds=wait_seconds)


class Watched(Faulty):
    """A connection that says when it writes, and when it closes."""

    def __init__(self, path: Path, turns: Turns, *, is_writer: bool, wait_seconds: float) -> None:
        super().__init__(path, turns, is_writer=is_writer, wait_seconds=wait_seconds)
        self._turns = turns
        self._is_writer = is_writer

    def execute(self, statement: str, values: Mapping[str, Value] | None = None, /) -> Cursor:
        if statement == "BEGIN IMMEDIATE":
            self._turns.enter(1)
        cursor = super().execute(statement, values)
        if self._is_writer and statement == "COMMIT":
            self._turns.enter(-1)
        return cursor

    def close(self) -> None:
        self._turns.enter(self._is_writer)
        super().close()
        self._turns.enter(-self._is_writer)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def faulty(path: Path, faults: Faults) -> Iterator[RelationalLedger]:
    ledger = RelationalLedger(SQLiteDatabase(SQLiteFile(path=path, wait_seconds=2, connect=faults.connect)))
    ledger.prepare()
    ledger.close()
    faults.statements, faults.closed = [], 0
    yield ledger
    faults.statement = ""
    ledger.close()


# Others in the way --------------------------------------------------------------------------------------------------------


def test_write_is_given_up_while_another_process_keeps_the_lock(ledger, lock):
    with lock:
        error = refuse(ledger, 1)

    assert error.reason == "busy"
    assert "was busy for 0.05 seconds" in str(error)


def test_write_that_was_given_up_is_never_done(ledger, lock):
    with lock:
        refuse(ledger, 1)
    SQLiteLedger.append(ledger, [make_event(2)])

    assert [row.event_id for row in ledger.scan()] == [number_id(2)]


def test_write_is_given_up_while_another_program_keeps_the_database(ledger, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    error = refuse(ledger, 1)
    assert error.reason == "busy"

    other.execute("ROLLBACK")
    other.close()
    assert ledger.append([make_event(2)]).stored


def test_reading_goes_on_while_another_program_writes(ledger, path, lock):
    ledger.append([make_event()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with lock:
        assert ledger.current(ALICE) == make_event()
    other.close()


def test_reader_that_stays_keeps_nobody_from_opening_and_writing(path):
    first, second = SQLiteLedger(path), SQLiteLedger(path)
    first.prepare()
    first.append([make_event(1)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_events").fetchall()
    first.append([make_event(2)])

    assert second.append([make_event(3)]).stored

    assert reader.execute("SELECT count(*) FROM consent_events").fetchall() == [(1,)]
    reader.close()
    first.close()
    second.close()


def test_log_is_moved_into_the_file_before_the_first_write(faulty, faults):
    """What a sync that failed left in it looks committed to who reads it back, and is on no disk."""
    faulty.append([make_event()])

    settled, began = (faults.statements.index(each) for each in ("PRAGMA wal_checkpoint(RESTART)", "BEGIN IMMEDIATE"))
    assert settled < began


def test_full_queue_refuses_at_once_and_holds_no_more(path, lock):
    SQLiteLedger(path).prepare()
    writer = Writer(SQLiteFile(path=path, wait_seconds=60))
    done: list[int] = []

    def submit(number: int) -> Future[object] | None:
        return writer.submit(lambda _: done.append(number), is_erasing=False)

    with lock:
        # One more than may wait: the writer holds one in its hands.
        futures = [submit(-1)]
        while writer._waiting.qsize():
            threading.Event().wait(0.001)
        futures += [submit(number) for number in range(QUEUE_LIMIT)]
        with pytest.raises(LedgerError, match="1024 writes wait already") as caught:
            submit(QUEUE_LIMIT)
        taken_back = [future.cancel() for future in futures[:-1] if future]

    assert caught.value.reason == "busy"
    assert all(taken_back)
    assert writer.stop()
    assert done == [QUEUE_LIMIT - 1]


def test_stopped_writer_takes_nothing_more(path):
    writer = Writer(SQLiteFile(path=path, wait_seconds=2))

    assert writer.stop()
    assert writer.submit(lambda _: None, is_erasing=False) is None


def test_writers_of_one_file_take_turns_with_writing_and_with_closing(path):
    """T95: nobody begins, commits, moves the log into the file or closes while another one does."""
    turns = Turns()

    def work(number: int) -> None:
        ledger = RelationalLedger(SQLiteDatabase(SQLiteFile(path=path, wait_seconds=60, connect=turns.connect)))
        for step in range(20):
            ledger.append([make_event(100 * number + step)])
            if step % 5 == 0:
                ledger.close()
        ledger.close()

    SQLiteLedger(path).prepare()
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert turns.most == 1
    assert len(SQLiteLedger(path).scan()) == 80


# Disks that fail ----------------------------------------------------------------------------------------------------------


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

ledger = SQLiteLedger(sys.argv[1])
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
        SQLiteLedger(folder / "consent.db").prepare()
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


# Erasing ------------------------------------------------------------------------------------------------------------------


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
    with pytest.raises(LedgerError, match="Whether it was written is not known"):
        ledger.erase(BOB, reason="asked to", at=NOW)
    may_end.set()
    reader.join()
    SQLiteLedger(path).append(make_events([2]))
    ledger.append(make_events([3]))

    assert ledger.history(BOB) == ()
    assert find_in_files(path, "melon") == []


# Groups -------------------------------------------------------------------------------------------------------------------


def test_piece_that_fails_leaves_the_others_of_its_group_alone(path, lock):
    SQLiteLedger(path).prepare()
    writer = Writer(SQLiteFile(path=path, wait_seconds=2))

    def insert(*versions: str | int):
        def work(transaction: SQLiteTransaction) -> None:
            for version in versions:
                transaction.execute("INSERT INTO consent_schema (version) VALUES (:version)", {"version": version})

        return work

    with lock:
        futures = [
            writer.submit(insert(*versions), is_erasing=False)
            for versions in ((7,), (10, 7), (8,), (11, "no number"), (9,))
        ]
    outcomes = [type(future.exception(60)) for future in futures if future]
    assert writer.stop()

    assert outcomes == [type(None), LedgerError, type(None), LedgerError, type(None)]
    ledger = SQLiteLedger(path)
    versions = ledger.database.read(lambda transaction: transaction.fetch("SELECT version FROM consent_schema"))
    assert sorted(versions) == [(1,), (7,), (8,), (9,)]
    ledger.close()


def test_group_is_committed_once(faulty, faults, path):
    with FileLock(path.with_name("consent.db.lock")):
        threads = [threading.Thread(target=lambda n=n: faulty.append([make_event(n)])) for n in range(16)]
        for thread in threads:
            thread.start()
        while faulty.database._writer is None or faulty.database._writer._waiting.qsize() < 15:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()

    assert faults.statements.count("COMMIT") == 1
    assert len(faulty.scan()) == 16


def test_error_of_the_work_itself_comes_as_it_is(ledger):
    def fail(transaction: SQLiteTransaction) -> None:
        raise ZeroDivisionError("no business of the ledger's")

    with pytest.raises(ZeroDivisionError):
        ledger.database.write(fail)
    assert ledger.append([make_event()]).stored
