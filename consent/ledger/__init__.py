"""Ledgers: where the proof of consent is kept."""

from __future__ import annotations

from consent.ledger.memory import MemoryLedger

__all__ = ["MemoryLedger"]
