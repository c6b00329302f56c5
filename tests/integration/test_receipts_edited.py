"""`GET /receipt` of records that somebody has edited in the storage: the visitor gets one all the same."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce

import pytest

from consent.ledger import MemoryLedger

RECEIPT = "/privacy-choices/receipt"
GONE = object()


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def app(make_app, ledger):
    return make_app(ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36, CONSENT_LEDGER_KEEPS=["network"])


@pytest.fixture
def download(client):
    return lambda: json.loads(client.get(RECEIPT, query_string={"format": "json"}).text)


@pytest.mark.parametrize(
    "edited",
    [
        "",
        "7",
        "{}",
        '{"event": "choice"}',
        "[" * 100_000,
        "NaN",
        '{"schema": "consent-record/1", "decisions": {"a": 7}}',
    ],
    ids=["empty", "number", "nothing", "little", "deep", "nan", "other"],
)
def test_a_record_that_somebody_has_edited_is_left_out_and_logged(client, choose, download, ledger, caplog, edited):
    choose(client, "accept_all")
    choose(client, "reject_all")
    ledger.database.write(
        lambda transaction: transaction.execute(
            "UPDATE consent_events SET payload = :edited WHERE revision = 1", {"edited": edited}
        )
    )

    assert client.get(RECEIPT).status_code == 200
    assert download()["history"] == []
    assert "somebody has changed it" in caplog.text


@pytest.mark.parametrize(
    "change",
    [{"event": "party"}, {"event_time": "noon"}, {"notice": None}, {"decisions": {"analytics": {"state": "maybe"}}}],
    ids=["event", "time", "notice", "state"],
)
def test_a_record_with_a_member_edited_is_left_out(client, choose, download, ledger, change):
    choose(client, "accept_all")
    payload = json.dumps(download()["record"] | change)
    ledger.database.write(
        lambda transaction: transaction.execute("UPDATE consent_events SET payload = :payload", {"payload": payload})
    )

    assert client.get(RECEIPT).status_code == 200
    assert download()["copied_from"] == "cookie"


def list_paths(value, path=()):
    """Yield the way to each member of plain JSON values, however deep it is."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from list_paths(member, (*path, key))


def replace_member(record, path, value):
    """Return a record with another value at a path, or without it if the value is `GONE`."""
    copy = json.loads(json.dumps(record))
    inner = reduce(lambda member, key: member[key], path[:-1], copy)
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(copy)


@pytest.mark.parametrize(
    "value", [GONE, None, 1, "x", [[1]], {"a": {"b": []}}], ids=["gone", "null", "number", "text", "list", "object"]
)
def test_no_edit_of_a_record_costs_the_receipt(client, choose, ledger, value):
    choose(client, "accept_all")
    choose(client, "save", "analytics")
    rows = ledger.scan()
    records = [json.loads(row.event.payload) for row in rows]
    failed = []
    for path in list_paths(records[-1]):
        edited = [replace_member(record, path, value) for record in records]
        events = tuple(replace(row.event, payload=each) for row, each in zip(rows, edited, strict=True))
        ledger.history = lambda *_, events=events, **__: events[::-1]
        answers = [
            client.get(RECEIPT, query_string=query).status_code for query in ({}, {"format": "json"}, {"format": "dpv"})
        ]
        failed += [] if answers == [200, 200, 200] else [(path, answers)]

    assert failed == []
