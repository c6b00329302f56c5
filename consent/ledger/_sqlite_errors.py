"""What SQLite and the system report, in the library's words."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from consent.errors import LedgerError

_REASONS = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_PROTOCOL: "busy",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
}
_SYSTEM_REASONS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
}
_ADVICE = {
    "busy": "Another program is writing to it. End that program: this file must be written by this library alone.",
    "full": "The disk is full. Make room; nothing has to be restarted.",
    "read_only": "It cannot be written. Give the user that runs the site the right to write the file and its folder, and see "
    "that the disk is mounted for writing.",
    "corrupt": "It is damaged, or no SQLite database. Keep a copy of it, stop the site, and put a backup in its place.",
    "outdated": "It has no tables yet. Run: flask consent ledger upgrade",
    "unsupported": "It refused what it was given: a value that it cannot hold, or a statement that it does not know.",
    "unavailable": "See that the folder exists, that the disk works, and that the user of the site may open the file.",
}
# Of these SQLite, or Python's module before it (0), says that a value was wrong, not that the file or the disk is.
_VALUE_ERRORS = frozenset(
    {0, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
)
_PRIMARY = 0xFF  # the lower byte of an extended result code is the primary one: https://www.sqlite.org/rescode.html


def explain(error: sqlite3.Error | OSError, path: Path) -> LedgerError:
    """Return what happened as an error of the library, with the first error as its cause."""
    reason = _find_system_reason(error) if isinstance(error, OSError) else _find_reason(error, path)
    code = getattr(error, "sqlite_errorname", type(error).__name__)
    # SQLite's messages name tables and columns, never values; an OSError's may name other files.
    said = error.strerror if isinstance(error, OSError) else error
    explained = LedgerError(f"The ledger '{path}' reports: {said} ({code}). {_ADVICE[reason]}", reason=reason)
    explained.__cause__ = error
    return explained


def is_statements_own(error: sqlite3.Error) -> bool:
    """Whether only the statement failed, and an open transaction is as good as before."""
    return get_code(error) in {sqlite3.SQLITE_ERROR, *_VALUE_ERRORS}


def needs_writer(error: sqlite3.Error) -> bool:
    """Whether whoever wrote last was cut off while the file was made: it can be read once somebody has opened it to write."""
    return getattr(error, "sqlite_errorcode", 0) in {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}


def get_code(error: sqlite3.Error) -> int:
    """Return the primary result code; 0 where Python's module itself objected."""
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY


def _find_system_reason(error: OSError) -> str:
    return _SYSTEM_REASONS.get(error.errno or 0, "unavailable")


def _find_reason(error: sqlite3.Error, path: Path) -> str:
    code = get_code(error)
    if code == sqlite3.SQLITE_CANTOPEN and path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        # A file in WAL mode needs two more beside it: where these cannot be made, it cannot even be read.
        return "read_only"
    if code == sqlite3.SQLITE_ERROR and "no such table" in str(error):
        return "outdated"
    if code in _VALUE_ERRORS:
        return "unsupported"
    return _REASONS.get(code, "unavailable")
