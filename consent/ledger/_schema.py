"""The tables, as numbered steps that only go forward, and the row that says which steps were taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from consent.errors import LedgerError
from consent.ledger._database import Database, Dialect, Transaction

Migration = Callable[[Dialect], Sequence[str]]


def _create_tables(dialect: Dialect) -> Sequence[str]:
    return (*_create_events(dialect), *_create_seals(dialect), *_create_notices(dialect), *_create_tallies(dialect))


def _create_events(dialect: Dialect) -> Sequence[str]:
    short, long, data, number = (
        dialect.short_text_type,
        dialect.long_text_type,
        dialect.bytes_type,
        dialect.write_number,
    )
    return (
        f"""CREATE TABLE consent_events (
            position {dialect.key_type},
            event_id {short} NOT NULL UNIQUE,
            subject_id {short},
            {number("revision")},
            kind {short},
            {number("recorded_at")},
            {number("valid_until")},
            text_sha256 {short},
            ui_sha256 {short},
            payload {long},
            salt {data},
            digest {data} NOT NULL,
            {number("leaf_index")} UNIQUE CHECK (leaf_index >= 0),
            {number("erased_at")},
            erasure_reason {short} NOT NULL
        ){dialect.table_options}""",
        "CREATE INDEX consent_events_by_subject ON consent_events (subject_id, revision)",
        "CREATE INDEX consent_events_by_time ON consent_events (recorded_at)",
        # Whether anything refers to a notice or an artefact: without these, each one costs a walk through all events.
        "CREATE INDEX consent_events_by_text ON consent_events (text_sha256, ui_sha256)",
        "CREATE INDEX consent_events_by_ui ON consent_events (ui_sha256)",
    )


def _create_seals(dialect: Dialect) -> Sequence[str]:
    data, number = dialect.bytes_type, dialect.write_number
    return (
        f"""CREATE TABLE consent_seals (
            {number("number")} PRIMARY KEY,
            {number("tree_size")} NOT NULL,
            root {data} NOT NULL,
            previous_hash {data} NOT NULL,
            {number("sealed_at")} NOT NULL,
            seal_hash {data} NOT NULL,
            signature {dialect.short_text_type} NOT NULL,
            frontier {dialect.long_text_type} NOT NULL
        ){dialect.table_options}""",
    )


def _create_notices(dialect: Dialect) -> Sequence[str]:
    short, number = dialect.short_text_type, dialect.write_number
    return (
        f"""CREATE TABLE consent_artefacts (
            sha256 {short} PRIMARY KEY,
            media_type {short} NOT NULL,
            body {dialect.long_text_type} NOT NULL
        ){dialect.table_options}""",
        f"""CREATE TABLE consent_notices (
            notice_id {short} PRIMARY KEY,
            policy_version {short} NOT NULL,
            language {short} NOT NULL,
            profile {short} NOT NULL,
            {number("layer")} NOT NULL,
            prompt_kind {short} NOT NULL,
            text_sha256 {short} NOT NULL,
            ui_sha256 {short},
            configuration_sha256 {short} NOT NULL,
            {number("kept_at")} NOT NULL
        ){dialect.table_options}""",
    )


def _create_tallies(dialect: Dialect) -> Sequence[str]:
    short = dialect.short_text_type
    return (
        f"""CREATE TABLE consent_tallies (
            tally_id {short} PRIMARY KEY,
            day {short} NOT NULL,
            counted {short} NOT NULL,
            source {short} NOT NULL,
            jurisdiction {short} NOT NULL,
            language {short} NOT NULL,
            policy_version {short} NOT NULL,
            browser_signal {short} NOT NULL,
            {dialect.write_number("number")} NOT NULL
        ){dialect.table_options}""",
        "CREATE INDEX consent_tallies_by_day ON consent_tallies (day)",
    )


MIGRATIONS: tuple[Migration, ...] = (_create_tables,)
"""Each step, from an empty database on. A step that was released is never changed: a new one is added behind it."""


def read_version(database: Database) -> int:
    """Return how many steps were taken; 0 for an empty database."""
    return database.read(_read_version)


def migrate(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> tuple[int, int]:
    """Take the steps that are missing, each in a transaction of its own; return the version before and after.

    Safe to run twice, by two processes at once, and again after being killed: a step and the number that says so are
    committed together.

    Raises:
        LedgerError: If the database is newer than this version of the library.
    """
    with database.migrating():
        before = read_version(database)
        check_version(before, len(migrations), is_exact=False)
        for number, migration in enumerate(migrations[before:], start=before + 1):
            database.write(lambda transaction, n=number, m=migration: _take(transaction, n, m))  # type: ignore[misc]  # defaults bind the loop's values
        return before, len(migrations)


def check_version(found: int, known: int = len(MIGRATIONS), *, is_exact: bool = True) -> None:
    """Refuse a database that this version of the library cannot work with.

    Raises:
        LedgerError: If it is newer, or, with `is_exact`, older.
    """
    if found > known:
        raise LedgerError(
            f"The ledger has schema version {found}, and this version of flask-cookie-consent knows {known}. A newer release "
            "has written it; install that release again.",
            reason="newer",
        )
    if is_exact and found < known:
        raise LedgerError(
            f"The ledger has schema version {found}, and this version of flask-cookie-consent needs {known}. Run: "
            "flask consent ledger upgrade",
            reason="outdated",
        )


def _read_version(transaction: Transaction) -> int:
    if not has_table(transaction, "consent_schema"):
        return 0
    rows = transaction.fetch("SELECT max(version) FROM consent_schema")
    return int(rows[0][0] or 0)


def has_table(transaction: Transaction, name: str) -> bool:
    """Whether a table is there. Asked of the catalogue: in PostgreSQL a statement that fails spoils the transaction."""
    return bool(transaction.fetch(_FIND_TABLE[transaction.dialect.name], {"name": name}))


_FIND_TABLE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name",
    "postgresql": "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = :name",
    "mysql": "SELECT 1 FROM information_schema.tables WHERE table_schema = database() AND table_name = :name",
}


def _take(transaction: Transaction, number: int, migration: Migration) -> None:
    if not has_table(transaction, "consent_schema"):
        transaction.execute(
            f"CREATE TABLE consent_schema (version INTEGER PRIMARY KEY){transaction.dialect.table_options}"
        )
    if transaction.fetch("SELECT 1 FROM consent_schema WHERE version = :number", {"number": number}):
        return
    for statement in migration(transaction.dialect):
        transaction.execute(statement)
    transaction.execute("INSERT INTO consent_schema (version) VALUES (:number)", {"number": number})
