"""How databases differ in what is written for all."""

from __future__ import annotations

import pytest

from consent.ledger._database import MYSQL, POSTGRESQL, SQLITE, Dialect
from consent.ledger._schema import MIGRATIONS


def test_mysql_refuses_what_does_not_fit_where_it_leaves_out_what_is_there():
    statement = MYSQL.write_insert("consent_events", ("event_id", "kind"))

    assert statement == (
        "INSERT INTO consent_events (event_id, kind) VALUES (:event_id, :kind) ON DUPLICATE KEY UPDATE event_id = event_id"
    )


def test_every_table_of_mysql_can_undo():
    tables = [each for migration in MIGRATIONS for each in migration(MYSQL) if each.startswith("CREATE TABLE")]

    assert tables
    assert all(each.endswith(") ENGINE=InnoDB") for each in tables)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL, MYSQL], ids=lambda each: each.name)
def test_leaf_index_below_zero_is_refused_by_every_database(dialect: Dialect):
    assert "UNIQUE CHECK (leaf_index >= 0)" in "".join(MIGRATIONS[0](dialect))
