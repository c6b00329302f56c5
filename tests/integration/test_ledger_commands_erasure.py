"""`flask consent ledger erase` and `purge`: all of it and no more, asked before, and gone on with after a kill."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from consent.core.receipt import encode_receipt, sign_content
from consent.errors import LedgerError
from consent.ledger import MemoryLedger, SQLiteLedger
from consent.web.visit import get_site
from consent.wire.signature import ALGORITHM, SignedKind
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, list_visitors_ids, make_event, make_notice, number_id
from tests.ledger_site import make_ledger_command, make_ledger_site

OLD = datetime(2024, 7, 1, tzinfo=UTC)
GONE = "No event of that visitor is in the ledger: it never was, or it was erased."


class _KilledLedger(MemoryLedger):
    """A ledger whose purge is broken off after the first batch, the first time."""

    is_killed = False

    def purge(self, *, before, now, limit=1000):
        assert limit > 2
        if self.is_killed:
            self.is_killed = False
            raise LedgerError("The database does not answer.")
        erased = super().purge(before=before, now=now, limit=2)
        self.is_killed = True
        return erased


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def site(ledger):
    return make_ledger_site(ledger)


@pytest.fixture
def run(site):
    return make_ledger_command(site)


@pytest.fixture
def two_visitors(ledger):
    ledger.append([make_event(1), make_event(2, subject_id=BOB), make_event(3, revision=2, kind="withdrawal")])


@pytest.fixture
def receipt_file(site, tmp_path):
    """Return a function that writes Alice's receipt, signed by the site, as she might have changed it since."""

    def write(**changes):
        content = {"schema": "consent-receipt/1", "record": {"record_id": number_id(1), "subject_id": ALICE}}
        signature = get_site(site).engine.sign(SignedKind.RECEIPT, encode_receipt(content))
        path = tmp_path / "receipt.json"
        path.write_text(json.dumps(sign_content(content | changes, algorithm=ALGORITHM, signature=signature)), "utf-8")
        return str(path)

    return write


def left_of(ledger):
    return list_visitors_ids(ledger)


def add_old(ledger, count):
    """Add events of a visitor each, which are over and older than any retention."""
    ledger.append(
        [make_event(each, subject_id=number_id(each), recorded_at=OLD, valid_until=OLD) for each in range(count)]
    )


# erase


@pytest.mark.usefixtures("two_visitors")
def test_erase_takes_all_of_one_visitor_and_nothing_of_another(run, ledger):
    result = run("erase", ALICE, "--yes")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "event                                 recorded at           kind",
        f"{number_id(1)}  2026-08-31T12:00:00Z  choice",
        f"{number_id(3)}  2026-08-31T12:00:00Z  withdrawal",
        "Erased 2 events. Exports, backups and other systems have copies of their own: erase these events there, too.",
    ]
    assert left_of(ledger) == [number_id(2)]


def test_erase_says_that_somebody_keeps_the_content_in_the_log(tmp_path):
    path = tmp_path / "consent.db"
    ledger = SQLiteLedger(path)
    run = make_ledger_command(make_ledger_site(ledger))
    ledger.append([make_event()])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_events").fetchall()

    told = run("erase", ALICE, "--yes").stdout
    status = run("status").stdout
    reader.close()
    ledger.append([make_event(2)])
    ledger.close()  # the log is emptied after the answer
    after = run("status").stdout
    ledger.close()

    assert "SQLite's log has the erased content as well." in told
    assert "log holds erased" in status
    assert "log holds erased" not in after


@pytest.mark.usefixtures("two_visitors")
@pytest.mark.parametrize(("options", "reason"), [((), "request"), (("--reason", "order 7"), "order 7")])
def test_erase_leaves_when_and_why(run, ledger, options, reason):
    run("erase", ALICE, "--yes", *options)

    row = ledger.find(number_id(1))
    assert (row.erased_at, row.erasure_reason, row.event, row.salt) == (NOW, reason, None, None)


@pytest.mark.usefixtures("two_visitors")
@pytest.mark.parametrize("record_id", [number_id(1), f" {number_id(3)} "])
def test_erase_by_a_record_takes_the_visitor_whose_it_is(run, ledger, record_id):
    assert run("erase", "--record", record_id, "--yes").exit_code == 0

    assert left_of(ledger) == [number_id(2)]


def test_erase_takes_a_visitor_s_id_as_it_was_pasted(run, ledger):
    ledger.append([make_event(subject_id=BOB)])

    assert run("erase", f" {BOB.upper()}\t", "--yes").exit_code == 0

    assert left_of(ledger) == []


def test_case_of_a_record_does_not_matter(run, ledger):
    ledger.append([make_event(event_id=BOB)])

    assert run("erase", "--record", BOB.upper(), "--yes").exit_code == 0

    assert left_of(ledger) == []


@pytest.mark.usefixtures("two_visitors")
def test_erase_by_a_receipt_takes_the_visitor_whose_it_is(run, ledger, receipt_file):
    assert run("erase", "--receipt", receipt_file(), "--yes").exit_code == 0

    assert left_of(ledger) == [number_id(2)]


@pytest.mark.usefixtures("two_visitors")
def test_receipt_edited_to_name_another_visitor_erases_nobody(run, ledger, receipt_file):
    result = run("erase", "--receipt", receipt_file(record={"record_id": number_id(2), "subject_id": BOB}), "--yes")

    assert result.exit_code == 2
    assert "was not signed by this site, or it was changed since" in result.stderr
    assert len(left_of(ledger)) == 3


def test_file_that_is_no_receipt_is_named(run, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_bytes(b"\xff")

    result = run("erase", "--receipt", str(path), "--yes")

    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert "is no receipt" in result.stderr


@pytest.mark.usefixtures("two_visitors")
def test_erase_asks_first(run, ledger):
    refused = run("erase", ALICE, answer="n\n")

    assert refused.exit_code == 1
    assert "Erase 2 events for ever? [y/N]" in refused.stderr
    assert len(left_of(ledger)) == 3
    assert run("erase", ALICE, answer="y\n").exit_code == 0
    assert left_of(ledger) == [number_id(2)]


@pytest.mark.usefixtures("two_visitors")
def test_erase_without_anybody_to_answer_erases_nothing(run, ledger):
    assert run("erase", ALICE, answer="").exit_code == 1
    assert len(left_of(ledger)) == 3


@pytest.mark.usefixtures("two_visitors")
def test_dry_erasure_shows_what_would_go(run, ledger):
    result = run("erase", ALICE, "--dry-run")

    assert result.exit_code == 0
    assert number_id(3) in result.stdout
    assert result.stdout.endswith("Nothing was erased. Without --dry-run, 2 events would be.\n")
    assert len(left_of(ledger)) == 3


@pytest.mark.usefixtures("two_visitors")
def test_erase_of_what_is_not_there_says_so(run):
    run("erase", ALICE, "--yes")

    assert run("erase", ALICE, "--yes").stderr == f"Error: {GONE}\n"
    assert run("erase", "--record", number_id(9), "--yes").stderr == (
        f"Error: No record '{number_id(9)}' is in the ledger. It may be of another site.\n"
    )
    assert run("erase", "--record", number_id(1), "--yes").stderr.startswith(
        "Error: The record was erased on 2026-08-31 (request), and nothing tells any more whose it was."
    )


@pytest.mark.usefixtures("two_visitors")
def test_id_of_a_record_that_is_taken_for_a_visitor_s_is_told_from_it(run, ledger):
    result = run("erase", number_id(1), "--yes")

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {number_id(1)!r} is the id of a record. Its visitor is {ALICE!r}: take that one.\n"
    )
    assert len(left_of(ledger)) == 3


@pytest.mark.usefixtures("two_visitors")
def test_record_of_an_erasure_is_no_visitor_s(run, ledger):
    run("erase", ALICE, "--yes")
    erasure = ledger.scan()[-1].event_id

    assert run("erase", "--record", erasure, "--yes").stderr == (
        f"Error: The record {erasure!r} says what was erased, and is of no visitor. It stays.\n"
    )
    assert run("erase", erasure, "--yes").stderr == f"Error: {GONE}\n"
    assert ledger.find(erasure).event


@pytest.mark.parametrize("options", [(), (ALICE, "--record", number_id(1))])
def test_erase_takes_one_name_of_the_visitor(run, options):
    result = run("erase", *options, "--yes")

    assert result.exit_code == 2
    assert "Name the visitor in one way: by SUBJECT, by --record or by --receipt." in result.stderr


@pytest.mark.usefixtures("two_visitors")
@pytest.mark.parametrize("reason", ["", "x" * 201, "two\nlines", "\x1b[31m"])
def test_reason_is_one_short_line(run, ledger, reason):
    result = run("erase", ALICE, "--yes", "--reason", reason)

    assert result.exit_code == 2
    assert "The reason must be one line of up to 200 characters" in result.stderr
    assert len(left_of(ledger)) == 3


# purge


def test_purge_takes_what_is_older_than_the_retention(run, ledger):
    edge = datetime(2024, 8, 31, 12, 0, tzinfo=UTC)
    for number, moment in enumerate((edge - timedelta(seconds=1), edge)):
        ledger.append([make_event(number, subject_id=number_id(number), recorded_at=moment, valid_until=moment)])

    result = run("purge", "--yes")

    assert (result.exit_code, result.stdout) == (0, "Erased 1 event and 0 texts that none refers to any more.\n")
    assert left_of(ledger) == [number_id(1)]
    assert ledger.find(number_id(0)).erasure_reason == "retention"


@pytest.mark.parametrize(
    ("age", "numbers"),
    [
        ("1", [0]),
        ("25", [0]),
        ("26", [0, 1]),
        ("2024-07-01", [0, 1]),
        ("2024-07-02", [0]),
        ("2024-07-01T00:00:01+00:00", [0]),
    ],
)
def test_purge_takes_an_age_in_months_or_a_day(run, ledger, age, numbers):
    ledger.append([make_event(0)])
    ledger.append([make_event(1, subject_id=BOB, recorded_at=OLD, valid_until=OLD)])

    assert run("purge", "--older-than", age, "--yes").exit_code == 0

    assert left_of(ledger) == [*map(number_id, numbers)]


@pytest.mark.parametrize("age", ["0", "-3", "1.5", "601", "2024", "99999", "٣", "soon", "2026-09-01", "", "2024-13-01"])
def test_purge_refuses_an_age_that_is_none(run, ledger, age):
    add_old(ledger, 1)

    result = run("purge", "--older-than", age, "--yes")

    assert result.exit_code == 2
    assert "must be a number of months from 1 to 600, such as 36, or a day that is over" in result.stderr
    assert len(left_of(ledger)) == 1


def test_purge_leaves_the_choice_that_is_in_force(run, ledger):
    ledger.append([make_event(1, recorded_at=OLD, valid_until=NOW + timedelta(days=1))])

    run("purge", "--yes")

    assert left_of(ledger) == [number_id(1)]


def test_purge_takes_texts_that_no_event_refers_to_any_more(run, ledger):
    notice, artefacts = make_notice()
    ledger.notices.keep(notice, artefacts, at=OLD)
    ledger.append(
        [make_event(1, recorded_at=OLD, valid_until=OLD, text_sha256=notice.text_sha256, ui_sha256=notice.ui_sha256)]
    )

    result = run("purge", "--yes")

    assert result.stdout == "Erased 1 event and 3 texts that none refers to any more.\n"
    assert ledger.notices.list_hashes() == ()


def test_purge_asks_first_and_not_for_nothing(run, ledger):
    assert run("purge").exit_code == 0
    add_old(ledger, 3)

    refused = run("purge", answer="n\n")

    assert refused.exit_code == 1
    assert "Erase 3 events recorded before 2024-08-31 12:00 UTC for ever? [y/N]" in refused.stderr
    assert len(left_of(ledger)) == 3


def test_dry_purge_counts(run, ledger):
    add_old(ledger, 3)

    result = run("purge", "--dry-run")

    assert result.stdout == (
        "Nothing was erased. Without --dry-run, 3 events recorded before 2024-08-31 12:00 UTC would be.\n"
    )
    assert len(left_of(ledger)) == 3


def test_purge_that_breaks_off_goes_on_when_run_again():
    ledger = _KilledLedger()
    run = make_ledger_command(make_ledger_site(ledger))
    add_old(ledger, 5)

    codes = [run("purge", "--yes").exit_code]
    while codes[-1] and len(codes) < 9:
        codes.append(run("purge", "--yes").exit_code)

    assert codes == [1, 1, 1, 0]
    assert left_of(ledger) == []


def test_purge_in_many_batches_takes_all(run, ledger):
    add_old(ledger, 2500)

    assert run("purge", "--yes").stdout.startswith("Erased 2,500 events ")
    assert left_of(ledger) == []


def test_every_seal_holds_after_erasing_and_purging(run, ledger):
    add_old(ledger, 3)
    ledger.append([make_event(8), make_event(9, subject_id=BOB, text_sha256=None)])
    assert run("seal").exit_code == 0

    assert run("erase", ALICE, "--yes").exit_code == 0
    assert run("purge", "--yes").exit_code == 0

    verified = run("verify")
    assert verified.exit_code == 0, verified.output
    assert left_of(ledger) == [number_id(9)]
