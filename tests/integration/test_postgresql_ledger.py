"""The ledger in PostgreSQL: the contract, durability, migrating, and what a server can refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from traceback import format_exception

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.exc import DBAPIError

from consent.errors import LedgerError
from consent.ledger._events import append, make_salts
from consent.ledger._postgresql import PostgreSQL
from consent.ledger._schema import MIGRATIONS, migrate
from consent.ledger.sealing import seal
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.conftest import NOW
from tests.ledger_contract import LedgerContract
from tests.ledger_events import make_event, make_events, number_id, run_at_once


@pytest.fixture
def schema(postgres):
    return postgres.create_schema()


@pytest.fixture
def url(postgres, schema):
    return postgres.url(schema)


@pytest.fixture
def make_ledger(url):
    """Return a function that makes a ledger in the test's schema, or elsewhere; it need not be reachable."""
    made = []

    def make(address=url, **options):
        made.append(SQLAlchemyLedger(address, **options))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(make_ledger):
    ledger = make_ledger()
    ledger.prepare()
    return ledger


@pytest.fixture(scope="module")
def common_ledger(postgres):
    """One for many tests: to make the tables takes longer than most of them."""
    ledger = SQLAlchemyLedger(postgres.url(postgres.create_schema()))
    ledger.prepare()
    yield ledger
    ledger.close()


class TestPostgreSQL(LedgerContract):
    """A private server."""

    @pytest.fixture
    def ledger(self, common_ledger):
        tables = "consent_events, consent_seals, consent_notices, consent_artefacts, consent_tallies"
        common_ledger.database.write(lambda transaction: transaction.execute(f"TRUNCATE {tables} RESTART IDENTITY"))
        return common_ledger


# Durability -----------------------------------------------------------------------------------------------------------


def test_commit_waits_for_the_disk_whatever_the_default(postgres, make_ledger):
    ledger = make_ledger(postgres.url(synchronous_commit="off"))

    assert ledger.database.write(lambda transaction: transaction.fetch("SHOW synchronous_commit")) == [("on",)]


def test_commit_that_no_standby_has_is_not_acknowledged(postgres, ledger, make_ledger):
    # The server's own timeout would end this wait with a warning, and a commit that looks like any other.
    hasty = make_ledger(wait_seconds=1.0)
    no_answer = pytest.raises(LedgerError, match=r"no answer within 1 seconds")
    with postgres.settings(synchronous_standby_names="nobody"), no_answer:
        hasty.append([make_event()])

    assert ledger.append([make_event(2)]).stored == {number_id(2)}


def test_server_that_does_not_sync_is_refused(postgres, make_ledger):
    ledger = make_ledger()
    with postgres.settings(fsync="off"), pytest.raises(LedgerError, match="fsync = off") as caught:
        ledger.prepare()

    assert caught.value.reason == "unsupported"


def test_torn_pages_are_warned_of(postgres, make_ledger, caplog):
    ledger = make_ledger()
    with postgres.settings(full_page_writes="off"):
        ledger.prepare()

    assert "full_page_writes = off" in caplog.text


def test_database_without_every_language_is_refused(postgres, make_ledger):
    postgres.execute(sql.SQL("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0"))

    with pytest.raises(LedgerError, match="has the encoding 'LATIN1'"):
        make_ledger(postgres.url().replace("/postgres?", "/latin?")).prepare()


# Poolers --------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_on_a_connection_for_the_next_client_of_a_pooler(ledger):
    for number in range(12):  # psycopg prepares a statement at its sixth use
        ledger.append(make_events([number, number + 100]))
        ledger.find(number_id(number))

    with ledger.database._open().engine.connect() as connection:
        left = connection.exec_driver_sql(
            "SELECT name FROM pg_prepared_statements UNION ALL "
            "SELECT locktype FROM pg_locks WHERE locktype = 'advisory' UNION ALL "
            "SELECT name FROM pg_settings WHERE source = 'session'"
        ).all()

    assert left == []


# Several at once ------------------------------------------------------------------------------------------------------


def test_same_event_on_two_machines_is_kept_once(ledger, make_ledger):
    machines = [ledger, make_ledger()]

    results = run_at_once(32, lambda number: machines[number % 2].append([make_event()]))

    assert sum(len(result.stored) for result in results) == 1
    assert sum(len(result.known) for result in results) == 31
    assert len(ledger.scan()) == 1


def test_transaction_that_lost_to_another_is_tried_again(postgres, schema, ledger):
    # As a deadlock ends, but at once: the server breaks the first transaction off. A sequence counts on all the same.
    postgres.execute(
        sql.SQL("CREATE SEQUENCE attempts"),
        sql.SQL(
            "CREATE FUNCTION lose_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF nextval('attempts') = 1 THEN RAISE SQLSTATE '40P01'; END IF; RETURN NEW; END $$"
        ),
        sql.SQL("CREATE TRIGGER lose BEFORE INSERT ON consent_events FOR EACH ROW EXECUTE FUNCTION lose_once()"),
        schema=schema,
    )

    assert ledger.append([make_event()]).stored == {number_id(1)}


def test_slow_transaction_is_sealed_later_and_once(ledger, make_ledger):
    has_its_position, may_end = Event(), Event()

    def dawdle(transaction):
        append(transaction, [make_event(1)], make_salts([make_event(1)]))
        has_its_position.set()
        may_end.wait()

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(make_ledger(wait_seconds=60.0).database.write, dawdle)
        has_its_position.wait()
        ledger.append([make_event(2)])
        first = seal(ledger, sign=bytes.hex, is_signed=None, now=NOW)
        may_end.set()
        slow.result()
    second = seal(ledger, sign=bytes.hex, is_signed=None, now=NOW)
    rows = ledger.scan_sealed()

    assert (first, second) == (1, 1)
    assert [row.event_id for row in rows] == [number_id(2), number_id(1)]
    assert rows[0].position > rows[1].position
    assert ledger.seals.unsealed(limit=10) == ()


def test_locked_table_is_busy_and_nothing_is_kept(postgres, schema, ledger, make_ledger):
    hasty = make_ledger(wait_seconds=0.2)
    with postgres.connect(schema) as other, other.transaction():
        other.execute("LOCK TABLE consent_events")
        with pytest.raises(LedgerError, match="LockNotAvailable") as caught:
            hasty.append([make_event()])

    assert caught.value.reason == "busy"
    assert ledger.scan() == ()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_connections_do_not_cross_a_fork(ledger):
    run_at_once(4, lambda number: ledger.append(make_events([number])))
    pid = os.fork()
    if not pid:
        try:
            ledger.append([make_event(8)])
            ledger.close()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    assert ledger.append([make_event(9)]).stored == {number_id(9)}
    assert ledger.find(number_id(8)) is not None


# Migrating ------------------------------------------------------------------------------------------------------------


def test_processes_that_migrate_at_once_make_one_schema(url, make_ledger):
    code = f"from consent.ledger.sqlalchemy import SQLAlchemyLedger; SQLAlchemyLedger({url!r}).prepare()"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]

    assert [process.wait() for process in processes] == [0, 0, 0]
    assert make_ledger().append([make_event()]).stored == {number_id(1)}


def test_migration_killed_half_way_is_taken_anew(url, make_ledger):
    code = f"""
import sys
from consent.ledger._schema import MIGRATIONS, migrate
from consent.ledger.sqlalchemy import SQLAlchemyLedger
def widen(dialect):
    yield "CREATE TABLE consent_half (a INTEGER)"
    print("half", flush=True)
    sys.stdin.read()
migrate(SQLAlchemyLedger({url!r}).database, [*MIGRATIONS, widen])
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    ledger = make_ledger()

    assert migrate(ledger.database, [*MIGRATIONS, lambda _: ["CREATE TABLE consent_half (a INTEGER)"]]) == (1, 2)


def test_second_migration_changes_nothing(ledger):
    assert ledger.upgrade() == (1, 1)


def test_newer_schema_is_refused(ledger):
    ledger.database.write(
        lambda transaction: transaction.execute(
            "INSERT INTO consent_schema (version) VALUES (:version)", {"version": 99}
        )
    )

    with pytest.raises(LedgerError, match="schema version 99") as caught:
        ledger.prepare()

    assert caught.value.reason == "newer"
    assert not ledger.health().is_writable


# Refused --------------------------------------------------------------------------------------------------------------


def test_database_away_at_the_start_is_there_later(postgres, url, make_ledger):
    ledger = make_ledger()
    postgres.stop()
    try:
        with pytest.raises(LedgerError, match="cannot be reached: connection failed") as caught:
            ledger.prepare()
        health = ledger.health()
    finally:
        postgres.start()
    ledger.prepare()

    assert caught.value.reason == "unavailable"
    assert not health.is_writable
    assert "cannot be reached" in health.problem
    assert ledger.append([make_event()]).stored == {number_id(1)}


def test_server_that_restarted_meanwhile_is_not_noticed(postgres, ledger):
    run_at_once(8, lambda number: ledger.append(make_events([number])))
    postgres.stop()
    postgres.start()

    assert ledger.append([make_event(9)]).stored == {number_id(9)}


def test_wrong_password_is_not_printed(postgres, schema, make_ledger):
    ledger = make_ledger(postgres.url(schema, password="wr0ng") + "&sslpassword=wr0ng")

    with pytest.raises(LedgerError, match="password authentication failed") as caught:
        ledger.prepare()

    assert "wr0ng" not in f"{format_exception(caught.value)} {ledger.health()}"


def test_error_names_no_visitor(ledger):
    ledger.append([make_event()])

    with pytest.raises(LedgerError, match="UniqueViolation") as caught:
        ledger.database.write(
            lambda transaction: transaction.execute(
                "INSERT INTO consent_events (event_id, digest, erasure_reason) VALUES (:id, '', '')",
                {"id": number_id(1)},
            )
        )

    assert number_id(1) not in "".join(format_exception(caught.value))


def test_read_only_server_is_named(postgres, schema, ledger, make_ledger):
    standby = make_ledger(postgres.url(schema, default_transaction_read_only="on"))

    with pytest.raises(LedgerError, match="ReadOnlySqlTransaction") as caught:
        standby.append([make_event()])

    assert caught.value.reason == "read_only"
    assert standby.find(number_id(1)) is None
    assert "is read-only" in standby.health().problem


def test_user_without_rights_is_told_what_to_grant(postgres, schema, ledger, make_ledger):
    postgres.execute(
        sql.SQL("CREATE ROLE guest LOGIN PASSWORD 's3cret'"),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO guest").format(sql.Identifier(schema)),
    )
    guest = make_ledger(postgres.url(schema).replace("ledger:", "guest:"))

    with pytest.raises(LedgerError, match="GRANT it"):
        guest.append([make_event()])


def test_empty_database_asks_for_its_tables(make_ledger):
    with pytest.raises(LedgerError, match="flask consent ledger upgrade") as caught:
        make_ledger().append([make_event()])

    assert caught.value.reason == "outdated"


@pytest.mark.parametrize(
    ("state", "reason"),
    [("53100", "full"), ("53300", "busy"), ("XX001", "corrupt"), ("57P03", "unavailable"), ("22001", "unsupported")],
)
def test_errors_of_the_server_have_reasons(state, reason):
    error = DBAPIError(None, None, psycopg.errors.lookup(state)("words"))

    assert PostgreSQL().judge(error).reason == reason
