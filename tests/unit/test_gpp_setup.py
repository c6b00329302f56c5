"""What a site says of itself in `CONSENT_SIGNALS["gpp"]`, and what is refused."""

from __future__ import annotations

import re

import pytest

from consent.core.declaration import Purpose, default_purposes
from consent.core.policy import Policy
from consent.errors import ConfigError, UnknownKeyError
from consent.jurisdictions import load_table
from consent.web.gpp_setup import read_gpp_setup

PERSONAL = Purpose("personal", title="Personal ads", description="Ads.", kind="advertising")
HEALTH = Purpose("health", title="Health", description="What you say of your health.", kind="sensitive")
POLICY = Policy(controller="Example", purposes=(*default_purposes(), PERSONAL, HEALTH))


def test_site_that_says_nothing_has_signed_nothing_and_processes_nothing_sensitive():
    setup = read_gpp_setup({}, POLICY)

    assert (setup.mspa_signatory, setup.mspa_mode, setup.sensitive, setup.legacy_usp) == (False, None, {}, False)


def test_advertising_is_every_purpose_of_that_kind():
    assert read_gpp_setup({}, POLICY).advertising == ("marketing", "personal")


def test_options_are_taken():
    given = {
        "mspa_signatory": True,
        "mspa_mode": "service_provider",
        "sensitive": {"usca": {9: "health"}, "usnat": {16: "health"}},
    }
    setup = read_gpp_setup(given | {"legacy_usp": True}, POLICY)

    assert (setup.mspa_signatory, setup.mspa_mode, setup.legacy_usp) == (True, "service_provider", True)
    assert setup.sensitive == given["sensitive"]


def test_options_that_change_later_do_nothing():
    numbers = {1: "health"}
    setup = read_gpp_setup({"sensitive": {"usca": numbers}}, POLICY)
    numbers[2] = "health"

    assert setup.sensitive == {"usca": {1: "health"}}


def test_section_is_found_in_every_row_of_the_united_states_with_opt_out_and_in_no_other(now):
    setup, table = read_gpp_setup({}, POLICY), load_table()[0]
    cases = [table.find_case(row, now=now) for row in table.rows]
    found = {
        (str(place)[:2], rules.regime.value, setup.find_section_name(place, rules))
        for place, instant in cases
        if setup.find_section_name(place, rules := table.find(place, now=instant))
    }

    assert found == {("US", "opt_out", "usca"), ("US", "opt_out", "usnat")}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"legacy_us": True},
            "Option 'legacy_us' in 'CONSENT_SIGNALS' for 'gpp' is unknown. The options, the closest first: 'legacy_usp'",
        ),
        ({1: True}, "Option 1 in 'CONSENT_SIGNALS' for 'gpp' is unknown"),
        ({"mspa_signatory": 1}, "Option 'mspa_signatory' in 'CONSENT_SIGNALS' for 'gpp' must be True or False, got 1."),
        ({"legacy_usp": "yes"}, "must be True or False, got 'yes'"),
        ({"legacy_usp": None}, "must be True or False, got None"),
        (
            {"mspa_signatory": True},
            "'mspa_mode' in 'CONSENT_SIGNALS' for 'gpp' must be one of 'opt_out_option', 'service_provider' for a signatory",
        ),
        ({"mspa_mode": "service_provider"}, "and left out for everyone else, got 'service_provider'"),
        ({"mspa_signatory": False, "mspa_mode": "opt_out_option"}, "and left out for everyone else"),
        ({"mspa_signatory": True, "mspa_mode": "opt_out"}, "got 'opt_out'"),
        ({"mspa_signatory": True, "mspa_mode": ["service_provider"]}, "got ['service_provider']"),
        (
            {"sensitive": ["health"]},
            "must give purposes by data activity and section, such as {'usca': {1: 'health'}}, got ['health']",
        ),
        ({"sensitive": {1: "health"}}, "got {1: 'health'}"),
        ({"sensitive": {"usco": {1: "health"}}}, "names section 'usco'. Sections: 'usnat', 'usca'."),
        (
            {"sensitive": {"usca": {0: "health"}}},
            "for 'usca' numbers data activities from 1 to 9, as the section does, got 0",
        ),
        ({"sensitive": {"usca": {10: "health"}}}, "got 10"),
        ({"sensitive": {"usnat": {17: "health"}}}, "from 1 to 16, as the section does, got 17"),
        ({"sensitive": {"usca": {"1": "health"}}}, "got '1'"),
        ({"sensitive": {"usca": {True: "health"}}}, "got True"),
    ],
)
def test_wrong_option_is_an_error(options, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_gpp_setup(options, POLICY)


@pytest.mark.parametrize("key", ["helth", ["health"], None])
def test_unknown_purpose_is_an_error_that_names_the_closest(key):
    words = "in 'CONSENT_SIGNALS' for 'gpp'.*the closest first: " + ("'health'" if key == "helth" else "")

    with pytest.raises(UnknownKeyError, match=words):
        read_gpp_setup({"sensitive": {"usca": {1: key}}}, POLICY)
