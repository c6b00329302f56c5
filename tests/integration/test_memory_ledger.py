"""The ledger in memory, held to the contract of all."""

from __future__ import annotations

import pytest

from consent.ledger import MemoryLedger
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
