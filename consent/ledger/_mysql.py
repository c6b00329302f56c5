"""MySQL and MariaDB over PyMySQL: written from their manuals, and no test of this library runs against them.

Once, in November 2026, MariaDB 10.11 passed `tests/ledger_contract.py`. A step of migrating that is killed half-way is not
undone there: making a table cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from consent.errors import LedgerError
from consent.ledger._backend import UNKEPT, Failure, Mode
from consent.ledger._database import MYSQL

_BUSY = Failure(reason="busy", advice="Others held it for too long. Try again.")
_AWAY = Failure(reason="unavailable", advice="It is stopping, starting or out of reach. Try again.")
_READ_ONLY = Failure(reason="read_only", advice="It is read-only, or its user may not write. Name the primary server.")

# Source: MySQL manual, "Server Error Message Reference".
_FAILURES: Mapping[int, Failure] = {
    1205: _BUSY,
    3024: _BUSY,
    1213: Failure(reason="busy", advice="Another transaction was in the way. Try again.", is_passing=True),
    1021: Failure(reason="full", advice="Its disk is full. Make room; nothing needs to be restarted."),
    1114: Failure(reason="full", advice="A table is full. Make room; nothing needs to be restarted."),
    1290: _READ_ONLY,
    1792: _READ_ONLY,
    1142: _READ_ONLY,
    1146: Failure(reason="outdated", advice="A table is missing. Run: flask consent ledger upgrade"),
}


class MySQL:
    """Speak to MySQL 8 or MariaDB 10.6, or later."""

    dialect = MYSQL

    def connect_arguments(self, wait_seconds: float) -> Mapping[str, object]:
        """Return how long PyMySQL waits: for a connection, and for each answer."""
        seconds = max(1, round(wait_seconds))
        return {"charset": "utf8mb4", "connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}

    def check(self, connection: Connection, wait_seconds: float) -> None:
        """Refuse a server that forgets what it has acknowledged, and have values refused that do not fit."""
        flush = connection.exec_driver_sql("SELECT @@innodb_flush_log_at_trx_commit").scalar_one()
        if int(flush) != 1:
            raise LedgerError(
                f"The ledger's server has innodb_flush_log_at_trx_commit = {flush}, and loses what it has acknowledged when "
                "the power fails. Set it to 1.",
                reason="unsupported",
            )
        connection.exec_driver_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
        connection.exec_driver_sql(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(wait_seconds * 0.8))}")
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:  # noqa: ARG002 - set when it connected
        """Return what begins."""
        read = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY")
        return {Mode.READ: read, Mode.WRITE: ("START TRANSACTION",), Mode.BARE: ()}[mode]

    def commit(self, mode: Mode) -> Sequence[str]:
        """Return what commits."""
        return () if mode is Mode.BARE else ("COMMIT",)

    def cleanse(self, connection: Connection) -> None:
        """Leave it to the server, which purges old versions by itself."""

    def lock(self, *, seconds: float) -> Sequence[str]:
        """Return a lock of the connection's: making a table ends a transaction, and the locks with it."""
        return (f"SELECT GET_LOCK('flask-cookie-consent', {int(seconds)})",)

    def describe(self, connection: Connection) -> Mapping[str, object]:
        """Return the version."""
        version, read_only = connection.exec_driver_sql("SELECT @@version, @@global.read_only").one()
        if int(read_only):
            raise LedgerError(f"The ledger's database cannot be written to. {_READ_ONLY.advice}", reason="read_only")
        return {"backend": "mysql", "version": version, "driver": "pymysql"}

    def judge(self, error: DBAPIError) -> Failure:
        """Say what an error means by its number."""
        arguments = getattr(error.orig, "args", ()) or (0,)
        fallback = _AWAY if isinstance(error, OperationalError) else UNKEPT
        return _FAILURES.get(arguments[0], fallback) if isinstance(arguments[0], int) else fallback

    def cut(self, driver_connection: object) -> None:
        """Do nothing: PyMySQL stops waiting by itself, `read_timeout` after it has sent a statement."""
