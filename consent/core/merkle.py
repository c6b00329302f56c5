"""Merkle trees of RFC 6962: one hash over a whole log, and short proofs of what the log holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from itertools import islice, pairwise

HASH_BYTES = 32
# RFC 6962 section 2.1: without them, a hash of two hashes could pass for an entry of the log.
_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"
EMPTY_ROOT = sha256(b"").digest()
"""Hash of the tree without leaves."""


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of one entry of the log."""
    return sha256(_LEAF_PREFIX + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side."""
    return sha256(_NODE_PREFIX + left + right).digest()


class Frontier:
    """Hold what a growing tree needs: one hash for each 1 among the binary digits of its size.

    Raises:
        ValueError: If the number of hashes does not fit the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} full subtrees, got {len(self._hashes)}.")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Root of each full subtree, the largest first: all that is needed to go on later."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the end."""
        node, size = leaf, self.size
        while size & 1:
            node = sha256(_NODE_PREFIX + self._hashes.pop() + node).digest()
            size >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._hashes:
            return EMPTY_ROOT
        root, *rest = reversed(self._hashes)
        for each in rest:
            root = hash_node(each, root)
        return root


def list_full_ranges(size: int) -> tuple[range, ...]:
    """Return the leaves under each hash of a frontier."""
    ranges: list[range] = []
    start = 0
    while start < size:
        stop = start + (1 << (size - start).bit_length() - 1)
        ranges.append(range(start, stop))
        start = stop
    return tuple(ranges)


def list_inclusion_ranges(index: int, size: int) -> tuple[range, ...]:
    """Return the leaves under each hash of an inclusion proof, in the proof's order.

    Source:
        RFC 6962 section 2.1.1, `PATH(m, D[n])`.
    """
    start, stop = 0, size
    ranges: list[range] = []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            ranges.append(range(middle, stop))
            stop = middle
        else:
            ranges.append(range(start, middle))
            start = middle
    return tuple(reversed(ranges))


def list_consistency_ranges(old_size: int, size: int) -> tuple[range, ...]:
    """Return the leaves under each hash of a proof that the tree of `old_size` leaves is the beginning of that of `size`.

    Source:
        RFC 6962 section 2.1.2, `PROOF(m, D[n])`.
    """
    start, stop = 0, size
    ranges: list[range] = []
    while 0 < old_size < stop:
        middle = start + _split(stop - start)
        if old_size <= middle:
            ranges.append(range(middle, stop))
            stop = middle
        else:
            ranges.append(range(start, middle))
            start = middle
    # The old tree's own root is what the proof is checked against: it is left out where it is one of the hashes.
    own = [range(start, stop)] if start else []
    return (*own, *reversed(ranges))


def hash_ranges(leaves: Iterable[bytes], ranges: Collection[range]) -> dict[range, bytes]:
    """Return the root over each range of leaves, reading them once and keeping none.

    Raises:
        ValueError: If there are fewer leaves than the ranges reach.
    """
    source = iter(leaves)
    frontiers = {each: Frontier() for each in ranges}
    edges = sorted({0, *(each.start for each in ranges), *(each.stop for each in ranges)})
    for start, stop in pairwise(edges):
        covering = [frontier for each, frontier in frontiers.items() if each.start <= start and stop <= each.stop]
        for leaf in islice(source, stop - start):
            for frontier in covering:
                frontier.append(leaf)
    for each, frontier in frontiers.items():
        if frontier.size != len(each):
            raise ValueError(f"There are {each.start + frontier.size} leaves, and a proof needs {each.stop}.")
    return {each: frontier.root() for each, frontier in frontiers.items()}


def is_included(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash has this place in the tree of this root.

    Source:
        RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for each in path:
        if not last:
            return False
        if at & 1 or at == last:
            found = hash_node(each, found)
            at, last = _climb(at, last)
        else:
            found = hash_node(found, each)
        at, last = at >> 1, last >> 1
    return not last and found == root


def is_consistent(*, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `old_root` is the beginning of the tree of `root`.

    Source:
        RFC 9162 section 2.1.4.2.
    """
    if not 0 < old_size < size:
        is_same = old_size == size and old_root == root
        return not path and (is_same or (old_size == 0 and old_root == EMPTY_ROOT))
    # The old root stands for itself where the old tree is one full subtree.
    steps = (old_root, *path) if old_size.bit_count() == 1 else tuple(path)
    if not steps:
        return False
    first, *rest = steps
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found_old = found = first
    for each in rest:
        if not last:
            return False
        if at & 1 or at == last:
            found_old, found = hash_node(each, found_old), hash_node(each, found)
            at, last = _climb(at, last)
        else:
            found = hash_node(found, each)
        at, last = at >> 1, last >> 1
    return not last and found_old == old_root and found == root


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _climb(at: int, last: int) -> tuple[int, int]:
    """Go up from a rightmost node to where it is a right child: it has no sibling on the way."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last
