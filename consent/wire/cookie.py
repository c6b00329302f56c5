"""A consent record as a signed cookie value, and back.

The value is the base64url of

    version (1) | record id (16) | decided at (5, seconds) | valid until (5, seconds) | flags (1) |
    number of granted (2), denied (2) and noted (2) keys |
    subject id (16) and revision (4): in version 3, where a ledger is configured; not in version 2 |
    fingerprint (3) of each granted, denied and noted key |
    fingerprint of the key (3) and of the version (3) of each document

then `.` and the signature: about 200 bytes with four purposes and twenty services.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

import itsdangerous

from consent.core.policy import Policy
from consent.core.policy_version import FINGERPRINT_BYTES
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from consent.errors import BadSignature, ConfigError, UnsupportedFormat

# `__Host-` makes browsers refuse the cookie unless it is Secure, of this host alone and of path `/` (RFC 6265bis).
SECURE_NAME = "__Host-consent"
PLAIN_NAME = "consent"
# Where subdomains share a choice: still Secure, but any of them can set it (RFC 6265bis section 4.1.3.1).
SHARED_NAME = "__Secure-consent"
# Not a cookie: the choice of a known user, which the site keeps in a place of its own.
USER_NAME = "user"

# RFC 6265bis section 5.6: a name and value longer than this together are ignored by browsers.
SIZE_LIMIT_BYTES = 4096

_FORMAT_VERSION, _SUBJECT_VERSION = 2, 3
_TIME_AT, _END_AT, _FLAGS_AT, _HEAD_BYTES = 17, 22, 27, 34
_INSTANT_BYTES, _COUNT_BYTES = 5, 2
_ID_BYTES, _REVISION_BYTES = 16, 4
_REVISION_LIMIT = (1 << 8 * _REVISION_BYTES) - 1
_SIGNATURE_CHARACTERS = 43
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MEMO_LIMIT = 512
_DOCUMENT_BYTES = 2 * FINGERPRINT_BYTES
_UNREADABLE = "The consent cookie is signed, but not in a format this version reads."
_SALT_PREFIX = "flask-cookie-consent"
_REGIMES = (Regime.OPT_IN, Regime.OPT_OUT, Regime.NOTICE)
_REGIME_MASK, _GPC_FLAG, _COMPLETE_FLAG, _DNT_FLAG = 0b0_0011, 0b0_0100, 0b0_1000, 0b1_0000


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieNames:
    """Name the consent cookie of each scheme."""

    secure: str = SECURE_NAME
    plain: str = PLAIN_NAME

    @classmethod
    def shared(cls) -> CookieNames:
        """Return the names for a cookie that subdomains share, which no prefix can tie to one host."""
        return cls(secure=SHARED_NAME)


class CookieCodec:
    """Turn records of one policy into values of one cookie, and back.

    Source:
        itsdangerous: the last key signs, all verify; a salt of its own keeps the app's other
        signatures, and the cookie of the other scheme, from passing here.
    """

    def __init__(self, policy: Policy, *, name: str, keys_oldest_first: Sequence[bytes]) -> None:
        self._policy = policy
        self._signer = _build_signer(name, keys_oldest_first)
        self.open = lru_cache(maxsize=_MEMO_LIMIT)(self._open)
        """Verify a value and return its payload; a visitor's next page then costs a look-up. No failure is kept."""

    def encode(self, record: ConsentRecord) -> str:
        """Return the signed value: ASCII, without characters that a cookie must quote."""
        keys = {choice: _fingerprints_of(record, choice) for choice in (Choice.GRANTED, Choice.DENIED, None)}
        payload = b"".join(
            (
                bytes((_SUBJECT_VERSION if record.subject_id else _FORMAT_VERSION,)),
                UUID(record.record_id).bytes,
                int(record.decided_at.timestamp()).to_bytes(_INSTANT_BYTES),
                int(record.valid_until.timestamp()).to_bytes(_INSTANT_BYTES),
                bytes((_pack_flags(record),)),
                *(len(each).to_bytes(_COUNT_BYTES) for each in keys.values()),
                _pack_subject(record),
                *(fingerprint for each in keys.values() for fingerprint in each),
                *(_fingerprint_key(key) + record.documents[key] for key in sorted(record.documents)),
            )
        )
        return self._signer.sign(urlsafe_b64encode(payload).rstrip(b"=")).decode("ascii")

    def decode(self, value: str) -> ConsentRecord:
        """Read a value back; fingerprints that the policy does not know are dropped.

        Raises:
            BadSignature: If none of the keys signed it.
            UnsupportedFormat: If it was signed, but holds what this version cannot read.
        """
        return self.read(self.open(value))

    def read(self, payload: bytes) -> ConsentRecord:
        """Read a payload that `open` gave; fingerprints that the policy does not know are dropped.

        Raises:
            UnsupportedFormat: If it holds an instant or a regime that this version does not know.
        """
        flags = payload[_FLAGS_AT]
        known, unknown, documents_at = self._read_keys(payload)
        subject_id, revision = _read_subject(payload)
        try:
            return ConsentRecord(
                record_id=_format_id(payload[1:_TIME_AT]),
                decided_at=_read_instant(payload, _TIME_AT),
                valid_until=_read_instant(payload, _END_AT),
                regime=_REGIMES[flags & _REGIME_MASK],
                signals=Signals(gpc=flags & _GPC_FLAG != 0, dnt=flags & _DNT_FLAG != 0),
                choices=MappingProxyType({key: choice for key, choice in known.items() if choice}),
                fingerprints=MappingProxyType({key: self._policy.fingerprints[key] for key in known}),
                documents=MappingProxyType(self._read_documents(payload[documents_at:])),
                has_unknown_refusal=Choice.DENIED in unknown,
                is_complete=flags & _COMPLETE_FLAG != 0,
                subject_id=subject_id,
                revision=revision,
            )
        except (IndexError, ValueError, OverflowError) as error:
            raise UnsupportedFormat(_UNREADABLE) from error

    def _read_keys(self, payload: bytes) -> tuple[dict[str, Choice | None], set[Choice | None], int]:
        """Return the choice by known key, None for merely noted; the choices on unknown ones; where the documents begin."""
        known: dict[str, Choice | None] = {}
        unknown: set[Choice | None] = set()
        at, count_at = _find_keys(payload), _FLAGS_AT + 1
        for choice in (Choice.GRANTED, Choice.DENIED, None):
            end = at + FINGERPRINT_BYTES * int.from_bytes(payload[count_at : count_at + _COUNT_BYTES])
            count_at += _COUNT_BYTES
            if end > len(payload):
                raise UnsupportedFormat(_UNREADABLE)
            for start in range(at, end, FINGERPRINT_BYTES):
                key = self._policy.keys_by_fingerprint.get(payload[start : start + FINGERPRINT_BYTES])
                if key is None:
                    unknown.add(choice)
                else:
                    known[key] = choice
            at = end
        return known, unknown, at

    def _read_documents(self, payload: bytes) -> dict[str, bytes]:
        pairs = {
            payload[at : at + FINGERPRINT_BYTES]: payload[at + FINGERPRINT_BYTES : at + _DOCUMENT_BYTES]
            for at in range(0, len(payload), _DOCUMENT_BYTES)
        }
        keys = {document.key: _fingerprint_key(document.key) for document in self._policy.documents}
        return {key: pairs[each] for key, each in keys.items() if each in pairs}

    def _open(self, value: str) -> bytes:
        # base64 decoders skip what is not of their alphabet, so one signature would have endless spellings (T8).
        if len(value) > SIZE_LIMIT_BYTES or len(value) - value.rfind(".") - 1 != _SIGNATURE_CHARACTERS:
            raise BadSignature("The consent cookie is not signed by this app.")
        try:
            signed = self._signer.unsign(value)
        except (itsdangerous.BadData, UnicodeEncodeError) as error:
            raise BadSignature("The consent cookie is not signed by this app.") from error
        try:
            payload = a2b_base64(signed.translate(_FROM_URL_SAFE) + b"==")
        except binascii.Error as error:
            raise UnsupportedFormat(_UNREADABLE) from error
        if not payload or payload[0] not in (_FORMAT_VERSION, _SUBJECT_VERSION):
            raise UnsupportedFormat(f"The consent cookie has format version {payload[0] if payload else None}.")
        keys_at = _find_keys(payload)
        if len(payload) < keys_at or (len(payload) - keys_at) % FINGERPRINT_BYTES:
            raise UnsupportedFormat(_UNREADABLE)
        return payload


def read_span(payload: bytes) -> tuple[int, int]:
    """Return when the choice in a payload was made and when it ends, in seconds since 1970."""
    return int.from_bytes(payload[_TIME_AT:_END_AT]), int.from_bytes(payload[_END_AT:_FLAGS_AT])


def likeness_of(payload: bytes) -> bytes:
    """Return what a payload says apart from who and when: equal for visitors who chose alike under equal conditions."""
    return payload[_FLAGS_AT:_HEAD_BYTES] + payload[_find_keys(payload) :]


def check_size(policy: Policy) -> None:
    """Refuse a policy whose cookie could be ignored by browsers.

    Raises:
        ConfigError: If name and value could pass 4,096 bytes.
    """
    head_bytes = _HEAD_BYTES + _ID_BYTES + _REVISION_BYTES
    payload_bytes = head_bytes + FINGERPRINT_BYTES * len(policy.fingerprints) + _DOCUMENT_BYTES * len(policy.documents)
    size_bytes = len(SHARED_NAME) + -(-payload_bytes * 4 // 3) + 1 + _SIGNATURE_CHARACTERS
    if size_bytes > SIZE_LIMIT_BYTES:
        raise ConfigError(
            f"The policy declares {len(policy.fingerprints)} purposes and services to choose from, and "
            f"{len(policy.documents)} documents; the cookie could take {size_bytes} bytes, and browsers ignore more than {SIZE_LIMIT_BYTES}. Join some services into one.",
            key="services",
            value=size_bytes,
        )


def find_values(header: str, name: str) -> list[str]:
    """Return every different value of one cookie in a `Cookie` header field.

    The name must match exactly: servers that trim more than space and tab from names, or let a
    quoted value run on over a semicolon, can be made to see a prefixed cookie that the browser
    never guarded (PortSwigger 2025, "cookie prefixes" and "cookie sandwich"; test case T70).
    """
    start = header.find(name)
    if start < 0:
        return []
    # Nearly every header: the name once and no quote in sight.
    if '"' not in header and header.find(name, start + 1) < 0:
        before, after = header[:start].rstrip(" \t"), header[start + len(name) :].lstrip(" \t")
        is_ours = (not before or before.endswith(";")) and after.startswith("=")
        return [after[1:].partition(";")[0].strip(" \t")] if is_ours else []
    return _read_values(header, name)


def _read_values(header: str, name: str) -> list[str]:
    parts = header.split(";")
    # A quote that nothing closes is a character like any other.
    last_close = max((at for at, part in enumerate(parts) if _closes_quote(part)), default=-1)
    values: list[str] = []
    is_quoted = False
    for at, part in enumerate(parts):
        found, equals, value = part.partition("=")
        value = value.strip(" \t")
        if is_quoted:
            is_quoted = not _closes_quote(part)
            continue
        if equals and found.strip(" \t") == name and value not in values:
            values.append(value)
        # Two different values are enough to believe none.
        if len(values) > 1:
            break
        is_quoted = at < last_close and value.startswith('"') and (len(value) == 1 or not _closes_quote(value))
    return values


def _closes_quote(text: str) -> bool:
    bare = text.rstrip(" \t")
    if not bare.endswith('"'):
        return False
    before = bare[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 0


def _build_signer(name: str, keys_oldest_first: Sequence[bytes]) -> itsdangerous.Signer:
    salt = f"{_SALT_PREFIX}.{name}"
    signer = itsdangerous.Signer(list(keys_oldest_first), salt=salt, digest_method=hashlib.sha256)
    # Deriving the keys once, not on every check, takes a fifth off it; "none" then uses them as they are.
    derived = [signer.derive_key(key) for key in signer.secret_keys]
    return itsdangerous.Signer(derived, salt=salt, key_derivation="none", digest_method=hashlib.sha256)


def _fingerprints_of(record: ConsentRecord, choice: Choice | None) -> list[bytes]:
    return sorted(each for key, each in record.fingerprints.items() if record.choices.get(key) is choice)


def _fingerprint_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:FINGERPRINT_BYTES]


def _pack_flags(record: ConsentRecord) -> int:
    gpc = _GPC_FLAG if record.signals.gpc else 0
    dnt = _DNT_FLAG if record.signals.dnt else 0
    return _REGIMES.index(record.regime) | gpc | dnt | (_COMPLETE_FLAG if record.is_complete else 0)


def _pack_subject(record: ConsentRecord) -> bytes:
    if record.subject_id is None:
        return b""
    return UUID(record.subject_id).bytes + min(record.revision, _REVISION_LIMIT).to_bytes(_REVISION_BYTES)


def _read_subject(payload: bytes) -> tuple[str | None, int]:
    if payload[0] == _FORMAT_VERSION:
        return None, 0
    revision_at = _HEAD_BYTES + _ID_BYTES
    return _format_id(payload[_HEAD_BYTES:revision_at]), int.from_bytes(payload[revision_at : _find_keys(payload)])


def _find_keys(payload: bytes) -> int:
    return _HEAD_BYTES + (_ID_BYTES + _REVISION_BYTES if payload[0] == _SUBJECT_VERSION else 0)


def _read_instant(payload: bytes, at: int) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(payload[at : at + _INSTANT_BYTES]), UTC)


def _format_id(raw: bytes) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
