"""Seals: signed heads of the log of events, each chained to the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from consent.core.field_encoding import encode_fields
from consent.core.merkle import Frontier

SCHEMA = b"consent-seal/1"
INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
NO_SEAL_HASH = bytes(32)
"""What stands for the hash of the seal before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Hold the head of the log at one time: what it had, and what the head before was."""

    number: int
    """From 1, without gaps."""

    tree_size: int
    """How many events are sealed up to here, this seal's own included."""

    root: bytes
    """32 bytes: RFC 6962 Merkle tree hash of the first `tree_size` digests, by leaf index."""

    previous_hash: bytes
    """`seal_hash` of the seal before; 32 zero bytes for the first."""

    sealed_at: datetime
    """Aware UTC instant, whole seconds."""

    seal_hash: bytes
    """32 bytes over all of the above."""

    signature: str
    """Signature of `seal_hash` under one of the app's keys."""

    frontier: tuple[bytes, ...] = ()
    """`Frontier.hashes` of the tree, so that the next sealer need not read the log again; empty if it is not known.

    No hash covers it, for none has to: it folds to `root` or it is wrong.
    """

    @property
    def is_intact(self) -> bool:
        """Whether `seal_hash` is the hash of what the seal says."""
        return self.seal_hash == hash_seal(
            self.number,
            tree_size=self.tree_size,
            root=self.root,
            previous_hash=self.previous_hash,
            sealed_at=self.sealed_at,
        )

    def unfold(self) -> Frontier | None:
        """Return the frontier that the seal was made with; None if it is not known, or not that any more."""
        try:
            frontier = Frontier(self.tree_size, self.frontier)
        except ValueError:
            return None
        return frontier if frontier.root() == self.root else None

    def as_dict(self) -> dict[str, object]:
        """Return what is hashed and signed as plain JSON values; hashes in hexadecimal digits, the time as ISO 8601 with `Z`."""
        return {
            "number": self.number,
            "tree_size": self.tree_size,
            "root": self.root.hex(),
            "previous_hash": self.previous_hash.hex(),
            "sealed_at": f"{self.sealed_at:{INSTANT_FORMAT}}",
            "seal_hash": self.seal_hash.hex(),
            "signature": self.signature,
        }


def hash_seal(number: int, *, tree_size: int, root: bytes, previous_hash: bytes, sealed_at: datetime) -> bytes:
    """Return the 32-byte hash of a seal: what is signed, and what the next seal refers to.

    SHA-256 of the fields, each with its length before it: schema, number, tree size, root, previous hash, time. Numbers are
    in decimal digits, the time in seconds since 1970.
    """
    numbers = (str(each).encode() for each in (number, tree_size))
    seconds = str(int(sealed_at.timestamp())).encode()
    return sha256(encode_fields((SCHEMA, *numbers, root, previous_hash, seconds))).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsealedEvent:
    """Name one row that no seal covers yet."""

    position: int
    digest: bytes


class SealStore(Protocol):
    """Keep seals, and which event has which place under them."""

    def unsealed(self, *, limit: int) -> tuple[UnsealedEvent, ...]:
        """Return rows without a seal, by position: all of them, however late they became visible."""

    def add(self, seal: Seal, positions: Sequence[int]) -> bool:
        """Keep a seal over rows, which get the leaf indexes up to `tree_size` in this order; all or nothing.

        Returns:
            False, with nothing changed, if a seal of that number exists or one of the rows is sealed already.
        """

    def last(self) -> Seal | None:
        """Return the newest seal; None for none."""

    def list(self, *, after: int = 0, limit: int = 1000) -> tuple[Seal, ...]:
        """Return seals by number, from the one after `after` on."""

    def digests(self, *, after: int = -1, limit: int = 10_000) -> Mapping[int, bytes]:
        """Return digests of sealed events by leaf index, in its order, from the one after `after` on; erased events, too."""
