"""The one spelling of a few values as bytes, for hashes that must hold for years."""

from __future__ import annotations

from collections.abc import Iterable

LENGTH_BYTES = 4


def encode_fields(fields: Iterable[bytes]) -> bytes:
    """Return each field with its length before it, so that no two lists of fields are spelled alike."""
    return b"".join(len(each).to_bytes(LENGTH_BYTES) + each for each in fields)
