"""Browser privacy signals, read from request headers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Hold the signals of one request. A signal can only ever close a gate."""

    gpc: bool = False
    """Whether Global Privacy Control is on: `Sec-GPC`, or what a script of the page saw in the browser."""

    dnt: bool = False
    """Whether `DNT` is on, and the site heeds it. No law speaks of it, and no record calls it `gpc`."""


def parse_sec_gpc(value: str | None) -> bool:
    """Return whether a `Sec-GPC` header field is on.

    Args:
        value: The field's value, repeats joined by commas as WSGI does; None if absent.

    Source:
        Global Privacy Control, `Sec-GPC` request header: the value is exactly `1`; of several
        fields one `1` is enough; every other value counts as absent.
    """
    if value is None:
        return False
    return value == "1" or any(part.strip(" \t") == "1" for part in value.split(","))


def parse_dnt(value: str | None) -> bool:
    """Return whether a `DNT` header field is on; of several one is enough.

    Source:
        W3C Tracking Preference Expression (retired), section 5.2: `1`, with extensions behind it.
    """
    return value is not None and any(part.lstrip(" \t").startswith("1") for part in value.split(","))
