"""Seals as rows, and the places of events under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consent.core.merkle import HASH_BYTES
from consent.core.seal import Seal, UnsealedEvent
from consent.ledger._database import Database, Row, Transaction, Value
from consent.ledger._events import to_bytes, to_instant, to_number, to_seconds

_COLUMNS = ("number", "tree_size", "root", "previous_hash", "sealed_at", "seal_hash", "signature", "frontier")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM consent_seals"  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class RelationalSeals:
    """Keep seals in the ledger's database."""

    database: Database

    def unsealed(self, *, limit: int) -> tuple[UnsealedEvent, ...]:
        """Return rows without a seal, by position."""
        rows = self.database.read(
            lambda transaction: transaction.fetch(
                "SELECT position, digest FROM consent_events WHERE leaf_index IS NULL ORDER BY position LIMIT :limit",
                {"limit": limit},
            )
        )
        return tuple(UnsealedEvent(position=to_number(row[0]), digest=to_bytes(row[1])) for row in rows)

    def add(self, seal: Seal, positions: Sequence[int]) -> bool:
        """Keep a seal and give rows their leaf indexes, all or nothing; False if another sealer was there first."""
        try:
            self.database.write(lambda transaction: _add(transaction, seal, positions))
        except _TakenError:
            return False
        return True

    def last(self) -> Seal | None:
        """Return the newest seal; None for none."""
        rows = self.database.read(lambda transaction: transaction.fetch(f"{_SELECT} ORDER BY number DESC LIMIT 1"))
        return _to_seal(rows[0]) if rows else None

    def list(self, *, after: int = 0, limit: int = 1000) -> tuple[Seal, ...]:
        """Return seals by number, from the one after `after` on."""
        values: dict[str, Value] = {"after": after, "limit": limit}
        rows = self.database.read(
            lambda transaction: transaction.fetch(
                f"{_SELECT} WHERE number > :after ORDER BY number LIMIT :limit", values
            )
        )
        return tuple(map(_to_seal, rows))

    def digests(self, *, after: int = -1, limit: int = 10_000) -> Mapping[int, bytes]:
        """Return digests of sealed events by leaf index, in its order, from the one after `after` on."""
        values: dict[str, Value] = {"after": after, "limit": limit}
        rows = self.database.read(
            lambda transaction: transaction.fetch(
                "SELECT leaf_index, digest FROM consent_events WHERE leaf_index > :after ORDER BY leaf_index LIMIT :limit",
                values,
            )
        )
        return {to_number(leaf_index): to_bytes(digest) for leaf_index, digest in rows}


class _TakenError(Exception):
    """Break off a transaction because another sealer was first."""


def _add(transaction: Transaction, seal: Seal, positions: Sequence[int]) -> None:
    insert = transaction.dialect.write_insert("consent_seals", _COLUMNS)
    if transaction.execute(insert, _to_values(seal)) != 1:
        raise _TakenError
    first = seal.tree_size - len(positions)
    if transaction.fetch("SELECT 1 FROM consent_events WHERE leaf_index >= :first LIMIT 1", {"first": first}):
        raise _TakenError
    rows: list[dict[str, Value]] = [{"leaf": first + at, "position": position} for at, position in enumerate(positions)]
    transaction.execute_many(
        "UPDATE consent_events SET leaf_index = :leaf WHERE position = :position AND leaf_index IS NULL", rows
    )
    sealed = transaction.fetch(
        "SELECT count(*) FROM consent_events WHERE leaf_index >= :first AND leaf_index < :end",
        {"first": first, "end": seal.tree_size},
    )
    if sealed[0][0] != len(positions):
        raise _TakenError


def _to_values(seal: Seal) -> dict[str, Value]:
    return {
        "number": seal.number,
        "tree_size": seal.tree_size,
        "root": seal.root,
        "previous_hash": seal.previous_hash,
        "sealed_at": to_seconds(seal.sealed_at),
        "seal_hash": seal.seal_hash,
        "signature": seal.signature,
        "frontier": b"".join(seal.frontier).hex(),
    }


def _to_seal(row: Row) -> Seal:
    number, tree_size, root, previous_hash, sealed_at, seal_hash, signature, frontier = row
    return Seal(
        number=to_number(number),
        tree_size=to_number(tree_size),
        root=to_bytes(root),
        previous_hash=to_bytes(previous_hash),
        sealed_at=to_instant(sealed_at),
        seal_hash=to_bytes(seal_hash),
        signature=str(signature),
        frontier=_read_hashes(str(frontier)),
    )


def _read_hashes(digits: str) -> tuple[bytes, ...]:
    try:
        joined = bytes.fromhex(digits)
    except ValueError:
        # Whoever edited it has only made the next sealer read the log again.
        return ()
    return tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
