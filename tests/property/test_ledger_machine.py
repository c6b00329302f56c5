"""Any order of choices, retries, crashes, erasures and seals, on every ledger; the long run is `tests/faults/machine.py`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import LedgerMachine
from tests.faults.storage import MemoryStorage, Storage

quickly = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)


@pytest.fixture
def storage() -> Storage:
    return MemoryStorage()


def test_ledger_keeps_its_promises_in_any_order_of_events(storage):
    machine = type("Machine", (LedgerMachine,), {"storage": storage})

    run_state_machine_as_test(machine, settings=quickly)
