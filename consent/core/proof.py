"""Proof that one event is in the log, for somebody who has nothing but the proof and a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from consent.core.ledger import ConsentEvent
from consent.core.seal import INSTANT_FORMAT, Seal
from consent.errors import ProofError

SCHEMA = "consent-proof/1"
ERASED = "erased"
"""What stands in place of an event that was erased."""

# Any: the plain JSON values of a proof, before anything is known of them.
Values = Mapping[str, Any]
Value = TypeVar("Value")

_ADVICE = "Take it as it was written by: flask consent ledger prove"
_NUMBER = "a whole number"
_INSTANT = "a time such as 2026-11-23T08:25:00Z"
_HASH = "64 hexadecimal digits"
_NOTHING = f"null where 'event' is {ERASED!r}"
_PATH = f"a list of {_HASH} each"
_DIGITS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Show that the log at one size is the beginning of the log at a later one."""

    tree_size: int
    """The earlier size: that of a checkpoint."""

    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Hold what shows that an event is under a seal.

    With the salt in it, who has the proof can tell that a digest is this event's even after it was erased: it is for the
    visitor whom it is about, or for whoever may see the record anyway.
    """

    event: ConsentEvent | None
    """None if it was erased: then only a digest is proved, and nothing of whose it was, its id neither."""

    salt: bytes | None
    digest: bytes
    leaf_index: int
    path: tuple[bytes, ...]
    """RFC 6962 audit path from the digest to the root of the seal."""

    seal: Seal
    growth: Growth | None = None
    """From an earlier checkpoint to the seal; None if the proof was made for the seal's own."""

    def as_dict(self) -> dict[str, object]:
        """Return the proof as plain JSON values, in the shape `consent-proof/1`.

        Bytes are in hexadecimal digits, times ISO 8601 with `Z`; for an erased event, `event` is `erased`, `event_id` and `salt`
        are null; `growth` is null or `{"tree_size", "path"}`.
        """
        return {
            "schema": SCHEMA,
            "event_id": self.event and self.event.event_id,
            "event": _describe_event(self.event) if self.event else ERASED,
            "salt": self.salt.hex() if self.salt is not None else None,
            "digest": self.digest.hex(),
            "leaf_index": self.leaf_index,
            "path": [each.hex() for each in self.path],
            "seal": self.seal.as_dict(),
            "growth": self.growth
            and {"tree_size": self.growth.tree_size, "path": [each.hex() for each in self.growth.path]},
        }


def read_proof(data: object) -> Proof:
    """Read a proof back from what `Proof.as_dict` gave; whether it proves anything is another question.

    Raises:
        ProofError: If a member is missing or malformed.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ProofError(f"The data is no proof: its 'schema' must be {SCHEMA!r}. {_ADVICE}")
    is_erased = data.get("event") == ERASED
    if is_erased:
        # They could be anybody's: nothing of them is in the digest.
        _read(data, "event_id", _to_nothing, _NOTHING)
        _read(data, "salt", _to_nothing, _NOTHING)
    return Proof(
        event=None if is_erased else _read_event(_read(data, "event", _to_table, f"an object or {ERASED!r}"), data),
        salt=None if is_erased else _read(data, "salt", _to_hash, _HASH),
        digest=_read(data, "digest", _to_hash, _HASH),
        leaf_index=_read(data, "leaf_index", _to_number, _NUMBER),
        path=_read(data, "path", _to_path, _PATH),
        seal=_read_seal(_read(data, "seal", _to_table, "an object")),
        growth=None
        if data.get("growth") is None
        else _read_growth(_read(data, "growth", _to_table, "an object or null")),
    )


def _describe_event(event: ConsentEvent) -> dict[str, object]:
    times = {name: f"{getattr(event, name):{INSTANT_FORMAT}}" for name in ("recorded_at", "valid_until")}
    return {name: getattr(event, name) for name in ConsentEvent.__slots__ if name != "event_id"} | times


def _read_event(data: Values, proof: Values) -> ConsentEvent:
    return ConsentEvent(
        event_id=_read(proof, "event_id", _to_text, "text"),
        subject_id=_read(data, "subject_id", _to_text, "text"),
        revision=_read(data, "revision", _to_number, _NUMBER),
        kind=_read(data, "kind", _to_text, "text"),
        recorded_at=_read(data, "recorded_at", _to_instant, _INSTANT),
        valid_until=_read(data, "valid_until", _to_instant, _INSTANT),
        text_sha256=_read(data, "text_sha256", _to_text_or_none, "text or null"),
        ui_sha256=_read(data, "ui_sha256", _to_text_or_none, "text or null"),
        payload=_read(data, "payload", _to_text, "text"),
    )


def _read_seal(data: Values) -> Seal:
    return Seal(
        number=_read(data, "number", _to_number, _NUMBER),
        tree_size=_read(data, "tree_size", _to_number, _NUMBER),
        root=_read(data, "root", _to_hash, _HASH),
        previous_hash=_read(data, "previous_hash", _to_hash, _HASH),
        sealed_at=_read(data, "sealed_at", _to_instant, _INSTANT),
        seal_hash=_read(data, "seal_hash", _to_hash, _HASH),
        signature=_read(data, "signature", _to_text, "text"),
    )


def _read_growth(data: Values) -> Growth:
    return Growth(
        tree_size=_read(data, "tree_size", _to_number, _NUMBER),
        path=_read(data, "path", _to_path, _PATH),
    )


def _read(data: Values, name: str, read: Callable[[Any], Value], allowed: str) -> Value:
    try:
        return read(data[name])
    except (KeyError, TypeError, ValueError) as error:
        # What was found may be somebody's record: it is not for a message.
        raise ProofError(f"{name!r} of the proof must be {allowed}. {_ADVICE}") from error


def _to_table(value: object) -> Values:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _to_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    # JSON can spell halves of characters, of which no digest was ever made: they are a UnicodeError, which is a ValueError.
    value.encode()
    return value


def _to_nothing(value: object) -> None:
    if value is not None:
        raise ValueError(value)


def _to_text_or_none(value: object) -> str | None:
    return None if value is None else _to_text(value)


def _to_number(value: object) -> int:
    # `true` is an int in Python, and places in the log have 63 bits.
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(value)
    return value


def _to_instant(value: object) -> datetime:
    return datetime.strptime(_to_text(value), INSTANT_FORMAT).replace(tzinfo=UTC)


def _to_hash(value: object) -> bytes:
    digits = _to_text(value)
    if not _DIGITS.fullmatch(digits):
        raise ValueError(digits)
    return bytes.fromhex(digits)


def _to_path(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_to_hash, value))
