"""`Set-Cookie` as browsers read it, and names in a `Cookie` field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from consent.wire.set_cookie import drop_cookies, find_name, is_deletion, list_cookie_names, parse_cookie_date

NOW = datetime(2026, 8, 31, 12, 0, tzinfo=UTC)
PAST, FUTURE = "Mon, 31 Aug 2026 11:59:59 GMT", "Mon, 31 Aug 2026 12:00:01 GMT"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("_ga=1", "_ga"),
        ("_ga=1; Path=/; Secure", "_ga"),
        (" \t_ga \t= 1", "_ga"),
        ("_ga=a=b", "_ga"),
        ("_ga=", "_ga"),
        ("_ga;x=1", "_ga"),
        ("_ga", "_ga"),
        ("=_ga=1", "_ga"),
        (" = _ga =1; Path=/", "_ga"),
        ("==x", ""),
        ("=", ""),
        (";_ga=1", ""),
        ("", ""),
        ('"_ga"=1', '"_ga"'),
        ("\xa0_ga=1", "\xa0_ga"),
        ("_ga,x=1", "_ga,x"),
        ("_GA=1", "_GA"),
    ],
)
def test_name_is_the_one_that_comes_back(field, name):
    assert find_name(field) == name


@pytest.mark.parametrize(
    "attributes",
    [
        "; Max-Age=0",
        "; max-age=00",
        ";MAX-AGE = -1 ",
        "; Max-Age=-0",
        f"; Max-Age=-{'9' * 900}",
        f"; Expires={PAST}",
        f"; expires = {PAST} ; Path=/",
        "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
        "; Expires=Thu, 01-Jan-70 00:00:00 GMT",
        f"; Max-Age=0; Expires={FUTURE}",
        "; Max-Age=100; Max-Age=0",
        "; Max-Age=0; Max-Age=soon",
        f"; Expires={FUTURE}; Expires={PAST}",
        f"; Expires={PAST}; Expires=never",
        f"; Max-Age=; Expires={PAST}",
        f"; Max-Age=+5; Expires={PAST}",
        f"; Max-Age={'9' * 1025}; Expires={PAST}",
        "; Expires=Mon, 31 Aug 2026 12:00:00 GMT",
    ],
)
def test_field_that_ends_a_cookie_is_a_deletion(attributes):
    assert is_deletion(f"_ga=1{attributes}", now=NOW)


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        ";",
        "; Path=/; Max-Age",
        "; Max-Age=1",
        "; Max-Age=01",
        f"; Max-Age={'9' * 1000}",
        "; Max-Age=-",
        "; Max-Age=--1",
        "; Max-Age=0.5",
        "; Max-Age=\u0660",
        "; Max-Age=0 0",
        "; Max-Age=0; Max-Age=100",
        f"; Max-Age=100; Expires={PAST}",
        f"; Expires={FUTURE}",
        f"; Expires={PAST}; Expires={FUTURE}",
        "; Expires=0",
        "; Expires=-1",
        "; Expires=",
        "; Expires=Thu, 01 Jan 1970",
        f"; Expires={PAST}{'x' * 1024}",
        f"; xExpires={PAST}",
        ", Max-Age=0",
    ],
)
def test_field_that_keeps_a_cookie_is_no_deletion(attributes):
    assert not is_deletion(f"_ga=1{attributes}", now=NOW)


def test_value_is_no_attribute():
    assert not is_deletion("Max-Age=0", now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 31 Aug 2026 11:59:59 GMT",
        "Monday, 31-Aug-26 11:59:59 GMT",
        "Mon Aug 31 11:59:59 2026",
        "31 august 2026 11:59:59",
        "2026 31 aug 11:59:59",
        "11:59:59x 31st AUGUST 2026GMT",
        "31\tAug;2026,11:59:59",
    ],
)
def test_date_is_read_in_every_form_that_browsers_read(text):
    assert parse_cookie_date(text) == datetime(2026, 8, 31, 11, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(("digits", "year"), [("69", 2069), ("70", 1970), ("99", 1999), ("00", 2000), ("1601", 1601)])
def test_year_of_two_digits_is_of_this_century_or_the_last(digits, year):
    assert parse_cookie_date(f"1 Jan {digits} 00:00:00") == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mon, 31 Aug 2026",
        "31 Aug 11:59:59",
        "Aug 2026 11:59:59",
        "31 2026 11:59:59",
        "31 Feb 2026 11:59:59",
        "00 Aug 2026 11:59:59",
        "31 Aug 2026 24:00:00",
        "31 Aug 2026 11:60:00",
        "31 Aug 2026 11:59:60",
        "31 Aug 1600 11:59:59",
        "31 Aug 100 11:59:59",
        "31 Aug 20260 11:59:59",
        "31 Aug 2026 11:59:599",
        "31 ſep 2026 11:59:59",
        "\u0663\u0661 Aug 2026 11:59:59",
    ],
)
def test_what_is_no_date_is_none(text):
    assert parse_cookie_date(text) is None


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("a=1; _x=2; b=3", "a=1; b=3"),
        ("_x=2; a=1", "a=1"),
        ("a=1; _x=2", "a=1"),
        ("a=1;_x=2;b=3", "a=1;b=3"),
        ("a=1 ;  _x = 2;\tb=3", "a=1 ;\tb=3"),
        ("_x=1; _x=2; a=1; _x=3", "a=1"),
        ("_x", ""),
        ("_x=1;", ""),
        ("a=1; _x; b", "a=1; b"),
        ("a=_x=1; b=_x", "a=_x=1; b=_x"),
        ('a="p; _x=1; q"', 'a="p; q"'),
        ('a="p, q"; _x="1"; b=\\"', 'a="p, q"; b=\\"'),
        ("a=1;; ;_x=1;;b", "a=1;; ;;b"),
        ("a=\xff\xfe; _x=1", "a=\xff\xfe"),
        ("", ""),
    ],
)
def test_dropped_cookies_leave_the_others_as_they_were(header, rest):
    assert drop_cookies(header, {"_x"}.__contains__) == rest


def test_field_without_an_unwanted_cookie_is_the_same():
    assert drop_cookies(" ;a=1;; ", {"_x"}.__contains__) == " ;a=1;; "


def test_names_are_listed_once_in_their_order():
    assert list_cookie_names('b=1; a="x; y=2"; b=3;; c') == ["b", "a", "y", "c"]
