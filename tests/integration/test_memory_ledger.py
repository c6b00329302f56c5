"""The ledger in memory, held to the contract of all."""

from __future__ import annotations

import os
import threading

import pytest

from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.ledger.waiting import waiting
from tests.ledger_contract import LedgerContract
from tests.ledger_events import make_event


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


class TestMemoryLedger(LedgerContract):
    """Run the contract; the fixture is above."""


def test_two_ledgers_share_nothing():
    first, second = MemoryLedger(), MemoryLedger()

    first.append([make_event()])

    assert second.scan() == ()


def test_call_within_a_call_is_busy_and_not_an_error_of_sqlites():
    ledger = MemoryLedger()

    with waiting(0.01), pytest.raises(LedgerError, match="this call is made within another one") as caught:
        ledger.database.write(lambda _: ledger.append([make_event()]))

    assert caught.value.reason == "busy"
    assert ledger.append([make_event()]).stored


def test_statement_that_fails_is_an_error_of_the_ledgers():
    ledger = MemoryLedger()

    with pytest.raises(LedgerError, match="The ledger 'memory:' reports"):
        ledger.database.write(lambda transaction: transaction.execute("INSERT INTO consent_schema VALUES (1)"))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork_in_the_middle_of_a_read_locks_neither_process():
    ledger = MemoryLedger()
    is_reading, may_end = threading.Event(), threading.Event()

    def dawdle(_):
        is_reading.set()
        may_end.wait()

    reader = threading.Thread(target=ledger.database.read, args=(dawdle,))
    reader.start()
    is_reading.wait()
    threading.Timer(0.05, may_end.set).start()

    pid = os.fork()
    if not pid:
        os._exit(not ledger.append([make_event()]).stored)
    _, status = os.waitpid(pid, 0)
    reader.join()

    assert os.waitstatus_to_exitcode(status) == 0
    assert ledger.append([make_event()]).stored


def test_ledger_whose_events_take_too_long_to_count_is_writable_all_the_same(monkeypatch):
    def give_up(_):
        raise LedgerError("It did not finish within 2 seconds.", reason="busy")

    monkeypatch.setattr("consent.ledger._events.count", give_up)

    health = MemoryLedger().health()

    assert health.is_writable
    assert health.problem == "Its events could not be counted. It did not finish within 2 seconds."
    assert health.details["schema_version"] == 1
