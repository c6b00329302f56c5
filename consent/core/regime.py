"""The legal regimes a choice can be made under."""

from __future__ import annotations

from enum import StrEnum


class Regime(StrEnum):
    """Say what may happen before the visitor has chosen."""

    OPT_IN = "opt_in"
    """Nothing but what is necessary runs before a grant (GDPR, ePrivacy Directive art. 5(3))."""
