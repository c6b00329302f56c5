"""Let the disk be full at any write, and a real file system run out of room under load (T89).

    python -m tests.faults.full_disk --events 500

The real one is a small tmpfs, which only root may mount.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from consent.core.ledger import Ledger
from consent.ledger.sqlite import SQLiteLedger
from tests.faults.disk import Disk, RecordingVFS
from tests.faults.failing import Room
from tests.faults.kill import check_integrity
from tests.faults.load import Figures, count, make_load, read_ids, try_append
from tests.faults.power_loss import MEMORY
from tests.faults.sqlite_over import open_over

WRITERS = 4
SMALL, LARGE = "2m", "64m"
REFUSALS = 200


def run_model(*, events: int) -> Figures:
    """Let the disk be full at each of the first writes in turn, and have room again after some refusals."""
    room, disk = Room(writes=10**9), Disk()
    refusals, acknowledged = 0, list[str]()
    with TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "consent.db"
        vfs = RecordingVFS(f"full-{id(disk)}", disk, fail=room)
        ledger = open_over(path, vfs)
        ledger.prepare()
        try:
            for number in range(events):
                event_id = make_load().event_id
                room.writes = number % 17
                while not try_append(ledger, event_id):
                    refusals += 1
                    # Meanwhile, what there is can be read; after some refusals somebody makes room.
                    assert set(read_ids(ledger)).issuperset(acknowledged)
                    room.writes = 10**9 if refusals % 3 == 0 else 0
                acknowledged.append(event_id)
            stored = list(read_ids(ledger))
        finally:
            room.writes = 10**9
            ledger.close()
            vfs.unregister()
        return count(
            "disk full at any write",
            acknowledged,
            stored,
            faults=room.failures,
            is_sound=check_integrity(path),
            notes={"refusals": refusals},
        )


def run_mounted(*, events: int) -> Figures:
    """Write from several threads until a small file system is full and has refused often; then it grows, and all goes on.

    Raises:
        PermissionError: If this user may not mount one.
    """
    with TemporaryDirectory() as folder, _mount(Path(folder)) as growing:
        path = Path(folder) / "consent.db"
        ledger = SQLiteLedger(path)
        ledger.prepare()
        asked = [make_load().event_id for _ in range(events)]
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda event_id: growing.send(ledger, event_id), asked))
        stored = list(read_ids(ledger))
        ledger.close()
        return count(
            f"file system of {SMALL} full under load",
            asked,
            stored,
            faults=int(growing.refusals >= REFUSALS),
            is_sound=check_integrity(path),
            notes={"refusals": growing.refusals},
        )


@dataclass
class _GrowingDisk:
    folder: Path
    refusals: int = 0
    lock: Lock = field(default_factory=Lock)

    def send(self, ledger: Ledger, event_id: str) -> None:
        """Send an event until it is acknowledged; the refusal that is one too many makes room."""
        while not try_append(ledger, event_id):
            with self.lock:
                self.refusals += 1
                if self.refusals == REFUSALS:
                    _run("mount", "-o", f"remount,size={LARGE}", str(self.folder))


@contextmanager
def _mount(folder: Path) -> Iterator[_GrowingDisk]:
    _run("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder))
    try:
        yield _GrowingDisk(folder)
    finally:
        _run("umount", str(folder))


def _run(*command: str) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise PermissionError(f"{' '.join(command)}: {finished.stderr.strip()}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Let the disk be full and count what is left.")
    parser.add_argument("--events", type=int, default=2000)
    arguments = parser.parse_args()
    figures = [run_model(events=arguments.events), run_mounted(events=arguments.events)]
    print(*figures, sep="\n")
    return 0 if all(each.is_kept for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
