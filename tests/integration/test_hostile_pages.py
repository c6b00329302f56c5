"""Pages made to slow a server down, or to fill its memory, held by a site that knows every host."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.hostile_markup import HOSTILE, make_hold, make_page

# Most of them take 1 to 8 times their size. What grows with the square of a page takes thousands.
MEMORY_LIMIT = 50
PAGE_BYTES = 64_000


@pytest.fixture(scope="module")
def hold():
    hold = make_hold()
    # Tables are made at their first use.
    hold(b'<img src="//www.youtube.com/embed/x">')
    return hold


@pytest.mark.parametrize("name", HOSTILE)
def test_page_takes_no_more_memory_than_its_size_explains(hold, name):
    page = make_page(name, PAGE_BYTES)
    tracemalloc.start()
    try:
        hold(page)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < MEMORY_LIMIT * len(page)
