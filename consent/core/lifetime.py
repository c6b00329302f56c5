"""How long a choice holds, in calendar months."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta

# 400 days: browsers clamp longer cookie lifetimes (RFC 6265bis), and a silent clamp would make
# the record's expiry untrue.
LIFETIME_LIMIT = timedelta(days=400)

# IAB TCF and the French CNIL stop at 13 months; 13 calendar months are at most 397 days, within the limit above.
MONTHS_LIMIT = 13


def add_months(instant: datetime, months: int) -> datetime:
    """Return the same day and time `months` calendar months later, or that month's last day.

    Six months are 181 to 184 days, so "180 days" would ask again too early (Garante, 10 June 2021).
    """
    years, month_index = divmod(instant.month - 1 + months, 12)
    year, month = instant.year + years, month_index + 1
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))
