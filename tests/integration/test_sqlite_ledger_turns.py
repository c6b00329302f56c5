"""The SQLite ledger among others: programs, processes and callers that want to write at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from consent.errors import LedgerError
from consent.ledger._file_lock import FileLock
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger._sqlite_database import SQLiteDatabase
from consent.ledger._sqlite_file import SQLiteFile
from consent.ledger._writer import QUEUE_LIMIT, Writer
from consent.ledger.relational import RelationalLedger
from consent.ledger.sqlite import SQLiteLedger
from tests.faulty_connection import Turns
from tests.ledger_events import ALICE, make_event, number_id

PATIENT_SECONDS = 60.0


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One that waits for a slow disk."""
    ledger = SQLiteLedger(path, wait_seconds=PATIENT_SECONDS)
    ledger.prepare()
    yield ledger
    ledger.close()


@pytest.fixture
def impatient(path: Path, ledger: SQLiteLedger) -> Iterator[SQLiteLedger]:
    """One that gives up soon: what it waits for does not come."""
    impatient = SQLiteLedger(path, wait_seconds=0.05)
    yield impatient
    impatient.close()


@pytest.fixture
def lock(path: Path) -> FileLock:
    return FileLock(path.with_name("consent.db.lock"))


def refuse(ledger: RelationalLedger, number: int = 1, **changes: object) -> LedgerError:
    """Append an event, which must fail, and return the error."""
    with pytest.raises(LedgerError) as caught:
        ledger.append([make_event(number, **changes)])
    return caught.value


def test_write_is_given_up_while_another_process_keeps_the_lock(impatient, lock):
    with lock:
        error = refuse(impatient)

    assert error.reason == "busy"
    assert "was busy for 0.05 seconds" in str(error)
    assert "Nothing was written." in str(error)


def test_write_that_was_given_up_is_never_done(impatient, ledger, lock):
    with lock:
        refuse(impatient, 1)
    impatient.close()
    ledger.append([make_event(2)])

    assert [row.event_id for row in ledger.scan()] == [number_id(2)]


def test_write_is_given_up_while_another_program_keeps_the_database(impatient, ledger, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert refuse(impatient, 1).reason == "busy"

    other.execute("ROLLBACK")
    other.close()
    assert ledger.append([make_event(2)]).stored


def test_write_that_was_begun_and_takes_too_long_is_not_said_to_have_failed(impatient):
    begun: Future[object] = Future()
    begun.set_running_or_notify_cancel()

    with pytest.raises(LedgerError, match="Whether it was written is not known") as caught:
        impatient.database._wait(begun)

    assert caught.value.reason == "unavailable"


def test_reading_goes_on_while_another_program_writes(ledger, path, lock):
    ledger.append([make_event()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with lock:
        assert ledger.current(ALICE) == make_event()
    other.close()


def test_reader_that_stays_keeps_nobody_from_opening_and_writing(ledger, path):
    first, second = ledger, SQLiteLedger(path, wait_seconds=PATIENT_SECONDS)
    first.append([make_event(1)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_events").fetchall()
    first.append([make_event(2)])

    assert second.append([make_event(3)]).stored

    assert reader.execute("SELECT count(*) FROM consent_events").fetchall() == [(1,)]
    reader.close()
    second.close()


def test_log_is_moved_into_the_file_before_the_first_write(faulty, faults):
    """What a sync that failed left in it looks committed to who reads it back, and is on no disk."""
    faulty.append([make_event()])

    settled, began = (faults.statements.index(each) for each in ("PRAGMA wal_checkpoint(RESTART)", "BEGIN IMMEDIATE"))
    assert settled < began


def test_full_queue_refuses_at_once_and_holds_no_more(ledger, path, lock):
    writer = Writer(SQLiteFile(path=path, wait_seconds=PATIENT_SECONDS))
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
    writer = Writer(SQLiteFile(path=path, wait_seconds=PATIENT_SECONDS))

    assert writer.stop()
    assert writer.submit(lambda _: None, is_erasing=False) is None


def test_writers_of_one_file_take_turns_with_writing_and_with_closing(ledger, path):
    """T95: nobody begins, commits, moves the log into the file or closes while another one does."""
    turns = Turns()

    def work(number: int) -> None:
        watched = RelationalLedger(
            SQLiteDatabase(SQLiteFile(path=path, wait_seconds=PATIENT_SECONDS, connect=turns.connect))
        )
        for step in range(20):
            watched.append([make_event(100 * number + step)])
            if step % 5 == 0:
                watched.close()
        watched.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert turns.most == 1
    assert len(ledger.scan()) == 80


def test_piece_that_fails_leaves_the_others_of_its_group_alone(ledger, path, lock):
    writer = Writer(SQLiteFile(path=path, wait_seconds=PATIENT_SECONDS))

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
    versions = ledger.database.read(lambda transaction: transaction.fetch("SELECT version FROM consent_schema"))
    assert sorted(versions) == [(1,), (7,), (8,), (9,)]


def test_group_is_committed_once(faulty, faults, path):
    with FileLock(path.with_name("consent.db.lock")):
        threads = [threading.Thread(target=lambda n=n: faulty.append([make_event(n)])) for n in range(16)]
        for thread in threads:
            thread.start()
        while (writer := faulty.database._open._current.get(Writer)) is None or writer._waiting.qsize() < 15:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()

    assert faults.statements.count("COMMIT") == 1
    assert len(faulty.scan()) == 16


def test_value_that_cannot_be_kept_leaves_the_others_of_its_group_alone(ledger, path, lock):
    writer = Writer(SQLiteFile(path=path, wait_seconds=PATIENT_SECONDS))

    def insert(version: object):
        statement = "INSERT INTO consent_schema (version) VALUES (:version)"
        return lambda transaction: transaction.execute(statement, {"version": version})

    with lock:
        futures = [writer.submit(insert(version), is_erasing=False) for version in (7, object(), 8)]
    first, unsound, last = (future.exception(60) for future in futures if future)
    assert writer.stop()

    assert (first, last) == (None, None)
    assert isinstance(unsound, LedgerError)
    assert unsound.reason == "unsupported"


def test_work_that_ends_its_thread_ends_no_other_work(ledger):
    def leave(transaction: SQLiteTransaction) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        ledger.database.write(leave)

    assert ledger.append([make_event()]).stored


def test_writer_whose_thread_is_gone_gets_another(ledger):
    ledger.append([make_event(1)])
    writer = ledger.database._open._current.get(Writer)
    assert writer is not None
    ended = threading.Thread()
    ended.start()
    ended.join()
    writer._waiting.put(None)
    writer._thread.join()
    writer._thread = ended

    assert ledger.append([make_event(2)]).stored


def test_error_of_the_work_itself_comes_as_it_is(ledger):
    def fail(transaction: SQLiteTransaction) -> None:
        raise ZeroDivisionError("no business of the ledger's")

    with pytest.raises(ZeroDivisionError):
        ledger.database.write(fail)
    assert ledger.append([make_event()]).stored
