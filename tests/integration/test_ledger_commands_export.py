"""`flask consent ledger export` and `stream`: complete, bounded, and no half of a file."""

from __future__ import annotations

import csv
import errno
import json
import os
import stat
from datetime import timedelta

import pytest

from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.wire.ledger_export import CSV_COLUMNS
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, make_events, make_seal, number_id
from tests.ledger_site import make_ledger_command, make_ledger_site

RECORD = json.dumps({"subject_id": ALICE, "evidence": "sec-fetch-site"})


class _GrowingLedger(MemoryLedger):
    """A ledger to which a sealed event is added whenever somebody has read all there is; and then it goes away."""

    def scan_sealed(self, *, after=-1, limit=1000):
        rows = super().scan_sealed(after=after, limit=limit)
        if not rows:
            number = after + 2
            if number > 4:
                raise LedgerError("The database does not answer.")
            self.append([make_event(number)])
            self.seals.add(make_seal(number, number), [number])
        return rows


class _BreakingLedger(MemoryLedger):
    """A ledger that goes away in the middle of a scan."""

    def scan(self, *, after=0, limit=1000):
        if after:
            raise LedgerError("The database does not answer.")
        return super().scan(after=after, limit=min(limit, 2))


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def run(ledger):
    return make_ledger_command(make_ledger_site(ledger))


def read_lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def ids_of(rows):
    return [row["event_id"] for row in rows]


def seal(ledger, number, tree_size, positions):
    assert ledger.seals.add(make_seal(number, tree_size), positions)


# export


def test_export_writes_a_line_of_json_for_each_event_in_order(run, ledger):
    ledger.append([make_event(1, payload=RECORD), make_event(2, subject_id=BOB)])

    rows = read_lines(run("export"))

    assert ids_of(rows) == [number_id(1), number_id(2)]
    assert rows[0]["record"] == {"subject_id": ALICE, "evidence": "sec-fetch-site"}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_export_as_json_is_one_array(run, ledger, number):
    ledger.append(make_events(range(number)))

    assert ids_of(json.loads(run("export", "--format", "json").stdout)) == [*map(number_id, range(number))]


def test_export_as_csv_has_heads_and_how_the_origin_was_proved(run, ledger):
    ledger.append([make_event(payload=RECORD)])

    head, row = csv.reader(run("export", "--format", "csv").stdout.splitlines())

    assert tuple(head) == CSV_COLUMNS
    assert row[head.index("evidence")] == "sec-fetch-site"


def test_export_of_more_than_one_batch_is_complete(run, ledger):
    ledger.append(make_events(range(2001)))

    assert len(read_lines(run("export"))) == 2001


def test_export_of_a_visitor_is_theirs_alone_the_oldest_first(run, ledger):
    ledger.append([make_event(1), make_event(2, subject_id=BOB), make_event(3, revision=2)])

    assert ids_of(read_lines(run("export", "--subject", ALICE))) == [number_id(1), number_id(3)]


def test_export_takes_a_visitor_s_id_as_it_was_pasted(run, ledger):
    ledger.append([make_event(1, subject_id=BOB)])

    assert ids_of(read_lines(run("export", "--subject", f"{BOB.upper()} "))) == [number_id(1)]


def test_export_of_a_visitor_with_very_many_events_is_complete(run, ledger):
    ledger.append([make_event(number, revision=number) for number in range(1, 1202)])

    assert len(read_lines(run("export", "--subject", ALICE))) == 1201


def test_export_of_a_visitor_who_is_unknown_fails(run):
    result = run("export", "--subject", BOB)

    assert result.exit_code == 1
    assert result.stderr == "Error: No event of that visitor is in the ledger: it never was, or it was erased.\n"


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        # What says on the 31st that 9 was erased is an event of that day.
        ((), [0, 1, 2, 9, None]),
        (("--since", "2026-08-31"), [1, 2, None]),
        (("--until", "2026-08-31"), [0, 1, None]),
        (("--since", "2026-08-31", "--until", "2026-08-31"), [1, None]),
        (("--since", "2026-09-02"), []),
    ],
)
def test_export_of_days_has_both_ends(run, ledger, options, numbers):
    ledger.append([make_event(day, recorded_at=NOW.replace(hour=0) + timedelta(days=day - 1)) for day in range(3)])
    ledger.append([make_event(9, subject_id=BOB)])
    ledger.erase(BOB, reason="request", at=NOW)

    rows = read_lines(run("export", *options))
    ids = [None if row["record"] and row["record"].get("event") == "erasure" else row["event_id"] for row in rows]
    assert ids == [None if number is None else number_id(number) for number in numbers]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "31.8.2026"), "'--since': '31.8.2026' is no day. Write it as 2026-12-31."),
        (("--until", "2026-02-30"), "'--until': '2026-02-30' is no day."),
        (("--since", "2026-09-01", "--until", "2026-08-31"), "--since: 2026-09-01 is after 2026-08-31."),
    ],
)
def test_export_refuses_days_that_are_none(run, options, words):
    result = run("export", *options)

    assert result.exit_code == 2
    assert f"Invalid value for {words}" in result.stderr


def test_export_keeps_what_is_left_of_erased_events(run, ledger):
    ledger.append([make_event(payload=RECORD)])
    ledger.erase(ALICE, reason="request", at=NOW)

    result = run("export")

    assert ALICE not in result.stdout
    erased, erasure = read_lines(result)
    assert (erased["erased_at"], erasure["erased_at"]) == ("2026-08-31T12:00:00Z", None)
    assert erasure["record"] == {
        "schema": "consent-erasure/1",
        "event": "erasure",
        "event_time": "2026-08-31T12:00:00Z",
        "reason": "request",
        "event_ids": [number_id(1)],
    }


def test_export_to_a_file_is_for_its_owner_alone(run, ledger, tmp_path):
    ledger.append([make_event()])
    path = tmp_path / "events.jsonl"
    path.write_text("of yesterday", encoding="utf-8")

    result = run("export", "--output", str(path))

    assert (result.exit_code, result.output) == (0, "")
    assert json.loads(path.read_text(encoding="utf-8"))["event_id"] == number_id(1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_export_that_breaks_off_leaves_the_file_as_it_was(tmp_path):
    ledger = _BreakingLedger()
    ledger.append(make_events(range(4)))
    path = tmp_path / "events.jsonl"
    path.write_text("of yesterday", encoding="utf-8")

    result = make_ledger_command(make_ledger_site(ledger))("export", "--output", str(path))

    assert (result.exit_code, result.stderr) == (1, "Error: The database does not answer.\n")
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]
    assert path.read_text(encoding="utf-8") == "of yesterday"


def test_export_into_a_folder_that_is_not_there_names_it(run, tmp_path):
    path = tmp_path / "nowhere" / "events.jsonl"

    result = run("export", "--output", str(path))

    assert (result.exit_code, result.stderr) == (1, f"Error: {path} cannot be written: No such file or directory.\n")


def test_export_to_what_is_no_file_leaves_it(run, ledger, tmp_path):
    ledger.append([make_event()])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    result = run("export", "--output", str(pipe))

    assert (result.exit_code, result.stderr) == (1, f"Error: {pipe} is no file. Give another --output.\n")
    assert pipe.is_fifo()


def test_export_is_on_disk_before_it_has_its_name(run, ledger, tmp_path, monkeypatch):
    ledger.append([make_event()])
    path = tmp_path / "events.jsonl"
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append((os.fstat(file).st_size > 0, path.exists())))

    run("export", "--output", str(path))

    assert synced == [(True, False), (True, True)]


def test_disk_that_is_full_is_told_with_the_name_of_the_file(run, ledger, tmp_path, monkeypatch):
    ledger.append([make_event()])
    path = tmp_path / "events.jsonl"

    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    result = run("export", "--output", str(path))

    assert (result.exit_code, result.stderr) == (1, f"Error: {path} cannot be written: No space left on device.\n")
    assert list(tmp_path.iterdir()) == []


# stream


def test_stream_prints_what_is_sealed_in_the_order_of_the_log(run, ledger):
    ledger.append(make_events(range(1, 5)))
    seal(ledger, 1, 2, [2, 3])
    seal(ledger, 2, 3, [1])

    rows = read_lines(run("stream"))

    assert [(row["cursor"], row["event_id"]) for row in rows] == [
        (0, number_id(2)),
        (1, number_id(3)),
        (2, number_id(1)),
    ]


def test_stream_goes_on_after_a_cursor_and_skips_nothing(run, ledger):
    ledger.append(make_events(range(1, 8)))
    seal(ledger, 1, 7, range(1, 8))
    taken: list[str] = []
    cursor = -1

    while rows := read_lines(run("stream", "--after", str(cursor), "--limit", "3")):
        taken += ids_of(rows)
        cursor = rows[-1]["cursor"]

    assert taken == [*map(number_id, range(1, 8))]


def test_stream_of_more_than_one_batch_is_complete(run, ledger):
    ledger.append(make_events(range(1, 1502)))
    seal(ledger, 1, 1501, range(1, 1502))

    assert [row["cursor"] for row in read_lines(run("stream"))] == [*range(1501)]


def test_stream_tells_of_an_erased_event_without_its_content(run, ledger):
    ledger.append([make_event()])
    seal(ledger, 1, 1, [1])
    ledger.erase(ALICE, reason="request", at=NOW)

    (row,) = read_lines(run("stream"))

    assert (row["cursor"], row["record"], row["erased_at"]) == (0, None, "2026-08-31T12:00:00Z")


def test_stream_tells_other_systems_what_was_erased_since(run, ledger):
    ledger.append([make_event(1), make_event(2, revision=2), make_event(3, subject_id=BOB)])
    seal(ledger, 1, 3, [1, 2, 3])
    ledger.erase(ALICE, reason="request", at=NOW)
    assert read_lines(run("stream", "--after", "2")) == []
    seal(ledger, 2, 4, [4])

    (row,) = read_lines(run("stream", "--after", "2"))

    assert (row["cursor"], row["record"]["event"]) == (3, "erasure")
    assert row["record"]["event_ids"] == [number_id(1), number_id(2)]
    assert ALICE not in json.dumps(row)


def test_table_has_a_row_for_each_erasure(run, ledger):
    ledger.append([make_event()])
    ledger.erase(ALICE, reason="request", at=NOW)

    head, *rows = csv.reader(run("export", "--format", "csv").stdout.splitlines())

    assert [row[head.index("event")] for row in rows] == ["", "erasure"]
    assert [row[head.index("event_time")] for row in rows] == ["", "2026-08-31T12:00:00Z"]
    assert [row[head.index("erased_at")] for row in rows] == ["2026-08-31T12:00:00Z", ""]


def test_stream_that_follows_waits_for_more():
    result = make_ledger_command(make_ledger_site(_GrowingLedger()))(
        "stream", "--follow", "--every", "0.01", "--limit", "3"
    )

    assert ids_of(read_lines(result)) == [number_id(1), number_id(2), number_id(3)]


def test_stream_that_follows_stops_when_the_ledger_goes_away_after_what_it_had():
    result = make_ledger_command(make_ledger_site(_GrowingLedger()))("stream", "--follow", "--every", "0.01")

    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr == "Error: The database does not answer.\n"


def test_cursor_beyond_the_ledger_is_refused(run, ledger):
    ledger.append(make_events(range(1, 3)))
    seal(ledger, 1, 2, [1, 2])

    assert read_lines(run("stream", "--after", "1")) == []
    result = run("stream", "--after", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The cursor 2 is of an event that is not there: the seals cover 2 events.")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM consent_events WHERE position = 2",
        "UPDATE consent_events SET leaf_index = 9 WHERE position = 2",
    ],
)
def test_stream_stops_where_the_log_has_a_gap(run, ledger, change):
    ledger.append(make_events(range(1, 4)))
    seal(ledger, 1, 3, [1, 2, 3])
    ledger.database.write(lambda transaction: transaction.execute(change))

    result = run("stream")

    assert result.exit_code == 1
    assert [json.loads(line)["cursor"] for line in result.stdout.splitlines()] == [0]
    assert result.stderr.startswith("Error: The event with the cursor 1 is not where it was sealed")
    assert ids_of([json.loads(line) for line in run("stream", "--after", "1").stdout.splitlines()])[:1] == [
        number_id(3)
    ]


def test_stream_does_not_look_without_a_pause(run):
    assert run("stream", "--follow", "--every", "0").exit_code == 2
