"""`Permissions-Policy`: names that browsers know, and headers of the app as browsers read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consent.wire.permissions_policy import ADVERTISING_FEATURES, RETIRED_FEATURES, list_features, write_denials

KNOWN = json.loads((Path(__file__).parents[1] / "vectors" / "permissions_policy.json").read_text(encoding="utf-8"))


def test_only_names_that_browsers_know_are_sent():
    """S44; the file is `http.headers.Permissions-Policy` of the data by browsers' makers and MDN."""
    assert set(ADVERTISING_FEATURES) <= set(KNOWN["known"])


def test_retired_names_are_known_to_no_current_browser():
    assert RETIRED_FEATURES.isdisjoint(KNOWN["known"])
    assert set(KNOWN["removed"]) <= RETIRED_FEATURES


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", ()),
        ("  ", ()),
        ("camera=()", ("camera",)),
        ('camera=(self "https://a.example"), geolocation=*', ("camera", "geolocation")),
        ("camera", ("camera",)),
        ("camera=();report-to=x,\tmicrophone=?0", ("camera", "microphone")),
        ("a=(), a=*", ("a", "a")),
        ('a=1.5, b=:YQ==:, c=@12, d=%"x%c3%a4"', ("a", "b", "c", "d")),
        ("camera 'none'", None),
        ("camera=(", None),
        ("camera=(),", None),
        (",camera=()", None),
        ("Camera=()", None),
        ("camera=() microphone=()", None),
        ("camera=();", None),
        ('camera=("unclosed)', None),
        ("camera=(\xe4)", None),
        ("camera=\u00a0()", None),
    ],
)
def test_names_of_a_header_are_read_as_structured_fields(value, names):
    assert list_features(value) == names


def test_long_header_is_read_in_linear_time():
    assert list_features("a=(" + " " * 100_000) is None
    assert list_features("a=();" * 50_000) is None
    assert list_features(", ".join(["a=()"] * 20_000)) == ("a",) * 20_000


def test_feature_that_the_app_names_is_left_to_it():
    assert write_denials(()) == "browsing-topics=()"
    assert write_denials(("camera", "browsing-topics")) == ""
