"""The ledger over SQLAlchemy: addresses, packages, and SQLite, which is there without a server."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from threading import Event
from traceback import format_exception

import pytest

from consent.errors import LedgerError, MissingExtraError
from consent.ledger._events import append, make_salts
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.conftest import NOW
from tests.ledger_contract import LedgerContract
from tests.ledger_events import ALICE, BOB, make_event, make_events, number_id, run_at_once


@pytest.fixture
def path(tmp_path):
    return tmp_path / "consent.db"


@pytest.fixture
def ledger(path):
    ledger = SQLAlchemyLedger(f"sqlite+pysqlite:///{path}")
    ledger.prepare()
    yield ledger
    ledger.close()


class TestSQLAlchemyOverSQLite(LedgerContract):
    """SQLite by SQLAlchemy's own driver."""


# Addresses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("oracle+oracledb://user:s3cret@host/db", "begins with 'oracle+oracledb'"),
        ("postgresql+asyncpg://user:s3cret@host/db", "'postgresql+psycopg', 'sqlite+pysqlite', 'mysql+pymysql'"),
        ("postgres://user:s3cret@host/db", "begins with 'postgres'"),
        ("postgresql+psycopg://user:s3cret@host:s3cret/db", "is no URL"),
        ("postgresql+psycopg://user:pa@s3cret@host/db", "Write '@' in user, password and options as %40"),
        ("postgresql+psycopg://user:pa@ss/s3cret@host/db", "more than one '@'"),
        ("mysql+pymysql://user:pa@s3cret?more@host/db", "more than one '@'"),
        ("s3cret", "is no URL"),
        ("sqlite+pysqlite://", "names no file"),
        ("sqlite+pysqlite:///:memory:", "names no file"),
    ],
)
def test_address_is_refused_without_its_password(url, words):
    with pytest.raises(LedgerError) as caught:
        SQLAlchemyLedger(url)

    assert words in str(caught.value)
    assert "s3cret" not in "".join(format_exception(caught.value))
    assert caught.value.reason == "unsupported"


def test_address_may_leave_out_the_driver():
    ledger = SQLAlchemyLedger("postgresql://user@nowhere.invalid/db")

    assert "postgresql+psycopg://" in ledger.health().problem


def test_missing_sqlalchemy_is_named_with_the_command(monkeypatch):
    monkeypatch.delitem(sys.modules, "consent.ledger._pooled_database", raising=False)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)

    with pytest.raises(MissingExtraError) as caught:
        SQLAlchemyLedger("postgresql+psycopg://user@host/db")

    assert str(caught.value) == (
        "SQLAlchemyLedger needs SQLAlchemy, which is not installed. Run: pip install 'flask-cookie-consent[sql]'"
    )


def test_missing_driver_is_named_with_the_command(monkeypatch):
    monkeypatch.delitem(sys.modules, "consent.ledger._postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingExtraError) as caught:
        SQLAlchemyLedger("postgresql+psycopg://user@host/db")

    assert str(caught.value) == (
        "A ledger in PostgreSQL needs psycopg, which is not installed. Run: pip install 'flask-cookie-consent[sql]'"
    )


def test_missing_driver_of_another_database_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymysql", None)

    with pytest.raises(LedgerError, match="pip install pymysql"):
        SQLAlchemyLedger("mysql://user@host/db")


def test_nothing_is_opened_before_the_first_use(path):
    code = (
        "import sys, threading; from consent.ledger.sqlalchemy import SQLAlchemyLedger; "
        f"SQLAlchemyLedger('sqlite+pysqlite:///{path}'); print(threading.active_count())"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "1\n"
    assert not path.exists()


# SQLite ---------------------------------------------------------------------------------------------------------------


def test_log_is_synced_at_each_commit(ledger):
    settings = ledger.database.write(
        lambda transaction: [
            transaction.fetch(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    )

    assert settings == ["wal", 2, 1]


def test_write_takes_its_lock_before_it_reads(ledger, path):
    def meet(transaction):
        with sqlite3.connect(path, timeout=0) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    ledger.database.write(meet)


def test_locked_file_is_busy_within_the_wait(path):
    ledger = SQLAlchemyLedger(f"sqlite+pysqlite:///{path}", wait_seconds=0.1)
    ledger.prepare()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerError) as caught:
        ledger.append([make_event()])
    other.close()

    assert caught.value.reason == "busy"
    assert ledger.append([make_event()]).stored == {number_id(1)}
    ledger.close()


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no database at all" * 100, "corrupt"), (None, "unavailable")], ids=["corrupt", "folder"]
)
def test_file_that_is_none_is_named(path, content, reason):
    path.mkdir() if content is None else path.write_bytes(content)
    ledger = SQLAlchemyLedger(f"sqlite+pysqlite:///{path}")

    with pytest.raises(LedgerError) as caught:
        ledger.prepare()

    assert caught.value.reason == reason
    assert str(path) in str(caught.value)
    ledger.close()


def test_erased_words_are_in_no_file(ledger, path):
    ledger.append([make_event(payload="a sentence that nobody may find again")])

    ledger.erase(ALICE, reason="asked to", at=NOW)

    kept = b"".join(each.read_bytes() for each in path.parent.glob("consent.db*"))
    assert b"nobody may find" not in kept
    assert ALICE.encode() not in kept


def test_erased_words_that_a_reader_still_saw_go_with_the_next_write(ledger, path):
    ledger.append([make_event(payload="a sentence that nobody may find again")])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_events").fetchall()
    command = SQLAlchemyLedger(f"sqlite+pysqlite:///{path}")
    command.erase(ALICE, reason="asked to", at=NOW)
    told = command.health().details
    command.close()
    reader.close()

    ledger.append([make_event(2, subject_id=BOB)])

    assert told["log_holds_erased"] is True
    assert "log_holds_erased" not in ledger.health().details
    assert b"nobody may find" not in b"".join(each.read_bytes() for each in path.parent.glob("consent.db*"))


def test_file_is_for_its_own_user_alone(ledger, path):
    ledger.append([make_event()])

    assert {each.stat().st_mode & 0o777 for each in path.parent.glob("consent.db*")} == {0o600}


def test_work_that_raises_changes_nothing(ledger):
    def fail(transaction):
        transaction.execute("DELETE FROM consent_events")
        raise RuntimeError("broken off")

    ledger.append([make_event()])
    with pytest.raises(RuntimeError, match="broken off"):
        ledger.database.write(fail)

    assert ledger.find(number_id(1)) is not None


def test_work_that_was_given_up_is_not_committed(ledger):
    may_end = Event()

    def dawdle(transaction):
        append(transaction, [make_event()], make_salts([make_event()]))
        may_end.wait()

    ledger.database._wait_seconds = 0.1
    with pytest.raises(LedgerError, match="no answer"):
        ledger.database.write(dawdle)
    may_end.set()
    ledger.database._open().workers._executor.shutdown(wait=True)
    ledger.close()

    assert ledger.find(number_id(1)) is None


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_connections_do_not_cross_a_fork(ledger):
    run_at_once(4, lambda number: ledger.append(make_events([number])))
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writer, str(len(ledger.append([make_event(9)]).stored)).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    assert os.read(reader, 1) == b"1"
    assert ledger.append([make_event(9)]).known == {number_id(9)}
    os.close(reader)
    os.close(writer)


def test_what_a_forked_process_writes_stays_when_its_parent_closes_the_file(path):
    """SQLite alone would lose what the child writes after that."""
    code = f"""
import logging, os
from consent.errors import LedgerError
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from consent.ledger.waiting import waiting
from tests.ledger_events import make_event, run_at_once

logging.disable()
ledger = SQLAlchemyLedger('sqlite+pysqlite:///{path}', wait_seconds=0.5)
ledger.prepare()
run_at_once(4, lambda number: ledger.append([make_event(number)]))
(to_child, from_parent), (to_parent, from_child) = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    ledger.append([make_event(5)])
    os.write(from_child, b"x")
    os.read(to_child, 1)
    ledger.append([make_event(6)])
    os._exit(0)
os.read(to_parent, 1)
ledger.close()
os.write(from_parent, b"x")
os.waitpid(child, 0)

def fork_inside(transaction):
    child = os.fork()
    if child == 0:
        try:
            SQLAlchemyLedger('sqlite+pysqlite:///{path}').scan()
        except LedgerError as error:
            print("was in use when this process was forked" in str(error), flush=True)
        os._exit(0)
    os.waitpid(child, 0)

with waiting(60.0):  # closing before the fork takes as long as the ledger waits
    ledger.database.read(fork_inside)
print(sorted(row.event_id[-2:] for row in ledger.scan()))
"""

    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.stderr == ""
    assert result.stdout.splitlines() == ["True", "['00', '01', '02', '03', '05', '06']"]


def test_what_is_written_while_python_exits_is_kept(path):
    code = (
        "import atexit, logging; logging.disable(); from consent.ledger.sqlalchemy import SQLAlchemyLedger; from tests.ledger_events import make_event; "
        f"ledger = SQLAlchemyLedger('sqlite+pysqlite:///{path}'); ledger.prepare(); "
        "atexit.register(lambda: print(len(ledger.append([make_event()]).stored)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (result.stdout, result.stderr) == ("1\n", "")
