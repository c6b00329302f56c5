"""Read a record that a ledger has stored with its account, whatever somebody's edit has left of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent.core.record import Event, read_record

# Any: the plain JSON values of a record, as somebody else may have left them in the storage.
Values = Mapping[str, Any]

_TEXTS = ("source", "action", "language", "withdrawal_url")
_TEXTS_OR_NULL = ("jurisdiction", "previous")
_HASHES = ("text_sha256", "ui_sha256")


def read_stored_record(payload: str) -> Values | None:
    """Return a stored record as plain values, in the shape `consent-record/1`.

    Returns:
        None for what only somebody's edit can have left: a member that a receipt is made of is missing, or of another type.
    """
    try:
        record: Values = json.loads(payload)
        read_record(record)
        Event(record["event"])
        datetime.fromisoformat(record["event_time"])
        # Python reads NaN and half of a surrogate pair; a file in UTF-8 has neither.
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
        return record if _is_whole(record) else None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        return None


def _is_whole(record: Values) -> bool:
    return (
        all(isinstance(record[name], str) for name in _TEXTS)
        and all(_is_text_or_null(record[name]) for name in _TEXTS_OR_NULL)
        and _is_notice(record["notice"])
        and all(map(_is_decision, record["decisions"].values()))
        and all(isinstance(each.get("version", ""), str) for each in record["documents"].values())
    )


def _is_notice(notice: Values) -> bool:
    return isinstance(notice["version"], str) and all(_is_text_or_null(notice.get(name)) for name in _HASHES)


def _is_decision(decision: Values) -> bool:
    services = decision.get("vendors", [])
    return (
        isinstance(decision["basis"], str)
        and isinstance(services, list)
        and all(isinstance(each, str) for each in services)
    )


def _is_text_or_null(value: object) -> bool:
    return value is None or isinstance(value, str)
