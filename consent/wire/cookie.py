"""A consent record as a signed cookie value, and back.

The value is the base64url of

    version (1) | record id (16) | decided at (5, seconds) | flags (1) | number of grants (2) |
    fingerprint (3) of each granted key | fingerprint (3) of each denied key

then `.` and the signature: about 185 bytes with four purposes and twenty services.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

import itsdangerous

from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.policy_version import FINGERPRINT_BYTES
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from consent.errors import BadSignature, ConfigError, UnsupportedFormat

# `__Host-` makes browsers refuse the cookie unless it is Secure, of this host alone and of path `/` (RFC 6265bis).
SECURE_NAME = "__Host-consent"
PLAIN_NAME = "consent"

# RFC 6265bis section 5.6: a name and value longer than this together are ignored by browsers.
SIZE_LIMIT_BYTES = 4096

_FORMAT_VERSION = 1
_TIME_AT, _FLAGS_AT, _HEAD_BYTES = 17, 22, 25
_SIGNATURE_CHARACTERS = 43
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MEMO_LIMIT = 512
_SALT_PREFIX = "flask-cookie-consent"
_REGIMES = (Regime.OPT_IN,)
_REGIME_MASK, _GPC_FLAG, _COMPLETE_FLAG = 0b0011, 0b0100, 0b1000


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
        granted = _join_fingerprints(record, Choice.GRANTED)
        payload = b"".join(
            (
                bytes((_FORMAT_VERSION,)),
                UUID(record.record_id).bytes,
                int(record.decided_at.timestamp()).to_bytes(5),
                bytes((_pack_flags(record),)),
                (len(granted) // FINGERPRINT_BYTES).to_bytes(2),
                granted,
                _join_fingerprints(record, Choice.DENIED),
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
        denied_at = _HEAD_BYTES + FINGERPRINT_BYTES * int.from_bytes(payload[_FLAGS_AT + 1 : _HEAD_BYTES])
        choices: dict[str, Choice] = {}
        fingerprints: dict[str, bytes] = {}
        for at in range(_HEAD_BYTES, len(payload), FINGERPRINT_BYTES):
            fingerprint = payload[at : at + FINGERPRINT_BYTES]
            key = self._policy.keys_by_fingerprint.get(fingerprint)
            if key is not None:
                choices[key] = Choice.GRANTED if at < denied_at else Choice.DENIED
                fingerprints[key] = fingerprint
        try:
            decided_at = datetime.fromtimestamp(decided_seconds(payload), UTC)
            return ConsentRecord(
                record_id=_format_id(payload[1:_TIME_AT]),
                decided_at=decided_at,
                valid_until=add_months(decided_at, self._months(denied_at > _HEAD_BYTES)),
                regime=_REGIMES[flags & _REGIME_MASK],
                signals=_SIGNALS[flags & _GPC_FLAG != 0],
                choices=MappingProxyType(choices),
                fingerprints=MappingProxyType(fingerprints),
                is_complete=flags & _COMPLETE_FLAG != 0,
            )
        except (IndexError, ValueError, OverflowError) as error:
            raise UnsupportedFormat("The consent cookie is signed, but not in a format this version reads.") from error

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
            raise UnsupportedFormat("The consent cookie is signed, but not in a format this version reads.") from error
        if not payload or payload[0] != _FORMAT_VERSION:
            raise UnsupportedFormat(f"The consent cookie has format version {payload[0] if payload else None}.")
        if len(payload) < _HEAD_BYTES or (len(payload) - _HEAD_BYTES) % FINGERPRINT_BYTES:
            raise UnsupportedFormat("The consent cookie is signed, but not in a format this version reads.")
        return payload

    def _months(self, is_grant: bool) -> int:
        return self._policy.accept_months if is_grant else self._policy.refuse_months


def decided_seconds(payload: bytes) -> int:
    """Return the instant of the choice in a payload, in seconds since 1970."""
    return int.from_bytes(payload[_TIME_AT:_FLAGS_AT])


def likeness_of(payload: bytes) -> bytes:
    """Return what a payload says apart from who and when: equal for visitors who chose alike under equal conditions."""
    return payload[_FLAGS_AT:]


def check_size(policy: Policy) -> None:
    """Refuse a policy whose cookie could be ignored by browsers.

    Raises:
        ConfigError: If name and value could pass 4,096 bytes.
    """
    payload_bytes = _HEAD_BYTES + FINGERPRINT_BYTES * len(policy.fingerprints)
    size_bytes = len(SECURE_NAME) + -(-payload_bytes * 4 // 3) + 1 + _SIGNATURE_CHARACTERS
    if size_bytes > SIZE_LIMIT_BYTES:
        raise ConfigError(
            f"The policy declares {len(policy.fingerprints)} purposes and services to choose from; the cookie could take "
            f"{size_bytes} bytes, and browsers ignore more than {SIZE_LIMIT_BYTES}. Join some services into one.",
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


def _join_fingerprints(record: ConsentRecord, choice: Choice) -> bytes:
    return b"".join(sorted(record.fingerprints[key] for key, chosen in record.choices.items() if chosen is choice))


def _pack_flags(record: ConsentRecord) -> int:
    gpc = _GPC_FLAG if record.signals.gpc else 0
    return _REGIMES.index(record.regime) | gpc | (_COMPLETE_FLAG if record.is_complete else 0)


def _format_id(raw: bytes) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_SIGNALS = (Signals(gpc=False), Signals(gpc=True))
