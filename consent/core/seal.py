"""Seals: signed heads of the log of events, each chained to the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
