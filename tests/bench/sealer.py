"""A process that seals a ledger when it is told to, as `flask consent ledger seal` does: `python -m tests.bench.sealer URL`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from consent.ledger import open_ledger
from consent.ledger.sealing import seal


class Sealer:
    """Seal in a process of its own, at the same time as this one appends."""

    def __init__(self, ledger_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sealer", ledger_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def sealing(self) -> Iterator[None]:
        """Begin to seal what is there, and at the end wait until it is done."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("Nobody can talk to the sealer.")
        print(file=self._process.stdin, flush=True)
        yield
        self._process.stdout.readline()

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> None:
    """Seal once for each line."""
    ledger = open_ledger(sys.argv[1], folder=Path())
    for _ in sys.stdin:
        count = seal(ledger, sign=lambda _: "a signature", is_signed=None, now=datetime.now(UTC))
        print(count, flush=True)
    ledger.close()


if __name__ == "__main__":
    main()
