"""The submission parsers under anything: one error type, and every key of a result declared."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.core.choice import Action
from consent.core.policy import Policy
from consent.errors import SubmissionError
from consent.wire.submission import parse_body, parse_submission
from tests.conftest import LOGIN, PIXEL, PLAYER, STATS

often = settings(max_examples=400, deadline=None)

POLICY = Policy(controller="Example", services=(LOGIN, STATS, PLAYER, PIXEL))
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

names = st.sampled_from(["action", "granted", "next", "service", "id", "gpc", "other", ""])
words = st.sampled_from(
    ["save", "accept_all", "allow", "once", "analytics", "stats", "player", "abc", "/", "1"]
) | st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
bodies = (
    st.binary(max_size=200)
    | st.lists(st.tuples(names, words), max_size=6).map(lambda pairs: urlencode(pairs).encode())
    | st.text(st.sampled_from(list("&=%;+action[]save019Fé")), max_size=60).map(str.encode)
    | st.dictionaries(names | words, json_values, max_size=5).map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: json.dumps(value).encode())
)


REFUSALS = {(400, "malformed"), (400, "unknown_action"), (400, "unknown_key"), (415, "unsupported_media_type")}


def read(body, content_type):
    """Return the submission or the error that refused it, and None for the other; any other error is the test's."""
    try:
        return parse_submission(parse_body(body, content_type=content_type), POLICY), None
    except SubmissionError as error:
        return None, error


@often
@given(body=bodies, content_type=st.sampled_from([FORM, JSON, f"{JSON}; charset=utf-8"]) | st.text(max_size=40))
@example(b'{"a":' * 20_000, JSON)
@example(b"\xff", FORM)
def test_any_body_is_read_or_refused(body, content_type):
    submission, error = read(body, content_type)

    if submission is None:
        assert (error.status, error.code) in REFUSALS
        assert str(error).isprintable()
        assert len(str(error)) < 600
        return
    assert isinstance(submission.action, Action)
    assert set(submission.granted) <= set(POLICY.keys)
    assert len(set(submission.granted)) == len(submission.granted)


@often
@given(
    action=st.sampled_from([action for action in Action if action not in (Action.ONCE, Action.ALLOW)]),
    granted=st.lists(st.sampled_from(sorted(POLICY.fingerprints)), unique=True),
    next_path=st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30),
    signal=st.sampled_from([{}, {"gpc": "1"}]),
)
def test_form_and_json_say_the_same(action, granted, next_path, signal):
    single = {"action": action.value, "next": next_path, **signal}
    form = urlencode([*single.items(), *(("granted", key) for key in granted)]).encode()
    data = json.dumps({**single, "granted": granted}).encode()

    as_form = parse_submission(parse_body(form, content_type=FORM), POLICY)
    as_json = parse_submission(parse_body(data, content_type=JSON), POLICY)

    assert as_form == as_json
    assert as_form.granted == tuple(granted)
    assert as_form.next_path == next_path
    assert as_form.has_gpc is bool(signal)
