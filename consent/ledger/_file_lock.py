"""A lock between processes, on a file of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import msvcrt
    import time
else:
    import fcntl


PRIVATE_MODE = 0o600
"""Rights of the files that are made: what visitors chose is nobody's business but the site's."""


class FileLock:
    """Let one holder at a time go on, among all processes and all locks of one process on the same path.

    Waiting is as fair as the system's queue and has no limit: who must not wait for long lets a thread of its own wait. The
    system lets go of the lock when its holder dies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        """Wait for the lock.

        Raises:
            OSError: If its file cannot be made or opened.
        """
        while True:
            if self._descriptor is None:
                self._descriptor = os.open(
                    self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), PRIVATE_MODE
                )
            _lock(self._descriptor)
            if self._is_in_place(self._descriptor):
                return
            # Somebody removed the file, so others may be holding the lock of a new one.
            self.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of the lock; keep its file open for the next time."""
        if self._descriptor is not None:
            _unlock(self._descriptor)

    def close(self) -> None:
        """Let go of the lock and of its file, which stays where it is: removing it would split the lock in two."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


if sys.platform == "win32":
    # No test runs here. Windows locks bytes of a file, and has no queue for those who wait.
    def _lock(descriptor: int) -> None:
        while True:
            os.lseek(descriptor, 0, os.SEEK_SET)
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except PermissionError:
                time.sleep(0.005)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        # flock, not fcntl's locks: those belong to the process, and closing any descriptor of the file drops them.
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
