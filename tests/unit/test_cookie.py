"""The consent cookie: read back exactly, and nothing else believed."""

from __future__ import annotations

import dataclasses
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import itsdangerous
import pytest

from consent.core.declaration import Purpose, Service
from consent.core.document import Document
from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice
from consent.core.regime import Regime
from consent.errors import ConfigError, UnsupportedFormat
from consent.wire.cookie import (
    PLAIN_NAME,
    SECURE_NAME,
    SHARED_NAME,
    SIZE_LIMIT_BYTES,
    CookieCodec,
    CookieNames,
    check_size,
    likeness_of,
)
from tests.samples import make_record

KEY = b"a key of at least sixteen bytes"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SUBJECT_ID = "c0a8f7e2-2d0b-4f5e-8d5a-3b7b6f1f2a90"
NAMES = [SECURE_NAME, PLAIN_NAME]


def make_codec(policy, *, name=SECURE_NAME, keys=(KEY,)):
    return CookieCodec(policy, name=name, keys_oldest_first=keys)


def sign(payload, *, name=SECURE_NAME, key=KEY):
    """Sign any bytes as this library would: what only the holder of the key can do."""
    signer = itsdangerous.Signer(key, salt=f"flask-cookie-consent.{name}", digest_method=hashlib.sha256)
    return signer.sign(urlsafe_b64encode(payload).rstrip(b"=")).decode()


def payload_of(value):
    encoded = value.partition(".")[0]
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def many_services(count):
    return tuple(Service(f"service-{number}", name="S", purposes=("analytics",)) for number in range(count))


@pytest.fixture
def record(policy, now):
    return make_record(policy, now)


@pytest.fixture
def value(policy, record):
    return make_codec(policy).encode(record)


# -- names and size


def test_names_are_those_of_the_contract():
    assert (CookieNames().secure, CookieNames().plain) == ("__Host-consent", "consent")
    assert (CookieNames.shared().secure, CookieNames.shared().plain) == ("__Secure-consent", "consent")


def test_cookie_of_20_services_fits_300_bytes(now):
    policy = Policy(controller="Example", services=many_services(20))
    value = make_codec(policy).encode(make_record(policy, now))

    assert len(SECURE_NAME) + 1 + len(value) <= 300


def test_value_needs_no_quoting(value):
    assert set(value) <= set(ALPHABET + ".")


@pytest.mark.parametrize(("service_count", "document_count"), [(0, 0), (1, 0), (2, 1), (3, 2), (20, 3)])
def test_size_check_knows_the_true_size(monkeypatch, now, service_count, document_count):
    documents = tuple(Document(f"d{number}", url="/", version="1") for number in range(document_count))
    policy = Policy(controller="Example", services=many_services(service_count), documents=documents)
    noted = {document.key: document.fingerprint for document in documents}
    record = replace(make_record(policy, now, documents=noted), subject_id=SUBJECT_ID, revision=7)
    true_size = len(SHARED_NAME) + len(make_codec(policy).encode(record))
    monkeypatch.setattr("consent.wire.cookie.SIZE_LIMIT_BYTES", true_size)

    check_size(policy)
    monkeypatch.setattr("consent.wire.cookie.SIZE_LIMIT_BYTES", true_size - 1)
    with pytest.raises(ConfigError):
        check_size(policy)


def test_policy_whose_cookie_browsers_would_ignore_is_refused():
    policy = Policy(controller="Example", services=many_services(1000))

    with pytest.raises(ConfigError) as error:
        check_size(policy)

    assert str(error.value) == (
        "The policy declares 1003 purposes and services to choose from, and 0 documents; the cookie could take 4144 "
        "bytes, and browsers ignore more than 4096. Join some services into one."
    )
    assert (error.value.key, error.value.value, SIZE_LIMIT_BYTES) == ("services", 4144, 4096)


# -- the visitor's id, where a ledger is configured


def test_subject_and_revision_come_back(policy, record):
    subject = replace(record, subject_id=SUBJECT_ID, revision=70_000)

    decoded = make_codec(policy).decode(make_codec(policy).encode(subject))

    assert (decoded.subject_id, decoded.revision) == (SUBJECT_ID, 70_000)
    assert (decoded.choices, decoded.fingerprints) == (record.choices, record.fingerprints)


def test_revision_beyond_what_the_cookie_holds_stays_the_highest(policy, record):
    codec = make_codec(policy)

    assert codec.decode(codec.encode(replace(record, subject_id=SUBJECT_ID, revision=2**40))).revision == 2**32 - 1


def test_who_somebody_is_does_not_tell_their_payload_from_others(policy, record):
    codec = make_codec(policy)
    values = [codec.encode(replace(record, subject_id=each)) for each in (None, SUBJECT_ID, str(UUID(int=5)))]

    assert len({likeness_of(codec.open(value)) for value in values}) == 1


def test_value_with_a_subject_cut_short_is_not_read(policy, record):
    payload = payload_of(make_codec(policy).encode(replace(record, subject_id=SUBJECT_ID, revision=1)))

    for length in range(34, 54):
        with pytest.raises(UnsupportedFormat):
            make_codec(policy).decode(sign(payload[:length]))


# -- there and back


@pytest.mark.parametrize("name", NAMES)
def test_decoding_gives_back_what_was_encoded(policy, record, name):
    codec = make_codec(policy, name=name)

    assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize(
    "changes",
    [
        {"signals": Signals(gpc=True)},
        {"is_complete": False},
        {"signals": Signals(gpc=True), "is_complete": False},
        {"signals": Signals(dnt=True)},
        {"signals": Signals(gpc=True, dnt=True)},
        {"regime": Regime.OPT_OUT},
        {"regime": Regime.NOTICE, "choices": {"stats": Choice.DENIED}},
        {"valid_until": datetime(2030, 1, 1, tzinfo=UTC)},
        {"choices": {}},
        {"choices": {}, "fingerprints": {}},
        {"record_id": "00000000-0000-0000-0000-000000000000"},
        {"record_id": "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    ],
)
def test_decoding_gives_back_each_field(policy, record, changes):
    codec = make_codec(policy)
    changed = dataclasses.replace(record, **changes)

    assert codec.decode(codec.encode(changed)) == changed


def test_decoding_gives_back_mixed_choices(policy, record):
    codec = make_codec(policy)
    mixed = dataclasses.replace(record, choices=dict(record.choices) | {"marketing": Choice.DENIED})

    assert codec.decode(codec.encode(mixed)).choices == mixed.choices


def test_decoding_gives_back_the_noted_keys_and_the_documents(now):
    documents = (Document("privacy", url="/p", version="3"), Document("terms", url="/t", version="2026-11"))
    policy = Policy(controller="Example", documents=documents)
    noted = {document.key: document.fingerprint for document in documents}
    record = make_record(policy, now, choices={"analytics": Choice.DENIED}, documents=noted)

    assert make_codec(policy).decode(make_codec(policy).encode(record)) == record


def test_end_of_a_record_is_its_own_whatever_the_policy_says_later(policy, record, value):
    later = dataclasses.replace(policy, accept_months=1, refuse_months=1)

    assert make_codec(later).decode(value).valid_until == record.valid_until


def test_account_does_not_travel(policy, record, value):
    assert make_codec(policy).decode(value).account is None


def test_payload_has_the_documented_layout(policy, record):
    changed = dataclasses.replace(
        record,
        signals=Signals(gpc=True),
        choices={"analytics": Choice.GRANTED, "marketing": Choice.DENIED},
        fingerprints={key: policy.fingerprints[key] for key in ("analytics", "marketing", "stats")},
        documents={"privacy": b"abc"},
    )
    payload = payload_of(make_codec(policy).encode(changed))

    assert payload == b"".join(
        [
            b"\x02",
            bytes.fromhex("0123456789ab4def8123456789abcdef"),
            int(record.decided_at.timestamp()).to_bytes(5, "big"),
            int(record.valid_until.timestamp()).to_bytes(5, "big"),
            bytes([0b0_1100]),
            b"\x00\x01" * 3,
            policy.fingerprints["analytics"],
            policy.fingerprints["marketing"],
            policy.fingerprints["stats"],
            hashlib.sha256(b"privacy").digest()[:3] + b"abc",
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_value_is_signed_by_itsdangerous_with_sha256_and_a_salt_of_its_own(policy, record, name):
    signer = itsdangerous.Signer(KEY, salt=f"flask-cookie-consent.{name}", digest_method=hashlib.sha256)

    assert signer.validate(make_codec(policy, name=name).encode(record))


def test_value_tells_no_key_of_the_policy(policy, record, value):
    assert not any(key.encode() in payload_of(value) for key in policy.keys)


# -- another policy


def test_key_that_the_policy_dropped_is_left_out(policy, record, value):
    smaller = dataclasses.replace(policy, services=())

    assert set(make_codec(smaller).decode(value).choices) == {"preferences", "analytics", "marketing"}


def test_key_that_changed_is_left_out(policy, value):
    purposes = [dataclasses.replace(p, revision=2) if p.key == "preferences" else p for p in policy.purposes]
    revised = dataclasses.replace(policy, purposes=tuple(purposes))

    assert set(make_codec(revised).decode(value).choices) == set(policy.fingerprints) - {"preferences"}


def test_renamed_key_takes_no_grant_along(value):
    renamed = Policy(controller="Example", purposes=(Purpose("necessary"), Purpose("statistics")))

    assert make_codec(renamed).decode(value).choices == {}


def test_document_that_the_policy_dropped_is_left_out(policy, record):
    noted = dataclasses.replace(record, documents={"privacy": b"abc"})
    codec = make_codec(policy)

    assert codec.decode(codec.encode(noted)) == record


# -- signed, but not in a format this version reads


@pytest.mark.parametrize("version", [0, 1, 4, 99, 255])
def test_other_format_version_is_not_read(policy, value, version):
    changed = bytes([version]) + payload_of(value)[1:]

    with pytest.raises(UnsupportedFormat) as error:
        make_codec(policy).decode(sign(changed))

    assert str(error.value) == f"The consent cookie has format version {version}."


def test_truncated_payload_is_not_read(policy, value):
    payload = payload_of(value)
    for length in range(34):
        with pytest.raises(UnsupportedFormat):
            make_codec(policy).decode(sign(payload[:length]))


@pytest.mark.parametrize("extra", [b"x", b"xy"])
def test_half_a_fingerprint_is_not_read(policy, value, extra):
    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload_of(value) + extra))


@pytest.mark.parametrize("flags", [0b0011, 0b1111])
def test_unknown_regime_is_not_read(policy, value, flags):
    payload = payload_of(value)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload[:27] + bytes([flags]) + payload[28:]))


def test_grant_under_notice_is_not_read(policy, value):
    payload = payload_of(value)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload[:27] + bytes([0b1010]) + payload[28:]))


@pytest.mark.parametrize("at", [28, 30, 32])
def test_more_keys_than_the_payload_holds_are_not_read(policy, value, at):
    payload = payload_of(value)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload[:at] + b"\xff\xff" + payload[at + 2 :]))


def test_instant_beyond_the_calendar_is_not_read(policy, value):
    payload = payload_of(value)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload[:17] + b"\xff" * 5 + payload[22:]))


def test_end_beyond_the_calendar_is_not_read(policy, value):
    payload = payload_of(value)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(sign(payload[:22] + b"\xff" * 5 + payload[27:]))


@pytest.mark.parametrize("text", [b"", b"A", b"!!!!", b"\x7f"])
def test_signed_text_that_is_no_base64_is_not_read(policy, text):
    signer = itsdangerous.Signer(KEY, salt=f"flask-cookie-consent.{SECURE_NAME}", digest_method=hashlib.sha256)

    with pytest.raises(UnsupportedFormat):
        make_codec(policy).decode(signer.sign(text).decode())


def test_instant_of_the_record_is_not_the_codec_s_to_judge(policy, now):
    old = make_record(policy, now - timedelta(days=4000), valid_until=add_months(now - timedelta(days=4000), 6))
    codec = make_codec(policy)

    assert codec.decode(codec.encode(old)) == old
