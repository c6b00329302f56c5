"""What one process has open of a SQLite file, and that none of it crosses a fork."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, get_ident
from typing import Protocol, TypeVar, cast

from consent.errors import LedgerError
from consent.ledger._fork import watch

Item = TypeVar("Item", bound="Opened")


class Opened(Protocol):
    """Be something that holds a file open."""

    def stop(self) -> bool:
        """Close it; return whether that was done in time. Asked again until it is."""


class OpenFile:
    """Hold all that one user of a SQLite file has open in this process, and let nothing of it cross a fork.

    SQLite keeps account of a file's locks per process. A child inherits the account without the locks: what it writes
    through a connection of its own is lost once the parent closes the file. So all is closed before a fork, and a child
    for which that took too long is refused that file, whoever asks for it there.
    """

    def __init__(self, path: Path, *, kinds: Sequence[type[Opened]], wait_seconds: float) -> None:
        """Open nothing yet.

        Args:
            kinds: What is opened, in the order in which it is closed.
        """
        self._path = path
        self._kinds = tuple(kinds)
        self._wait_seconds = wait_seconds
        self._mutex = Lock()
        self._current: dict[type[Opened], Opened] = {}
        # Those, and earlier ones that have not ended yet.
        self._open: list[Opened] = []
        self._forking_thread: int | None = None
        watch(self)

    def get(self, kind: type[Item], make: Callable[[], Item]) -> Item:
        """Return what is open of a kind; if nothing is, make it.

        Raises:
            LedgerError: If the file was open when this process was forked, or is being closed.
        """
        with self._hold():
            if kind not in self._current:
                self._current[kind] = made = make()
                self._open.append(made)
                _in_use.add(self)
            return cast("Item", self._current[kind])

    def close(self) -> None:
        """Close all; whoever asks next opens it again."""
        if self._mutex.acquire(timeout=self._wait_seconds):
            try:
                self._stop()
            finally:
                self._mutex.release()

    def before_fork(self) -> None:
        """Close all, and keep others from opening it before the fork is done."""
        if self._mutex.acquire(timeout=self._wait_seconds):
            self._forking_thread = get_ident()
            self._stop()

    def after_fork_in_parent(self) -> None:
        """Go on: whoever reads or writes next opens the file again."""
        if self._forking_thread == get_ident():
            self._forking_thread = None
            self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, unless something open has come along."""
        self._mutex = Lock()
        self._forking_thread = None
        self._current = {}
        _in_use.discard(self)
        if self._open:
            _crossed.append(self._open)
            _crossed_paths.add(self._path.resolve())
            self._open = []

    def _stop(self) -> None:
        self._current = {}
        items = sorted(self._open, key=lambda item: self._kinds.index(type(item)))
        self._open = [item for item in items if not item.stop()]
        if not self._open:
            _in_use.discard(self)

    @contextmanager
    def _hold(self) -> Iterator[None]:
        if _crossed_paths and self._path.resolve() in _crossed_paths:
            raise LedgerError(
                f"The ledger '{self._path}' was in use when this process was forked, and cannot be used in it. Start the "
                "process afresh ('spawn'), or fork before the first request."
            )
        if not self._mutex.acquire(timeout=self._wait_seconds):
            raise LedgerError(
                f"The ledger '{self._path}' is being closed, or the process forked. Try again later.", reason="busy"
            )
        try:
            yield
        finally:
            self._mutex.release()


# What crossed a fork all the same. Kept, since closing it in the child would drop locks that the parent relies on.
_crossed: list[object] = []
_crossed_paths: set[Path] = set()
# A ledger that nobody refers to any more may have a thread that still holds its file.
_in_use: set[OpenFile] = set()
