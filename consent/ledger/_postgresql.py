"""PostgreSQL over psycopg: durability that is never inherited, waits that end, nothing that outlives a transaction.

The last is for poolers such as pgbouncer, which give each transaction another connection: no setting, lock or prepared
statement belongs to the session.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from consent.errors import LedgerError
from consent.ledger._backend import UNKEPT, Failure, Mode
from consent.ledger._database import POSTGRESQL

log = logging.getLogger("consent")

# Any number that no other program takes; the library's name, as bytes.
_LOCK_KEY = int.from_bytes(b"consent", "big")
# psycopg waits no shorter for one address, and the caller's own limit comes on top.
_CONNECT_SECONDS = 2
# What the server cancels is told apart from what never answers; so it gives up a little before the caller does.
_STATEMENT_SHARE, _LOCK_SHARE = 0.9, 0.8

_BUSY = Failure(reason="busy", advice="Others held it for too long, or it is overloaded. Try again.")
_PASSING = Failure(reason="busy", advice="Another transaction was in the way. Try again.", is_passing=True)
_AWAY = Failure(reason="unavailable", advice="It is stopping, starting or out of reach. Try again.")
_FULL = Failure(reason="full", advice="Its disk is full. Make room; nothing needs to be restarted.")
_CORRUPT = Failure(reason="corrupt", advice="It says that its files are damaged. Restore them from a backup.")
_READ_ONLY = Failure(
    reason="read_only",
    advice="It is read-only: a standby server, or default_transaction_read_only is on. Name the primary server.",
)
_FORBIDDEN = Failure(
    reason="read_only",
    advice="Its user may not do that. GRANT it CREATE on the schema, or SELECT, INSERT, UPDATE, DELETE.",
)
_NO_TABLES = Failure(reason="outdated", advice="A table or column is missing. Run: flask consent ledger upgrade")

# Of prefixes the longest counts. Source: PostgreSQL manual, appendix A, error codes.
_STATES: tuple[tuple[Failure, str], ...] = (
    (_PASSING, "40001 40P01"),
    (_BUSY, "53 55P03 57014 25P03"),
    (_AWAY, "08 57P 58"),
    (_FULL, "53100"),
    (_CORRUPT, "XX001 XX002"),
    (_READ_ONLY, "25006"),
    (_FORBIDDEN, "42501"),
    (_NO_TABLES, "42P01 42703"),
    (UNKEPT, "22 23 42"),
)
_FAILURES = {state: failure for failure, states in _STATES for state in states.split()}


class PostgreSQL:
    """Speak to PostgreSQL 12 or later."""

    dialect = POSTGRESQL

    @property
    def file(self) -> None:
        """None: what a fork inherits is left alone."""

    def get_ready(self) -> None:
        """Do nothing: what there is to check is asked of the server."""

    def connect_arguments(self, wait_seconds: float) -> Mapping[str, object]:
        """Return what psycopg is told: no prepared statements, and an end to waiting for a network that is gone."""
        return {
            "connect_timeout": _CONNECT_SECONDS,
            "prepare_threshold": None,
            "tcp_user_timeout": max(1000, int(wait_seconds * 1000)),
            "keepalives_idle": 30,
            "client_encoding": "utf8",
            "application_name": "flask-cookie-consent",
        }

    def check(self, connection: Connection, wait_seconds: float) -> None:  # noqa: ARG002 - each transaction sets its own limits
        """Refuse a server that forgets what it has acknowledged when the power fails."""
        fsync, full_page_writes, encoding = connection.exec_driver_sql(
            "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding')"
        ).one()
        if fsync != "on":
            raise LedgerError(
                "The ledger's PostgreSQL server has fsync = off, and loses what it has acknowledged when the power fails. "
                "Set fsync = on.",
                reason="unsupported",
            )
        if encoding != "UTF8":
            raise LedgerError(
                f"The ledger's database has the encoding {encoding!r}, and cannot keep every language. Use one that was "
                "created with ENCODING 'UTF8'.",
                reason="unsupported",
            )
        if full_page_writes != "on":
            _warn_of_torn_pages()

    def begin(self, mode: Mode, *, seconds: float) -> Sequence[str]:
        """Return one text of several statements, so that it costs one round trip.

        A read sees one snapshot. A write must not: after a row that is there already was left out, it has to see that row.
        """
        return {
            Mode.READ: (f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_write_limits(seconds)}",),
            Mode.WRITE: (
                f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; {_write_limits(seconds)}",
            ),
        }[mode]

    def commit(self, mode: Mode) -> Sequence[str]:
        """Return what commits.

        Without the timeout: one that falls into the wait for a synchronous standby ends the wait, with a mere warning, and the
        answer would be that of a commit which the standby has. A transaction in which a statement failed is refused by SET,
        where COMMIT alone would say nothing and roll back.
        """
        return {
            Mode.READ: ("COMMIT",),
            Mode.WRITE: ("SET LOCAL statement_timeout = 0; COMMIT",),
        }[mode]

    def mark_erasing(self, connection: Connection) -> None:
        """Note nothing: there is nothing to do afterwards."""

    def cleanse(self, connection: Connection, *, is_worth_waiting: bool) -> None:
        """Leave it to the server: autovacuum frees what was erased, and its log of changes ends with the next backups."""

    def lock(self, connection: Connection, *, seconds: float) -> bool:
        """Take a lock of the transaction's: one of the session's is not safe behind a pooler."""
        limits = f"{_write_limits(seconds)}; SET LOCAL idle_in_transaction_session_timeout = 0"
        connection.exec_driver_sql(f"BEGIN; {limits}; SELECT pg_advisory_xact_lock({_LOCK_KEY})")
        return True

    def describe(self, connection: Connection) -> Mapping[str, object]:
        """Return version and settings that durability hangs on."""
        version, checksums, standbys, read_only, is_standby = connection.exec_driver_sql(
            "SELECT current_setting('server_version'), current_setting('data_checksums'), "
            "current_setting('synchronous_standby_names'), current_setting('default_transaction_read_only'), "
            "pg_is_in_recovery()"
        ).one()
        if is_standby or read_only == "on":
            raise LedgerError(
                f"The ledger's database cannot be written to. {_READ_ONLY.advice}", reason=_READ_ONLY.reason
            )
        return {
            "backend": "postgresql",
            "version": version,
            "driver": f"psycopg {psycopg.__version__}",
            "data_checksums": checksums,
            "synchronous_standby_names": standbys,
        }

    def judge(self, error: DBAPIError) -> Failure:
        """Say what an error means by its SQLSTATE."""
        state = getattr(error.orig, "sqlstate", None) or ""
        fallback = _AWAY if isinstance(error.orig, psycopg.OperationalError) else UNKEPT
        return next((_FAILURES[state[:size]] for size in (5, 3, 2) if state[:size] in _FAILURES), fallback)

    def cut(self, driver_connection: object) -> None:
        """Shut the socket down: libpq, waiting in another thread, finds it closed."""
        if isinstance(driver_connection, psycopg.Connection):
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(driver_connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def _write_limits(seconds: float) -> str:
    statement, lock = (max(1, int(seconds * share * 1000)) for share in (_STATEMENT_SHARE, _LOCK_SHARE))
    # The last: a transaction whose client has vanished must not keep its locks.
    return (
        f"SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {max(1, int(seconds * 1000))}"
    )


@lru_cache(maxsize=1)
def _warn_of_torn_pages() -> None:
    log.warning(
        "The ledger's PostgreSQL server has full_page_writes = off. Unless its file system never tears a page (ZFS and the "
        "like), a power failure can damage the ledger: set it on."
    )
