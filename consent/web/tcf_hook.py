"""Where a site that runs a registered IAB TCF platform of its own hooks in; the library itself writes no TCF string."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consent.core.decision import Decision
from consent.core.jurisdiction import Place
from consent.errors import ConfigError

log = logging.getLogger("consent")

TCF = "tcf"
"""The key under which a site names its platform, and the server's own calls ask for its string."""

# IAB Europe gives out ids from 2 on; 0 and 1 stand for none.
# IAB Europe gives out ids from 2 on, 12 bits each; 0 and 1 stand for none.
_CMP_IDS = range(2, 4096)
# Segments of base64url, the first of which begins with the version, 2 (TC string format, "core string").
_STRING = re.compile(r"C[A-Za-z0-9_-]{14,}(?:\.[A-Za-z0-9_-]+)+")
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Bits 78 to 89 of the core string, behind version, created and last updated: 6 bits are one character.
_CMP_ID_AT = slice(13, 15)
# Where the GDPR or its like-named British twin holds, or the Swiss act that is told the same way: EEA, its territories, GB, CH.
_COUNTRIES = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "IS",
        "LI",
        "NO",
        "AX",
        "GF",
        "GP",
        "MF",
        "MQ",
        "RE",
        "YT",
        "GB",
        "CH",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcfHook:
    """Hold the platform of a site."""

    cmp_id: int
    encode: Callable[[Decision], str]

    def find_macros(self, decision: Decision, place: Place | None) -> dict[str, str]:
        """Return what requests carry, by the names of IAB's URL macros; without a string where there is none to be had."""
        if place and place.country not in _COUNTRIES:
            return {"gdpr": "0"}
        text = self._write(decision)
        return {"gdpr": "1", "gdpr_consent": text} if text else {"gdpr": "1"}

    def _write(self, decision: Decision) -> str:
        """Return the platform's string; empty if it gave none that is its own."""
        try:
            text = str(self.encode(decision))
        except Exception:  # the site's own code; what asks for consent gets none
            log.exception("The function that writes TCF strings failed; nothing is claimed.")
            return ""
        if _STRING.fullmatch(text) and _read_cmp_id(text) == self.cmp_id:
            return text
        log.error("The function that writes TCF strings gave none of platform %d; nothing is claimed.", self.cmp_id)
        return ""


def _read_cmp_id(text: str) -> int:
    high, low = (_DIGITS.index(character) for character in text[_CMP_ID_AT])
    return high * len(_DIGITS) + low


def read_tcf_hook(given: object) -> TcfHook:
    """Read `CONSENT_SIGNALS["tcf"]`.

    Raises:
        ConfigError: Without the id of a registered platform, or a function that writes the string (S23).
    """
    options = given if isinstance(given, Mapping) else {}
    cmp_id, encode = options.get("cmp_id"), options.get("encode")
    is_whole = options.keys() == set(TcfHook.__slots__)
    if not is_whole or type(cmp_id) is not int or cmp_id not in _CMP_IDS or not callable(encode):
        raise ConfigError(
            "'CONSENT_SIGNALS' for 'tcf' must be {'cmp_id': …, 'encode': …}: the id under which IAB Europe has registered your "
            "consent management platform (0 and 1 are none), and a function that takes a Decision and returns a TC string. "
            f"Got {given!r}. Without a registration nobody may write TCF strings: leave it out.",
            key="CONSENT_SIGNALS",
            value=given,
        )
    return TcfHook(cmp_id=cmp_id, encode=encode)
