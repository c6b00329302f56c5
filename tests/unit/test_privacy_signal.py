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
