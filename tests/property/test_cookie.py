"""The cookie codec and the header reader under anything."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from consent.engine import Engine
from consent.errors import CookieError
from consent.wire.cookie import PLAIN_NAME, SECURE_NAME, CookieCodec, find_values
from tests import strategies
from tests.conftest import LOGIN, NOW, PIXEL, PLAYER, STATS
from tests.engine_steps import UNKNOWN

quickly = settings(max_examples=150, deadline=None)
often = settings(max_examples=400, deadline=None)

KEY = b"a key of at least sixteen bytes"
NAMES = st.sampled_from([SECURE_NAME, PLAIN_NAME])


POLICY = Policy(controller="Example", services=(LOGIN, STATS, PLAYER, PIXEL))
CODEC = CookieCodec(POLICY, name=PLAIN_NAME, keys_oldest_first=[KEY])
ENGINE = Engine(POLICY, keys_oldest_first=[KEY], read_clock=lambda: NOW)
RECORD = ConsentRecord(
    record_id="01234567-89ab-4def-8123-456789abcdef",
    decided_at=NOW,
    valid_until=add_months(NOW, 6),
    regime=Regime.OPT_IN,
    signals=Signals(),
    choices=dict.fromkeys(POLICY.fingerprints, Choice.GRANTED),
    fingerprints=dict(POLICY.fingerprints),
)
VALUE = CODEC.encode(RECORD)


@quickly
@given(data=st.data(), name=NAMES)
def test_record_of_any_policy_comes_back_as_it_went(data, name):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    codec = CookieCodec(policy, name=name, keys_oldest_first=[KEY])

    value = codec.encode(record)

    assert codec.decode(value) == record
    assert find_values(f"a=b; {name}={value}; c=d", name) == [value]


@quickly
@given(data=st.data())
def test_cookie_read_under_another_policy_grants_only_what_is_the_same(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    other = data.draw(strategies.policies())
    value = CookieCodec(policy, name=PLAIN_NAME, keys_oldest_first=[KEY]).encode(record)

    read = CookieCodec(other, name=PLAIN_NAME, keys_oldest_first=[KEY]).decode(value)

    for key, choice in read.choices.items():
        assert policy.fingerprints[key] == other.fingerprints[key]
        assert record.choices[key] is choice


@often
@given(text=st.text(max_size=300))
@example("\ud800")
def test_decoder_raises_nothing_but_cookie_errors(text):
    try:
        CODEC.decode(text)
    except CookieError:
        return
    raise AssertionError("nobody signed this")


@often
@given(payload=st.binary(max_size=60))
@example(b"\x01")
@example(b"\x01" + b"\xff" * 24)
@example(b"\x01" + b"\xff" * 21 + b"\x00" + b"\xff\xff")
def test_decoder_of_any_signed_payload_raises_nothing_but_cookie_errors(payload):
    signed = CODEC._signer.sign(urlsafe_b64encode(payload).rstrip(b"=")).decode()

    try:
        record = CODEC.decode(signed)
    except CookieError:
        return
    assert record.choices.keys() <= record.fingerprints.keys() <= POLICY.fingerprints.keys()


@often
@given(header=strategies.header_texts, is_secure=st.booleans(), gpc=st.booleans())
@example(header="consent=\ud800", is_secure=False, gpc=False)
def test_no_header_raises_or_grants(header, is_secure, gpc):
    standing = ENGINE.look_up(header, is_secure=is_secure, signals=Signals(gpc=gpc), jurisdiction=UNKNOWN)

    assert standing.record is None
    assert {key for key, choice in standing.decision.choices.items() if choice == "granted"} == {"necessary"}
    assert "granted" not in {standing.decision.services[key] for key in ("stats", "player", "pixel")}


@often
@given(data=st.data())
def test_header_around_a_good_cookie_can_hide_it_but_not_change_it(data):
    header = (
        data.draw(strategies.header_texts) + data.draw(st.sampled_from(["", ";", "; ", ";\t"])) + f"consent={VALUE}"
    )
    header += data.draw(st.sampled_from(["", ";", " ; ", "; "])) + data.draw(strategies.header_texts)

    standing = ENGINE.look_up(header, is_secure=False, signals=Signals(), jurisdiction=UNKNOWN)

    assert standing.record in (None, RECORD)


@often
@given(header=strategies.header_texts, name=NAMES)
def test_found_values_are_in_the_header_under_that_very_name(header, name):
    for value in find_values(header, name):
        assert any(
            part.partition("=")[0].strip(" \t") == name and part.partition("=")[2].strip(" \t") == value
            for part in header.split(";")
        )


@often
@given(header=strategies.header_texts.filter(lambda text: '"' not in text))
def test_without_quotes_up_to_two_cookies_of_the_name_are_found(header):
    header = f"{header};consent=A"
    parts = [part.partition("=") for part in header.split(";")]
    expected = [value.strip(" \t") for name, equals, value in parts if equals and name.strip(" \t") == "consent"]

    assert find_values(header, PLAIN_NAME) == list(dict.fromkeys(expected))[:2]


@quickly
@given(data=st.data())
def test_mutated_cookie_is_unknown_or_the_same(data):
    at = data.draw(st.integers(0, len(VALUE)))
    length = data.draw(st.integers(0, 3))
    inserted = data.draw(st.text(max_size=4))
    mutated = VALUE[:at] + inserted + VALUE[at + length :]

    try:
        record = CODEC.decode(mutated)
    except CookieError:
        return
    # What base64 skips or leaves unused, in the signature alone.
    assert record == RECORD
    assert mutated.startswith(VALUE[: VALUE.index(".") + 1])
