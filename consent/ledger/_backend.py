"""What differs between the databases that SQLAlchemy reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from consent.ledger._database import Dialect


class Mode(Enum):
    """Name the kind of transaction that work runs in."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Say what an error of the driver's means, in words without any value."""

    reason: str
    """As in `LedgerError.reason`."""

    advice: str
    """A sentence: what it is, and what to do."""

    is_passing: bool = False
    """Whether the same transaction may well succeed at once: it lost to another one."""


UNKEPT = Failure(
    reason="unsupported",
    advice="It refused what it was given: a value that it cannot hold, or a statement that it does not know.",
)
POOL_IS_EMPTY = Failure(reason="busy", advice="All its connections were in use. Try again.")


class Backend(Protocol):
    """Spell and judge what SQLAlchemy leaves to the database."""

    dialect: Dialect

    @property
    def file(self) -> Path | None:
        """The file that the connections of a process lock together, so that none may cross a fork; None for a server's."""

    def get_ready(self) -> None:
        """Do what comes before the first connection of a process.

        Raises:
            LedgerError: If the database can never work there.
        """

    def connect_arguments(self, wait_seconds: float) -> Mapping[str, object]:
        """Return what the driver is told for every connection."""

    def check(self, connection: Connection, wait_seconds: float) -> None:
        """Set up a new connection, outside any transaction.

        Raises:
            LedgerError: If the server does not keep what it has acknowledged.
        """

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:
        """Return the statements that begin a transaction and bound its waits on the server."""

    def commit(self, mode: Mode) -> Sequence[str]:
        """Return the statements that end a transaction; the last one answers no sooner than it is durable."""

    def mark_erasing(self, connection: Connection) -> None:
        """Note, inside a transaction that erases, that files and logs still hold what it deletes."""

    def cleanse(self, connection: Connection, *, is_worth_waiting: bool) -> None:
        """Take what was deleted out of files and logs, as far as a client can; outside any transaction, after each write."""

    def lock(self, connection: Connection, *, seconds: float) -> bool:
        """Keep others from migrating until the connection is closed; return whether that takes a lock.

        Raises:
            LedgerError: If another one does for longer than that.
        """

    def describe(self, connection: Connection) -> Mapping[str, object]:
        """Return facts for the operator.

        Raises:
            LedgerError: If nothing can be written.
        """

    def judge(self, error: DBAPIError) -> Failure:
        """Say what an error of a statement means."""

    def cut(self, driver_connection: object) -> None:
        """End the wait of another thread on this connection, as far as the driver has a way."""
