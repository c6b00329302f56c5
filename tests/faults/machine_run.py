"""Run the state machine on every ledger for long, and print how many steps were taken (T103).

python -m tests.faults.machine_run --examples 200 --steps 50
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import LedgerMachine, make_machine
from tests.faults.storage import FileStorage, MemoryStorage, ServerStorage, Storage, open_sqlalchemy, open_sqlite
from tests.postgres import run_server


def run(storage: Storage, *, examples: int, steps: int) -> None:
    """Take that many walks of at most so many steps.

    Raises:
        AssertionError: If a promise is broken; Hypothesis prints the shortest way there.
    """
    run_state_machine_as_test(
        make_machine(storage),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def run_all(*, examples: int, steps: int) -> None:
    """Run on every kind of ledger."""
    with TemporaryDirectory() as folder, run_server() as server:
        for storage in (
            MemoryStorage(),
            FileStorage("sqlite", Path(folder), open_sqlite),
            FileStorage("sqlalchemy-sqlite", Path(folder), open_sqlalchemy),
            ServerStorage(server),
        ):
            run(storage, examples=examples, steps=steps)
            print(f"state machine, {storage.name}: steps {LedgerMachine.steps[storage.name]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the state machine and count its steps.")
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=50)
    arguments = parser.parse_args()
    run_all(examples=arguments.examples, steps=arguments.steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
