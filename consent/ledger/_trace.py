"""What is erased stays in SQLite's log until that is emptied, which a reader of an older state prevents.

That it is owed is written into the file itself, in the transaction that erases: whichever process writes next pays it, since
the one that erased, a command, may have ended. SQLite keeps a number in each file's header that is the application's to use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Any: what a row of a PRAGMA holds; numbers here.
Run = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement, and returns its rows."""

READER_WAIT_MILLISECONDS = 250
"""How long to wait for readers that keep the log from being emptied."""

TRACE_DETAIL = "log_holds_erased"
"""Name among the details of a ledger's health, there if the log may still hold what was erased."""

_OWED, _PAID = "PRAGMA user_version = 1", "PRAGMA user_version = 0"


def leave_trace(run: Run) -> None:
    """Note, inside a transaction that erases, that the log is to be emptied."""
    run(_OWED)


def has_trace(run: Run) -> bool:
    """Whether the log may still hold what was erased."""
    return bool(run("PRAGMA user_version")[0][0])


def wipe_trace(run: Run, *, is_worth_waiting: bool, usual_milliseconds: int) -> bool:
    """Empty the log, outside any transaction, if that is owed; return whether nothing is any more: a reader may be in the way.

    Args:
        usual_milliseconds: For how long the connection waits for others otherwise.
    """
    if not has_trace(run):
        return True
    run(f"PRAGMA busy_timeout = {READER_WAIT_MILLISECONDS if is_worth_waiting else 0}")
    is_busy = run("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
    run(f"PRAGMA busy_timeout = {usual_milliseconds}")
    if is_busy:
        return False
    run(_PAID)
    return True
