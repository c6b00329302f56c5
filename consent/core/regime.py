"""The legal regimes a choice can be made under."""

from __future__ import annotations

from enum import StrEnum


class Regime(StrEnum):
    """Say what may happen before the visitor has chosen; the strictest first."""

    OPT_IN = "opt_in"
    """Nothing but what is necessary runs before a grant (GDPR, ePrivacy Directive art. 5(3))."""

    OPT_OUT = "opt_out"
    """It may run until the visitor objects, or a privacy signal objects for them (CCPA, 11 CCR 7025)."""

    NOTICE = "notice"
    """It may run once the visitor is told. Nothing here is ever a grant."""

    def is_as_strict_as(self, other: Regime) -> bool:
        """Whether what was granted under this regime counts as granted under the other."""
        return _STRICTEST_FIRST.index(self) <= _STRICTEST_FIRST.index(other)


_STRICTEST_FIRST = (Regime.OPT_IN, Regime.OPT_OUT, Regime.NOTICE)


def strictest(regimes: tuple[Regime, ...]) -> Regime:
    """Return the strictest of several regimes; opt-in for none."""
    return min(regimes, key=_STRICTEST_FIRST.index, default=Regime.OPT_IN)
