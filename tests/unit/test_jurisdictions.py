"""The shipped rules, row by row, and the phrases of implied consent."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any

import pytest

from consent.core.data_schema import check_table
from consent.core.jurisdiction import Jurisdiction, parse_place
from consent.errors import ConfigError
from consent.jurisdictions import CHECKED_ON, load_implied_consent, load_table
from consent.jurisdictions._schema import RULES
from consent.messages import load_shipped

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHIPPED = load_table()[0]
# What the rules of each place come to: regime, the kinds apart, months, what else; a row for each row of the file.
GB_KINDS = "statistics opt_out, appearance opt_out"
STATE = ("opt_out", "sensitive opt_in", (12, 13))
MANDATED = "CO CT DE MD MN MT NE NH NJ OR TX"
NOT_MANDATED = "VA UT IA IN TN KY RI FL"
EXPECTED = {
    "unknown": ("opt_in", "", (6, 6), ""),
    "EEA": ("opt_in", "", (6, 6), ""),
    "FR": ("opt_in", "", (6, 6), ""),
    "DE": ("opt_in", "", (6, 6), ""),
    "ES": ("opt_in", "", (6, 6), ""),
    "IT": ("opt_in", "", (6, 6), ""),
    "GB": ("opt_in", "", (6, 6), ""),
    "GB@2026-02-05": ("opt_in", GB_KINDS, (6, 6), ""),
    "CH": ("opt_in", GB_KINDS, (6, 6), ""),
    "US": ("notice", "sensitive opt_in", (12, 12), ""),
    "US-CA": ("opt_out", "sensitive opt_out", (12, 13), "opt_out_link"),
    "US-CA@2026-01-01": ("opt_out", "sensitive opt_out", (12, 13), "opt_out_link, show_gpc"),
    **{f"US-{state}": (*STATE, "opt_out_link") for state in MANDATED.split()},
    **{f"US-{state}": (*STATE, "opt_out_link") for state in NOT_MANDATED.split()},
    "US-VT@2028-01-01": (*STATE, "opt_out_link"),
    "US-OK@2027-01-01": (*STATE, "opt_out_link"),
    "US-LA@2027-01-01": (*STATE, "opt_out_link"),
    "US-AL@2027-05-01": (*STATE, "opt_out_link"),
    "CA": ("opt_out", "sensitive opt_in", (12, 12), ""),
    "CA-QC": ("opt_in", "", (6, 6), ""),
    "BR": ("opt_in", "", (6, 6), ""),
    "CN": ("opt_in", "", (6, 6), ""),
    "IN@2027-05-14": ("opt_in", "", (6, 6), ""),
    "JP": ("notice", "sensitive opt_in", (12, 12), "transmission_list"),
    "KR": ("opt_in", "appearance notice", (6, 6), ""),
}
MANDATES = {
    "US-CA": date(2023, 1, 1),
    "US-CA@2026-01-01": date(2023, 1, 1),
    "US-CO": date(2024, 7, 1),
    "US-CT": date(2025, 1, 1),
    "US-MT": date(2025, 1, 1),
    "US-NE": date(2025, 1, 1),
    "US-NH": date(2025, 1, 1),
    "US-TX": date(2025, 1, 1),
    "US-NJ": date(2025, 7, 15),
    "US-MN": date(2025, 7, 31),
    "US-MD": date(2025, 10, 1),
    "US-DE": date(2026, 1, 1),
    "US-OR": date(2026, 1, 1),
    "US-VT@2028-01-01": date(2028, 1, 1),
}
OTHERS_OF_THE_EEA = "IS LI NO"
TERRITORIES = "AX GF GP MF MQ RE YT"
EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"


def find(place: str, now: datetime = NOW) -> Jurisdiction:
    return SHIPPED.find(parse_place(place), now=now)


def summary(row: Jurisdiction) -> tuple[str, str, tuple[int, int], str]:
    kinds = ", ".join(f"{kind} {regime}" for kind, regime in row.regime_by_kind.items())
    return str(row.regime), kinds, (row.accept_months, row.refuse_months), ", ".join(sorted(row.rules))


@pytest.mark.parametrize("row", SHIPPED.rows, ids=lambda row: row.row_id)
def test_shipped_row_is_as_reviewed(row):
    assert summary(row) == EXPECTED[row.row_id]


def test_every_reviewed_row_is_shipped():
    assert {row.row_id for row in SHIPPED.rows} == set(EXPECTED)


def test_mandates_to_honour_gpc_are_as_reviewed():
    assert {row.row_id: row.gpc_mandatory_from for row in SHIPPED.rows if row.gpc_mandatory_from} == MANDATES


@pytest.mark.parametrize("row", SHIPPED.rows, ids=lambda row: row.row_id)
def test_shipped_row_gives_name_law_and_sources(row):
    assert row.name
    assert row.basis
    assert not row.basis.endswith(".")
    assert row.sources


@pytest.mark.parametrize("row", SHIPPED.rows, ids=lambda row: row.row_id)
def test_shipped_row_is_for_places_that_can_be_read(row):
    if row.key != "unknown":
        assert all(str(parse_place(code)) == code for code in row.countries or (row.key,))


def test_european_economic_area_has_its_thirty_countries_and_the_territories():
    (row,) = [row for row in SHIPPED.rows if row.key == "EEA"]

    assert sorted(row.countries) == sorted(f"{EU} {OTHERS_OF_THE_EEA} {TERRITORIES}".split())


@pytest.mark.parametrize(
    ("place", "now", "expected"),
    [
        ("PT", NOW, "EEA"),
        ("RE", NOW, "EEA"),
        ("FR-75", NOW, "FR"),
        ("GB", datetime(2026, 2, 4, 23, 59, tzinfo=UTC), "GB"),
        ("GB-SCT", datetime(2026, 2, 5, tzinfo=UTC), "GB@2026-02-05"),
        ("US", datetime(2025, 12, 31, tzinfo=UTC), "US-CA"),
        ("US", NOW, "US-CA@2026-01-01"),
        ("US-WY", NOW, "US"),
        ("US-06", NOW, "US-CA@2026-01-01"),
        ("US-ZZ", NOW, "US-CA@2026-01-01"),
        ("US-PR", NOW, "US-CA@2026-01-01"),
        ("US-DC", NOW, "US"),
        ("US-VT", datetime(2027, 12, 31, tzinfo=UTC), "US"),
        ("US-VT", datetime(2028, 1, 1, tzinfo=UTC), "US-VT@2028-01-01"),
        ("CA", NOW, "CA-QC"),
        ("CA-ON", NOW, "CA"),
        ("CA-PQ", NOW, "CA-QC"),
        ("CA-24", NOW, "CA-QC"),
        ("IN", NOW, "unknown"),
        ("IN", datetime(2027, 5, 14, tzinfo=UTC), "IN@2027-05-14"),
        ("GG", NOW, "unknown"),
        ("GI", NOW, "unknown"),
    ],
)
def test_place_has_its_shipped_row(place, now, expected):
    assert find(place, now=now).row_id == expected


def test_rules_have_the_day_of_their_review():
    assert date(2026, 11, 23) <= CHECKED_ON < date(2036, 1, 1)


def read_rules() -> dict[str, Any]:
    return tomllib.loads((resources.files("consent.jurisdictions") / "rules.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"regimes": "opt_in"},
            "has an unknown field 'jurisdiction[0].regimes'. Allowed here, the closest first: 'regime'",
        ),
        ({"accept_months": "6"}, "'jurisdiction[0].accept_months' must be a whole number, got '6'."),
        ({"effective_from": "2027-01-01"}, "'jurisdiction[0].effective_from' must be a date such as 2026-11-22"),
        (
            {"countries": ["fr"]},
            "'jurisdiction[0].countries' must be a list of country codes such as 'FR', got ['fr'].",
        ),
        ({"rules": "show_gpc"}, "'jurisdiction[0].rules' must be a list of texts, got 'show_gpc'."),
        (
            {"regime_by_kind": {"other": 1}},
            "'jurisdiction[0].regime_by_kind' must be a table of regimes by kind of purpose",
        ),
    ],
)
def test_malformed_row_of_the_file_is_refused(change, message):
    rules = read_rules()
    rules["jurisdiction"][0] |= change

    with pytest.raises(ConfigError, match=re.escape(message)):
        check_table(rules, RULES, where="Data file 'rules.toml'")


@pytest.mark.parametrize("name", ["key", "name", "regime", "accept_months", "refuse_months", "basis", "sources"])
def test_row_of_the_file_needs(name):
    rules = read_rules()
    del rules["jurisdiction"][0][name]

    with pytest.raises(ConfigError, match=re.escape(f"lacks 'jurisdiction[0].{name}'. Add it: ")):
        check_table(rules, RULES, where="Data file 'rules.toml'")


PHRASES = load_implied_consent()


def test_phrases_of_implied_consent_are_known_in_many_languages():
    assert len(PHRASES) >= 22
    assert set(PHRASES) >= set(load_shipped())


@pytest.mark.parametrize("tag", PHRASES)
def test_phrase_is_plain_lower_case_text(tag):
    assert PHRASES[tag]
    for phrase in PHRASES[tag]:
        assert phrase == " ".join(phrase.lower().split())
        assert len(phrase) >= 4


@pytest.mark.parametrize("tag", load_shipped())
def test_shipped_text_never_takes_going_on_as_agreement(tag):
    phrases = [phrase for known in PHRASES.values() for phrase in known]

    for key, text in load_shipped()[tag].items():
        if not key.startswith("notice."):
            assert [phrase for phrase in phrases if phrase in text.lower()] == [], key
