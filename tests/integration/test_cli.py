"""`flask consent explain`: what a visitor would get and why, for people and as JSON."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from flask import Flask

from consent.cli import group
from consent.jurisdictions import load_table
from tests.traveller import GPC, PRIVACY, make_traveller

LOOSE = {"preferences": "not_objected", "analytics": "not_objected", "marketing": "not_objected"}
SHUT = dict.fromkeys(LOOSE, "undecided")


@pytest.fixture
def visitor():
    return make_traveller("FR")


@pytest.fixture
def run(visitor):
    """Return a function that runs `flask consent explain` with options."""

    def invoke(*options):
        return visitor.app.test_cli_runner().invoke(group, ["explain", *options])

    return invoke


@pytest.fixture
def explain(run):
    """Return a function that gives what the command says in JSON."""

    def invoke(*options):
        result = run(*options, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


def reasons_of(found):
    return {each["key"]: each["reason"] for each in found["decisions"] if not each["is_service"]}


def test_group_is_a_command_of_flask():
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    found = EntryPoint("consent", project["entry-points"]["flask.commands"]["consent"], "flask.commands")

    assert found.load() is group


def test_stranger_from_nowhere_in_particular(explain):
    found = explain()

    assert (found["place"], found["regime"], found["prompt"]["kind"]) == (None, "opt_in", "choice")
    assert reasons_of(found) == SHUT | {"necessary": "necessary"}


@pytest.mark.parametrize(
    ("options", "place", "regime", "reasons"),
    [
        (("--country", "FR"), "FR", "opt_in", SHUT),
        (("--country", "fr"), "FR", "opt_in", SHUT),
        (("--country", "US", "--region", "TX"), "US-TX", "opt_out", LOOSE),
        (("--country", "us-tx"), "US-TX", "opt_out", LOOSE),
        (("--country", "US", "--region", "TX", "--gpc"), "US-TX", "opt_out", LOOSE | {"marketing": "gpc"}),
        (("--country", "GB"), "GB", "opt_in", LOOSE | {"marketing": "undecided"}),
        (("--country", "JP"), "JP", "notice", dict.fromkeys(LOOSE, "informed")),
        (("--country", "JP", "--gpc"), "JP", "notice", dict.fromkeys(LOOSE, "informed") | {"marketing": "gpc"}),
        (("--country", "JP", "--dnt"), "JP", "notice", dict.fromkeys(LOOSE, "informed")),
        (("--country", "KR"), "KR", "opt_in", SHUT | {"preferences": "informed"}),
    ],
)
def test_place_and_signal_give_regime_and_reasons(explain, options, place, regime, reasons):
    found = explain(*options)

    assert (found["place"], found["regime"], reasons_of(found)) == (place, regime, reasons | {"necessary": "necessary"})


@pytest.mark.parametrize("place", [None, "FR", "GB", "CH", "US-CA", "US-TX", "US-ID", "JP", "CA-ON", "KR"])
@pytest.mark.parametrize("has_gpc", [False, True], ids=["quiet", "gpc"])
def test_what_is_explained_is_what_the_visitor_gets(visitor, explain, place, has_gpc):
    headers = GPC if has_gpc else {}
    found = explain(*(("--country", place) if place else ()), *(("--gpc",) if has_gpc else ()))
    sight, state = visitor.go(place).look(**headers), visitor.state(**headers)
    verdicts = {each["key"]: each["verdict"] for each in found["decisions"]}

    assert verdicts == state["choices"] | state["services"]
    assert [(each["action"], each["text"]) for each in found["prompt"]["buttons"]] == sight.buttons
    assert (" ".join(filter(None, found["link"].values())), found["waits_for_browser"]) == (sight.link, [*sight.waits])
    assert {name: sight.response.headers[name] for name in found["headers"]} == found["headers"]


def test_explaining_is_not_a_visit(visitor, run):
    run("--country", "US", "--region", "CA")

    assert (visitor.heard, visitor.go("FR").look().runs) == ([], ())


def test_do_not_track_counts_where_the_site_heeds_it():
    app = make_traveller("FR", CONSENT_DNT=True).app
    result = app.test_cli_runner().invoke(group, ["explain", "--country", "JP", "--dnt", "--json"])

    assert reasons_of(json.loads(result.stdout))["marketing"] == "dnt"


@pytest.mark.parametrize(
    ("place", "day", "row", "regime"),
    [
        ("GB", "2026-02-04", None, "opt_in"),
        ("GB", "2026-02-05", "2026-02-05", "opt_in"),
        ("US-VT", "2027-12-31", None, "notice"),
        ("US-VT", "2028-01-01", "2028-01-01", "opt_out"),
        ("US-OK", "2026-12-31", None, "notice"),
        ("US-OK", "2027-01-01", "2027-01-01", "opt_out"),
        ("IN", "2027-05-13", None, "opt_in"),
        ("IN", "2027-05-14", "2027-05-14", "opt_in"),
        ("IN", "2027-05-14T00:00+00:00", "2027-05-14", "opt_in"),
        ("US-CA", "1999-01-01", None, "opt_out"),
    ],
)
def test_law_holds_from_its_first_day(explain, place, day, row, regime):
    found = explain("--country", place, "--at", day)

    assert (found["jurisdiction"]["effective_from"], found["regime"]) == (row, regime)


@pytest.mark.parametrize(("day", "honoured"), [("2025-12-31", ""), ("2026-01-01", "Opt-Out Request Honored")])
def test_california_shows_the_honoured_request_from_its_day(explain, day, honoured):
    assert explain("--country", "US-CA", "--gpc", "--at", day)["link"]["honoured"] == honoured


def test_language_is_that_of_the_option(explain):
    found = explain("--country", "FR", "--language", "de")

    assert (found["language"], found["prompt"]["buttons"][0]["text"]) == ("de", "Alle akzeptieren")


@pytest.mark.parametrize("language", [(), ("--language", "de")], ids=["own", "de"])
def test_headers_are_those_of_an_ordinary_page_in_any_language(explain, language):
    assert explain("--country", "FR", *language)["headers"] == {"Vary": "Cookie, Sec-GPC", "Cache-Control": "private"}


@pytest.fixture
def record_file(visitor, tmp_path):
    """Return a function that writes the visitor's newest record, changed, to a file."""

    def write(**changes):
        path = tmp_path / "record.json"
        path.write_text(json.dumps(visitor.last | changes), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("made", "place", "expected"),
    [
        (("FR", "accept_all"), "FR", ("granted", None)),
        (("FR", "accept_all"), "US-TX", ("granted", None)),
        (("FR", "reject_all"), "US-TX", ("refused", None)),
        (("US-TX", "accept_all"), "FR", ("undecided", "place_changed")),
        (("JP", "acknowledge"), "FR", ("undecided", "place_changed")),
        (("JP", "acknowledge"), "JP", ("informed", None)),
    ],
)
def test_record_of_the_visitor_is_taken_into_account(visitor, explain, record_file, made, place, expected):
    visitor.go(made[0]).press(made[1])
    found = explain("--country", place, "--record", record_file())

    assert (reasons_of(found)["marketing"], found["prompt"] and found["prompt"]["reason"]) == expected


def test_record_is_judged_on_the_day_that_is_asked_of(visitor, explain, record_file):
    visitor.press("accept_all")
    found = explain("--country", "FR", "--record", record_file(), "--at", "2027-06-01")

    assert (reasons_of(found)["marketing"], found["prompt"]["reason"]) == ("undecided", "expired")


def test_record_of_another_version_of_a_document_shows_it_as_revised(visitor, explain, record_file):
    visitor.press("reject_all")
    found = explain("--country", "FR", "--record", record_file(documents={"privacy": {"fingerprint": "000000"}}))

    assert found["prompt"]["kind"] == "announcement"
    assert found["documents"] == [
        {"key": "privacy", "title": "Privacy policy", "version": PRIVACY.version, "is_revised": True}
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "consent-record/9"}, "schema"),
        ({"decisions": []}, "decisions"),
        ({"mode": "opt-in"}, "opt-in"),
        ({"valid_until": "2027-01-01T00:00:00"}, "valid_until"),
        ({"record_id": "7"}, "record"),
    ],
)
def test_malformed_record_is_refused_with_what_is_wrong(visitor, run, record_file, changes, words):
    visitor.press("accept_all")
    result = run("--record", record_file(**changes))

    assert (result.exit_code, words in result.output) == (2, True)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"schema": "consent-record/1"}', "\ufeff{}"], ids=ascii)
def test_file_that_holds_no_record_is_refused(run, tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")
    result = run("--record", str(path))

    assert result.exit_code == 2
    assert f"Invalid value for --record: {path}: " in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--country", "FRA"),
            "--country: 'FRA' with region None is no place. Give codes such as --country US --region CA, or neither for unknown.",
        ),
        (("--country", "XX"), "--country: 'XX' with region None is no place."),
        (("--country", ""), "--country: '' with region None is no place."),
        (("--region", "CA"), "--country: None with region 'CA' is no place."),
        (("--country", "US", "--region", "CALIFORNIA"), "--country: 'US' with region 'CALIFORNIA' is no place."),
        (
            ("--at", "tomorrow"),
            "--at: 'tomorrow' is no day. Write it as 2027-05-14, or with a time as 2027-05-14T12:00+00:00.",
        ),
        (("--at", "2027-02-30"), "--at: '2027-02-30' is no day."),
        (("--record", "/not/there.json"), "--record: /not/there.json: "),
        (("--language", "tlh"), "--language: There are no texts in 'tlh'. There are: ar, de, en, es, fr, zh-Hans."),
    ],
)
def test_bad_option_is_refused_with_what_to_do(run, options, message):
    result = run(*options)

    assert (result.exit_code, f"Invalid value for {message}" in result.output) == (2, True)


@pytest.mark.parametrize("command", ["explain", "check"])
def test_app_without_the_extension_is_told_so(command):
    result = Flask("bare").test_cli_runner().invoke(group, [command])

    assert result.exit_code == 1
    assert result.output == (
        "Error: This app has no Consent extension. Call Consent(app) or consent.init_app(app) first.\n"
    )


def test_every_row_of_the_table_is_explained_under_itself(explain):
    found = explain("--all")

    assert [*found] == [row.row_id for row in load_table()[0].rows]
    for row_id, each in found.items():
        key, _, day = row_id.partition("@")
        assert (each["jurisdiction"]["key"], each["jurisdiction"]["effective_from"] or "") == (key, day)


def test_table_for_people_has_a_line_a_row(run):
    lines = run("--all").output.splitlines()

    assert len(lines) == 1 + len(load_table()[0].rows)
    assert lines[0].split() == ["row", "place", "on", "regime", "banner", "necessary", *LOOSE, "stats", "ads"]
    assert not any(line.endswith(" ") for line in lines)


def test_all_rows_are_explained_under_the_signal(explain):
    found = explain("--all", "--gpc")

    assert {reasons_of(each)["marketing"] for each in found.values()} == {"gpc", "undecided"}


def test_people_are_told_in_words(run):
    output = run("--country", "US", "--region", "CA", "--gpc").output

    assert "place          US-CA, by the rules of California (US-CA@2026-01-01)\n" in output
    assert "banner         says what runs, and offers to stop it (objection), because of no_record\n" in output
    assert "buttons        Opt out (reject_all) | OK (acknowledge)\n" in output
    assert "link           Do Not Sell or Share My Personal Information | Opt-Out Request Honored\n" in output
    assert "marketing           off  gpc           Global Privacy Control says no\n" in output


def test_people_are_told_where_nothing_is_shown(visitor, run, record_file):
    visitor.press("reject_all")
    output = run("--country", "FR", "--record", record_file()).output

    assert "\nbanner         none\n" in output
    assert "\ntitle " not in output
