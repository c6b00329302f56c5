"""No consent cookie but our own is believed: flipped, cut, moved, replayed under another name or signed by other keys."""

from __future__ import annotations

import dataclasses
import hashlib

import itsdangerous
import pytest

from consent.core.record import Choice
from consent.errors import BadSignature, CookieError
from consent.wire.cookie import PLAIN_NAME, SECURE_NAME, CookieCodec, find_values
from tests.samples import make_record

KEY = b"a key of at least sixteen bytes"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NAMES = [SECURE_NAME, PLAIN_NAME]


def make_codec(policy, *, name=SECURE_NAME, keys=(KEY,)):
    return CookieCodec(policy, name=name, keys_oldest_first=keys)


@pytest.fixture
def record(policy, now):
    return make_record(policy, now)


@pytest.fixture
def value(policy, record):
    return make_codec(policy).encode(record)


def test_no_flipped_bit_is_believed(policy, value):
    codec = make_codec(policy)
    # Base64 leaves two bits of the signature's last character unused: see the four spellings below.
    for at in range(len(value) - 1):
        for bit in range(7):
            flipped = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]
            with pytest.raises(CookieError):
                codec.decode(flipped)


def test_no_shortened_value_is_believed(policy, value):
    codec = make_codec(policy)
    for length in range(len(value)):
        with pytest.raises(CookieError):
            codec.decode(value[:length])


@pytest.mark.parametrize("extra", ["A", "AAAA", ".", ".A", "=", " ", "\n", "\x00", "é"])
def test_no_lengthened_payload_is_believed(policy, value, extra):
    payload, _, signature = value.partition(".")

    for changed in (extra + value, f"{payload}{extra}.{signature}"):
        with pytest.raises(CookieError):
            make_codec(policy).decode(changed)


def test_signature_of_another_value_is_not_believed(policy, record, value):
    refused = make_codec(policy).encode(
        dataclasses.replace(record, choices=dict.fromkeys(record.choices, Choice.DENIED))
    )
    payload, signature = value.partition(".")[0], refused.partition(".")[2]

    for swapped in (f"{payload}.{signature}", f"{signature}.{payload}"):
        with pytest.raises(BadSignature):
            make_codec(policy).decode(swapped)


@pytest.mark.parametrize(
    "junk",
    [
        "",
        ".",
        "..",
        "x",
        "x.",
        ".x",
        "é.é",
        "\x00",
        "null",
        "{}",
        "granted",
        "a" * 43,
        "." + "A" * 43,
        ".eJyrVkrLz1eyUkpKLFKqBQAdegQ0.AAAA",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJub25lIn0=.",
        "%7B%22analytics%22%3Atrue%7D",
        "j:{}",
        '"quoted"',
        "\ud800",
    ],
)
def test_junk_is_not_believed(policy, junk):
    with pytest.raises(BadSignature) as error:
        make_codec(policy).decode(junk)

    assert str(error.value) == "The consent cookie is not signed by this app."


def test_unsigned_payload_is_not_believed(policy, value):
    payload = value.partition(".")[0]

    for unsigned in (payload, payload + ".", payload + "." + "A" * 43, payload + "." + payload):
        with pytest.raises(BadSignature):
            make_codec(policy).decode(unsigned)


def test_error_holds_no_cookie_value(policy, value):
    with pytest.raises(BadSignature) as error:
        make_codec(policy).decode(value[:-2])

    assert value[:8] not in str(error.value)


@pytest.mark.parametrize(
    "salt", ["cookie-session", "itsdangerous.Signer", "wtf-csrf-token", "", "flask-cookie-consent"]
)
def test_other_salt_is_not_believed(policy, record, value, salt):
    other = itsdangerous.Signer(KEY, salt=salt, digest_method=hashlib.sha256)
    payload = value.partition(".")[0].encode()

    with pytest.raises(BadSignature):
        make_codec(policy).decode(other.sign(payload).decode())


def test_session_cookie_of_the_same_key_is_not_believed(policy):
    session = itsdangerous.URLSafeTimedSerializer(KEY, salt="cookie-session").dumps({"analytics": "granted"})

    with pytest.raises(BadSignature):
        make_codec(policy).decode(str(session))


def test_other_digest_is_not_believed(policy, value):
    weak = itsdangerous.Signer(KEY, salt=f"flask-cookie-consent.{SECURE_NAME}", digest_method=hashlib.sha1)

    with pytest.raises(BadSignature):
        make_codec(policy).decode(weak.sign(value.partition(".")[0].encode()).decode())


@pytest.mark.parametrize(("made_for", "read_as"), [NAMES, NAMES[::-1]])
def test_cookie_of_the_other_name_is_not_believed(policy, record, made_for, read_as):
    moved = make_codec(policy, name=made_for).encode(record)

    with pytest.raises(BadSignature):
        make_codec(policy, name=read_as).decode(moved)


def test_four_spellings_of_a_signature_are_one_record(policy, record, value):
    last = ALPHABET.index(value[-1]) // 4 * 4
    spellings = {value[:-1] + ALPHABET[last + unused] for unused in range(4)}

    assert len(spellings) == 4
    assert [make_codec(policy).decode(spelling) for spelling in spellings] == [record] * 4


@pytest.mark.parametrize("padding", ["!", "*", "~", "="])
def test_overlong_spelling_of_a_signature_is_not_believed(policy, value, padding):
    # Characters outside base64 are skipped by its decoder: one good cookie has spellings of any length. Browsers send
    # none above 4,096 bytes, so none is worth the hashing, or a place in anyone's memory.
    with pytest.raises(CookieError):
        make_codec(policy).decode(value + padding * 4096)


def test_a_megabyte_is_refused_before_anything_is_computed(policy, monkeypatch):
    codec = make_codec(policy)
    monkeypatch.setattr(codec._signer, "unsign", lambda _: pytest.fail("the signature was computed"))

    with pytest.raises(BadSignature):
        codec.decode("A" * 1_000_000 + "." + "A" * 43)


# -- keys


def test_every_configured_key_verifies(policy, record):
    keys = [b"the oldest key of them all", b"the key in between the two", b"the newest key of them all"]
    codec = make_codec(policy, keys=keys)

    for key in keys:
        assert codec.decode(make_codec(policy, keys=[key]).encode(record)) == record


def test_newest_key_signs(policy, record):
    # Fails if the order of the keys is ever turned round (CVE-2025-47278).
    keys = [b"the oldest key of them all", b"the key in between the two", b"the newest key of them all"]
    value = make_codec(policy, keys=keys).encode(record)

    assert make_codec(policy, keys=keys[2:]).decode(value) == record
    for removed in (keys[:2], keys[:1]):
        with pytest.raises(BadSignature):
            make_codec(policy, keys=removed).decode(value)


def test_cookie_of_a_removed_key_is_not_believed(policy, value):
    with pytest.raises(BadSignature):
        make_codec(policy, keys=[b"another key of sixteen bytes"]).decode(value)


def test_keys_are_not_joined(policy, record):
    value = make_codec(policy, keys=[b"one key", b"two"]).encode(record)

    with pytest.raises(BadSignature):
        make_codec(policy, keys=[b"one key" + b"two"]).decode(value)


def test_quoted_value_is_not_unquoted(policy, record, value):
    (found,) = find_values(f'{SECURE_NAME}="{value}"', SECURE_NAME)

    with pytest.raises(BadSignature):
        make_codec(policy).decode(found)
