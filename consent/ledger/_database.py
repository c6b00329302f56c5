"""What the ledger asks of a database: to read, and to write a piece of work as one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

Result = TypeVar("Result")

# What a column can hold: times are whole seconds since 1970, hashes and salts are bytes.
Value = str | int | bytes | None
Row = tuple[Value, ...]


class Transaction(Protocol):
    """Run statements with `:name` parameters inside one transaction."""

    @property
    def dialect(self) -> Dialect:
        """How this database spells what SQL leaves open."""

    def fetch(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Return the rows of a query."""

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement; return how many rows it changed."""

    def execute_many(self, statement: str, rows: Sequence[Mapping[str, Value]]) -> int:
        """Run a statement once for each row of values; return how many rows it changed, or fewer where that is not known."""


class Database(Protocol):
    """Read and write one database. Every failure is a `LedgerError`, and every wait is bounded."""

    def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run work that changes nothing, on one snapshot where the database has them."""

    def write(
        self, work: Callable[[Transaction], Result], *, is_repeatable: bool = True, is_erasing: bool = False
    ) -> Result:
        """Run work as one transaction; what it changed is durable when this returns.

        Args:
            is_repeatable: Whether it may run again after a failure that leaves open whether it was committed.
            is_erasing: Whether what it deletes must be gone from files and logs too, as far as a client can see to that.
        """

    def migrating(self) -> AbstractContextManager[None]:
        """Keep other processes from migrating meanwhile."""

    def describe(self) -> Mapping[str, object]:
        """Return facts for the operator, such as the server's version; opens a connection."""

    def close(self) -> None:
        """Let go of every connection and thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Spell what differs between databases."""

    name: str
    key_type: str
    """Type of an integer key that counts up by itself."""

    bytes_type: str
    short_text_type: str
    """Type of a text of up to 255 characters that can be part of a key."""

    long_text_type: str
    insert_new: str = "INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"
    """Insert what breaks no unique key; leave out the rest."""

    insert_adding: str = "INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {sum} = {table}.{sum} + excluded.{sum}"
    """Insert, or add to the column `sum` of the row of the same key."""

    number_type: str = "BIGINT"
    """Type of the column `name` for integers; SQLite's takes anything by itself."""

    table_options: str = ""

    lock_rows: str = " FOR UPDATE"
    """Ends a query whose rows nobody else is to change before the transaction ends."""

    def write_insert(self, table: str, columns: Sequence[str]) -> str:
        """Return the statement that inserts what is new."""
        return self.insert_new.format(
            table=table, columns=", ".join(columns), values=_join_names(columns), key=columns[0]
        )

    def write_number(self, name: str) -> str:
        """Return the column of a number as a table has it."""
        return f"{name} {self.number_type.format(name=name)}"

    def write_adding(self, table: str, columns: Sequence[str], *, key: str, total: str) -> str:
        """Return the statement that inserts a row, or adds its `total` to that of the row of the same key."""
        return self.insert_adding.format(
            table=table, columns=", ".join(columns), values=_join_names(columns), key=key, sum=total
        )


SQLITE = Dialect(
    name="sqlite",
    # AUTOINCREMENT: without it, the position of a deleted last row would be given again.
    key_type="INTEGER PRIMARY KEY AUTOINCREMENT",
    bytes_type="BLOB",
    short_text_type="TEXT",
    long_text_type="TEXT",
    # A transaction that writes is the only one from its beginning on.
    lock_rows="",
    number_type="BIGINT CHECK (typeof({name}) IN ('integer', 'null'))",
)
POSTGRESQL = Dialect(
    name="postgresql",
    key_type="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    bytes_type="BYTEA",
    short_text_type="VARCHAR(255)",
    long_text_type="TEXT",
)
MYSQL = Dialect(
    name="mysql",
    key_type="BIGINT AUTO_INCREMENT PRIMARY KEY",
    bytes_type="VARBINARY(64)",
    short_text_type="VARCHAR(255)",
    long_text_type="LONGTEXT",
    # Not IGNORE, which would keep a value that does not fit cut to size. An update that changes nothing counts for no row.
    insert_new="INSERT INTO {table} ({columns}) VALUES ({values}) ON DUPLICATE KEY UPDATE {key} = {key}",
    insert_adding="INSERT INTO {table} ({columns}) VALUES ({values}) ON DUPLICATE KEY UPDATE {sum} = {sum} + VALUES({sum})",
    # What a transaction failed to write has to be undone, which is more than MyISAM does.
    table_options=" ENGINE=InnoDB",
)


def write_list(name: str, items: Sequence[Value]) -> tuple[str, dict[str, Value]]:
    """Return `:name0, :name1` for an `IN (…)`, and the values by those names."""
    values = {f"{name}{at}": item for at, item in enumerate(items)}
    return _join_names(list(values)), values


def split_batches(items: Sequence[Result], size: int) -> Iterator[Sequence[Result]]:
    """Return items in pieces of at most `size`: databases bound the number of parameters (SQLite before 3.32: 999)."""
    return (items[at : at + size] for at in range(0, len(items), size))


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(f":{name}" for name in names)
