"""`Sec-GPC` and `DNT`, by the vectors of their specifications."""

from __future__ import annotations

import pytest

from consent.core.privacy_signal import Signals, parse_dnt, parse_sec_gpc


@pytest.mark.parametrize("value", ["1", " 1 ", "\t1", "0, 1", "1, 1", "1,0", "x,1", "1,", ",1"])
def test_sec_gpc_is_on(value):
    assert parse_sec_gpc(value) is True


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "0",
        "true",
        "1;x",
        "11",
        "01",
        "0,0",
        "?1",
        '"1"',
        "1 1",
        "1.0",
        "+1",
        "１",
        "\u20091",
        "1\x0b",
        ",",
    ],
)
def test_sec_gpc_is_off_for_anything_else(value):
    assert parse_sec_gpc(value) is False


def test_sec_gpc_of_many_fields_is_read_in_linear_time():
    assert parse_sec_gpc("0," * 30_000 + "1") is True


def test_signals_are_off_by_default():
    assert Signals() == Signals(gpc=False, dnt=False)


@pytest.mark.parametrize("value", ["1", " 1", "\t1", "1 ", "1xyz"])
def test_dnt_is_on(value):
    assert parse_dnt(value) is True


@pytest.mark.parametrize(
    "value", [None, "", " ", "0", "0, 0", "null", "yes", "true", "-1", "\u00b9", "\uff11"], ids=ascii
)
def test_dnt_is_off_for_anything_else(value):
    assert parse_dnt(value) is False


@pytest.mark.parametrize(
    ("here", "there", "has_more"),
    [
        (Signals(), Signals(), False),
        (Signals(gpc=True), Signals(), True),
        (Signals(dnt=True), Signals(), True),
        (Signals(gpc=True), Signals(dnt=True), True),
        (Signals(), Signals(gpc=True, dnt=True), False),
        (Signals(gpc=True), Signals(gpc=True, dnt=True), False),
    ],
)
def test_signals_with_more_are_those_with_one_that_is_new(here, there, has_more):
    assert here.has_more_than(there) is has_more
