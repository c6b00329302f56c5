"""Let syncs, writes, truncations and opens fail now and then, and the power after that (T91, T92).

    python -m tests.faults.io_errors --events 2000

Whoever gets no answer sends the same event again, as a client would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from consent.core.ledger import Ledger
from tests.faults.disk import Disk, LeaveSome, RecordingVFS, leave_nothing
from tests.faults.failing import Flaky
from tests.faults.kill import check_integrity
from tests.faults.load import Figures, count, make_load, read_ids, try_append
from tests.faults.power_loss import FAILURES, MEMORY, judge
from tests.faults.sqlite_over import open_over

WRITERS = 4
ATTEMPTS = 1000
MIXES: tuple[Mapping[str, float], ...] = (
    {"sync": 0.1},
    {"write": 0.05},
    {"sync": 0.2, "write": 0.01, "truncate": 0.2, "open": 0.05},
)


def run_flaky(*, rates: Mapping[str, float], events: int, seed: int, failures: int = FAILURES) -> list[Figures]:
    """Let calls fail at given rates; then let the power fail too, and lose what failed syncs never wrote."""
    flaky, disk = Flaky(dict(rates), Random(seed), is_on=False), Disk()
    title = "errors of " + ", ".join(f"{kind} {rate:.0%}" for kind, rate in rates.items())
    with TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "consent.db"
        vfs = RecordingVFS(f"flaky-{id(disk)}", disk, fail=flaky)
        ledger = open_over(path, vfs)
        ledger.prepare()
        flaky.is_on = True
        try:
            asked, refusals = _write(ledger, disk, events)
            flaky.is_on = False
            stored = list(read_ids(ledger))
        finally:
            flaky.is_on = False
            ledger.close()
            vfs.unregister()
        figures = count(
            title,
            asked,
            stored,
            faults=flaky.failures,
            is_sound=check_integrity(path),
            notes={"refusals": refusals, "never asked": len(set(stored) - asked)},
        )
    return [
        figures,
        judge(disk, leave=leave_nothing, title=f"{title}, then power loss", failures=failures),
        judge(disk, leave=LeaveSome(Random(seed)), title=f"{title}, then power loss, some sectors", failures=failures),
    ]


def _write(ledger: Ledger, disk: Disk, events: int) -> tuple[set[str], int]:
    refusals = 0

    def write(event_id: str) -> None:
        nonlocal refusals
        for _ in range(ATTEMPTS):
            if try_append(ledger, event_id):
                disk.note("acknowledged", event_id)
                return
            refusals += 1
        raise AssertionError(f"the ledger refused {ATTEMPTS} times")

    asked = [make_load().event_id for _ in range(events)]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, asked))
    return set(asked), refusals


def run_mixes(*, events: int, seed: int) -> list[Figures]:
    """Run with several mixes of errors."""
    return [each for rates in MIXES for each in run_flaky(rates=rates, events=events, seed=seed)]


def main() -> int:
    parser = argparse.ArgumentParser(description="Let the disk fail and count what is left.")
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    figures = run_mixes(events=arguments.events, seed=arguments.seed)
    print(*figures, sep="\n")
    return 0 if all(each.is_kept for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
