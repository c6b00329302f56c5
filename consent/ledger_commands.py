"""`flask consent ledger …`: what the operator may ask of the ledger, and owes to visitors."""

from __future__ import annotations

from flask.cli import AppGroup

group = AppGroup("ledger", help="Look after the ledger, the proof of what visitors chose.")
