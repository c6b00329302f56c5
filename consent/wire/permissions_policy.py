"""The `Permissions-Policy` header: which of a browser's advertising features are shut, beside what the app says.

Source: Permissions Policy, section 5.2; Structured Fields (RFC 9651), sections 3.2 and 4.2.2.
"""

from __future__ import annotations

import re

# By @mdn/browser-compat-data 8.1.9 of 2026-11-12, Chromium 157: of the features for advertising, the one that an engine still
# knows by name. tests/vectors/permissions_policy.json holds the names of that version.
ADVERTISING_FEATURES = ("browsing-topics",)
"""Names of the features for advertising that a browser of today knows; another name would only be complained of."""

RETIRED_FEATURES = frozenset(
    {
        # Removed in Chromium 152.
        "attribution-reporting",
        # Known to no browser any more.
        "interest-cohort",
        "join-ad-interest-group",
        "private-aggregation",
        "run-ad-auction",
        "shared-storage",
        "shared-storage-select-url",
    }
)
"""Names that browsers no longer know."""

_KEY = r"[a-z*][a-z0-9_.*-]*+"
_BARE = (
    r'(?:-?[0-9]{1,15}+(?:\.[0-9]{1,3}+)?+|"(?:[ !#-\[\]-~]|\\["\\])*+"|[A-Za-z*][!#$%&\'*+.^_`|~0-9A-Za-z:/-]*+'
    r'|:[A-Za-z0-9+/=]*+:|\?[01]|@-?[0-9]{1,15}+|%"(?:[ !#$&-~]|%[0-9a-f]{2})*+")'
)
_PARAMETERS = rf"(?:;[ ]*+{_KEY}(?:={_BARE})?+)*+"
_ITEM = rf"{_BARE}{_PARAMETERS}"
_LIST = rf"\([ ]*+(?:{_ITEM}(?:[ ]++{_ITEM})*+)?+[ ]*+\){_PARAMETERS}"
_MEMBER = rf"({_KEY})(?:=(?:{_LIST}|{_ITEM})|{_PARAMETERS})"
_FIRST = re.compile(_MEMBER)
_NEXT = re.compile(rf"[ \t]*+,[ \t]*+{_MEMBER}")


def list_features(value: str) -> tuple[str, ...] | None:
    """Return the names in a header, or several joined by commas; None if it is malformed, and browsers ignore all of it."""
    text = value.strip(" ")
    if not text:
        return ()
    names: list[str] = []
    found = _FIRST.match(text)
    while found:
        names.append(found[1])
        if found.end() == len(text):
            return tuple(names)
        found = _NEXT.match(text, found.end())
    return None


def write_denials(named: tuple[str, ...]) -> str:
    """Return a header that shuts every feature for advertising but those that the app's own header names."""
    return ", ".join(f"{name}=()" for name in ADVERTISING_FEATURES if name not in named)
