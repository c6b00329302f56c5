"""A ledger in PostgreSQL, or in another database that SQLAlchemy Core reaches."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from consent.errors import LedgerError, MissingExtraError, quote_all
from consent.ledger.relational import RelationalLedger

if TYPE_CHECKING:
    from sqlalchemy import URL

    from consent.ledger._backend import Backend

# What is meant by a URL that names no driver; SQLAlchemy 2.0 would take psycopg2 for the first.
_DRIVERS = {"postgresql": "psycopg", "sqlite": "pysqlite", "mysql": "pymysql", "mariadb": "pymysql"}

WAIT_SECONDS = 2.0
"""How long a request waits for the ledger, all attempts together."""


class SQLAlchemyLedger(RelationalLedger):
    """Keep events in a database behind SQLAlchemy Core.

    PostgreSQL is what this is for: several machines write to one ledger, and an answer means that it is on disk, whatever the
    server's default for `synchronous_commit`. Behind pgbouncer any pool mode does. SQLite works, and is for
    tests of what is written for a server: a site takes `SQLiteLedger`, which groups commits and keeps processes apart. MySQL and MariaDB follow
    their manuals, and no test of this library runs against them: run `tests/ledger_contract.py` on yours first.
    """

    def __init__(self, url: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Read the address; nothing is connected to before the first use.

        Args:
            url: `postgresql+psycopg://user:password@host/database`, `sqlite+pysqlite:////path`, `mysql+pymysql://…` or
                `mariadb+pymysql://…`; options of the driver's after `?`, such as `sslmode=verify-full`.
            wait_seconds: How long any method may take before it raises `LedgerError`; migrating takes what it takes.

        Raises:
            LedgerError: If that is none of these.
            MissingExtraError: If SQLAlchemy or the driver is not installed.
        """
        # Here and not above: whoever asks the package for its names must not need SQLAlchemy to be told them.
        try:
            from consent.ledger._pooled_database import PooledDatabase  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError("SQLAlchemyLedger", package="SQLAlchemy", extra="sql") from error
        address = _read_url(url)
        backend = _load_backend(address)
        super().__init__(PooledDatabase(address, backend, wait_seconds=wait_seconds))


def _read_url(url: str) -> URL:
    from sqlalchemy import make_url  # noqa: PLC0415 - as above
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Not `from error`: SQLAlchemy quotes the address, and with it the password.
        raise LedgerError(
            "The address of the ledger is no URL of a database. Write 'postgresql+psycopg://user:password@host/database', with "
            "':', '/', '@' and '%' in user and password as %3A, %2F, %40 and %25.",
            reason="unsupported",
        ) from None
    name, _, driver = address.drivername.partition("+")
    if (driver or _DRIVERS.get(name)) != _DRIVERS.get(name, ""):
        allowed = [f"{name}+{driver}" for name, driver in _DRIVERS.items()]
        raise LedgerError(
            f"The address of the ledger begins with {address.drivername!r}, which the library does not know. Known are "
            f"{quote_all(allowed)}; begin it with one of them.",
            reason="unsupported",
        )
    # What follows the first '@' of a password would be read as the host, and shown when that cannot be reached.
    if name != "sqlite" and url.count("@") > 1:
        raise LedgerError(
            "The address of the ledger has more than one '@', so that it is not certain where the password ends. Write '@' in "
            "user, password and options as %40.",
            reason="unsupported",
        )
    if name == "sqlite" and address.database in {None, "", ":memory:"}:
        raise LedgerError(
            "The address of the ledger names no file. Write 'sqlite:////an/absolute/path.db', or 'memory:' for a test.",
            reason="unsupported",
        )
    return address.set(drivername=f"{name}+{_DRIVERS[name]}")


def _load_backend(address: URL) -> Backend:
    name = address.get_backend_name()
    if name == "sqlite":
        from consent.ledger._sqlite_backend import SQLite  # noqa: PLC0415 - only what is wanted is loaded

        return SQLite(Path(address.database or "").absolute())
    if name == "postgresql":
        try:
            from consent.ledger._postgresql import PostgreSQL  # noqa: PLC0415 - loads psycopg
        except ImportError as error:
            raise MissingExtraError("A ledger in PostgreSQL", package="psycopg", extra="sql") from error
        return PostgreSQL()
    try:
        import_module("pymysql")
    except ImportError as error:
        raise LedgerError(
            "A ledger in MySQL or MariaDB needs PyMySQL, which is not installed. Run: pip install pymysql",
            reason="unsupported",
        ) from error
    from consent.ledger._mysql import MySQL  # noqa: PLC0415 - as above

    return MySQL()
