"""Ledgers: where the proof of consent is kept, and what a ledger of one's own has to follow."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from consent.core.erasure import make_erasure
from consent.core.event_digest import digest_event
from consent.core.ledger import AppendResult, ConsentEvent, Health, Ledger, StoredEvent
from consent.core.notice import Artefact, NoticeStore, ShownNotice
from consent.core.seal import Seal, SealStore, UnsealedEvent
from consent.core.tally import Counted, TallyKey, TallyStore
from consent.errors import LedgerError
from consent.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    from consent.ledger.relational import RelationalLedger
    from consent.ledger.sqlalchemy import SQLAlchemyLedger
    from consent.ledger.sqlite import SQLiteLedger

__all__ = [
    "AppendResult",
    "Artefact",
    "ConsentEvent",
    "Counted",
    "Health",
    "Ledger",
    "MemoryLedger",
    "NoticeStore",
    "SQLAlchemyLedger",
    "SQLiteLedger",
    "Seal",
    "SealStore",
    "ShownNotice",
    "StoredEvent",
    "TallyKey",
    "TallyStore",
    "UnsealedEvent",
    "digest_event",
    "make_erasure",
    "open_ledger",
]

_MEMORY_URL = "memory:"
_FILE_PREFIX = "sqlite:///"
_LAZY = {"SQLAlchemyLedger": "consent.ledger.sqlalchemy", "SQLiteLedger": "consent.ledger.sqlite"}


def open_ledger(url: str, *, folder: Path) -> RelationalLedger:
    """Return the ledger at an address. Nothing is connected to yet.

    Args:
        url: `sqlite:///consent.db`, `sqlite:////var/lib/site/consent.db`, `postgresql+psycopg://…` or another of SQLAlchemy's,
            or `memory:`.
        folder: Where the path of a SQLite file begins that is not absolute.

    Raises:
        LedgerError: If it is no address of a ledger.
        MissingExtraError: If the packages for that database are not installed.
    """
    if url == _MEMORY_URL:
        return MemoryLedger()
    if url.startswith(_FILE_PREFIX) and len(url) > len(_FILE_PREFIX):
        from consent.ledger.sqlite import SQLiteLedger  # noqa: PLC0415 - as with the other one, only where it is wanted

        return SQLiteLedger(folder / url.removeprefix(_FILE_PREFIX))
    if "://" not in url or url.startswith("sqlite://"):
        raise LedgerError(
            "The address of the ledger must be 'sqlite:///consent.db', 'sqlite:////an/absolute/path.db', "
            "'postgresql+psycopg://user@host/database', another address of SQLAlchemy's, or 'memory:'.",
            reason="unsupported",
        )
    from consent.ledger.sqlalchemy import SQLAlchemyLedger  # noqa: PLC0415 - loads SQLAlchemy

    return SQLAlchemyLedger(url)


def __getattr__(name: str) -> object:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'consent.ledger' has no attribute {name!r}")
    return getattr(import_module(module), name)
