"""Bodies that are no form and no JSON: 400 whatever they hold, and never 500."""

from __future__ import annotations

import json

import pytest

from consent.errors import SubmissionError
from consent.wire.submission import parse_body, parse_submission

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def read(policy, body, content_type=FORM):
    return parse_submission(parse_body(body, content_type=content_type), policy)


def refuse(policy, body, content_type=FORM):
    with pytest.raises(SubmissionError) as error:
        read(policy, body, content_type)
    return error.value


def refuse_json(policy, value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return refuse(policy, body, JSON)


# -- malformed forms


@pytest.mark.parametrize(
    "body",
    [
        b"action=save&granted=%FF",
        b"action=save&next=%C3%28",
        b"action=save&next=%ED%A0%80",
        b"action=save&next=%C0%AF",
        b"action=save&x=\xff",
        "action=save&next=/é".encode(),
        b"\xff\xfea\x00c\x00",
    ],
)
def test_form_that_is_not_percent_encoded_utf_8_is_400(policy, body):
    error = refuse(policy, body)

    assert str(error) == "The form is not percent-encoded UTF-8."
    assert (error.status, error.code) == (400, "malformed")


@pytest.mark.parametrize("body", [b"action=save;granted=analytics", b"action=save%26granted%3Danalytics"])
def test_other_separators_grant_nothing(policy, body):
    assert refuse(policy, body).code == "unknown_action"


def test_form_of_many_empty_fields_is_no_choice(policy):
    assert refuse(policy, b"&" * 4096).code == "unknown_action"


# -- malformed JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"'action'",
        b'{"action": "save",}',
        b'{"action": save}',
        b'{"action": "save"} {}',
        b'{"action": "save"}\x00',
        b'\xef\xbb\xbf{"action": "save"}',
        '{"action": "save"}'.encode("utf-16"),
        b'{"action": "save", "x": "\xff"}',
        b'{"action": "save", "x": "\n"}',
        b'{"action": "save", "x": NaN}',
        b'{"action": "save", "x": Infinity}',
        b'{"action": "save", "x": -Infinity}',
        b'{"action": "save", "action": "accept_all"}',
        b'{"action": "save", "granted": [], "granted": ["analytics"]}',
        b'{"action": "save", "x": {"a": 1, "a": 2}}',
        b'{"action": "save", "x": ' + b"9" * 6000 + b"}",
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"action": "save", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"action": "save", "x": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    ],
    ids=lambda body: f"{body[:40]!r}, {len(body)}",
)
def test_malformed_json_is_400(policy, body):
    error = refuse(policy, body, JSON)

    assert str(error) == "The body is not valid JSON."
    assert (error.status, error.code) == (400, "malformed")


@pytest.mark.parametrize("value", [None, True, 0, "save", [], ["save"], [{"action": "accept_all"}]])
def test_json_that_is_no_object_is_400(policy, value):
    error = refuse_json(policy, value)

    assert str(error) == "The body must be one JSON object."


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, {}, {"a": "b"}, ["save"], [], "a\nb", "\x00", "\x1b[31m", "\u2028", "\ud800", "\x85"]
)
@pytest.mark.parametrize("member", ["action", "next", "service", "id"])
def test_json_member_of_the_wrong_type_is_400(policy, member, value):
    error = refuse_json(policy, {"action": "save"} | {member: value})

    assert str(error) == f"Member {member!r} must hold printable text."
    assert (error.status, error.code) == (400, "malformed")


@pytest.mark.parametrize(
    "value", [None, True, 5, {}, {"analytics": True}, [None], [5], [["analytics"]], [{}], ["stats", 1], ["a\n"]]
)
def test_json_keys_of_the_wrong_type_are_400(policy, value):
    error = refuse_json(policy, {"action": "save", "granted": value})

    assert str(error) == "Member 'granted' must hold printable text."


def test_json_error_names_no_input(policy):
    assert "sesame" not in str(refuse(policy, b'{"sesame": sesame', JSON))
