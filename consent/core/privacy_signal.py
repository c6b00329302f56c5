"""Browser privacy signals, read from request headers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Hold the signals of one request. A signal can only ever close a gate."""

    gpc: bool = False
    """Whether `Sec-GPC` is on."""


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
