"""The SQLite ledger across processes: ends, kills, and several at work on one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.errors import LedgerError
from consent.ledger._schema import MIGRATIONS, migrate, read_version
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event, number_id
from tests.ledger_process import LIMIT_SECONDS, list_ids, run, start


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One whose file this process does not keep open: what the others do last must count."""
    ledger = SQLiteLedger(path, wait_seconds=60)
    ledger.prepare()
    ledger.close()
    yield ledger
    ledger.close()


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
