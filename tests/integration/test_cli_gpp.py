"""`flask consent gpp`: what a privacy string says, for people and as JSON."""

from __future__ import annotations

import json
import re

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.wire.gpp import UsCalifornia, describe_section, describe_us_privacy_choices, encode_gpp
from tests.command_runner import make_runner

CALIFORNIA = "DBABBg~BUUAAACA.YA"
TWO = "DBABrw~CVQVAAAAAACA.YA~BUUAAACA.YA"
OLDER = "DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YN-"
COLORADO = "DBABJg~BVUAAIA.YA"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs `flask consent gpp` where no app is to be found."""
    monkeypatch.chdir(tmp_path)

    def invoke(*options):
        return make_runner().invoke(group, ["gpp", *options], obj=ScriptInfo())

    return invoke


@pytest.fixture
def decode(run):
    """Return a function that gives what the command says in JSON."""

    def invoke(string):
        result = run(string, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def show(run):
    """Return a function that gives the table without its head, as rows of cells."""

    def invoke(string):
        result = run(string)
        assert result.exit_code == 0, result.output
        return [re.split(" {2,}", line) for line in result.stdout.splitlines()[1:]]

    return invoke


def test_sections_are_told_with_all_their_fields(decode):
    opted_out = describe_us_privacy_choices("usca", is_advertising_open=False, gpc=True)

    assert decode(CALIFORNIA) == {
        "format": "gpp",
        "sections": [{"id": 8, "name": "usca", "segments": describe_section(opted_out)}],
    }


def test_table_says_what_the_numbers_mean(show):
    rows = show(CALIFORNIA)

    assert {row[0] for row in rows} == {"8 usca"}
    assert [
        row[1:] for row in rows if row[1] in {"SaleOptOutNotice", "SaleOptOut", "MspaCoveredTransaction", "Gpc"}
    ] == [
        ["SaleOptOutNotice", "1", "given"],
        ["SaleOptOut", "1", "opted out"],
        ["MspaCoveredTransaction", "2", "no"],
        ["Gpc", "yes"],
    ]


def test_table_names_each_section(show):
    assert list(dict.fromkeys(row[0] for row in show(TWO))) == ["7 usnat", "8 usca"]


@pytest.mark.parametrize(
    ("prefix", "meaning"),
    [("usca", "2: opted out, 9: did not opt out"), ("usnat", "2: no consent, 9: consent")],
)
def test_sensitive_data_are_told_by_the_numbers_and_in_the_words_of_the_section(show, prefix, meaning):
    section = describe_us_privacy_choices(prefix, is_advertising_open=True, gpc=False, sensitive={2: False, 9: True})
    (row,) = [row for row in show(encode_gpp({section.section_id: section})) if row[1] == "SensitiveDataProcessing"]

    assert row[-1] == meaning


def test_section_without_the_signal_has_no_row_of_it(show):
    assert "Gpc" not in {row[1] for row in show(encode_gpp({8: UsCalifornia()}))}


def test_section_that_is_not_known_is_shown_as_it_is(decode, show):
    assert decode(COLORADO)["sections"] == [{"id": 10, "name": "usco", "text": "BVUAAIA.YA"}]
    assert show(COLORADO) == [["10 usco", "BVUAAIA.YA", "not decoded: another section, or another version of it"]]


def test_section_that_nobody_has_registered_has_no_name(decode):
    assert decode(encode_gpp({99: "abc"}))["sections"] == [{"id": 99, "name": None, "text": "abc"}]


def test_us_privacy_string_within_is_decoded(decode):
    europe, old = decode(OLDER)["sections"]

    assert europe["name"] == "tcfeuv2"
    assert old == {"id": 6, "name": "uspv1", "notice": True, "has_opted_out": False, "lspa_covered": None}


@pytest.mark.parametrize("string", ["1YN-", " 1YN-\n"])
def test_us_privacy_string_is_decoded(decode, show, string):
    assert decode(string) == {"format": "us_privacy", "notice": True, "has_opted_out": False, "lspa_covered": None}
    assert show(string) == [
        ["US Privacy", "notice", "yes"],
        ["US Privacy", "has_opted_out", "no"],
        ["US Privacy", "lspa_covered", "does not apply"],
    ]


def test_string_without_a_section_says_so(run):
    assert run("DBAA").output == "The string holds no section.\n"


@pytest.mark.parametrize(
    ("string", "words"),
    [
        ("", "A GPP string begins with 'DB', and a US Privacy string is one such as '1YNN', got ''."),
        ("CPXxRfAPXxRf", "got 'CPXxRfAPXxRf'"),
        ("1YN", "must be '1' and three of 'Y', 'N' and '-', got '1YN'"),
        ("2YNN", "got '2YNN'"),
        ("DCAA", "must begin with 'DB'"),
        ("D", "ends before its last field"),
        ("DB+A", "got '+'"),
        ("DBABBg", "and 0 follow it"),
        ("DBABBg~BUUAAACA.YA~x", "and 2 follow it"),
        ("DBABBg~BUUAAACA.YA.YA", "at most 2 segments, got 3"),
        ("DBABBg~B", "ends before its last field"),
        ("DBABBg~B////////", "must be one or more letters, digits"),
        ("DBACNY~abc~2YNN", "must be '1' and three of"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_malformed_string_ends_with_2_and_says_what_is_wrong(run, string, words, options):
    result = run(string, *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
