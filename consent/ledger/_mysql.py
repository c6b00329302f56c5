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
    1050: Failure(
        reason="unsupported",
        advice="A table is there that is to be made: making the tables was broken off. DROP each consent_* table of a ledger "
        "that is empty, or restore a backup, and run: flask consent ledger upgrade",
    ),
    1146: Failure(reason="outdated", advice="A table is missing. Run: flask consent ledger upgrade"),
}


class MySQL:
    """Speak to MySQL 8 or MariaDB 10.6, or later."""

    dialect = MYSQL
    _answer_seconds = 2

    @property
    def file(self) -> None:
        """None: what a fork inherits is left alone."""

    def get_ready(self) -> None:
        """Do nothing: what there is to check is asked of the server."""

    def connect_arguments(self, wait_seconds: float) -> Mapping[str, object]:
        """Return how long PyMySQL waits: for a connection, and for each answer.

        And no flags: with FOUND_ROWS, which SQLAlchemy sets, a row that was there already would count as inserted.
        """
        self._answer_seconds = max(1, round(wait_seconds))
        seconds = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), self._answer_seconds)
        return {"charset": "utf8mb4", "client_flag": 0, **seconds}

    def check(self, connection: Connection, wait_seconds: float) -> None:
        """Refuse a server that forgets what it has acknowledged, and have values refused that do not fit."""
        flush, log, sync = connection.exec_driver_sql(
            "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog"
        ).one()
        # A server with a log of changes takes what the log has not for undone when it starts again.
        for name, value in {
            "innodb_flush_log_at_trx_commit": flush,
            **({"sync_binlog": sync} if int(log) else {}),
        }.items():
            if int(value) != 1:
                raise LedgerError(
                    f"The ledger's server has {name} = {value}, and loses what it has acknowledged when the power fails. Set "
                    "it to 1.",
                    reason="unsupported",
                )
        connection.exec_driver_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
        connection.exec_driver_sql(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(wait_seconds * 0.8))}")
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:  # noqa: ARG002 - set when it connected
        """Return what begins."""
        read = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY")
        return read if mode is Mode.READ else ("START TRANSACTION",)

    def commit(self, mode: Mode) -> Sequence[str]:  # noqa: ARG002 - it is the same for both
        """Return what commits."""
        return ("COMMIT",)

    def mark_erasing(self, connection: Connection) -> None:
        """Note nothing: there is nothing to do afterwards."""

    def cleanse(self, connection: Connection, *, is_worth_waiting: bool) -> None:
        """Leave it to the server, which purges old versions by itself."""

    def lock(self, connection: Connection, *, seconds: float) -> bool:
        """Take a lock of the connection's: making a table ends a transaction, and the locks with it.

        Waits no longer than PyMySQL waits for an answer, which was told when it connected.
        """
        patience = int(min(seconds, self._answer_seconds * 0.8))
        if connection.exec_driver_sql(f"SELECT GET_LOCK('flask-cookie-consent', {patience})").scalar_one() != 1:
            raise LedgerError("The ledger is being upgraded by another process. Try again.", reason="busy")
        return True

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
