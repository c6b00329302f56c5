"""The SQLite ledger and forks: nothing open crosses one, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import number_id
from tests.ledger_process import list_ids, run


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLiteLedger]:
    """One whose file this process does not keep open: what the others do last must count."""
    ledger = SQLiteLedger(path, wait_seconds=60)
    ledger.prepare()
    ledger.close()
    yield ledger
    ledger.close()


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


def test_thread_that_is_stopped_for_a_fork_can_still_log(ledger, path):
    """A writer may have something to warn of: were logging locked for the fork by then, each would wait for the other."""
    said = run(
        path,
        """
import logging
from consent.ledger._fork import watch

class Logging:
    def before_fork(self):
        thread = threading.Thread(target=logging.getLogger, args=["a new one"], daemon=True)
        thread.start()
        thread.join(5)
        say("waits" if thread.is_alive() else "logs")

    def after_fork_in_parent(self): ...
    def after_fork_in_child(self): ...
    def close(self): ...

logger = Logging()
watch(logger)
child = os.fork()
if child == 0:
    os._exit(0)
end_child(child)
""",
    )

    assert said == ["logs"]
