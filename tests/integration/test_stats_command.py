"""`flask consent stats`: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import json
import re
from datetime import date

import pytest

from consent.cli import group
from consent.core.tally import Counted, TallyKey
from consent.web.visit import get_site
from tests.counted_visits import LAST_DAY, count_visits, make_counted_site
from tests.faulty_ledger import FaultyLedger


def make_key(counted, day=LAST_DAY, **members):
    return TallyKey(day=day, counted=counted, **members)


TALLIES = {
    make_key(Counted.PROMPT, jurisdiction="FR", language="fr", policy_version="e41f9a0b6c2d8375"): 1200,
    make_key(Counted.ANSWERED, jurisdiction="FR", source="banner"): 600,
    make_key(Counted.ACCEPTED, jurisdiction="FR", source="banner"): 200,
    make_key(Counted.REFUSED, jurisdiction="FR", source="banner"): 300,
    make_key(Counted.PARTIAL, jurisdiction="FR", source="preferences"): 100,
    make_key(Counted.WITHDRAWN, jurisdiction="FR", source="preferences"): 4,
    make_key(Counted.OPTED_OUT, jurisdiction="US-CA", source="banner"): 25,
    make_key(Counted.OPTED_OUT, jurisdiction="US-CA", source="preferences"): 5,
    make_key(Counted.OPTED_OUT, date(2025, 3, 1), jurisdiction="US-CA", source="banner"): 11,
    make_key(Counted.SIGNAL, jurisdiction="US-CA", signal="gpc"): 70,
}


@pytest.fixture
def app():
    return make_counted_site(TALLIES)


@pytest.fixture
def ledger(app):
    return get_site(app).ledger


@pytest.fixture
def run(app):
    """Return a function that runs the command and gives what it prints."""

    def invoke(*options, code=0):
        result = app.test_cli_runner().invoke(group, ["stats", *options])
        assert result.exit_code == code, result.output
        return result.output

    return invoke


@pytest.fixture
def read_rows(run):
    """Return a function that gives the rows of the table, each cell with single spaces."""

    def read(*options):
        table = run(*options).split("\n\n")[1]
        return [re.split(" {2,}", re.sub(r" {1,4}(\d+%)", r" \1", line.strip())) for line in table.splitlines()]

    return read


@pytest.mark.parametrize(("column", "value"), [("counted", "laughed"), ("day", "2026-11-2x")])
def test_what_a_newer_version_has_counted_is_left_out(ledger, run, column, value):
    known = run()
    ledger.tallies.add({make_key(Counted.PROMPT, language="tlh"): 7})
    assert run() != known

    ledger.database.write(
        lambda transaction: transaction.execute(
            f"UPDATE consent_tallies SET {column} = :value WHERE language = 'tlh'", {"value": value}
        )
    )

    assert run() == known


def test_total_of_thirty_days_in_one_line(run, read_rows):
    assert run().startswith("2026-10-25 to 2026-11-23, 30 days\n\n")
    head, total = read_rows()

    assert dict(zip(head, total, strict=True)) == {
        "prompts": "1,200",
        "answered": "600 50%",
        "accepted": "200 33%",
        "partial": "100 17%",
        "refused": "300 50%",
        "withdrawn": "4",
        "opted out": "30",
        "noted": "-",
        "signals": "70",
        "unrecorded": "-",
    }


def test_every_column_is_explained(run, read_rows):
    explained = run().split("\n\n")[2]

    assert [column for column in read_rows()[0] if column not in explained] == []


def test_opt_out_requests_of_each_year_by_source(run):
    """R19: CCPA, 11 CCR 7102."""
    found = json.loads(
        run("--since", "2025-01-01", "--jurisdiction", "US-CA", "--by", "year", "--by", "source", "--json"),
    )

    assert [(each["year"], each["source"], each["opted_out"], each["signal"]) for each in found["groups"]] == [
        ("2025", "banner", 11, 0),
        ("2026", "", 0, 70),
        ("2026", "banner", 25, 0),
        ("2026", "preferences", 5, 0),
    ]
    assert found["total"]["opted_out"] == 41


def test_lines_by_jurisdiction_end_in_a_total(read_rows):
    head, france, california, total = read_rows("--by", "jurisdiction")

    assert [head[0], france[0], california[0], total[0]] == ["jurisdiction", "FR", "US-CA", "total"]
    assert (france[1], california[1], total[1]) == ("1,200", "-", "1,200")


def test_page_that_was_shown_has_no_source_and_no_rate(read_rows):
    _, page, banner, *_ = read_rows("--by", "source")

    assert (page[0], page[1], page[2]) == ("(page shown)", "1,200", "-")
    assert (banner[0], banner[2]) == ("banner", "600")


def test_repeated_dimension_counts_once(read_rows):
    assert read_rows("--by", "year", "--by", "year") == read_rows("--by", "year")


def test_days_are_limited_on_both_sides(run):
    found = json.loads(run("--since", "2025-03-01", "--until", "2025-03-01", "--json"))

    assert (found["since"], found["until"], found["total"]["opted_out"]) == ("2025-03-01", "2025-03-01", 11)
    assert found["total"]["prompt"] == 0
    assert found["total"]["accepted_rate"] is None


def test_json_has_whole_numbers_and_rates(run):
    found = json.loads(run("--json"))

    assert found["total"] == {
        "prompt": 1200,
        "accepted": 200,
        "refused": 300,
        "partial": 100,
        "withdrawn": 4,
        "opted_out": 30,
        "acknowledged": 0,
        "answered": 600,
        "signal": 70,
        "unrecorded": 0,
        "answered_rate": 0.5,
        "accepted_rate": 0.3333,
        "partial_rate": 0.1667,
        "refused_rate": 0.5,
    }
    assert (found["by"], found["groups"]) == ([], [])


def test_csv_is_read_back(run):
    rows = list(csv.DictReader(run("--by", "jurisdiction", "--csv").splitlines()))

    assert [(row["jurisdiction"], row["prompt"], row["signal"]) for row in rows] == [
        ("FR", "1200", "0"),
        ("US-CA", "0", "70"),
    ]


def test_nothing_counted_is_said(run):
    assert run("--until", "2024-01-01") == (
        "2023-12-03 to 2024-01-01, 30 days: nothing was counted. Numbers come in a few seconds after the visits.\n"
    )


def test_numbers_of_a_busy_year_stand_below_each_other():
    result = make_counted_site(count_visits()).test_cli_runner().invoke(group, ["stats", "--by", "month"])
    table = result.output.split("\n\n")[1].splitlines()

    assert len({len(line) for line in table}) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "1;DROP"], "'1;DROP' is no day. Write it as 2026-12-31."),
        (["--until", "NaN"], "'NaN' is no day. Write it as 2026-12-31."),
        (["--since", "2026-12-01", "--until", "2026-11-01"], "2026-12-01 is after 2026-11-01."),
        (["--by", "name"], "'name' is not one of 'day', 'month', 'year', 'jurisdiction'"),
        (["--json", "--csv"], "--json and --csv exclude each other."),
    ],
)
def test_wrong_options_are_refused(app, options, message):
    result = app.test_cli_runner().invoke(group, ["stats", *options])

    assert result.exit_code == 2
    assert message in result.output


def test_without_a_ledger_the_command_says_what_to_set(make_app):
    result = make_app().test_cli_runner().invoke(group, ["stats"])

    assert result.exit_code == 1
    assert "No ledger is configured" in result.output


def test_ledger_that_is_away_is_told(bare_app, monkeypatch):
    from consent import Consent
    from consent.errors import LedgerError

    app, ledger = bare_app(CONSENT_LEDGER_RETENTION_MONTHS=36), FaultyLedger()
    Consent(app, services=["youtube"], ledger=ledger)

    def fail(*_, **__):
        raise LedgerError("The ledger's database does not answer.")

    monkeypatch.setattr(ledger.database, "read", fail)
    result = app.test_cli_runner().invoke(group, ["stats"])

    assert (result.exit_code, "The ledger's database does not answer." in result.output) == (1, True)
