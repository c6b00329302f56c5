"""What a site may change in the shipped rules: `CONSENT_JURISDICTION_RULES`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from consent.core.declaration import PurposeKind
from consent.core.jurisdiction import Jurisdiction, Place, Rule, parse_place
from consent.errors import ConfigError
from consent.jurisdictions import load_table

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHIPPED = load_table()[0]
SHIPPED_ROWS = {row.row_id: row for row in SHIPPED.rows}


def load(*overrides: dict[str, Any]) -> dict[str, Jurisdiction]:
    return {row.row_id: row for row in load_table(overrides)[0].rows}


def find(place: str, *overrides: dict[str, Any], now: datetime = NOW) -> Jurisdiction:
    return load_table(overrides)[0].find(parse_place(place), now=now)


def refusal(*overrides: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_table(overrides)  # type: ignore[arg-type]  # mistakes are the point
    return caught.value


def test_override_changes_only_what_it_gives():
    row = find("FR", {"key": "FR", "refuse_months": 12})

    assert (row.refuse_months, row.accept_months, row.regime) == (12, 6, "opt_in")
    assert row.basis.startswith("CNIL")


def test_override_without_a_day_changes_every_row_of_its_key():
    rows = load({"key": "GB", "accept_months": 3})

    assert (rows["GB"].accept_months, rows["GB@2026-02-05"].accept_months) == (3, 3)
    assert rows["GB@2026-02-05"].regime_of(PurposeKind.STATISTICS) == "opt_out"
    assert len(rows) == len(SHIPPED.rows)


def test_override_with_a_day_leaves_what_held_before_it():
    rows = load({"key": "GB", "regime": "opt_in", "effective_from": date(2027, 1, 1)})

    assert [key for key in rows if key.startswith("GB")] == ["GB", "GB@2026-02-05", "GB@2027-01-01"]
    assert rows["GB@2026-02-05"] == SHIPPED_ROWS["GB@2026-02-05"]
    assert rows["GB@2027-01-01"].regime_by_kind == {}


def test_override_with_a_day_starts_from_the_row_that_holds_then():
    rows = load({"key": "US-CA", "accept_months": 6, "effective_from": date(2025, 6, 1)})

    assert rows["US-CA@2025-06-01"].rules == {Rule.OPT_OUT_LINK}


def test_override_of_a_shipped_day_changes_the_row_of_that_day():
    rows = load({"key": "GB", "accept_months": 3, "effective_from": date(2026, 2, 5)})

    assert (rows["GB"].accept_months, rows["GB@2026-02-05"].accept_months) == (6, 3)
    assert len(rows) == len(SHIPPED.rows)


def test_law_to_come_is_brought_forward():
    row = find("US-VT", {"key": "US-VT", "effective_from": date(2026, 1, 1)})

    assert (row.row_id, row.regime) == ("US-VT@2026-01-01", "opt_out")


def test_overrides_of_one_place_follow_each_other():
    rows = load(
        {"key": "JP", "accept_months": 6},
        {"key": "JP", "regime": "opt_out", "effective_from": date(2027, 4, 1)},
    )

    assert (rows["JP"].regime, rows["JP@2027-04-01"].regime) == ("notice", "opt_out")
    assert rows["JP@2027-04-01"].accept_months == 6


@pytest.mark.parametrize(
    ("override", "kinds"),
    [
        ({"key": "GB", "regime": "opt_in"}, {}),
        ({"key": "GB", "regime": "notice"}, {"statistics": "opt_out", "appearance": "opt_out"}),
        ({"key": "US", "regime": "opt_out"}, {"sensitive": "opt_in"}),
        ({"key": "US", "regime_by_kind": {"statistics": "opt_out"}}, {"sensitive": "opt_in", "statistics": "opt_out"}),
        ({"key": "US", "regime": "opt_out", "regime_by_kind": {"sensitive": "opt_out"}}, {"sensitive": "opt_out"}),
        ({"key": "KR", "regime": "opt_out"}, {}),
    ],
)
def test_regime_of_an_override_never_leaves_an_easier_kind_behind(override, kinds):
    region = {"US": "WY"}.get(override["key"], "ZZZ")

    assert find(f"{override['key']}-{region}", override).regime_by_kind == kinds


def test_new_row_has_six_months_unless_it_says_otherwise():
    row = find("AU", {"key": "AU", "name": "Australia", "regime": "notice", "basis": "Privacy Act 1988"})

    assert (row.regime, row.accept_months, row.refuse_months) == ("notice", 6, 6)


def test_new_row_of_a_country_comes_before_the_shared_one():
    own = {"key": "PT", "name": "Portugal", "regime": "opt_out", "basis": "x", "effective_from": date(2027, 1, 1)}

    assert find("PT", own).row_id == "EEA"
    assert find("PT", own, now=datetime(2027, 1, 1, tzinfo=UTC)).row_id == "PT@2027-01-01"


def test_new_row_takes_what_python_has_for_lists():
    own = {
        "key": "anz",
        "name": "x",
        "regime": "opt_out",
        "basis": "x",
        "countries": ("AU", "NZ"),
        "rules": {"show_gpc"},
    }
    row = find("NZ", own)

    assert (row.key, row.countries) == ("anz", ("AU", "NZ"))
    assert row.rules == {Rule.SHOW_GPC}


def test_row_for_countries_with_rows_of_their_own_is_warned_of():
    own = {"key": "more", "name": "x", "regime": "opt_in", "basis": "x", "countries": ["MX", "BR", "CH"]}

    (warning,) = load_table([own])[1]

    assert warning == (
        "CONSENT_JURISDICTION_RULES[0] is for 'BR', 'CH' among others, which have rows of their own: these come first, so "
        "nothing changes there. Give them overrides by their own keys."
    )
    assert load_table([own | {"countries": ["MX"]}])[1] == []


def test_country_in_two_lists_is_refused():
    with pytest.raises(ConfigError, match="'EEA', 'alps' list the same country"):
        load_table([{"key": "alps", "name": "x", "regime": "opt_in", "basis": "x", "countries": ["AT"]}])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("FR", "CONSENT_JURISDICTION_RULES[0] must be a table with fields of a jurisdiction, such as"),
        ({"regime": "opt_in"}, "CONSENT_JURISDICTION_RULES[0] lacks 'key'. Add it: text."),
        (
            {"key": "FR", "regim": "notice"},
            "CONSENT_JURISDICTION_RULES[0] has an unknown field 'regim'. Allowed here, the closest first: 'regime', ",
        ),
        ({"key": "FR", 7: "notice"}, "CONSENT_JURISDICTION_RULES[0] has an unknown field '7'. Allowed here"),
        (
            {"key": "FR", "regime": "optin"},
            (
                "CONSENT_JURISDICTION_RULES[0]: Jurisdiction 'FR': 'regime' must be 'opt_in', 'opt_out', 'notice', got "
                "'optin'. Correct it there."
            ),
        ),
        (
            {"key": "FR", "regime_by_kind": {"ads": "opt_in"}},
            "CONSENT_JURISDICTION_RULES[0]: Jurisdiction 'FR': 'regime_by_kind' must be 'statistics', 'appearance', ",
        ),
        (
            {"key": "FR", "accept_months": 24},
            "CONSENT_JURISDICTION_RULES[0]: Jurisdiction 'FR': 'accept_months' must be",
        ),
        ({"key": "FR", "accept_months": None}, "CONSENT_JURISDICTION_RULES[0]: 'accept_months' must be a whole number"),
        (
            {"key": "FR", "effective_from": "2027-01-01"},
            "CONSENT_JURISDICTION_RULES[0]: 'effective_from' must be a date such as 2026-11-22, got '2027-01-01'.",
        ),
        ({"key": "FR", "effective_from": NOW}, "CONSENT_JURISDICTION_RULES[0]: 'effective_from' must be a date"),
        (
            {"key": "US-CAL", "refuse_months": 6},
            (
                "CONSENT_JURISDICTION_RULES[0] is for 'US-CAL', which has no row yet. Rows there are, the closest first: "
                "'US-CA', "
            ),
        ),
        (
            {"key": "Oz", "name": "x", "regime": "notice", "basis": "x"},
            (
                "CONSENT_JURISDICTION_RULES[0]: Jurisdiction 'Oz': 'key' must be a code such as 'FR' or 'US-CA', got 'Oz'. "
                "Correct it there."
            ),
        ),
        (
            {"key": "US", "without_region": "US-XX"},
            "CONSENT_JURISDICTION_RULES: Jurisdiction 'US': 'without_region' must",
        ),
        (
            {"key": "unknown", "regime": "notice"},
            "CONSENT_JURISDICTION_RULES: The jurisdiction table must have exactly one row 'unknown', of regime 'opt_in'",
        ),
    ],
)
def test_malformed_override_is_refused(override, message):
    assert str(refusal(override)).startswith(message)


def test_two_overrides_of_one_key_and_day_are_refused():
    assert str(refusal({"key": "FR"}, {"key": "FR"})) == (
        "CONSENT_JURISDICTION_RULES[1] is the second for 'FR' without a day. Write all fields in one."
    )
    dated = {"key": "FR", "effective_from": date(2027, 1, 1)}
    assert "is the second for 'FR' from 2027-01-01 on." in str(refusal(dated, dated))


def test_months_of_unknown_places_can_be_changed():
    assert load_table([{"key": "unknown", "refuse_months": 12}])[0].find(None, now=NOW).refuse_months == 12


def test_overrides_leave_the_shipped_table_alone():
    load({"key": "FR", "regime": "notice"})

    assert load_table()[0].rows == SHIPPED.rows
    assert SHIPPED.find(Place("FR"), now=NOW).regime == "opt_in"
