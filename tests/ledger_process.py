"""Scripts on a SQLite ledger in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from consent.ledger.sqlite import SQLiteLedger

# A deadlock ends a test by this; nothing waits for it otherwise.
LIMIT_SECONDS = 60

BEGIN = """
import atexit, os, signal, sys, threading
from consent.errors import LedgerError
from consent.ledger.sqlite import SQLiteLedger
from tests.ledger_events import make_event, number_id

path = sys.argv[1]
ledger = SQLiteLedger(path, wait_seconds=60)
impatient = SQLiteLedger(path, wait_seconds=0.1)


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())


def keep(number):
    ledger.append([make_event(number)])
    say(number_id(number))


def keep_on(first):
    for number in range(first, first + 100_000):
        try:
            keep(number)
        except LedgerError:
            return


def end_child(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def run(path: Path, script: str, *, code: int = 0) -> list[str]:
    """Run a script on a ledger in a process of its own, and return the lines it said."""
    process = start(path, script)
    out, errors = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == code, errors
    return out.splitlines()


def start(path: Path, script: str) -> subprocess.Popen[str]:
    """Start a script, and do not wait for it."""
    # Python 3.12 warns of forks beside threads, which is what some of these scripts are about.
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGIN + script, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def list_ids(path: Path) -> set[str]:
    """Return the ids of the events in a file, which must be a sound one."""
    ledger = SQLiteLedger(path)
    try:
        assert ledger.database.read(lambda transaction: transaction.fetch("PRAGMA integrity_check")) == [("ok",)]
        return {row.event_id for row in ledger.scan(limit=1_000_000)}
    finally:
        ledger.close()
