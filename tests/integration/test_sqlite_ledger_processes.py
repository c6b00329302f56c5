"""The SQLite ledger across processes: forks, ends, kills, and several at work on one file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.errors import LedgerError
from consent.ledger._schema import MIGRATIONS, migrate, read_version
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event, number_id

# A deadlock ends a test by this; nothing waits for it otherwise.
LIMIT_SECONDS = 60

BEGIN = """
import atexit, os, signal, sys, threading
from consent.errors import LedgerError
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event, number_id

path = sys.argv[1]
ledger = SQLiteLedger(path, wait_seconds=60)
impatient = SQLiteLedger(path, wait_seconds=0.1)


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())


def keep(number):
    ledger.append([make_event(number)])
    say(number_id(number))


def keep_on(first):
    for number in range(first, first + 100_000):
        try:
            keep(number)
        except LedgerError:
            return


def end_child(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One whose file this process does not keep open: what the others do last must count."""
    ledger = SQLiteLedger(path, wait_seconds=60)
    ledger.prepare()
    ledger.close()
    yield ledger
    ledger.close()


def run(path: Path, script: str, *, code: int = 0) -> list[str]:
    """Run a script on a ledger in a process of its own, and return the lines it said."""
    process = start(path, script)
    out, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == code, errors
    return out.splitlines()


def start(path: Path, script: str) -> subprocess.Popen[str]:
    # Python 3.12 warns of forks beside threads, which is what some of these scripts are about.
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGIN + script, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def list_ids(path: Path) -> set[str]:
    ledger = SQLiteLedger(path)
    try:
        assert ledger.database.read(lambda transaction: transaction.fetch("PRAGMA integrity_check")) == [("ok",)]
        return {row.event_id for row in ledger.scan(limit=1_000_000)}
    finally:
        ledger.close()


# Forks --------------------------------------------------------------------------------------------------------------------


def test_fork_with_an_open_file_loses_nothing_of_parent_or_child(ledger, path):
    """SQLite alone would lose what the child writes after the parent has closed the file."""
    said = run(
        path,
        """
keep(1)
ledger.current("nobody")
(to_child, from_parent), (to_parent, from_child) = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    keep(2)
    os.write(from_child, b"x")
    os.read(to_child, 1)
    keep(3)
    os._exit(0)
os.read(to_parent, 1)
keep(4)
ledger.close()
os.write(from_parent, b"x")
end_child(child)
keep(5)
""",
    )

    assert sorted(said) == [number_id(number) for number in range(1, 6)]
    assert list_ids(path) == set(said)


def test_forks_while_threads_write_lose_nothing_and_never_hang(ledger, path):
    said = run(
        path,
        """
stop = threading.Event()

def work(first):
    number = first
    while not stop.is_set():
        keep(number)
        number += 1

threads = [threading.Thread(target=work, args=[1_000_000 * n]) for n in range(1, 5)]
for thread in threads:
    thread.start()
for number in range(10):
    child = os.fork()
    if child == 0:
        keep(number)
        os._exit(0)
    end_child(child)
stop.set()
for thread in threads:
    thread.join()
""",
    )

    assert {number_id(number) for number in range(10)} <= set(said)
    assert set(said) <= list_ids(path)


def test_four_children_of_one_parent_write_side_by_side(ledger, path):
    said = run(
        path,
        """
ledger.prepare()
children = []
for child in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        for number in range(50):
            keep(1000 * child + number)
        ledger.close()
        os._exit(0)
for child in children:
    end_child(child)
""",
    )

    assert len(said) == 200
    assert list_ids(path) == set(said)


def test_child_forked_in_the_middle_of_reading_is_refused_and_the_parent_goes_on(ledger, path):
    said = run(
        path,
        """
def fork_inside(transaction):
    transaction.fetch("SELECT 1 FROM consent_events")
    child = os.fork()
    if child == 0:
        for attempt in (lambda: impatient.append([make_event(1)]), impatient.scan):
            try:
                attempt()
            except LedgerError as error:
                say(error.reason, error)
        os._exit(0)
    end_child(child)

impatient.database.read(fork_inside)
keep(2)
""",
    )

    assert len(said) == 3
    assert all("was in use when this process was forked, and cannot be used in it" in line for line in said[:2])
    assert said[2] == number_id(2)
    assert list_ids(path) == {number_id(2)}


def test_child_closes_nothing_of_a_ledger_that_was_in_use(ledger, path):
    """Closing in the child would drop the parent's locks: here it would be the garbage collector that does."""
    said = run(
        path,
        """
import gc

def fork_inside(transaction):
    child = os.fork()
    if child == 0:
        impatient.close()
        gc.collect()
        from consent.ledger import _open_file
        say(len(_open_file._crossed))
        os._exit(0)
    end_child(child)

impatient.database.read(fork_inside)
""",
    )

    assert said == ["1"]


def test_ledger_that_was_forgotten_keeps_nothing_open_across_a_fork(ledger, path):
    """Its thread has the file open for as long as the process lives, though nobody refers to it any more."""
    said = run(
        path,
        """
import gc

forgotten = SQLiteLedger(path, wait_seconds=60)
forgotten.append([make_event(1)])
del forgotten
gc.collect()
say(threading.active_count())
child = os.fork()
if child == 0:
    say(threading.active_count())
    keep(2)
    os._exit(0)
end_child(child)
say(threading.active_count())
""",
    )

    assert said == ["2", "1", number_id(2), "1"]


def test_child_that_is_refused_a_file_is_refused_it_by_every_ledger(ledger, path):
    said = run(
        path,
        """
def fork_inside(transaction):
    child = os.fork()
    if child == 0:
        try:
            SQLiteLedger(path).append([make_event(1)])
        except LedgerError as error:
            say(error)
        os._exit(0)
    end_child(child)

impatient.database.read(fork_inside)
""",
    )

    assert len(said) == 1
    assert "was in use when this process was forked" in said[0]


# The end of a process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        "",
        "sys.exit(0)",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), signal.SIGTERM)",
        "ledger.close()",
        "atexit.register(lambda: ledger.append([make_event(7)]))",
    ],
    ids=["last line", "exit", "SIGTERM", "closed before", "written while ending"],
)
def test_process_ends_under_load_without_hanging_or_losing_what_it_acknowledged(ledger, path, end):
    said = run(
        path,
        f"""
for n in range(1, 9):
    threading.Thread(target=keep_on, args=[1_000_000 * n], daemon=True).start()
keep(1)
keep(2)
{end}
""",
    )

    assert {number_id(1), number_id(2)} <= set(said)
    assert set(said) <= list_ids(path)


def test_process_that_ends_leaves_one_whole_file(ledger, path):
    run(path, "keep(1)")

    assert {each.name for each in path.parent.iterdir()} == {"consent.db", "consent.db.lock"}


def test_killed_process_keeps_nobody_waiting_and_loses_nothing(ledger, path):
    process = start(path, "keep_on(1_000_000)")
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(20)]

    process.kill()
    rest, _ = process.communicate(timeout=LIMIT_SECONDS)

    assert ledger.append([make_event(1)]).stored
    whole = {line for line in rest.splitlines() if len(line) == len(number_id(1))}
    assert {*said, *whole, number_id(1)} <= list_ids(path)


# Migrating ----------------------------------------------------------------------------------------------------------------


def test_processes_that_make_the_tables_at_once_make_them_once(path):
    processes = [start(path, "ledger.prepare(); say(*ledger.upgrade()); keep(os.getpid())") for _ in range(4)]

    outcomes = [process.communicate(timeout=LIMIT_SECONDS) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, outcomes
    version = len(MIGRATIONS)
    assert [out.splitlines()[0] for out, _ in outcomes] == [f"{version} {version}"] * 4
    assert len(list_ids(path)) == 4


KILLED = """
from consent.ledger._schema import MIGRATIONS, migrate

def add_and_die(dialect):
    yield "CREATE TABLE consent_half (id INTEGER)"
    os.kill(os.getpid(), signal.SIGKILL)

migrate(ledger.database, [*MIGRATIONS, lambda dialect: add_and_die(dialect)])
"""


def test_migration_killed_half_way_leaves_no_half_and_goes_on_later(ledger, path):
    def add_whole(_: object) -> list[str]:
        return ["CREATE TABLE consent_half (id INTEGER)", "CREATE TABLE consent_other_half (id INTEGER)"]

    ledger.append([make_event(1)])
    ledger.close()

    run(path, KILLED, code=-9)

    assert read_version(ledger.database) == len(MIGRATIONS)
    assert ledger.append([make_event(2)]).stored
    assert migrate(ledger.database, [*MIGRATIONS, add_whole]) == (len(MIGRATIONS), len(MIGRATIONS) + 1)
    assert list_ids(path) == {number_id(1), number_id(2)}


def test_tables_killed_half_way_are_made_by_the_next(path):
    run(path, KILLED.replace("[*MIGRATIONS, ", "["), code=-9)
    ledger = SQLiteLedger(path)

    with pytest.raises(LedgerError):
        ledger.append([make_event()])
    ledger.prepare()

    assert ledger.append([make_event()]).stored
    ledger.close()


def test_step_of_migrating_may_take_longer_than_a_request_waits(path):
    hasty = SQLiteLedger(path, wait_seconds=0.05)
    hasty.prepare()
    many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) "

    assert migrate(
        hasty.database, [*MIGRATIONS, lambda _: [f"CREATE TABLE consent_slow AS {many} SELECT max(x) FROM n"]]
    ) == (len(MIGRATIONS), len(MIGRATIONS) + 1)
    hasty.close()
