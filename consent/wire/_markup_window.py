"""What a reading of a page looks at: the bytes that are there, and the tag that it has come to."""

from __future__ import annotations

from typing import NamedTuple


# Named tuples, since these are made for every tag: a frozen dataclass takes three times as long.
class Window(NamedTuple):
    """Hold the bytes that are looked at."""

    page: bytes
    end: int
    """How far to read, from the page's first byte."""

    base: int
    """Offset of the page's first byte in the stream."""

    is_last: bool
    """Whether to make do with what is there, since nothing comes behind it, or it is cut."""

    is_cut: bool = False
    """Whether more is held than should be, so that what is not whole must go by."""


class Tag(NamedTuple):
    """Hold a start tag that has been read."""

    name: bytes
    start: int
    name_end: int
    end: int
    is_wanted: bool
