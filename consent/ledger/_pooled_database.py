"""A database behind SQLAlchemy Core: connections kept open, waits bounded, what may be repeated repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from os import getpid
from time import sleep
from typing import Generic

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consent.errors import LedgerError
from consent.ledger._backend import POOL_IS_EMPTY, UNKEPT, Backend, Failure, Mode
from consent.ledger._database import Dialect, Result, Row, Transaction, Value
from consent.ledger._open_file import OpenFile
from consent.ledger._workers import ClosedError, Job, Workers, find_job
from consent.ledger.waiting import find_wait, waiting

# One connection a worker, as many as a process of a few threads can use; PostgreSQL takes 100 in all unless told otherwise.
_CONNECTIONS = 5
_ATTEMPTS = 3
# A start waits for another process that makes the tables, and a step over many rows takes its time.
_MIGRATION_SECONDS = 600.0
_PAUSE_SECONDS = 0.02
_CHECKED = "consent_checked"


@dataclass(frozen=True, slots=True)
class PooledTransaction:
    """Run statements on a connection of SQLAlchemy's."""

    connection: Connection
    dialect: Dialect

    def fetch(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Return the rows of a query."""
        return [tuple(row) for row in self.connection.execute(_parse(statement), dict(values or {}))]

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement; return how many rows it changed."""
        return self.connection.execute(_parse(statement), dict(values or {})).rowcount

    def execute_many(self, statement: str, rows: Sequence[Mapping[str, Value]]) -> int:
        """Run a statement once for each row of values; return how many rows it changed, or -1 where the driver cannot tell."""
        return self.connection.execute(_parse(statement), [dict(row) for row in rows]).rowcount if rows else 0


# The longest of them, lists of names, are bounded by `split_batches`.
_parse = lru_cache(maxsize=128)(text)


@dataclass(slots=True, eq=False)
class _Process:
    """Hold what one process has opened: neither connections nor threads survive a fork."""

    engine: Engine
    stop_seconds: float
    """How long `stop` waits for what is at work."""

    workers: Workers = field(default_factory=lambda: Workers(_CONNECTIONS))
    is_closed: bool = False

    def stop(self) -> bool:
        """Close what is open; what is at work closes its connection when it has ended. Return whether all has."""
        self.is_closed = True
        has_ended = self.workers.close(seconds=self.stop_seconds)
        self.engine.dispose()
        return has_ended


@dataclass(slots=True, kw_only=True)
class _Task(Generic[Result]):
    """Hold one piece of work, and how far its transaction came."""

    work: Callable[[PooledTransaction], Result]
    job: Job
    mode: Mode
    is_repeatable: bool
    is_erasing: bool
    is_connected: bool = False
    is_committing: bool = False

    def may_repeat(self, failure: Failure, *, is_cut: bool) -> bool:
        """Whether the work may run again: it must be certain that it was not committed, or harmless if it was.

        A server that cannot be reached is not tried again: it is for whoever asked to come back later.
        """
        is_certain = not (self.is_committing and is_cut)
        return self.is_connected and (is_cut or failure.is_passing) and (is_certain or self.is_repeatable)


class PooledDatabase:
    """Read and write through SQLAlchemy, in any process that asks.

    Work runs on a thread of the database's own, so that the caller gets an answer in time even from a driver that hangs
    (a name that does not resolve, a server that stopped answering); what hangs is then cut off.
    """

    def __init__(self, url: URL, backend: Backend, *, wait_seconds: float) -> None:
        self._url = url
        self._backend = backend
        self._wait_seconds = wait_seconds
        # By process id. What a fork inherited stays in here, unused and open: closing it would speak on the parent's line.
        self._processes: dict[int, _Process] = {}
        # In its place where connections are to a file, of which nothing may be inherited.
        self._file = OpenFile(backend.file, kinds=(_Process,), wait_seconds=wait_seconds) if backend.file else None

    def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run work that changes nothing, on one snapshot."""
        return self._run(work, Mode.READ)

    def write(
        self, work: Callable[[Transaction], Result], *, is_repeatable: bool = True, is_erasing: bool = False
    ) -> Result:
        """Run work as one transaction; what it changed is durable when this returns."""
        return self._run(work, Mode.WRITE, is_repeatable=is_repeatable, is_erasing=is_erasing)

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Keep other processes from migrating meanwhile, and give every statement of this caller's time."""
        with waiting(_MIGRATION_SECONDS), ExitStack() as stack:
            job = Job(_MIGRATION_SECONDS)
            connection = self._do(job, partial(self._lock, job))
            if connection is not None:
                stack.enter_context(connection)
            yield

    def describe(self) -> Mapping[str, object]:
        """Return facts for the operator, such as the server's version."""
        return self._run(lambda transaction: self._backend.describe(transaction.connection), Mode.READ)

    def close(self) -> None:
        """Close what this process has open; what is at work closes its connection when it has ended."""
        if self._file is not None:
            self._file.close()
        process = self._processes.pop(getpid(), None)
        if process is not None:
            process.stop()

    def _run(
        self,
        work: Callable[[PooledTransaction], Result],
        mode: Mode,
        *,
        is_repeatable: bool = True,
        is_erasing: bool = False,
    ) -> Result:
        job = Job(find_wait(self._wait_seconds))
        task = _Task(work=work, job=job, mode=mode, is_repeatable=is_repeatable, is_erasing=is_erasing)
        return self._do(job, lambda process: self._repeat(process, task))

    def _do(self, job: Job, work: Callable[[_Process], Result]) -> Result:
        while True:
            process = self._open()
            # One that is just being closed takes nothing more.
            with suppress(ClosedError):
                return process.workers.run(job, partial(work, process))

    def _open(self) -> _Process:
        if self._file is not None:
            return self._file.get(_Process, self._make_process)
        pid = getpid()
        # No lock, which a fork could inherit locked: of two that are made at once, neither has opened anything yet.
        return self._processes.get(pid) or self._processes.setdefault(pid, self._make_process())

    def _make_process(self) -> _Process:
        self._backend.get_ready()
        # A file has to be closed when a fork begins, a line to a server need not be.
        return _Process(self._make_engine(), stop_seconds=self._wait_seconds if self._file else 0.0)

    def _make_engine(self) -> Engine:
        engine = create_engine(
            self._url,
            connect_args=dict(self._backend.connect_arguments(self._wait_seconds)),
            # Transactions are begun and ended in SQL: drivers differ in when, and in how, they do it by themselves.
            isolation_level="AUTOCOMMIT",
            poolclass=QueuePool,
            pool_size=_CONNECTIONS,
            max_overflow=1,  # for `migrating`
            pool_timeout=self._wait_seconds,
            hide_parameters=True,
        )
        # First of all, so that what SQLAlchemy asks a new connection can be cut too.
        event.listen(engine, "connect", self._hold, insert=True)
        # The last moments before somebody else may have it, or its descriptor: what is rolled back before can hang, too.
        event.listen(engine, "checkin", _let_go)
        event.listen(engine, "close", _let_go)
        return engine

    def _repeat(self, process: _Process, task: _Task[Result]) -> Result:
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                return self._attempt(process, task)
            except SQLAlchemyError as error:
                failure, is_cut = self._judge(error), isinstance(error, DBAPIError) and error.connection_invalidated
                is_over = not attempts_left or not task.job.remaining_seconds
                if is_over or not task.may_repeat(failure, is_cut=is_cut):
                    # Not `from error`: what drivers say can quote a row.
                    raise self._explain(error, failure, is_connected=task.is_connected) from None
                if not is_cut:
                    sleep(_PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, process: _Process, task: _Task[Result]) -> Result:
        task.is_connected = task.is_committing = False
        with process.engine.connect() as connection:
            task.is_connected = True
            self._hold(connection.connection.driver_connection)
            try:
                return self._transact(connection, task)
            finally:
                if process.is_closed or task.job.is_abandoned:
                    connection.invalidate()

    def _transact(self, connection: Connection, task: _Task[Result]) -> Result:
        self._check(connection)
        for statement in self._backend.begin(task.mode, seconds=task.job.remaining_seconds):
            connection.exec_driver_sql(statement)
        result = task.work(PooledTransaction(connection, self._backend.dialect))
        if task.is_erasing:
            self._backend.mark_erasing(connection)
        if not task.job.is_abandoned:
            task.is_committing = True
            for statement in self._backend.commit(task.mode):
                connection.exec_driver_sql(statement)
            if task.mode is Mode.WRITE:
                self._backend.cleanse(connection, is_worth_waiting=task.is_erasing)
        return result

    def _check(self, connection: Connection) -> None:
        if _CHECKED not in connection.info:
            self._backend.check(connection, self._wait_seconds)
            connection.info[_CHECKED] = True

    def _lock(self, job: Job, process: _Process) -> Connection | None:
        """Return a connection that holds the lock until it is closed; None where none is taken."""
        is_connected = False
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(process.engine.connect())
                is_connected = True
                self._hold(connection.connection.driver_connection)
                # Its own, to be closed when done: whatever kind of lock it holds ends with it.
                connection.detach()
                is_locked = self._backend.lock(connection, seconds=job.remaining_seconds)
            except SQLAlchemyError as error:
                raise self._explain(error, self._judge(error), is_connected=is_connected) from None
            if is_locked and not job.is_abandoned:
                stack.pop_all()
                return connection
        return None

    def _judge(self, error: SQLAlchemyError) -> Failure:
        if isinstance(error, DBAPIError):
            return self._backend.judge(error)
        return POOL_IS_EMPTY if isinstance(error, PoolTimeoutError) else UNKEPT

    def _explain(self, error: SQLAlchemyError, failure: Failure, *, is_connected: bool) -> LedgerError:
        address = self._url.set(query={}).render_as_string(hide_password=True)
        if not is_connected and isinstance(error, DBAPIError):
            # Nothing of a visitor's is known to the driver yet, and what it says names the host or the wrong password.
            words = " ".join(str(error.orig).split())
            return LedgerError(f"The ledger at {address} cannot be reached: {words}", reason=failure.reason)
        cause = type(getattr(error, "orig", error)).__name__
        return LedgerError(f"The ledger at {address} failed ({cause}). {failure.advice}", reason=failure.reason)

    def _hold(self, driver_connection: object, _record: object = None) -> None:
        job = find_job()
        if job is not None:
            job.hold(lambda: self._backend.cut(driver_connection))


def _let_go(_driver_connection: object, _record: object) -> None:
    job = find_job()
    if job is not None:
        job.let_go()
