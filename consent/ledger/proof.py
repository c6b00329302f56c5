"""Prove that an event is in the log, and check such a proof with nothing but a checkpoint."""

from __future__ import annotations

from consent.core.checkpoint import Checkpoint
from consent.core.event_digest import digest_event
from consent.core.ledger import Ledger, StoredEvent
from consent.core.merkle import hash_ranges, is_consistent, is_included, list_consistency_ranges, list_inclusion_ranges
from consent.core.proof import Growth, Proof, read_proof
from consent.core.seal import Seal
from consent.errors import ProofError
from consent.ledger._leaves import Progress, read_leaves


def prove(
    ledger: Ledger, event_id: str, *, checkpoint: Checkpoint | None = None, on_progress: Progress | None = None
) -> Proof:
    """Prove that an event is under the last seal.

    Args:
        checkpoint: An earlier head of the log, which whoever gets the proof has kept: the event has to be under it, and the
            proof shows that the log has grown out of it. None for a proof that is checked with a checkpoint of the last seal.

    Raises:
        ProofError: If there is no such event, it has no seal yet or came after the checkpoint, something was changed since, or
            the log has not grown out of the checkpoint.
        LedgerError: If an event is missing in the log.
    """
    row, seal = ledger.find(event_id), ledger.seals.last()
    if row is None:
        raise ProofError(
            f"There is no event {event_id!r} in the ledger. Take the id of a record as the receipt shows it."
        )
    if row.leaf_index is None or seal is None or row.leaf_index >= seal.tree_size:
        raise ProofError(f"The event {event_id!r} has no seal yet. Run first: flask consent ledger seal")
    if checkpoint and checkpoint.tree_size > seal.tree_size:
        raise _deny_growth(checkpoint)
    proof = _build(ledger, row, row.leaf_index, seal=seal, checkpoint=checkpoint, on_progress=on_progress)
    _check_place(proof)
    if checkpoint:
        _check_under(proof, checkpoint)
    return proof


def check_proof(data: object, checkpoint: Checkpoint) -> Proof:
    """Return what a proof proves, if it does: that the event was in the log when the checkpoint was made.

    Nothing else is needed, neither the ledger nor a key. Of what came after the checkpoint it cannot tell: anybody can make up
    events behind the head of a log.

    Args:
        data: What `Proof.as_dict` gave, as read from JSON.
        checkpoint: A head of the log that the reader trusts, for having kept it.

    Raises:
        ProofError: If the data is no proof, or proves nothing against this checkpoint.
    """
    proof = read_proof(data)
    _check_place(proof)
    _check_under(proof, checkpoint)
    return proof


def _build(
    ledger: Ledger,
    row: StoredEvent,
    leaf_index: int,
    *,
    seal: Seal,
    checkpoint: Checkpoint | None,
    on_progress: Progress | None,
) -> Proof:
    is_later = checkpoint is not None and checkpoint.tree_size < seal.tree_size
    path = list_inclusion_ranges(leaf_index, seal.tree_size)
    growth = list_consistency_ranges(checkpoint.tree_size, seal.tree_size) if checkpoint else ()
    hashes = hash_ranges(read_leaves(ledger.seals, seal.tree_size, on_progress), {*path, *growth})
    return Proof(
        event=row.event,
        salt=row.salt,
        digest=row.digest,
        leaf_index=leaf_index,
        path=tuple(hashes[each] for each in path),
        seal=seal,
        growth=Growth(tree_size=checkpoint.tree_size, path=tuple(hashes[each] for each in growth))
        if checkpoint and is_later
        else None,
    )


def _check_place(proof: Proof) -> None:
    if proof.event and digest_event(proof.event, proof.salt or b"") != proof.digest:
        raise ProofError("The event is not the one that was recorded: its digest is another one.")
    seal = proof.seal
    is_under = is_included(proof.digest, index=proof.leaf_index, size=seal.tree_size, path=proof.path, root=seal.root)
    if not is_under or not seal.is_intact:
        raise ProofError("The path does not lead from the event to the seal: one of the three was changed.")


def _check_under(proof: Proof, checkpoint: Checkpoint) -> None:
    if proof.leaf_index >= checkpoint.tree_size:
        raise ProofError(
            f"The event stands at place {proof.leaf_index} of the log, and the checkpoint covers the first "
            f"{checkpoint.tree_size} alone: it says nothing of what came later. Ask for a later checkpoint."
        )
    seal, growth = proof.seal, proof.growth
    size = growth.tree_size if growth else seal.tree_size
    if size != checkpoint.tree_size:
        raise ProofError(
            f"The proof was made for a checkpoint of {size} events, and this one is of {checkpoint.tree_size}. Have it made for "
            f"this one: flask consent ledger prove {proof.event.event_id if proof.event else 'EVENT'} --checkpoint FILE"
        )
    path = growth.path if growth else ()
    if not is_consistent(old_size=size, old_root=checkpoint.root, size=seal.tree_size, root=seal.root, path=path):
        raise _deny_growth(checkpoint)


def _deny_growth(checkpoint: Checkpoint) -> ProofError:
    return ProofError(
        f"The log has not grown out of the {checkpoint.tree_size} events that the checkpoint was made of: some of them were "
        "changed or removed, or it is the checkpoint of another log."
    )
