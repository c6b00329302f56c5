"""Which plural form a whole number takes in a language.

Source:
    Unicode CLDR, plural rules (cardinal, whole numbers) of the shipped languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

# Arabic forms by the number's last two digits.
_ARABIC_FEW = range(3, 11)
_ARABIC_MANY = range(11, 100)


def plural_category(language: str, count: int) -> str:
    """Return `zero`, `one`, `two`, `few`, `many` or `other`."""
    rule = _RULES.get(language.partition("-")[0], _is_one)
    return rule(count)


def _is_one(count: int) -> str:
    return "one" if count == 1 else "other"


def _french(count: int) -> str:
    return "one" if count in (0, 1) else "other"


def _invariant(_count: int) -> str:
    return "other"


def _arabic(count: int) -> str:
    exact = {0: "zero", 1: "one", 2: "two"}.get(count)
    if exact:
        return exact
    if count % 100 in _ARABIC_FEW:
        return "few"
    return "many" if count % 100 in _ARABIC_MANY else "other"


_RULES: Mapping[str, Callable[[int], str]] = {"ar": _arabic, "fr": _french, "zh": _invariant}
