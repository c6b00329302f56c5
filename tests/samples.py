"""Records made to order for tests that need one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime


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
