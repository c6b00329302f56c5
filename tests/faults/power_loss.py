"""Let the power fail under the ledger's own code, at any moment, and count what a restart finds (T88).

    python -m tests.faults.power_loss --events 2000

With `synchronous=NORMAL` the same must lose something: else the experiment would not notice a loss.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from consent.core.ledger import Ledger
from tests.conftest import NOW
from tests.faults.disk import Disk, Leave, LeaveSome, RecordingVFS, leave_nothing, leave_torn, write_image
from tests.faults.kill import check_integrity
from tests.faults.load import Figures, make_load, read_ids
from tests.faults.sqlite_over import open_over

WRITERS = 4
FAILURES = 60
# What is on a disk is worked out, never synced to one: memory will do, where there is a folder in it.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def record(path: Path, *, synchronous: str, events: int) -> Disk:
    """Write events and erase some of them, from several threads; return what the disk saw."""
    disk = Disk()
    vfs = RecordingVFS(f"recording-{id(disk)}", disk)
    ledger = open_over(path, vfs, synchronous=synchronous)
    ledger.prepare()
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda number: _write(ledger, disk, number), range(events)))
    finally:
        ledger.close()
        vfs.unregister()
    return disk


def _write(ledger: Ledger, disk: Disk, number: int) -> None:
    # Every tenth comes as a batch; one in 400 is erased, which empties the write-ahead log.
    batch = [make_load() for _ in range(5 if number % 10 == 0 else 1)]
    ledger.append(batch)
    for event in batch:
        disk.note("acknowledged", event.event_id)
    if number % 400 == 50:
        ledger.erase(batch[0].subject_id, reason="request", at=NOW)
        disk.note("acknowledged", f"{batch[0].event_id} erased")


def judge(disk: Disk, *, leave: Leave, title: str, failures: int = FAILURES) -> Figures:
    """Restart after each of about so many failures; compare what is found with what had been acknowledged by then."""
    every = max(1, sum(each.kind in {"sync", "acknowledged"} for each in disk.log) // failures)
    restarts = acknowledged = recovered = doubled = 0
    is_sound = True
    for image, expected in disk.failures(every=every, leave=leave):
        with TemporaryDirectory(dir=MEMORY) as folder:
            write_image(image, Path(folder))
            found = list(_restart(Path(folder) / "consent.db"))
            is_sound = is_sound and check_integrity(Path(folder) / "consent.db")
        restarts += 1
        acknowledged += len(expected)
        recovered += len(expected & set(found))
        doubled += len(found) - len(set(found))
    return Figures(
        experiment=title,
        faults=restarts,
        acknowledged=acknowledged,
        recovered=recovered,
        doubled=doubled,
        is_sound=is_sound,
    )


def _restart(path: Path) -> Iterator[str]:
    from consent.ledger.sqlite import SQLiteLedger

    ledger = SQLiteLedger(path)
    try:
        ledger.prepare()
        yield from read_ids(ledger)
    finally:
        ledger.close()


def run(*, synchronous: str, events: int, chance: Random, failures: int = FAILURES) -> list[Figures]:
    """Write once, and let the power fail in three ways."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        disk = record(Path(folder) / "consent.db", synchronous=synchronous, events=events)
    ways: dict[str, Leave] = {
        "only synced": leave_nothing,
        "last write torn": leave_torn,
        "some sectors": LeaveSome(chance),
    }
    return [
        judge(disk, leave=leave, title=f"power loss, SQLite {synchronous}, {name}", failures=failures)
        for name, leave in ways.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Let the power fail and count what is left.")
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    full, normal = (
        run(synchronous=each, events=arguments.events, chance=Random(arguments.seed)) for each in ("FULL", "NORMAL")
    )
    print(*full, *normal, sep="\n")
    return 0 if all(each.is_kept for each in full) and normal[0].lost else 1


if __name__ == "__main__":
    sys.exit(main())
