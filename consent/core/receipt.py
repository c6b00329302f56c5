"""The visitor's copy of a record: what it says, and the bytes that its signature covers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.core.record import read_record
from consent.errors import RecordError

SCHEMA = "consent-receipt/1"
SIZE_LIMIT_BYTES = 4 * 1024 * 1024
"""What is longer is no receipt: a hundred records of twenty services are a tenth of it."""

_SIGNATURE = "signature"


class Origin(StrEnum):
    """Say where the record in a receipt was copied from."""

    LEDGER = "ledger"
    """As the operator keeps it, the account of how the choice came about included."""

    COOKIE = "cookie"
    """As the visitor's browser holds it: no ledger keeps it, or none could be asked."""


class Comparison(StrEnum):
    """Say what a ledger knows of the record in a receipt."""

    SAME = "same"
    DIFFERS = "differs"
    ERASED = "erased"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Hold what a visitor gets: the record of their choice, the names of what it is about, and what they chose before.

    Source:
        ISO/IEC TS 27560:2023, consent receipt: schema version and receipt id, and a copy of the record.
    """

    receipt_id: str
    """Random UUID of this copy; the record has one of its own."""

    issued_at: datetime
    """Aware UTC instant at which the copy was made, whole seconds."""

    controller: str
    origin: Origin
    record: Mapping[str, object]
    """The record in the shape `consent-record/1`, as stored."""

    purposes: Sequence[Mapping[str, object]] = ()
    """Names of what was decided on: `{"key", "title", "services": [{"key", "title", "provider"}]}`."""

    documents: Sequence[Mapping[str, object]] = ()
    """Documents that were in force: `{"key", "title", "version", "url"}`, as far as they are known."""

    history: Sequence[Mapping[str, object]] = ()
    """The visitor's other records as stored, the newest first."""

    def as_dict(self) -> dict[str, object]:
        """Return the receipt as plain JSON values, without a signature."""
        return {
            "schema": SCHEMA,
            "receipt_id": self.receipt_id,
            "issued_at": self.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "controller": self.controller,
            "copied_from": self.origin.value,
            "record": dict(self.record),
            "purposes": [dict(each) for each in self.purposes],
            "documents": [dict(each) for each in self.documents],
            "history": [dict(each) for each in self.history],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """Hold a receipt as somebody brought it, whoever wrote it."""

    content: Mapping[str, object]
    """Everything but the signature; `record` in it has a `record_id`."""

    algorithm: str
    signature: str

    @property
    def record(self) -> Mapping[str, object]:
        """The record in it, as it says."""
        record = self.content["record"]
        return record if isinstance(record, Mapping) else {}

    @property
    def record_id(self) -> str:
        """Id of that record."""
        return str(self.record["record_id"])

    @property
    def origin(self) -> str:
        """Where it says that the record was copied from: a value of `Origin`, if it is genuine."""
        return str(self.content.get("copied_from"))


def encode_receipt(content: Mapping[str, object]) -> bytes:
    """Return the one spelling of a receipt without its signature: what the signature covers.

    JSON in UTF-8 with sorted keys and no white space, so that a copy which was indented or reordered still verifies.

    Raises:
        ValueError: For what no receipt holds: a number that is not finite, half of a surrogate pair.
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sign_content(content: Mapping[str, object], *, algorithm: str, signature: str) -> dict[str, object]:
    """Return a receipt's plain values with the signature in its place."""
    return {**content, _SIGNATURE: {"algorithm": algorithm, "value": signature}}


def read_receipt(text: bytes) -> SignedReceipt:
    """Read a receipt that somebody brought; nothing in it is believed yet.

    Raises:
        ValueError: If it is no receipt of this version, or none that could be told apart from another one: a member is
            there twice, or holds what `encode_receipt` cannot spell.
    """
    if len(text) > SIZE_LIMIT_BYTES:
        raise ValueError(
            f"The file is longer than {SIZE_LIMIT_BYTES} bytes, and no receipt is. Give the file that the visitor downloaded."
        )
    data = _parse(text)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else data
        raise ValueError(
            f"'schema' of a receipt must be {SCHEMA!r}, got {_shorten(found)}. Give the JSON file that the visitor downloaded."
        )
    record, signature = data.get("record"), data.pop(_SIGNATURE, None)
    if not isinstance(record, dict) or not isinstance(record.get("record_id"), str):
        raise ValueError(  # noqa: TRY004 - the file's content is at fault, not the caller
            f"'record' of a receipt must be an object with a 'record_id', got {_shorten(record)}. Give the file as it was downloaded."
        )
    if not isinstance(signature, dict) or not isinstance(signature.get("value"), str):
        raise ValueError(  # noqa: TRY004 - the same
            f"'signature' of a receipt must be an object with a 'value', got {_shorten(signature)}. Without it nobody can tell who "
            "wrote the file; give it as it was downloaded."
        )
    return SignedReceipt(content=data, algorithm=str(signature.get("algorithm")), signature=signature["value"])


def compare_with_stored(receipt: SignedReceipt, payload: str) -> Comparison:
    """Say whether the record in a genuine receipt is the one that a ledger keeps under its id.

    Of a record that came from a cookie, only what a cookie holds is compared: what it says was chosen, when and for how long.
    """
    stored = _parse_stored(payload)
    if receipt.origin == Origin.LEDGER:
        is_same = stored is not None and encode_receipt(receipt.record) == encode_receipt(stored)
        return Comparison.SAME if is_same else Comparison.DIFFERS
    try:
        held, kept = read_record(receipt.record), read_record(stored or {})
    except RecordError:
        return Comparison.DIFFERS
    # A cookie says nothing of what is not declared any more, so it may hold less than what was kept.
    agrees = held.choices.items() <= kept.choices.items() and all(
        getattr(held, name) == getattr(kept, name)
        for name in ("record_id", "decided_at", "valid_until", "regime", "signals", "is_complete")
    )
    return Comparison.SAME if agrees else Comparison.DIFFERS


def _parse_stored(payload: str) -> Mapping[str, object] | None:
    """Return a stored record; None for what only somebody's edit can have left."""
    try:
        stored = json.loads(payload)
        encode_receipt({"": stored})
    except (ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) else None


def _parse(text: bytes) -> object:
    try:
        data: object = json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=_collect,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
        encode_receipt({"": data})
    except RecursionError as error:
        raise ValueError("The file is no receipt: it is nested too deeply. Give it as it was downloaded.") from error
    except UnicodeError as error:
        raise ValueError("The file is no receipt: it is not text in UTF-8. Give it as it was downloaded.") from error
    except ValueError as error:
        raise ValueError(f"The file is no receipt: {error}. Give it as it was downloaded.") from error
    return data


def _collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # One reader would show the first value, the signature cover the last.
        raise ValueError("a member of an object is there twice")
    return found


def _refuse_number(text: str) -> object:
    raise ValueError(f"it holds the number {_shorten(text)}, and a receipt holds whole numbers only")


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
