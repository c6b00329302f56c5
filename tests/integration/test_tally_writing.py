"""How numbers get from memory into the ledger: by one thread a process, all of them, none twice."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from consent.core.tally import Counted, TallyKey
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.web import tallying
from consent.web.tallying import Tallying

KEY = (date(2026, 11, 23), Counted.PROMPT, "", "FR", "fr", "0123", "")


class FaultyTallies:
    """Tallies that can be made to fail; a ledger as far as counting knows one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.added: list[dict[TallyKey, int]] = []

    @property
    def tallies(self):
        return self

    def add(self, numbers):
        if self.error:
            raise self.error
        self.added.append(dict(numbers))

    @property
    def total(self):
        return sum(sum(numbers.values()) for numbers in self.added)


@pytest.fixture
def store():
    return FaultyTallies()


def find_writers():
    return {thread for thread in threading.enumerate() if thread.name == "consent-tallies"}


@pytest.fixture
def wait_for_writers():
    """Return a function that waits until every thread that this test has begun has ended by itself."""
    others = find_writers()

    def wait():
        for thread in find_writers() - others:
            thread.join(10)
            assert not thread.is_alive()

    return wait


def test_numbers_are_written_by_a_thread_that_then_ends(store, wait_for_writers):
    counting = Tallying(store, interval_seconds=0.01)
    for _ in range(3):
        counting.count(KEY)
    wait_for_writers()

    assert store.total == 3
    assert set(store.added[0]) == {
        TallyKey(day=KEY[0], counted=Counted.PROMPT, jurisdiction="FR", language="fr", policy_version="0123")
    }


def test_next_count_begins_another_thread(store, wait_for_writers):
    counting = Tallying(store, interval_seconds=0.01)
    for _ in range(2):
        counting.count(KEY)
        wait_for_writers()

    assert [sum(numbers.values()) for numbers in store.added] == [1, 1]


def test_no_thread_before_the_first_count(store):
    before = find_writers()
    Tallying(store, interval_seconds=0.01)

    assert find_writers() == before


def test_counts_of_many_threads_are_all_there(store, wait_for_writers):
    counting = Tallying(store, interval_seconds=0.001)

    def count_many(_):
        for _ in range(500):
            counting.count(KEY)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_many, range(8)))
    counting.flush()
    wait_for_writers()

    assert store.total == 4000


def test_what_a_ledger_does_not_take_is_kept_and_told_once(store, caplog):
    counting = Tallying(store, interval_seconds=3600)
    store.error = LedgerError("The database does not answer.")
    for _ in range(3):
        counting.count(KEY)
        counting.flush()
    store.error = None
    counting.flush()

    assert store.total == 3
    (told,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert told.getMessage() == (
        "The numbers of visits could not be added to the ledger; they are kept meanwhile. The database does not answer."
    )


def test_what_may_have_been_added_is_not_added_again(store, caplog):
    counting = Tallying(store, interval_seconds=3600)
    store.error = ZeroDivisionError()
    counting.count(KEY)
    counting.flush()
    store.error = None
    counting.flush()

    assert store.added == []
    assert "are lost" in caplog.text


def test_memory_is_bounded_while_the_ledger_is_away(store, monkeypatch):
    monkeypatch.setattr(tallying, "_KEYS_LIMIT", 10)
    counting = Tallying(store, interval_seconds=3600)
    for at in range(50):
        counting.count((*KEY[:-1], str(at)))
    counting.count((*KEY[:-1], "0"))
    counting.flush()

    assert (len(store.added[0]), store.total) == (10, 11)


_SCRIPT = """
import os, sys
from datetime import date
from consent.core.tally import Counted
from consent.web.tallying import Tallying

class Printing:
    @property
    def tallies(self):
        return self
    def add(self, numbers):
        print(name, sum(numbers.values()), flush=True)

name = "parent"
counting = Tallying(Printing())
key = (date(2026, 11, 23), Counted.PROMPT, "", "FR", "fr", "0123", "")
for _ in range(2):
    counting.count(key)
"""
_FORK = """
child = os.fork()
if not child:
    name = "child"
    if "count" in sys.argv:
        counting.count(key)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
"""


def run_script(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_numbers_are_written_at_exit():
    assert run_script(_SCRIPT) == ["parent 2"]


@pytest.mark.parametrize(("argument", "written"), [("count", ["child 1", "parent 2"]), ("idle", ["parent 2"])])
def test_each_process_writes_what_it_has_counted_itself(argument, written):
    assert run_script(_SCRIPT + _FORK, argument) == written


def test_numbers_reach_a_ledger_of_this_library(wait_for_writers):
    ledger = MemoryLedger()
    counting = Tallying(ledger, interval_seconds=0.01)
    for _ in range(2):
        counting.count(KEY)
        counting.flush()
    wait_for_writers()

    assert list(ledger.tallies.read().values()) == [2]
