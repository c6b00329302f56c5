"""How long a choice holds, in calendar months."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from consent.core.record import Choice

# IAB TCF and the French CNIL stop at 13 months: at most 397 days, within the 400 at which browsers clamp a
# cookie's lifetime (RFC 6265bis); a silent clamp would make the record's expiry untrue.
MONTHS_LIMIT = 13


def add_months(instant: datetime, months: int) -> datetime:
    """Return the same day and time `months` calendar months later, or that month's last day.

    Six months are 181 to 184 days, so "180 days" would ask again too early (Garante, 10 June 2021).
    """
    years, month_index = divmod(instant.month - 1 + months, 12)
    year, month = instant.year + years, month_index + 1
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Say how many calendar months a choice holds, by what it is."""

    accept: int
    """With at least one grant."""

    refuse: int
    """Without any."""

    def after(self, choices: Mapping[str, Choice]) -> int:
        """Return the months that these choices hold."""
        return self.accept if Choice.GRANTED in choices.values() else self.refuse
