"""How much is made of what browsers report: anybody can make reports up, and must neither fill the log nor keep real ones out."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from math import ceil
from threading import Lock


class Budget:
    """Count what one process takes within a period, whoever it comes from.

    Args:
        limit: How many there may be in a period.
    """

    def __init__(self, limit: int, period: timedelta) -> None:
        self._limit = limit
        self._period = period
        self._lock = Lock()
        self._began_at: datetime | None = None
        self._taken = 0

    def take(self, now: datetime) -> int:
        """Take one, or return for how many seconds there is no room for one."""
        with self._lock:
            # A clock that was set back begins anew.
            if self._began_at is None or not timedelta(0) <= now - self._began_at < self._period:
                self._began_at, self._taken = now, 0
            if self._taken >= self._limit:
                return ceil((self._began_at + self._period - now).total_seconds())
            self._taken += 1
            return 0


class Memory:
    """Remember what came last; safe for several threads.

    Args:
        limit: How many it remembers; the oldest are forgotten first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        # In the order in which they came. Numbers: the things themselves may be long.
        self._seen: dict[int, None] = {}

    def __contains__(self, thing: Hashable) -> bool:
        """Whether it came before."""
        return hash(thing) in self._seen

    def add(self, thing: Hashable) -> None:
        """Remember something."""
        with self._lock:
            self._seen[hash(thing)] = None
            if len(self._seen) > self._limit:
                del self._seen[next(iter(self._seen))]
