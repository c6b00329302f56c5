"""Records made to order for tests that need one, and those that the vectors describe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime

OLD_FINGERPRINT = b"\x00\x00\x00"


def make_record(policy: Policy, now: datetime, **changes: Any) -> ConsentRecord:
    """Make the record of a visitor who has just granted everything, but for what `changes` says."""
    values: dict[str, Any] = {
        "record_id": "01234567-89ab-4def-8123-456789abcdef",
        "decided_at": now,
        "valid_until": add_months(now, 6),
        "regime": Regime.OPT_IN,
        "signals": Signals(),
        "choices": dict.fromkeys(policy.fingerprints, Choice.GRANTED),
        "fingerprints": dict(policy.fingerprints),
    }
    return ConsentRecord(**(values | changes))


def build_record(described: Mapping[str, Any] | None, policy: Policy) -> ConsentRecord | None:
    """Build a record as `tests/vectors/*.json` describe it: choices by key, some of them on an older declaration."""
    if described is None:
        return None
    choices = dict.fromkeys(described["granted"], Choice.GRANTED) | dict.fromkeys(described["denied"], Choice.DENIED)
    return ConsentRecord(
        record_id="00000000-0000-4000-8000-000000000000",
        decided_at=datetime.fromisoformat(described["decided_at"]),
        valid_until=datetime.fromisoformat(described["valid_until"]),
        regime=Regime(described.get("regime", "opt_in")),
        signals=Signals(gpc=described["gpc"], dnt=described.get("dnt", False)),
        choices=choices,
        fingerprints={
            key: OLD_FINGERPRINT if key in described["changed"] else policy.fingerprints.get(key, OLD_FINGERPRINT)
            for key in (*choices, *described.get("noted", ()))
        },
        is_complete=described["is_complete"],
    )
