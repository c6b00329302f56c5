"""The ledger in a SQLite file: the contract, how the file is opened, and files that are none."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consent.core.event_digest import digest_event
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.ledger._erasures import OLDEST
from consent.ledger._notices import UNUSED_ARTEFACTS, UNUSED_NOTICES
from consent.ledger._schema import MIGRATIONS, check_version, migrate
from consent.ledger._sqlite_connection import SQLiteTransaction
from consent.ledger._sqlite_file import warn_of_version
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_contract import LedgerContract
from tests.ledger_events import ALICE, make_event, make_events, number_id

ROWS = "SELECT count(*) FROM consent_events"


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    ledger = SQLiteLedger(path, wait_seconds=60)
    ledger.prepare()
    yield ledger
    ledger.close()


class TestSQLiteLedger(LedgerContract):
    """Run the contract; the fixture is above."""


def check_refusal(ledger: SQLiteLedger, reason: str, words: str) -> None:
    """Check that neither reading nor writing works, for one reason, and that the health says the same."""
    for attempt in (lambda: ledger.append([make_event()]), lambda: ledger.find(number_id(1))):
        with pytest.raises(LedgerError) as caught:
            attempt()
        assert caught.value.reason == reason
        assert words in str(caught.value)
    assert not ledger.health().is_writable
    assert words in ledger.health().problem


# How the file is opened ---------------------------------------------------------------------------------------------------


def test_making_a_ledger_opens_nothing(path):
    threads = threading.active_count()

    SQLiteLedger(path)

    assert threading.active_count() == threads
    assert list(path.parent.iterdir()) == []


def test_importing_the_ledger_starts_no_thread_and_opens_nothing():
    script = "import threading, consent.ledger.sqlite; print(threading.active_count())"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


def test_closed_ledger_has_no_thread_and_one_whole_file(ledger, path):
    threads = threading.active_count()
    ledger.append([make_event()])
    ledger.current(ALICE)

    ledger.close()

    assert threading.active_count() == threads - 1
    assert {each.name for each in path.parent.iterdir()} == {"consent.db", "consent.db.lock"}


def test_events_are_there_for_another_ledger(ledger, path):
    ledger.append([make_event()])

    other = SQLiteLedger(path)

    assert other.find(number_id(1)) == ledger.find(number_id(1))
    assert other.append([make_event()]).known == {number_id(1)}
    other.close()


def test_writer_waits_for_the_disk_and_overwrites_what_it_deletes(ledger):
    def read(name: str) -> object:
        return ledger.database.write(lambda transaction: transaction.fetch(f"PRAGMA {name}"))[0][0]

    settings = {
        name: read(name) for name in ("journal_mode", "synchronous", "secure_delete", "mmap_size", "temp_store")
    }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "mmap_size": 0, "temp_store": 2}


def test_readers_cannot_write(ledger):
    with pytest.raises(LedgerError) as caught:
        ledger.database.read(lambda transaction: transaction.execute("DELETE FROM consent_events"))

    assert caught.value.reason == "read_only"


def test_reader_sees_one_state_and_keeps_nobody_from_writing(ledger):
    def count_twice(transaction) -> list[object]:
        before = transaction.fetch(ROWS)
        ledger.append([make_event()])
        return [before[0][0], transaction.fetch(ROWS)[0][0]]

    assert ledger.database.read(count_twice) == [0, 0]
    assert ledger.database.read(lambda transaction: transaction.fetch(ROWS)) == [(1,)]


def test_reader_on_which_something_failed_is_not_used_again(ledger):
    def fail(transaction) -> None:
        transaction.fetch(ROWS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.database.read(fail)
    ledger.append([make_event()])

    assert len(ledger.scan()) == 1


def test_many_may_read_at_once(ledger):
    inside = threading.Barrier(12, timeout=60)
    threads = [threading.Thread(target=lambda: ledger.database.read(lambda _: inside.wait())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not inside.broken
    assert ledger.scan() == ()


@pytest.mark.parametrize("name", ["sp ace.db", "que?ry=1&mode=ro.db", "hash#tag.db", "per%20cent.db", "Straße.db"])
def test_name_of_the_file_may_be_any(tmp_path, name):
    ledger = SQLiteLedger(tmp_path / name)
    ledger.prepare()

    assert ledger.append([make_event()]).stored
    assert ledger.current(ALICE)
    ledger.close()
    assert (tmp_path / name).is_file()


def test_relative_path_stays_where_it_was_when_the_process_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = SQLiteLedger("consent.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    ledger.prepare()
    ledger.close()

    assert (tmp_path / "consent.db").is_file()


def test_files_are_for_their_own_user_whatever_the_umask(path):
    before = os.umask(0o000)
    try:
        ledger = SQLiteLedger(path)
        ledger.prepare()
    finally:
        os.umask(before)

    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    ledger.close()

    assert (
        modes["consent.db"] == modes["consent.db-wal"] == modes["consent.db-shm"] == modes["consent.db.lock"] == 0o600
    )


def test_old_version_of_sqlite_is_named_once(caplog):
    warn_of_version.cache_clear()
    with caplog.at_level(logging.WARNING, "consent"):
        for _ in range(2):
            warn_of_version((3, 51, 2))
            warn_of_version((3, 51, 3))

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("SQLite 3.51.2 can damage a database when two programs write to it at once")


def test_opening_looks_at_the_version(ledger, path, caplog):
    warn_of_version.cache_clear()
    ledger.close()

    with caplog.at_level(logging.WARNING, "consent"):
        ledger.append([make_event()])

    assert bool(caplog.messages) == (sqlite3.sqlite_version_info < (3, 51, 3))


# Files that are none ------------------------------------------------------------------------------------------------------


def test_ledger_without_tables_says_how_to_make_them(path):
    ledger = SQLiteLedger(path)

    check_refusal(ledger, "outdated", "Run: flask consent ledger upgrade")
    ledger.close()


def test_folder_in_place_of_the_file_is_refused(tmp_path):
    check_refusal(SQLiteLedger(tmp_path), "unsupported", f"The ledger '{tmp_path}' is a folder.")


def test_missing_folder_is_named(tmp_path):
    ledger = SQLiteLedger(tmp_path / "missing" / "consent.db")

    check_refusal(
        ledger, "unavailable", f"The folder '{tmp_path / 'missing'}' of the ledger 'consent.db' does not exist"
    )


def test_file_that_is_no_database_is_refused_and_left_alone(path):
    path.write_text("Dear diary, today I agreed to nothing at all. " * 100)
    before = path.read_bytes()
    ledger = SQLiteLedger(path)

    check_refusal(ledger, "corrupt", "It is damaged, or no SQLite database.")
    with pytest.raises(LedgerError):
        ledger.prepare()

    ledger.close()
    assert path.read_bytes() == before


def test_damaged_file_is_no_traceback_of_sqlite(ledger, path):
    ledger.append(make_events(range(1, 200)))
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    check_refusal(ledger, "corrupt", "It is damaged")


def test_database_of_another_program_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE users (name TEXT)")
    connection.close()
    ledger = SQLiteLedger(path)

    with pytest.raises(LedgerError, match=r"has tables of another program \('users'\)") as caught:
        ledger.prepare()

    assert caught.value.reason == "unsupported"
    ledger.close()


def test_newer_schema_is_refused(ledger):
    migrate(ledger.database, [*MIGRATIONS, lambda _: ["CREATE TABLE consent_future (id INTEGER)"]])

    for attempt in (ledger.prepare, ledger.upgrade):
        with pytest.raises(LedgerError) as caught:
            attempt()
        assert caught.value.reason == "newer"
    assert ledger.health().is_writable is False


def test_older_schema_asks_for_the_upgrade():
    with pytest.raises(LedgerError, match="Run: flask consent ledger upgrade") as caught:
        check_version(1, 2)

    assert caught.value.reason == "outdated"


def test_upgrade_of_what_is_up_to_date_changes_nothing(ledger):
    version = len(MIGRATIONS)

    assert [ledger.upgrade(), ledger.upgrade()] == [(version, version)] * 2


def test_file_taken_away_is_noticed_before_anything_is_acknowledged(ledger, path):
    ledger.append([make_event()])
    for each in path.parent.glob("consent.db*"):
        each.unlink()

    check_refusal(ledger, "outdated", "Run: flask consent ledger upgrade")


def test_file_put_in_its_place_is_written_and_read(ledger, path, tmp_path):
    ledger.append([make_event(1)])
    ledger.current(ALICE)
    ledger.close()
    backup = SQLiteLedger(tmp_path / "backup.db")
    backup.prepare()
    backup.append([make_event(2)])
    backup.close()
    ledger.append([make_event(3)])
    ledger.current(ALICE)

    (tmp_path / "consent.db-wal").unlink()
    (tmp_path / "consent.db-shm").unlink()
    (tmp_path / "backup.db").rename(path)
    ledger.append([make_event(4)])

    assert [row.event_id for row in ledger.scan()] == [number_id(2), number_id(4)]


def test_memory_and_file_tell_health_alike(ledger):
    assert set(MemoryLedger().health().details) <= set(ledger.health().details)


# What somebody else may have put there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [b"1", "\uff11"], ids=["bytes", "wide"])
def test_revision_that_only_looks_like_a_number_brings_no_older_choice_back(ledger, path, revision):
    ledger.append([make_event(1), make_event(2, revision=2)])
    ledger.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        other.execute("UPDATE consent_events SET revision = ? WHERE position = 1", [revision])
        other.commit()

    first = ledger.scan()[0]

    assert first.event is not None
    assert digest_event(first.event, first.salt or b"") != first.digest
    with pytest.raises(LedgerError, match="its revision is no number") as caught:
        ledger.current(ALICE)
    assert caught.value.reason == "corrupt"


@pytest.mark.parametrize(
    "change", ["revision = x'31'", "recorded_at = 'long ago'", "leaf_index = -1", "erased_at = 1.5"]
)
def test_column_of_numbers_takes_nothing_else(ledger, path, change):
    ledger.append([make_event()])

    with closing(sqlite3.connect(path)) as other, pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        other.execute(f"UPDATE consent_events SET {change}")


def test_purging_walks_through_no_table_of_events(ledger):
    """At a few hundred thousand events such a walk takes seconds, for each notice and each batch."""

    def explain(transaction: SQLiteTransaction) -> str:
        values = {"kept_before": 1, "before": 1, "now": 1, "limit": 1}
        statements = [
            f"SELECT {key} FROM {table} WHERE {where}" for table, key, where in (UNUSED_NOTICES, UNUSED_ARTEFACTS)
        ]
        statements.append(OLDEST)
        return str([transaction.fetch(f"EXPLAIN QUERY PLAN {each}", values) for each in statements])

    plans = ledger.database.read(explain)

    assert "SCAN e" not in plans
    assert "consent_events_by_text (text_sha256=? AND ui_sha256=?)" in plans
