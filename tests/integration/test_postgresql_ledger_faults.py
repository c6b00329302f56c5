"""The ledger when PostgreSQL dies, or when the line to it does: nothing acknowledged is lost, nothing is kept twice, every
wait ends."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from threading import Barrier, Event

import pytest

from consent.core.tally import Counted, TallyKey
from consent.errors import LedgerError
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.faults.postgres_kills import kill_under_load
from tests.ledger_events import make_event, number_id, run_at_once
from tests.tcp_proxy import TcpProxy

PROMPTS = TallyKey(day=date(2026, 8, 31), counted=Counted.PROMPT)
COMMIT = b"; COMMIT"  # not that of "READ COMMITTED"
# More than there are connections: if a call that was given up kept its own, the last of them would find none.
MANY = 12


@pytest.fixture
def schema(postgres):
    name = postgres.create_schema()
    ledger = SQLAlchemyLedger(postgres.url(name))
    ledger.prepare()
    ledger.close()
    return name


@pytest.fixture
def proxy(postgres):
    proxy = TcpProxy(postgres.port)
    yield proxy
    proxy.close()


@pytest.fixture
def ledger(postgres, schema, proxy):
    """A ledger behind the proxy, whose callers wait for as long as a slow machine may need."""
    ledger = SQLAlchemyLedger(postgres.url(schema, port=proxy.port), wait_seconds=30.0)
    yield ledger
    ledger.close()


@contextmanager
def hurry(ledger):
    """Let callers give up soon."""
    ledger.database._wait_seconds, usual = 0.3, ledger.database._wait_seconds
    yield
    ledger.database._wait_seconds = usual


def test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_load(postgres, schema):
    figures = kill_under_load(postgres, schema, kills=3)

    assert figures.acknowledged > 300
    assert figures.lost == 0
    assert figures.doubled == 0


def test_line_cut_between_commit_and_answer_keeps_one_row(ledger, proxy):
    ledger.append([make_event(1)])
    proxy.cut_after(COMMIT)

    result = ledger.append([make_event(2)])

    assert result.stored == {number_id(2)}  # whoever is told that it was known takes it for posted twice
    assert [row.event_id for row in ledger.scan()] == [number_id(1), number_id(2)]


def test_line_cut_in_the_middle_of_a_transaction_keeps_one_row(ledger, proxy):
    ledger.append([make_event(1)])
    proxy.cut_after(b"INSERT")

    result = ledger.append([make_event(2)])

    assert result.stored == {number_id(2)}
    assert len(ledger.scan()) == 2


def test_tallies_are_not_added_again_when_it_is_unknown_whether_they_were(ledger, proxy):
    ledger.tallies.add({PROMPTS: 1})
    proxy.cut_after(COMMIT)

    with pytest.raises(LedgerError):
        ledger.tallies.add({PROMPTS: 1})

    assert ledger.tallies.read() == {PROMPTS: 2}


def test_tallies_are_added_again_when_they_certainly_were_not(ledger, proxy):
    ledger.tallies.add({PROMPTS: 1})
    proxy.cut_after(b"INSERT")

    ledger.tallies.add({PROMPTS: 1})

    assert ledger.tallies.read() == {PROMPTS: 2}


def test_server_that_falls_silent_is_given_up_and_comes_back(ledger, proxy):
    run_at_once(MANY, lambda number: ledger.append([make_event(number)]))
    proxy.stall()

    with hurry(ledger):
        for number in range(MANY, 2 * MANY):
            with pytest.raises(LedgerError, match=r"0\.3 seconds"):
                ledger.append([make_event(number)])
    proxy.resume()

    assert ledger.append([make_event(2 * MANY)]).stored == {number_id(2 * MANY)}


def test_server_that_is_silent_from_the_first_is_given_up(ledger, proxy):
    proxy.stall()

    with hurry(ledger), pytest.raises(LedgerError, match=r"no answer within 0\.3 seconds") as caught:
        ledger.append([make_event()])

    assert caught.value.reason == "unavailable"


def test_server_that_falls_silent_while_it_introduces_itself_is_given_up(ledger, proxy):
    proxy.silence_after(b"pg_catalog.version")

    with hurry(ledger), pytest.raises(LedgerError, match=r"no answer within 0\.3 seconds"):
        ledger.append([make_event(1)])

    assert ledger.append([make_event(2)]).stored == {number_id(2)}


def test_name_that_does_not_resolve_in_time_is_given_up(postgres, schema, monkeypatch):
    answers = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.wait() and [])
    ledger = SQLAlchemyLedger(postgres.url(schema).replace("127.0.0.1", "db.example"), wait_seconds=0.3)

    with pytest.raises(LedgerError, match=r"no answer within 0\.3 seconds"):
        ledger.append([make_event()])
    answers.set()
    ledger.close()


def test_port_where_nothing_listens_is_told_at_once(postgres):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ledger = SQLAlchemyLedger(postgres.url(port=port), wait_seconds=600.0)

    with pytest.raises(LedgerError, match="Connection refused"):
        ledger.append([make_event()])


def test_work_that_never_began_never_does(ledger):
    all_began, may_end = Barrier(6), Event()
    ran: list[object] = []

    def occupy(_):
        all_began.wait()
        may_end.wait()

    with ThreadPoolExecutor(5) as pool:
        for _ in range(5):
            pool.submit(ledger.database.read, occupy)
        all_began.wait()
        with hurry(ledger), pytest.raises(LedgerError, match="all busy") as caught:
            ledger.database.write(ran.append)
        may_end.set()
    ledger.append([make_event()])

    assert caught.value.reason == "busy"
    assert ran == []
