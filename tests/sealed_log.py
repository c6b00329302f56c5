"""A ledger with seals over it, and ways to change what nobody may change."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from consent.core.checkpoint import Checkpoint, make_checkpoint
from consent.core.event_digest import digest_event
from consent.core.ledger import ConsentEvent
from consent.core.merkle import Frontier
from consent.core.seal import NO_SEAL_HASH, hash_seal
from consent.core.verdict import Problem, Verdict
from consent.ledger import MemoryLedger, SQLiteLedger
from consent.ledger.relational import RelationalLedger
from consent.ledger.sealing import seal
from consent.ledger.verification import verify
from tests.conftest import NOW
from tests.ledger_events import BOB, make_event

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
        is_signed = (key or self.key).is_signed
        return verify(self.ledger, is_signed=is_signed, checkpoint=checkpoint, is_own_checkpoint=is_signed)

    def fill(self) -> None:
        """Keep twelve events of two visitors under three seals, and two that wait for one."""
        self.append(*range(1, 7))
        self.append(*range(7, 13), subject_id=BOB)
        self.seal(limit=4)
        self.append(13, 14)

    def find_problem(self, checkpoint: Checkpoint | None = None, key: Key | None = None) -> Problem:
        """Verify, and return what is wrong."""
        problem = self.verify(checkpoint, key).problem
        assert problem is not None
        return problem

    def find_rows(self, checkpoint: Checkpoint | None = None) -> tuple[int | None, int | None]:
        """Verify, and return the first and last position of what is wrong."""
        problem = self.find_problem(checkpoint)
        return problem.first_position, problem.last_position

    def write_anew(self, position: int, **changes: Any) -> None:
        """Change an event as somebody does who knows how digests are made."""
        row = next(row for row in self.ledger.scan() if row.position == position)
        assert row.event
        digest = digest_event(replace(row.event, **changes), row.salt or b"")
        columns = ", ".join(f"{name} = :{name}" for name in changes)
        statement = f"UPDATE consent_events SET {columns}, digest = :digest WHERE position = :at"
        self.edit(statement, at=position, digest=digest, **changes)

    def seal_anew(self, key: Key) -> None:
        """Replace all seals by ones over what is there now."""
        sizes = [seal.tree_size for seal in self.ledger.seals.list()]
        self.edit("DELETE FROM consent_seals")
        previous, frontier = NO_SEAL_HASH, Frontier()
        digests = self.ledger.seals.digests()
        for number, size in enumerate(sizes, start=1):
            while frontier.size < size:
                frontier.append(digests[frontier.size])
            root = frontier.root()
            made = hash_seal(number, tree_size=size, root=root, previous_hash=previous, sealed_at=NOW)
            self.edit(
                "INSERT INTO consent_seals VALUES (:number, :size, :root, :previous, :at, :hash, :signature, '')",
                number=number,
                size=size,
                root=root,
                previous=previous,
                at=int(NOW.timestamp()),
                hash=made,
                signature=key.sign(made),
            )
            previous = made

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint of the last seal."""
        last = self.ledger.seals.last()
        assert last is not None
        return make_checkpoint(last, origin=ORIGIN, sign=self.key.sign)


def open_memory_log() -> SealedLog:
    """Make a log in memory."""
    ledger = MemoryLedger()

    def edit(statement: str, **values: Any) -> None:
        ledger.database.write(lambda transaction: transaction.fetch("PRAGMA ignore_check_constraints = ON"))
        ledger.database.write(lambda transaction: transaction.execute(statement, values))

    return SealedLog(ledger=ledger, edit=edit)


def open_sqlite_log(path: Path) -> SealedLog:
    """Make a log in a file, which is edited past the library."""
    ledger = SQLiteLedger(path)
    ledger.prepare()

    def edit(statement: str, **values: Any) -> None:
        ledger.close()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        with connection:
            connection.execute(statement, values)
        connection.close()

    return SealedLog(ledger=ledger, edit=edit)
