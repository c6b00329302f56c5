"""Choices, retries, crashes, erasures and seals in any order, on every ledger; `tests/faults/machine_run.py` runs for longer."""

from __future__ import annotations

import pytest

from tests.faults.machine_run import run
from tests.faults.storage import FileStorage, MemoryStorage, ServerStorage, open_sqlalchemy, open_sqlite

STEPS = 30


def test_promises_hold_in_any_order_in_memory():
    run(MemoryStorage(), examples=60, steps=STEPS)


@pytest.mark.parametrize("open_file", [open_sqlite, open_sqlalchemy])
def test_promises_hold_in_any_order_in_a_file(open_file, tmp_path):
    run(FileStorage("ledger", tmp_path, open_file), examples=8, steps=STEPS)


def test_promises_hold_in_any_order_on_a_server(postgres):
    run(ServerStorage(postgres), examples=4, steps=STEPS)
