"""Erasing in PostgreSQL: of two that erase the same at once, one does and says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from consent.ledger import _erasures
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.conftest import NOW
from tests.ledger_events import ALICE, list_erasures, make_events, number_id


@pytest.fixture
def ledger(postgres):
    ledger = SQLAlchemyLedger(postgres.url(postgres.create_schema()))
    ledger.prepare()
    yield ledger
    ledger.close()


@pytest.mark.parametrize(
    "erase",
    [
        lambda ledger: ledger.erase(ALICE, reason="second", at=NOW),
        lambda ledger: ledger.purge(before=NOW.replace(year=2030), now=NOW.replace(year=2030)),
    ],
    ids=["erase", "purge"],
)
def test_what_another_one_is_erasing_is_left_to_it(ledger, erase):
    ledger.append(make_events([1, 2]))
    has_erased = Event()

    def erase_first(transaction):
        number = _erasures.erase(transaction, ALICE, reason="first", at=NOW)
        has_erased.set()
        # Committed once the other one waits for it, which every statement in between sees anew.
        while transaction.fetch("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
            pass
        return number

    with ThreadPoolExecutor() as pool:
        first = pool.submit(ledger.database.write, erase_first, is_repeatable=False)
        assert has_erased.wait(10)
        second = pool.submit(erase, ledger)

        assert (first.result(), second.result()) == (2, 0)
    (erasure,) = list_erasures(ledger)
    assert (erasure.reason, erasure.event_ids) == ("first", (number_id(1), number_id(2)))
