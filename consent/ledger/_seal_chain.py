"""The chain of seals: each refers to the one before, and the last that is signed vouches for all before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consent.core.seal import NO_SEAL_HASH, Seal, SealStore

IsSigned = Callable[[bytes, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Say how far the chain holds."""

    last: Seal | None
    """The last seal that holds; None if none does."""

    broken: Seal | None = None
    """The first that does not hold; None if there is none."""

    reason: str = ""
    """Why it does not, as a sentence."""


def read_seals(seals: SealStore, *, after: int) -> Iterator[Seal]:
    """Return the seals from the one after a number on."""
    while page := seals.list(after=after):
        yield from page
        after = page[-1].number


def follow_chain(seals: SealStore, *, after: Seal | None, is_signed: IsSigned) -> Chain:
    """Follow the chain from the seal after one that holds.

    Seals under keys that are no longer in use hold if a later one is signed: its sealer has checked the one before.
    """
    vouched = previous = after
    unsigned: Seal | None = None
    reason = ""
    for seal in read_seals(seals, after=after.number if after else 0):
        reason = _find_break(seal, previous)
        if reason:
            # What comes behind the break vouches for nothing before it.
            return Chain(last=vouched, broken=unsigned or seal, reason=_tell_unsigned(unsigned) if unsigned else reason)
        if is_signed(seal.seal_hash, seal.signature):
            vouched, unsigned = seal, None
        else:
            unsigned = unsigned or seal
        previous = seal
    return Chain(last=vouched, broken=unsigned, reason=_tell_unsigned(unsigned) if unsigned else "")


def _find_break(seal: Seal, previous: Seal | None) -> str:
    """Return what parts a seal from the one before, as a sentence; nothing if it is its successor."""
    number, size, seal_hash = (
        (previous.number, previous.tree_size, previous.seal_hash) if previous else (0, 0, NO_SEAL_HASH)
    )
    if seal.number != number + 1:
        return f"Seal {number + 1} was removed: the next one is seal {seal.number}."
    if not seal.is_intact:
        return f"Seal {seal.number} was changed after it was made, or stands in for another: its hash is not that of what it says."
    if seal.previous_hash != seal_hash:
        return f"Seal {seal.number} was made behind another seal than the one before it."
    if seal.tree_size <= size:
        return f"Seal {seal.number} covers {seal.tree_size} events, no more than the {size} of the seal before it."
    return ""


def _tell_unsigned(seal: Seal) -> str:
    return (
        f"Neither seal {seal.number} nor one behind it is signed by a key of this app: somebody else has made it, or the key is "
        "missing in SECRET_KEY_FALLBACKS."
    )
