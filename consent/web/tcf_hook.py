"""Where a site that runs a registered IAB TCF platform of its own hooks in; the library itself writes no TCF string."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consent.core.decision import Decision
from consent.core.regime import Regime
from consent.errors import ConfigError

log = logging.getLogger("consent")

TCF = "tcf"
"""The key under which a site names its platform, and the server's own calls ask for its string."""

# IAB Europe gives out ids from 2 on; 0 and 1 stand for none.
_FIRST_CMP_ID = 2
# Segments of base64url, the first of which begins with the version, 2 (TC string format, "core string").
_STRING = re.compile(r"C[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TcfHook:
    """Hold the platform of a site."""

    cmp_id: int
    encode: Callable[[Decision], str]

    def find_macros(self, decision: Decision) -> dict[str, str]:
        """Return what requests carry, by the names of IAB's URL macros; without a string where there is none to be had."""
        if decision.regime is not Regime.OPT_IN:
            return {"gdpr": "0"}
        try:
            text = self.encode(decision)
        except Exception:  # the site's own code; what asks for consent gets none
            log.exception("The function that writes TCF strings failed; nothing is claimed.")
            return {"gdpr": "1"}
        if not _STRING.fullmatch(text):
            log.error("The function that writes TCF strings gave something that is none; nothing is claimed.")
            return {"gdpr": "1"}
        return {"gdpr": "1", "gdpr_consent": text}


def read_tcf_hook(given: object) -> TcfHook:
    """Read `CONSENT_SIGNALS["tcf"]`.

    Raises:
        ConfigError: Without the id of a registered platform, or a function that writes the string (S23).
    """
    options = given if isinstance(given, Mapping) else {}
    cmp_id, encode = options.get("cmp_id"), options.get("encode")
    if (
        type(cmp_id) is not int
        or cmp_id < _FIRST_CMP_ID
        or not callable(encode)
        or len(options) != len(TcfHook.__slots__)
    ):
        raise ConfigError(
            "'CONSENT_SIGNALS' for 'tcf' must be {'cmp_id': …, 'encode': …}: the id under which IAB Europe has registered your "
            "consent management platform (0 and 1 are none), and a function that takes a Decision and returns a TC string. "
            f"Got {given!r}. Without a registration nobody may write TCF strings: leave it out.",
            key="CONSENT_SIGNALS",
            value=given,
        )
    return TcfHook(cmp_id=cmp_id, encode=encode)
