"""Put seals over what the ledger has taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from consent.core.checkpoint import Checkpoint
from consent.core.ledger import Ledger
from consent.core.merkle import Frontier
from consent.core.seal import NO_SEAL_HASH, Seal, SealStore, UnsealedEvent, hash_seal
from consent.errors import LedgerError, ProofError
from consent.ledger._leaves import Progress, read_leaves
from consent.ledger._seal_chain import IsSigned, follow_chain

Sign = Callable[[bytes], str]


def seal(
    ledger: Ledger,
    *,
    sign: Sign,
    is_signed: IsSigned | None,
    now: datetime,
    limit: int = 1000,
    on_progress: Progress | None = None,
) -> int:
    """Seal every event that has no seal, in the order of position; return how many there were.

    Any number of sealers may run at once, and any of them be killed: a seal and the places of its events are kept together
    or not at all, and of two sealers the slower one begins anew behind the other's seal. An event whose transaction was
    committed late is sealed by the next run.

    Args:
        sign: Signs the hash of a seal.
        is_signed: Checks the signature of the seal to go on from: a seal vouches for all before it, so that a key which is no
            longer in use need not be kept for the seals that it signed. None to go on from any, for a key that was lost.
        limit: How many events one seal covers at most. `verify` may know no more of a change than the seal it is under.

    Raises:
        LedgerError: If the last seal is not one of the site's own, or does not fit the log.
    """
    store = ledger.seals
    last, count = store.last(), 0
    frontier = _resume(store, last, is_signed)
    while events := store.unsealed(limit=limit):
        made = _make(last, frontier, events, sign=sign, now=now)
        if store.add(made, [event.position for event in events]):
            last, count = made, count + len(events)
            if on_progress:
                on_progress(len(events))
        else:
            last = _find_newer(store, last)
            frontier = _resume(store, last, is_signed)
            continue
        if len(events) < limit:
            break
    return count


def find_head(store: SealStore, checkpoint: Checkpoint, *, is_signed: IsSigned | None) -> Seal:
    """Return the last seal, if the chain of seals leads to it from the one that a checkpoint was made of.

    Who can write to the storage, and has no key, can take seals away and have what they changed sealed anew: this tells
    the sealer that it is asked to. It looks at the seals since the checkpoint alone; rows are for `verify`.

    Args:
        is_signed: Checks the signature of a seal; None for a key that was lost.

    Raises:
        ProofError: If it does not.
    """
    name = checkpoint.seal
    if name is None:
        raise ProofError("The checkpoint names no seal. Take one that was written by: flask consent ledger checkpoint")
    named = next(iter(store.list(after=name.number - 1, limit=1)), None)
    if named is None or (named.number, named.seal_hash) != (name.number, name.seal_hash) or not named.is_intact:
        raise ProofError(_deny_growth(f"Seal {name.number} is not there any more, or is another one.", checkpoint))
    chain = follow_chain(store, after=named, is_signed=is_signed or (lambda *_: True))
    if chain.broken or chain.last is None:
        raise ProofError(_deny_growth(chain.reason, checkpoint))
    return chain.last


def _deny_growth(reason: str, checkpoint: Checkpoint) -> str:
    return (
        f"The log has not grown out of the {checkpoint.tree_size} events that the checkpoint was made of. {reason} Somebody has "
        "changed the ledger, it was restored from a backup, or it is the checkpoint of another one: find out which before "
        "anything is sealed."
    )


def _make(last: Seal | None, frontier: Frontier, events: Sequence[UnsealedEvent], *, sign: Sign, now: datetime) -> Seal:
    for event in events:
        frontier.append(event.digest)
    number, previous_hash = (last.number + 1, last.seal_hash) if last else (1, NO_SEAL_HASH)
    root, now = frontier.root(), now.replace(microsecond=0)
    seal_hash = hash_seal(number, tree_size=frontier.size, root=root, previous_hash=previous_hash, sealed_at=now)
    return Seal(
        number=number,
        tree_size=frontier.size,
        root=root,
        previous_hash=previous_hash,
        sealed_at=now,
        seal_hash=seal_hash,
        signature=sign(seal_hash),
        frontier=frontier.hashes,
    )


def _resume(store: SealStore, last: Seal | None, is_signed: IsSigned | None) -> Frontier:
    if last is None:
        return Frontier()
    if not last.is_intact:
        raise LedgerError(f"Seal {last.number} was changed after it was made. {_VERIFY}", reason="corrupt")
    if is_signed and not is_signed(last.seal_hash, last.signature):
        raise LedgerError(
            f"No key of this app has signed seal {last.number}. If SECRET_KEY was changed since, add the key before it to "
            "SECRET_KEY_FALLBACKS until the next seal is made; if that key is lost, see --adopt. If it was not changed, "
            f"somebody else has made that seal. {_VERIFY}",
            reason="corrupt",
        )
    frontier = last.unfold() or _rebuild(store, last.tree_size)
    if frontier.root() != last.root:
        raise LedgerError(
            f"Events under seal {last.number} or one before it were changed, removed or put in. {_VERIFY}",
            reason="corrupt",
        )
    return frontier


_VERIFY = "Run: flask consent ledger verify"


def _rebuild(store: SealStore, size: int) -> Frontier:
    frontier = Frontier()
    for leaf in read_leaves(store, size):
        frontier.append(leaf)
    return frontier


def _find_newer(store: SealStore, last: Seal | None) -> Seal:
    newest = store.last()
    if newest is None or (last and newest.number <= last.number):
        # Nobody was quicker: a row that no seal covers has a place already.
        raise LedgerError(f"An event has a place in the log that no seal covers. {_VERIFY}", reason="corrupt")
    return newest
