"""Rows of a ledger for other programs: JSON that holds everything, CSV for a spreadsheet, JSON-LD for exchange."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from types import MappingProxyType
from typing import Any

from consent.core.erasure import is_erasure
from consent.core.ledger import StoredEvent
from consent.wire.dpv import CONTEXT, DescribedSite, describe_dpv, find_missing

# Any: the plain JSON values of a record, as somebody else may have left them in the storage.
Values = Mapping[str, Any]

_UNREADABLE = "The stored payload is no JSON object. Run: flask consent ledger verify"

# Where each column of a record is found in its JSON.
_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{name: (name,) for name in ("event_time", "subject_id", "revision", "event", "source", "action")},
        **{name: (name,) for name in ("mode", "jurisdiction", "profile", "language", "evidence")},
        **{name: (name,) for name in ("decided_at", "valid_until", "previous")},
        "policy_version": ("notice", "version"),
        **{name: ("notice", name) for name in ("text_sha256", "ui_sha256", "is_as_shown", "layer", "prompt_reason")},
        "gpc": ("signals", "gpc"),
        "dnt": ("signals", "dnt"),
        "network": ("client", "network"),
        "browser": ("client", "browser"),
    }
)
_STATES = ("granted", "refused", "undecided")
_PLACES = ("position", "event_id", "leaf_index", "digest", "erased_at", "erasure_reason")
CSV_COLUMNS = (*_PLACES, *_COLUMNS, *_STATES)

# What a spreadsheet takes for a formula, at the beginning of a cell and behind everything that may begin another one in
# some country's spreadsheet. Source: OWASP, "CSV Injection"; the wide forms are those of East Asian keyboards.
_FORMULA = re.compile(r"""(^|[;,|"'])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def describe_row(row: StoredEvent) -> dict[str, object]:
    """Return a row as plain JSON values: its places, and `record` as it was made, None for an erased one.

    The record of an erasure has the schema `consent-erasure/1`, and `event_ids` of what was erased.

    The salt stays in the ledger: with it, a copy could be matched to a digest after the event was erased.
    """
    described: dict[str, object] = {
        "position": row.position,
        "event_id": row.event_id,
        "leaf_index": row.leaf_index,
        "digest": row.digest.hex(),
        "erased_at": _format_instant(row.erased_at),
        "erasure_reason": row.erasure_reason,
        "record": None,
    }
    if row.event is None:
        return described
    record = read_payload(row.event.payload)
    return described | (
        {"problem": _UNREADABLE, "payload": row.event.payload} if record is None else {"record": record}
    )


def read_payload(payload: str) -> dict[str, object] | None:
    """Return the record in a payload; None for what is no JSON object, as only somebody's edit can have left it."""
    try:
        record = json.loads(payload)
        # Python reads NaN, and 1e999 as infinity; JSON has no word for either.
        json.dumps(record, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def format_line(values: object) -> str:
    """Return values as one line of JSON that every reader takes, without its end."""
    # U+2028 and U+2029 are line ends to some readers of lines, and stay as they are in Python's JSON.
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _mend(text).replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def write_json_lines(rows: Iterable[StoredEvent]) -> Iterator[str]:
    """Yield a line of JSON for each row."""
    return (format_line(describe_row(row)) for row in rows)


def write_json(rows: Iterable[StoredEvent]) -> Iterator[str]:
    """Yield the lines of one JSON array."""
    return _join_array("[", (describe_row(row) for row in rows), "]")


def write_csv(rows: Iterable[StoredEvent]) -> Iterator[str]:
    """Yield the names of the columns and a line for each row, without anything that a spreadsheet would run."""
    yield _format_cells(CSV_COLUMNS)
    yield from map(_format_csv_row, rows)


def write_dpv(
    rows: Iterable[StoredEvent],
    *,
    site: DescribedSite,
    find: Callable[[str], StoredEvent | None],
    leave_out: Callable[[StoredEvent], None],
    note_missing: Callable[[Iterable[str]], None],
) -> Iterator[str]:
    """Yield the lines of one JSON-LD document with the records in the Data Privacy Vocabulary.

    Args:
        find: Returns a row by event id: what was withdrawn shows in the record before.
        leave_out: Is told of each row whose record cannot be read. Erased ones and erasures are left out in silence.
        note_missing: Is told, for each record, which mandatory fields it lacks.
    """

    def describe() -> Iterator[Values]:
        for row in rows:
            try:
                described = _is_visitors(row) and describe_dpv(
                    _read(row), site=site, previous=_find_previous(row, find)
                )
            # Whoever edited the record may have left anything in any place.
            except (LookupError, TypeError, AttributeError, ValueError):
                leave_out(row)
                continue
            if described:
                note_missing(find_missing(described))
                yield {name: each for name, each in described.items() if name != "@context"}

    return _join_array(f'{{"@context":{format_line(dict(CONTEXT))},"@graph":[', describe(), "]}")


def _is_visitors(row: StoredEvent) -> bool:
    return row.event is not None and not is_erasure(row.event)


def _read(row: StoredEvent) -> dict[str, object]:
    return (row.event and read_payload(row.event.payload)) or {}


def _find_previous(row: StoredEvent, find: Callable[[str], StoredEvent | None]) -> Values | None:
    previous_id = _read(row).get("previous")
    previous = find(previous_id) if isinstance(previous_id, str) else None
    return (_read(previous) or None) if previous else None


def _join_array(head: str, values: Iterable[object], end: str) -> Iterator[str]:
    # Line by line: a ledger need not fit into memory.
    comma = ""
    yield head
    for each in values:
        yield comma + format_line(each)
        comma = ","
    yield end


def _format_csv_row(row: StoredEvent) -> str:
    described, record = describe_row(row), _read(row)
    cells = (
        *(described[name] for name in _PLACES),
        *(_find(record, path) for path in _COLUMNS.values()),
        *(" ".join(_list_keys(record, state)) for state in _STATES),
    )
    return _format_cells(tuple(map(_make_inert, cells)))


def _find(record: Values, path: tuple[str, ...]) -> object:
    found: object = record
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _list_keys(record: Values, state: str) -> Iterator[str]:
    decisions = record.get("decisions")
    for key, each in decisions.items() if isinstance(decisions, Mapping) else ():
        if isinstance(each, Mapping) and each.get("state") == state:
            yield key


def _make_inert(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _FORMULA.sub(r"\1\2'", _BREAKS.sub(" ", _mend(text)))


def _format_cells(cells: tuple[str, ...]) -> str:
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return line.getvalue()


def _mend(text: str) -> str:
    """Return text with each lone surrogate replaced: it has no UTF-8, and readers of JSON refuse its escape."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _format_instant(instant: datetime | None) -> str | None:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None
