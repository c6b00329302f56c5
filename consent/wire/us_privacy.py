"""The US Privacy string, such as `1YNN`: what came before GPP, read for sites that still meet it.

Source: IAB Tech Lab, US Privacy String 1.0; deprecated since 31 January 2024.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

_PATTERN = re.compile(r"1([YN-])([YN-])([YN-])")
_MEANINGS = MappingProxyType({"Y": True, "N": False, "-": None})
_LETTERS = MappingProxyType({meaning: letter for letter, meaning in _MEANINGS.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsPrivacy:
    """Hold the three answers of the string; None says that the question does not apply."""

    notice: bool | None
    """Whether the visitor was given notice and an opportunity to opt out."""

    has_opted_out: bool | None
    """Whether the visitor has opted out of the sale of personal information."""

    lspa_covered: bool | None
    """Whether the site has signed the Limited Service Provider Agreement and this is one of its transactions."""


def parse_us_privacy(text: str) -> UsPrivacy:
    """Read a US Privacy string.

    Raises:
        ValueError: If the text is none, or of another version.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(
            f"A US Privacy string must be '1' and three of 'Y', 'N' and '-', got {text[:40]!r}. Take it as it was made."
        )
    notice, has_opted_out, lspa_covered = (_MEANINGS[letter] for letter in match.groups())
    return UsPrivacy(notice=notice, has_opted_out=has_opted_out, lspa_covered=lspa_covered)


def format_us_privacy(value: UsPrivacy, *, legacy_usp: bool) -> str:
    """Write a US Privacy string.

    Args:
        legacy_usp: Whether the site has said that it wants the deprecated string.

    Raises:
        ValueError: Unless the site has.
    """
    if not legacy_usp:
        raise ValueError(
            "The US Privacy string is deprecated and is written only with legacy_usp=True. Use a GPP string instead."
        )
    return "1" + "".join(_LETTERS[answer] for answer in (value.notice, value.has_opted_out, value.lspa_covered))
