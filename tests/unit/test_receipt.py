"""Receipts: one spelling to sign, and nothing read that could be taken for something else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consent.core.receipt import (
    SIZE_LIMIT_BYTES,
    Comparison,
    Origin,
    Receipt,
    compare_with_stored,
    encode_receipt,
    read_receipt,
    sign_content,
)
from consent.core.record import Choice
from tests.samples import make_record


@pytest.fixture
def record(policy, now):
    return make_record(policy, now).as_dict()


@pytest.fixture
def receipt(record, now):
    return Receipt(
        receipt_id="77e34c5e-31b0-4b8e-a3f0-6b5a0b0a9d10",
        issued_at=datetime(2026, 9, 1, 8, 30, tzinfo=UTC),
        controller="Café ✓ Ltd",
        origin=Origin.LEDGER,
        record=record,
        purposes=({"key": "analytics", "title": "Analytics", "services": []},),
    )


@pytest.fixture
def file(receipt):
    """What a visitor downloads."""
    return json.dumps(sign_content(receipt.as_dict(), algorithm="HMAC-SHA256", signature="sig"), indent=2).encode()


def test_a_receipt_says_which_shape_it_has_and_when_it_was_issued(receipt, record):
    values = receipt.as_dict()

    assert values["schema"] == "consent-receipt/1"
    assert values["issued_at"] == "2026-09-01T08:30:00Z"
    assert values["copied_from"] == "ledger"
    assert values["record"] == record


def test_what_was_written_is_read_back(receipt, file):
    found = read_receipt(file)

    assert found.content == receipt.as_dict()
    assert (found.algorithm, found.signature, found.origin) == ("HMAC-SHA256", "sig", "ledger")
    assert found.record_id == receipt.record["record_id"]


@pytest.mark.parametrize(
    "form", [{"indent": 8}, {"sort_keys": True}, {"ensure_ascii": False}, {"separators": (",", ":")}]
)
def test_the_signed_bytes_are_the_same_however_the_file_is_laid_out(receipt, file, form):
    again = json.dumps(json.loads(file), **form).encode()

    assert encode_receipt(read_receipt(again).content) == encode_receipt(receipt.as_dict())


def test_a_byte_order_mark_is_no_change(receipt, file):
    assert read_receipt(b"\xef\xbb\xbf" + file).content == receipt.as_dict()


def test_the_signature_covers_everything_but_itself(receipt, file):
    signed = encode_receipt(receipt.as_dict())

    assert encode_receipt(replace(receipt, controller="Another").as_dict()) != signed
    assert encode_receipt(replace(receipt, origin=Origin.COOKIE).as_dict()) != signed
    assert encode_receipt(read_receipt(file.replace(b'"sig"', b'"other"')).content) == signed


WHOLE_FILES = {
    "empty": (b"", "Expecting value"),
    "a list": (b"[]", "'schema' of a receipt must be 'consent-receipt/1', got []"),
    "nothing": (b"null", "got None"),
    "an executable": (b"\x7fELF\x02\xff", "not text in UTF-8"),
    "deep": (b'{"a":' * 100_000, "nested too deeply"),
    "long": (b" " * (SIZE_LIMIT_BYTES + 1), "longer than 4194304 bytes"),
}
CHANGES = {
    "cut": (b'"history"', b'"his', "Invalid control character"),
    "of another version": (b"consent-receipt/1", b"consent-receipt/2", "got 'consent-receipt/2'"),
    "without a record": (b'"record":', b'"recorded":', "'record' of a receipt must be an object"),
    "without a signature": (b'"signature":', b'"signed":', "'signature' of a receipt must be an object"),
    "with a number for it": (b'"sig"', b"7", "'signature' of a receipt must be an object with a 'value'"),
    # T43: nothing that JSON does not have, or that two readers spell differently.
    "not a number": (b"true", b"NaN", "holds the number 'NaN'"),
    "endless": (b"true", b"-Infinity", "holds the number '-Infinity'"),
    "a fraction": (b"true", b"1.0", "holds the number '1.0', and a receipt holds whole numbers only"),
    "a number too long": (b"true", b"9" * 5000, "limit"),
    "half a character": (b'"Analytics"', b'"\\ud800"', "not text in UTF-8"),
    "a member twice": (b'"history"', b'"copied_from": "cookie", "history"', "there twice"),
}


def refuse(text):
    """Return what is said of a file that is no receipt."""
    with pytest.raises(ValueError, match="downloaded") as refusal:
        read_receipt(text)
    assert len(str(refusal.value)) < 300
    return str(refusal.value)


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_file_that_is_no_receipt_is_refused_with_the_reason(name):
    text, said = WHOLE_FILES[name]

    assert said in refuse(text)


@pytest.mark.parametrize("name", CHANGES)
def test_a_receipt_that_was_damaged_is_refused_with_the_reason(file, name):
    old, new, said = CHANGES[name]

    assert old in file
    assert said in refuse(file.replace(old, new))


def test_a_stored_record_is_the_same_only_if_nothing_differs(receipt, file, record):
    found = read_receipt(file)

    assert compare_with_stored(found, json.dumps(record, sort_keys=True)) is Comparison.SAME
    assert compare_with_stored(found, json.dumps(record | {"source": "api"})) is Comparison.DIFFERS


@pytest.mark.parametrize(
    "payload", ["", "7", "NaN", '"\\ud800"', "[" * 100_000], ids=["empty", "number", "nan", "half", "deep"]
)
@pytest.mark.parametrize("origin", list(Origin))
def test_a_stored_record_that_cannot_be_read_differs(receipt, origin, payload):
    values = replace(receipt, origin=origin).as_dict()
    found = read_receipt(json.dumps(sign_content(values, algorithm="", signature="sig")).encode())

    assert compare_with_stored(found, payload) is Comparison.DIFFERS


def read_as_cookie_copy(receipt, record):
    values = replace(receipt, origin=Origin.COOKIE, record=record).as_dict()
    return read_receipt(json.dumps(sign_content(values, algorithm="", signature="sig")).encode())


def test_a_copy_of_a_cookie_is_compared_by_what_a_cookie_holds(receipt, policy, now):
    whole = make_record(policy, now)
    held = replace(whole, choices={"analytics": Choice.GRANTED}, fingerprints={"analytics": b"123"})
    copy = read_as_cookie_copy(receipt, held.as_dict())

    assert compare_with_stored(copy, json.dumps(whole.as_dict() | {"source": "banner"})) is Comparison.SAME


@pytest.mark.parametrize(
    "change",
    [
        {"valid_until": "2030-01-01T00:00:00Z"},
        {"mode": "opt_out"},
        {"decisions": {}},
        {"record_id": "no id"},
        {"decisions": 7},
    ],
)
def test_a_copy_of_a_cookie_that_says_otherwise_differs(receipt, record, change):
    copy = read_as_cookie_copy(receipt, record)

    assert compare_with_stored(copy, json.dumps(record | change)) is Comparison.DIFFERS
