"""Threads that do the work of callers who wait for so long and no longer, whatever the driver does meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock, local
from time import monotonic
from typing import Any

from consent.errors import LedgerError
from consent.ledger._database import Result

_here = local()


class Job:
    """Tell a worker how long its caller waits, and let the caller cut the connection of work that hangs."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_abandoned = False
        self._ends_at = monotonic() + seconds
        self._lock = Lock()
        self._cut: Callable[[], None] | None = None

    @property
    def remaining_seconds(self) -> float:
        """How long the caller goes on waiting; 0 if it does not."""
        return 0.0 if self.is_abandoned else max(0.0, self._ends_at - monotonic())

    def hold(self, cut: Callable[[], None]) -> None:
        """Name what ends the wait of whoever waits on the connection in use."""
        with self._lock:
            self._cut = cut
            if self.is_abandoned:
                cut()

    def let_go(self) -> None:
        """Say that the connection is about to be closed, or given back for others to use."""
        with self._lock:
            self._cut = None

    def abandon(self) -> None:
        """Give up: the worker commits nothing that it has not begun to commit."""
        with self._lock:
            self.is_abandoned = True
            if self._cut is not None:
                self._cut()


class ClosedError(Exception):
    """No more jobs are taken."""


class Workers:
    """Run jobs on a few threads. None is started before the first job."""

    def __init__(self, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="consent-ledger")
        self._mutex = Lock()
        self._is_closed = False
        self._running: set[Future[Any]] = set()

    def run(self, job: Job, work: Callable[[], Result]) -> Result:
        """Return what work returns, or raise what it raises.

        Raises:
            ClosedError: After `close`. Nothing was done.
            LedgerError: If that takes longer than the job's caller waits. Work that has not begun by then never does.
        """
        try:
            future = self._submit(job, work)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                # The job may wait in the queue already, for a thread that there is.
                job.abandon()
                raise LedgerError(
                    f"The ledger cannot start a thread ({error}): the process has too many. Try again.", reason="busy"
                ) from error
            # Python starts no threads any more: what is left to write is written here.
            return _run_job(job, work)
        wait([future], timeout=job.remaining_seconds)
        if future.done():
            return future.result()
        if future.cancel():
            raise LedgerError(
                f"The ledger's connections were all busy for {job.seconds:g} seconds. Try again.", reason="busy"
            )
        job.abandon()
        raise LedgerError(
            f"The ledger's database gave no answer within {job.seconds:g} seconds. Look at the network and at the server; "
            "what was to be written may have been written or not, and can be sent again."
        )

    def close(self, *, seconds: float = 0.0) -> bool:
        """Take no more jobs, and let the threads end; return whether all jobs were done in that time."""
        with self._mutex:
            self._is_closed = True
            running = set(self._running)
        self._executor.shutdown(wait=False)
        return not wait(running, timeout=seconds).not_done

    def _submit(self, job: Job, work: Callable[[], Result]) -> Future[Result]:
        with self._mutex:
            if self._is_closed:
                raise ClosedError
            future = self._executor.submit(_run_job, job, work)
            self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future


def find_job() -> Job | None:
    """Return the job that this thread is at; None for none."""
    return getattr(_here, "job", None)


def _run_job(job: Job, work: Callable[[], Result]) -> Result:
    if job.is_abandoned:
        raise ClosedError
    _here.job = job
    try:
        return work()
    finally:
        _here.job = None
        job.let_go()
