"""Keep open files out of forked processes."""

from __future__ import annotations

import atexit
import logging  # noqa: F401 - of the hooks of a fork the last to be set runs first: logging must not hold its lock before ours run
import os
from threading import Lock
from typing import Protocol
from weakref import WeakSet


class Forking(Protocol):
    """Be something that holds open what must not cross a fork."""

    def before_fork(self) -> None:
        """Close all, and keep it closed until one of the next two is called, by the same thread."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew: of all threads only this one is left, and locks may be held by threads that are gone."""

    def close(self) -> None:
        """Close all, as the process ends."""


class _Watch:
    """Tell those that are alive of every fork, and of the end of the process."""

    def __init__(self) -> None:
        self._items: WeakSet[Forking] = WeakSet()
        self._mutex = Lock()

    def add(self, item: Forking) -> None:
        with self._mutex:
            self._items.add(item)

    def before_fork(self) -> None:
        for item in self._list():
            item.before_fork()

    def after_fork_in_parent(self) -> None:
        for item in self._list():
            item.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        self._mutex = Lock()
        for item in self._list():
            item.after_fork_in_child()

    def close(self) -> None:
        for item in self._list():
            item.close()

    def _list(self) -> list[Forking]:
        with self._mutex:
            return list(self._items)


_watch = _Watch()
watch = _watch.add
"""Tell an item of every fork of this process from now on, and of its end, for as long as something refers to the item."""

# Not on Windows, where nothing forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_watch.before_fork,
        after_in_parent=_watch.after_fork_in_parent,
        after_in_child=_watch.after_fork_in_child,
    )
atexit.register(_watch.close)
