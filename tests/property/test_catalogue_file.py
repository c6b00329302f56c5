"""A catalogue file that went wrong in any way is refused with its name, and never crashes the loader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent.catalogue import read_shipped
from consent.catalogue.entry import read_entry
from consent.errors import ConfigError

FILES = tuple(read_shipped(key).encode() for key in ("matomo", "youtube", "crisp"))
PATH = Path("/srv/news/services/stats.toml")
SCRAPS = st.binary(max_size=3) | st.sampled_from(
    [b"[", b"]", b'"', b"'''", b"\n", b"=", b"[[cookies]]\n", b"true", b"{", b"*", b"[]"]
)


@st.composite
def damaged(draw):
    data = draw(st.sampled_from(FILES))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(start + 40, len(data))))
    return data[:start] + draw(SCRAPS) + data[end:]


def refusal(data):
    try:
        read_entry("stats", data, path=PATH)
    except ConfigError as error:
        return str(error)
    return f"{str(PATH)!r} was read"


@given(damaged() | st.binary(max_size=50))
@example(b"x = " + b"[" * 5000 + b"]" * 5000)
@example(b"\xff")
@example(b"name = '\xed\xa0\x80'")
def test_damaged_file_is_read_or_refused_by_its_name(data):
    assert repr(str(PATH)) in refusal(data)


@pytest.mark.parametrize("data", FILES)
def test_file_may_begin_with_a_byte_order_mark(data):
    assert read_entry("stats", b"\xef\xbb\xbf" + data) == read_entry("stats", data)
