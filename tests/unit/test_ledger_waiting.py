"""How long a caller waits for a ledger, and threads that do the work of callers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from consent.errors import LedgerError
from consent.ledger._workers import ClosedError, Job, Workers
from consent.ledger.waiting import find_wait, waiting


def test_wait_is_the_ledgers_own_unless_the_caller_has_another():
    with waiting(60.0):
        command = find_wait(2.0)
        with waiting(None):
            request = find_wait(2.0)

    assert (command, request, find_wait(2.0)) == (60.0, 2.0, 2.0)


def test_wait_of_one_caller_is_not_that_of_another_at_the_same_time():
    with ThreadPoolExecutor(1) as other, waiting(600.0):
        assert other.submit(find_wait, 2.0).result() == 2.0


def test_closed_workers_take_nothing_and_leave_it_to_nobody_else():
    ran: list[int] = []
    workers = Workers(1)

    assert workers.close()
    with pytest.raises(ClosedError):
        workers.run(Job(60.0), lambda: ran.append(1))

    assert ran == []


def test_closing_says_whether_all_that_was_at_work_has_ended():
    workers, has_begun, may_end = Workers(1), threading.Event(), threading.Event()

    def dawdle() -> None:
        has_begun.set()
        may_end.wait()

    caller = threading.Thread(target=workers.run, args=(Job(60.0), dawdle))
    caller.start()
    has_begun.wait()

    was_at_work = workers.close(seconds=0.01)
    may_end.set()
    caller.join()

    assert (was_at_work, workers.close(seconds=60.0)) == (False, True)


def test_thread_that_cannot_be_started_is_told_and_nothing_is_done_later():
    ran: list[int] = []
    workers = Workers(2)
    usual = threading.stack_size(1 << 46)  # more than a machine has addresses for
    try:
        with pytest.raises(LedgerError, match="cannot start a thread") as caught:
            workers.run(Job(60.0), lambda: ran.append(1))
    finally:
        threading.stack_size(usual)
    workers.run(Job(60.0), lambda: ran.append(2))

    assert caught.value.reason == "busy"
    assert ran == [2]
