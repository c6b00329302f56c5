"""Rows of a ledger as JSON and CSV: complete, valid, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.ledger import ConsentEvent, StoredEvent
from consent.wire.ledger_export import CSV_COLUMNS, describe_row, format_line, write_csv

AT = datetime(2026, 8, 31, 12, 0, tzinfo=UTC)
RECORD = {
    "schema": "consent-record/1",
    "subject_id": "b0000000-0000-4000-8000-000000000001",
    "revision": 2,
    "event_time": "2026-08-31T12:00:00Z",
    "event": "choice",
    "evidence": "origin",
    "language": "fr",
    "notice": {"version": "4f0c", "layer": 1, "ui_sha256": None},
    "signals": {"gpc": True, "dnt": False},
    "client": {"network": "203.0.113.0/24", "browser": "Firefox 153"},
    "decisions": {"analytics": {"state": "granted"}, "ads": {"state": "refused"}, "film": {"state": "refused"}},
}
EVENT = ConsentEvent(
    event_id="a0000000-0000-4000-8000-000000000001",
    subject_id="b0000000-0000-4000-8000-000000000001",
    revision=2,
    kind="choice",
    recorded_at=AT,
    valid_until=AT,
    text_sha256=None,
    ui_sha256=None,
    payload=json.dumps(RECORD),
)
ROW = StoredEvent(position=7, event_id=EVENT.event_id, digest=b"\x01" * 32, event=EVENT, salt=b"s" * 32, leaf_index=4)
ERASED = replace(ROW, event=None, salt=None, erased_at=AT, erasure_reason="retention")
FORMULAE = [
    '=HYPERLINK("http://e.example")',
    "+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "a;=1",
    'a",=1',
    "a\t=1",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def with_payload(payload):
    return replace(ROW, event=replace(EVENT, payload=payload))


def with_members(**members):
    return with_payload(json.dumps(RECORD | members))


def csv_of(row):
    _, line = write_csv([row])
    return line


def cells_of(row, delimiter=","):
    return next(csv.reader([csv_of(row)], delimiter=delimiter))


def test_row_in_json_has_places_and_the_whole_record():
    assert json.loads(format_line(describe_row(ROW))) == {
        "position": 7,
        "event_id": "a0000000-0000-4000-8000-000000000001",
        "leaf_index": 4,
        "digest": "01" * 32,
        "erased_at": None,
        "erasure_reason": "",
        "record": RECORD,
    }


def test_erased_row_in_json_says_when_and_why():
    described = describe_row(ERASED)

    assert (described["erased_at"], described["erasure_reason"]) == ("2026-08-31T12:00:00Z", "retention")
    assert (described["record"], described["digest"]) == (None, "01" * 32)


@pytest.mark.parametrize("row", [ROW, with_payload("no JSON")])
def test_salt_stays_in_the_ledger(row):
    assert b"s".hex() * 32 not in format_line(describe_row(row))
    assert "s" * 32 not in format_line(describe_row(row))


@pytest.mark.parametrize(
    "payload",
    ['{"a":NaN}', '{"a":-Infinity}', '{"a":1e999}', "[1]", '"text"', "", "{", "[" * 100_000, "\x00", '{"a":"\ud800"'],
)
def test_payload_that_is_no_record_is_told_and_the_line_stays_json(payload):
    described = json.loads(format_line(describe_row(with_payload(payload))))

    assert described["record"] is None
    assert described["problem"] == "The stored payload is no JSON object. Run: flask consent ledger verify"


def test_lone_surrogate_becomes_the_sign_for_what_cannot_be_read():
    line = format_line(describe_row(with_payload('{"language":"\\ud800x"}')))

    assert json.loads(line.encode("utf-8"))["record"] == {"language": "\ufffdx"}


@given(st.dictionaries(st.text(), json_values))
def test_record_in_json_reads_back_as_it_was(record):
    line = format_line(describe_row(with_payload(json.dumps(record))))

    assert len(line.splitlines()) == 1
    assert json.loads(line.encode("utf-8"))["record"] == record


def test_row_in_csv_has_a_cell_under_each_column():
    found = dict(zip(*csv.reader(write_csv([ROW])), strict=True))

    assert tuple(found) == CSV_COLUMNS
    assert {name: cell for name, cell in found.items() if cell} == {
        "position": "7",
        "event_id": "a0000000-0000-4000-8000-000000000001",
        "leaf_index": "4",
        "digest": "01" * 32,
        "event_time": "2026-08-31T12:00:00Z",
        "subject_id": "b0000000-0000-4000-8000-000000000001",
        "revision": "2",
        "event": "choice",
        "evidence": "origin",
        "language": "fr",
        "policy_version": "4f0c",
        "layer": "1",
        "gpc": "true",
        "dnt": "false",
        "network": "203.0.113.0/24",
        "browser": "Firefox 153",
        "granted": "analytics",
        "refused": "ads film",
    }


@pytest.mark.parametrize(
    "row", [ERASED, with_payload("no JSON"), with_payload("{}"), with_members(notice=1, decisions=[])]
)
def test_row_without_a_readable_record_keeps_its_columns(row):
    cells = cells_of(row)

    assert len(cells) == len(CSV_COLUMNS)
    assert cells[0] == "7"


@pytest.mark.parametrize("formula", FORMULAE)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_formula_in_any_cell_is_inert_in_any_country(formula, delimiter):
    row = replace(
        with_members(language=formula, decisions={formula: {"state": "granted"}}),
        event_id=formula,
        erasure_reason=formula,
    )

    assert [cell for cell in cells_of(row, delimiter) if cell.strip().startswith(tuple("=+-@＝＋－＠"))] == []


@given(
    st.one_of(st.text(), st.lists(st.sampled_from([*FORMULAE, *",;\"'|\t\r\n\x00 =a"])).map("".join)),
    st.sampled_from(",;\t|"),
)
def test_text_in_csv_stays_one_line_of_inert_cells(text, delimiter):
    row = replace(with_members(language=text, client={"browser": text}), erasure_reason=text)

    assert len(csv_of(row).splitlines()) == 1
    assert [cell for cell in cells_of(row, delimiter) if cell.strip()[:1] in set("=+-@＝＋－＠")] == []
    assert len(cells_of(row)) == len(CSV_COLUMNS)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="=+-@＝＋－＠")))
def test_harmless_text_in_csv_reads_back_as_it_was(text):
    assert cells_of(with_members(language=text))[CSV_COLUMNS.index("language")] == text
