from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.core.declaration import PurposeKind
from consent.core.jurisdiction import UNKNOWN, Jurisdiction, JurisdictionTable, Place, Rule, parse_place
from consent.core.regime import Regime
from consent.errors import ConfigError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAW_DAY = date(2027, 5, 1)


def make_row(key: str, regime: str = "opt_in", **fields: Any) -> Jurisdiction:
    values = {"name": key, "accept_months": 6, "refuse_months": 6, "basis": "A law", **fields}
    return Jurisdiction(key, regime=Regime(regime), **values)


def make_table(*rows: Jurisdiction) -> JurisdictionTable:
    return JurisdictionTable((make_row(UNKNOWN), *rows))


def find(table: JurisdictionTable, place: str | None, now: datetime = NOW) -> str:
    return table.find(parse_place(place), now=now).row_id


@pytest.mark.parametrize(
    ("country", "region", "expected"),
    [
        ("FR", None, "FR"),
        ("fr", "", "FR"),
        (" de ", None, "DE"),
        ("US", "CA", "US-CA"),
        ("us", "ca", "US-CA"),
        ("US-CA", None, "US-CA"),
        ("US", "US-CA", "US-CA"),
        ("us", "us-ca", "US-CA"),
        ("US-CA", "TX", "US-TX"),
        ("GB", "ENG", "GB-ENG"),
        ("CN", "11", "CN-11"),
    ],
)
def test_parse_place_reads_codes_in_any_case(country: str, region: str | None, expected: str) -> None:
    assert str(parse_place(country, region)) == expected


@pytest.mark.parametrize("region", ["CALI", "C A", "C-A", "CA\n\n.", "CA,TX", "-", "<b>", "US-"])
def test_parse_place_takes_a_malformed_region_as_not_known(region: str) -> None:
    assert parse_place("US", region) == Place("US")


@pytest.mark.parametrize(
    "country",
    [
        None,
        "",
        "F",
        "FRA",
        "F1",
        "33",
        "FR, US",
        "ＦＲ",
        "ÉÉ",
        "İS",
        "\x00\x00",
        "-CA",
        "US_CA",
        "unknown",
        "F\nR",
    ],
)
def test_parse_place_knows_nothing_from_junk(country: str | None) -> None:
    assert parse_place(country, "CA") is None


@pytest.mark.parametrize(("country", "region"), [("ß", None), ("ﬁ", None), ("US", "ＣＡ"), ("US", "٣"), ("US", "ß")])
def test_parse_place_knows_nothing_where_a_letter_is_none_of_codes(country: str, region: str | None) -> None:
    assert parse_place(country, region) is None


@pytest.mark.parametrize("country", ["XX", "T1", "ZZ", "EU", "AP", "A1", "A2", "xx", "eu", "EU-DE"])
def test_parse_place_knows_nothing_from_codes_for_nowhere(country: str) -> None:
    assert parse_place(country) is None


@pytest.mark.parametrize(("country", "region"), [("fr", ""), ("FRA", ""), ("", ""), ("US", "CALI"), ("US", "ca")])
def test_place_refuses_a_malformed_code(country: str, region: str) -> None:
    with pytest.raises(ValueError, match="No place has the codes"):
        Place(country, region)


def test_find_takes_the_row_of_the_region_before_that_of_the_country() -> None:
    table = make_table(make_row("US", "notice"), make_row("US-CA", "opt_out"))

    assert find(table, "US-CA") == "US-CA"


def test_find_takes_the_row_of_the_country_for_a_region_without_one() -> None:
    us = make_row("US", "notice", without_region="US-CA", regions=("CA", "WY"))

    assert find(make_table(us, make_row("US-CA", "opt_out")), "US-WY") == "US"


@pytest.mark.parametrize("place", ["US", "US-06", "US-ZZ", "US-XX"])
def test_find_takes_the_named_row_for_a_code_that_is_no_region(place: str) -> None:
    us = make_row("US", "notice", without_region="US-CA", regions=("CA", "WY"))

    assert find(make_table(us, make_row("US-CA", "opt_out")), place) == "US-CA"


def test_find_takes_the_named_row_when_the_region_is_not_known() -> None:
    table = make_table(make_row("US", "notice", without_region="US-CA"), make_row("US-CA", "opt_out"))

    assert find(table, "US") == "US-CA"


@pytest.mark.parametrize("place", ["US", "US-06", "US-ZZ"])
def test_find_takes_opt_in_when_the_law_of_the_named_region_is_not_in_force(place: str) -> None:
    us = make_row("US", "notice", without_region="US-VT", regions=("VT", "WY"))

    assert find(make_table(us, make_row("US-VT", "opt_out", effective_from=LAW_DAY)), place) == UNKNOWN


def test_find_takes_the_row_of_the_region_where_the_country_has_none() -> None:
    assert find(make_table(make_row("AE-DU", "notice")), "AE-DU") == "AE-DU"


@pytest.mark.parametrize("place", [None, "", "XX", "AQ", "AQ-1"])
def test_find_takes_opt_in_for_a_place_that_nothing_is_known_of(place: str | None) -> None:
    assert find(make_table(make_row("JP", "notice")), place) == UNKNOWN


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2027, 4, 30, 23, 59, 59, tzinfo=UTC), "GB"),
        (datetime(2027, 5, 1, tzinfo=UTC), "GB@2027-05-01"),
        (datetime(2030, 1, 1, tzinfo=UTC), "GB@2027-05-01"),
    ],
)
def test_law_holds_from_its_first_day_on(moment: datetime, expected: str) -> None:
    table = make_table(make_row("GB", "opt_out", effective_from=LAW_DAY), make_row("GB"))

    assert find(table, "GB", moment) == expected


def test_place_whose_only_law_is_to_come_has_no_rules_yet() -> None:
    table = make_table(make_row("IN", "notice", effective_from=LAW_DAY))

    assert find(table, "IN") == UNKNOWN
    assert find(table, "IN", NOW + timedelta(days=365)) == "IN@2027-05-01"


@pytest.mark.parametrize("keys", [("EEA", "FR"), ("FR", "EEA"), ("EEA", "AA")])
def test_country_has_its_own_row_before_a_shared_one(keys: tuple[str, str]) -> None:
    own = keys[1] if keys[0] == "EEA" else keys[0]
    rows = {"EEA": make_row("EEA", countries=("FR", "AA", "IT")), own: make_row(own, "opt_out")}
    table = make_table(*(rows[key] for key in keys))

    assert (find(table, own), find(table, "IT")) == (own, "EEA")


def test_shared_row_holds_until_the_day_of_the_own_one() -> None:
    rows = make_row("EEA", countries=("FR",)), make_row("FR", effective_from=LAW_DAY)

    assert find(make_table(*rows), "FR") == "EEA"


def test_key_of_a_shared_row_is_no_place() -> None:
    table = make_table(make_row("europe", "notice", countries=("FR",)))

    assert table.keys == ("europe", UNKNOWN)
    assert find(table, "EU") == UNKNOWN


@pytest.mark.parametrize("day", [None, LAW_DAY])
def test_two_rows_of_one_key_and_day_are_refused(day: date | None) -> None:
    with pytest.raises(ConfigError, match="Two rows of the jurisdiction table are for 'FR"):
        make_table(make_row("FR", effective_from=day), make_row("FR", "notice", effective_from=day))


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (make_row(UNKNOWN, "opt_out"),),
        (make_row(UNKNOWN, regime_by_kind={PurposeKind.STATISTICS: Regime.NOTICE}),),
        (make_row(UNKNOWN, effective_from=LAW_DAY),),
        (make_row(UNKNOWN), make_row(UNKNOWN, effective_from=LAW_DAY)),
    ],
)
def test_table_is_refused_unless_unknown_places_always_have_opt_in(rows: tuple[Jurisdiction, ...]) -> None:
    with pytest.raises(ConfigError, match="exactly one row 'unknown', of regime 'opt_in' for everything"):
        JurisdictionTable(rows)


def test_row_that_names_a_missing_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="'without_region' must be the key of a row: 'US', 'unknown', got 'US-CA'"):
        make_table(make_row("US", "notice", without_region="US-CA"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": "france"}, ""),
        ({"key": "France"}, "'key' must be a code such as 'FR' or 'US-CA', got 'France'"),
        ({"key": "US_CA"}, "'key' must be a code such as 'FR' or 'US-CA', got 'US_CA'"),
        ({"accept_months": 14}, "'accept_months' must be a whole number between 1 and 13, got 14"),
        ({"refuse_months": 0}, "'refuse_months' must be a whole number between 1 and 13, got 0"),
        ({"refuse_months": True}, "'refuse_months' must be a whole number between 1 and 13, got True"),
        (
            {"rules": ["shout"]},
            "'rules' must be 'show_gpc', 'opt_out_link', 'transmission_list'",
        ),
        ({"regime_by_kind": {"ads": "notice"}}, "'regime_by_kind' must be 'statistics', 'appearance', 'advertising'"),
        ({"regime_by_kind": {"other": "off"}}, "'regime' must be 'opt_in', 'opt_out', 'notice', got 'off'"),
    ],
)
def test_malformed_row_is_refused(fields: dict[str, Any], message: str) -> None:
    key = fields.pop("key", "FR")
    if not message:
        assert make_row(key, **fields).key == key
        return
    with pytest.raises(ConfigError, match=message):
        make_row(key, **fields)


def test_row_reads_texts_as_what_they_stand_for() -> None:
    row = make_row("US-CA", regime_by_kind={"sensitive": "opt_out"}, rules=["show_gpc"])

    assert row.rules == {Rule.SHOW_GPC}
    assert row.regime_of(PurposeKind.SENSITIVE) is Regime.OPT_OUT
    assert row.regime_of(PurposeKind.OTHER) is Regime.OPT_IN
    with pytest.raises(TypeError):
        row.regime_by_kind[PurposeKind.OTHER] = Regime.NOTICE  # type: ignore[index]  # read-only on purpose


@pytest.mark.parametrize(
    ("regime", "by_kind", "expected"),
    [("opt_in", {}, True), ("notice", {}, False), ("notice", {"sensitive": "opt_in"}, True), ("opt_out", {}, False)],
)
def test_row_tells_whether_some_kind_needs_a_grant(regime: str, by_kind: dict[str, str], *, expected: bool) -> None:
    assert make_row("FR", regime, regime_by_kind=by_kind).has_opt_in is expected
