"""A ledger with seals over it, and ways to change what nobody may change."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from consent.core.checkpoint import Checkpoint, make_checkpoint
from consent.core.ledger import ConsentEvent
from consent.core.verdict import Verdict
from consent.ledger import MemoryLedger, SQLiteLedger
from consent.ledger.relational import RelationalLedger
from consent.ledger.sealing import seal
from consent.ledger.verification import verify
from tests.conftest import NOW
from tests.ledger_events import make_event

ORIGIN = "example.com/consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Sign with one key, and check with that and older ones."""

    secret: bytes = b"the site's own"
    older: Sequence[bytes] = ()

    def sign(self, data: bytes) -> str:
        """Return the signature of some bytes."""
        return hmac.new(self.secret, data, "sha256").hexdigest()

    def is_signed(self, data: bytes, signature: str) -> bool:
        """Whether one of the keys has signed some bytes."""
        return any(hmac.new(each, data, "sha256").hexdigest() == signature for each in (self.secret, *self.older))


@dataclass(slots=True, kw_only=True)
class SealedLog:
    """A ledger, the key of its seals, and a way to it that is not the library's."""

    ledger: RelationalLedger
    edit: Callable[..., Any]
    """Run one statement with `:name` parameters."""

    key: Key = field(default_factory=Key)

    def append(self, *numbers: int, **changes: Any) -> list[ConsentEvent]:
        """Keep the events of some numbers; nothing is said of what was shown."""
        events = [make_event(number, **({"text_sha256": None} | changes)) for number in numbers]
        self.ledger.append(events)
        return events

    def seal(self, *, now: datetime = NOW, limit: int = 1000, key: Key | None = None) -> int:
        """Seal what has no seal."""
        key = key or self.key
        return seal(self.ledger, sign=key.sign, is_signed=key.is_signed, now=now, limit=limit)

    def verify(self, checkpoint: Checkpoint | None = None, key: Key | None = None) -> Verdict:
        """Verify with the site's own key."""
        return verify(self.ledger, is_signed=(key or self.key).is_signed, checkpoint=checkpoint)

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint of the last seal."""
        last = self.ledger.seals.last()
        assert last is not None
        return make_checkpoint(last, origin=ORIGIN, sign=self.key.sign)


def open_memory_log() -> SealedLog:
    """Make a log in memory."""
    ledger = MemoryLedger()

    def edit(statement: str, **values: Any) -> None:
        ledger.database.write(lambda transaction: transaction.execute(statement, values))

    return SealedLog(ledger=ledger, edit=edit)


def open_sqlite_log(path: Path) -> SealedLog:
    """Make a log in a file, which is edited past the library."""
    ledger = SQLiteLedger(path)
    ledger.prepare()

    def edit(statement: str, **values: Any) -> None:
        ledger.close()
        connection = sqlite3.connect(path)
        with connection:
            connection.execute(statement, values)
        connection.close()

    return SealedLog(ledger=ledger, edit=edit)
