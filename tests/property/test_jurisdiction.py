"""Whatever is said of a place, the rules found are never easier than the table's."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from consent.core.declaration import PurposeKind
from consent.core.jurisdiction import UNKNOWN, Jurisdiction, JurisdictionTable, parse_place
from consent.core.regime import Regime
from consent.jurisdictions import load_table
from tests.strategies import near_instants

TABLE = load_table()[0]
CODES = [code for row in TABLE.rows for code in row.countries or (row.key,)]
COUNTRIES = sorted({code[:2] for code in CODES if code != UNKNOWN})
# What a visitor without a place must be asked; what they would be asked at least, wherever they are in that country.
codes = st.sampled_from([*CODES, "XX", "T1", "EU", "AQ", "US-ZZ", "us-ca", "US_CA", "FR, US", "us ", "ß", "ﬁ", "ＵＳ"])
words = st.none() | codes | st.text(max_size=6)
regimes = st.sampled_from(Regime)


@given(country=words, region=words, now=near_instants)
def test_anything_said_of_a_place_finds_a_row_that_is_in_force(country, region, now):
    row = TABLE.find(parse_place(country, region), now=now)

    assert row in TABLE.rows
    assert row.effective_from is None or row.effective_from <= now.date()


@given(country=words, region=words, now=near_instants)
def test_what_names_no_country_has_opt_in(country, region, now):
    letters = (country or "").strip().upper()
    row = TABLE.find(parse_place(country, region), now=now)

    if not re.match(r"[A-Z]{2}(-|\Z)", letters) or letters[:2] not in COUNTRIES:
        assert row.key == UNKNOWN
        assert all(row.regime_of(kind) is Regime.OPT_IN for kind in PurposeKind)


@given(country=st.sampled_from(COUNTRIES), region=st.text(max_size=6), now=near_instants)
def test_region_that_cannot_be_read_is_never_easier_than_one_not_given(country, region, now):
    place = parse_place(country, region)

    if place is None or not place.region:
        found, without = TABLE.find(place, now=now), TABLE.find(parse_place(country), now=now)
        assert all(found.regime_of(kind).is_as_strict_as(without.regime_of(kind)) for kind in PurposeKind)


@given(country=st.sampled_from(COUNTRIES), now=near_instants)
def test_visitor_without_a_region_has_rules_as_strict_as_those_of_the_country(country, now):
    without = TABLE.find(parse_place(country), now=now)
    elsewhere = TABLE.find(parse_place(country, "ZZZ"), now=now)

    for kind in set(PurposeKind) - {PurposeKind.SENSITIVE}:
        assert without.regime_of(kind).is_as_strict_as(elsewhere.regime_of(kind))


@given(place=words)
def test_case_and_blanks_make_no_difference(place):
    text = place or ""

    if text.isascii():
        assert parse_place(text) == parse_place(f" {text} ".upper())


@given(key=st.sampled_from(COUNTRIES), regime=regimes, by_kind=st.dictionaries(st.sampled_from(PurposeKind), regimes))
def test_override_holds_what_it_says_and_is_never_easier_on_the_rest(key, regime, by_kind):
    override = {"key": key, "name": key, "regime": regime, "regime_by_kind": by_kind, "basis": "A law"}
    rows: tuple[Jurisdiction, ...] = load_table([override])[0].rows

    for row in rows:
        if row.key == key:
            assert {kind: row.regime_of(kind) for kind in by_kind} == by_kind
            assert all(row.regime_of(kind).is_as_strict_as(regime) for kind in set(PurposeKind) - set(by_kind))


@given(rows=st.permutations(TABLE.rows), place=codes, now=near_instants)
def test_order_of_the_rows_makes_no_difference(rows, place, now):
    assert JurisdictionTable(rows).find(parse_place(place), now=now) == TABLE.find(parse_place(place), now=now)
