"""The digests of the sealed log, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from consent.core.seal import SealStore
from consent.errors import LedgerError

Progress = Callable[[int], object]
"""Takes how many more were done."""


def read_leaves(seals: SealStore, size: int, on_progress: Progress | None = None) -> Iterator[bytes]:
    """Return the first `size` digests by leaf index.

    Raises:
        LedgerError: If one is missing.
    """
    at = 0
    for leaf_index, digest in islice(_page_through(seals, on_progress), size):
        if leaf_index != at:
            break
        yield digest
        at += 1
    if at < size:
        raise LedgerError(
            f"The log has no event at place {at}, and {size} are sealed. Run: flask consent ledger verify",
            reason="corrupt",
        )


def _page_through(seals: SealStore, on_progress: Progress | None) -> Iterator[tuple[int, bytes]]:
    last = -1
    while page := seals.digests(after=last):
        if on_progress:
            on_progress(len(page))
        yield from page.items()
        last = max(page)
