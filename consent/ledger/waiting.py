"""For how long a caller waits for a ledger: a request not for long, a command for as long as its work may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

COMMAND_SECONDS = 60.0
"""How long a command waits for each thing that it asks of a ledger."""

# Belongs to the thread that asks: others that use the same ledger meanwhile wait for as long as they always do.
_seconds: ContextVar[float | None] = ContextVar("consent-ledger-seconds", default=None)


@contextmanager
def waiting(seconds: float | None) -> Iterator[None]:
    """Have the body wait for any ledger for so many seconds, or with None for as long as that ledger was told when it was made."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def find_wait(usual: float) -> float:
    """Return for how many seconds this caller waits."""
    return _seconds.get() or usual
