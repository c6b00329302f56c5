"""Kill writers with SIGKILL, again and again, and count what was acknowledged and is there (T87).

python -m tests.faults.kill --kills 200
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from consent.ledger import open_ledger
from tests.faults.load import Figures, count, read_ids, read_log

WRITERS = 3
STALL_SECONDS = 60


def run(folder: Path, *, kills: int, chance: Random) -> Figures:
    """Let three processes write to one file and kill one of them at a time, at any instant; each time another begins."""
    url = f"sqlite:///{folder / 'consent.db'}"
    logs = [folder / f"log-{number}" for number in range(WRITERS)]
    ledger = open_ledger(url, folder=folder)
    ledger.prepare()
    ledger.close()
    writers = [_start(url, log) for log in logs]
    for _ in range(kills):
        at = chance.randrange(WRITERS)
        _wait_for_load(writers[at], logs[at])
        _let_run(writers[at], chance.random() * 0.05)
        _kill(writers[at])
        writers[at] = _start(url, logs[at])
    for writer in writers:
        _kill(writer)
    return _count(folder / "consent.db", logs, kills=kills + WRITERS)


def check_integrity(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def _start(url: str, log: Path) -> subprocess.Popen[bytes]:
    # The same modules as here: -m alone would put this folder first.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-P", "-m", "tests.faults.writer", url, str(log)], env=environment)


def _wait_for_load(writer: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a writer writes: to kill one that has only just begun shows nothing."""
    before = log.stat().st_size if log.exists() else 0
    deadline = time.monotonic() + STALL_SECONDS
    while not log.exists() or log.stat().st_size <= before:
        _let_run(writer, 0.005)
        assert time.monotonic() < deadline, "a writer does not write"


def _let_run(writer: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a writer go on for a time, in which it must not end by itself."""
    with suppress(subprocess.TimeoutExpired):
        raise AssertionError(f"a writer ended with {writer.wait(seconds)}")


def _kill(writer: subprocess.Popen[bytes]) -> None:
    writer.kill()
    writer.wait()


def _count(path: Path, logs: list[Path], *, kills: int) -> Figures:
    acknowledged = {event_id for log in logs for event_id in read_log(log)[1]}
    ledger = open_ledger(f"sqlite:///{path}", folder=path.parent)
    try:
        stored = list(read_ids(ledger))
    finally:
        ledger.close()
    is_sound = check_integrity(path)
    return count("kill -9, SQLite, 3 processes", acknowledged, stored, faults=kills, is_sound=is_sound)


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill writers and count what is left.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        figures = run(Path(folder), kills=arguments.kills, chance=Random(arguments.seed))
    print(figures)
    return 0 if figures.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
