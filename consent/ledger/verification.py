"""Find out whether a ledger is as it was sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from consent.core.checkpoint import Checkpoint
from consent.core.ledger import Ledger, StoredEvent
from consent.core.merkle import EMPTY_ROOT, Frontier, list_full_ranges
from consent.core.seal import Seal
from consent.core.verdict import FoundErasure, Problem, Verdict
from consent.ledger._leaves import Progress
from consent.ledger._row_check import RowCheck
from consent.ledger._seal_chain import Chain, IsSigned, follow_chain, read_seals

_LOWEST = -(1 << 62)


def verify(
    ledger: Ledger,
    *,
    is_signed: IsSigned,
    checkpoint: Checkpoint | None = None,
    is_own_checkpoint: IsSigned | None = None,
    on_progress: Progress | None = None,
) -> Verdict:
    """Compute every digest, root, link and signature of the log anew, and say what is wrong first.

    The site may go on meanwhile: what is appended, sealed or erased while this runs is no problem. An erased event has
    nothing left to look at but its digest, which has to be under its seal, and the erasure in the log that names it.

    Args:
        is_signed: Checks the signature of a seal.
        checkpoint: A head of the log that was kept elsewhere: the log must have grown out of it.
        is_own_checkpoint: Checks the signature of that checkpoint, which holds or not whoever has signed it; None for none.
        on_progress: Takes how many more rows were looked at.
    """
    walk = _Walk(ledger=ledger, is_signed=is_signed, checkpoint=checkpoint, on_progress=on_progress)
    problem = next(walk.find_problems(), None)
    return Verdict(
        problem=problem,
        sealed=walk.sealed,
        erased=walk.erased,
        erasures=walk.list_erasures(),
        unsealed=walk.unsealed,
        seals=walk.last_seal.number if walk.last_seal else 0,
        last_seal=walk.last_seal,
        backdated_seal=walk.backdated_seal,
        has_checkpoint=checkpoint is not None,
        is_checkpoint_signed=bool(
            checkpoint and is_own_checkpoint and is_own_checkpoint(checkpoint.text.encode(), checkpoint.signature)
        ),
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Walk through the log once, from its beginning; generators, of which only the first problem is asked for."""

    ledger: Ledger
    is_signed: IsSigned
    checkpoint: Checkpoint | None
    on_progress: Progress | None

    rows: RowCheck = field(init=False)
    frontier: Frontier = field(default_factory=Frontier)
    last_seal: Seal | None = None
    backdated_seal: int | None = None
    root_at_checkpoint: bytes | None = None
    sealed: int = 0
    erased: int = 0
    unsealed: int = 0
    expected: int = 0
    """How many rows there were when the walk began."""

    def __post_init__(self) -> None:
        self.rows = RowCheck(self.ledger)
        if self.checkpoint and not self.checkpoint.tree_size:
            self.root_at_checkpoint = EMPTY_ROOT

    def find_problems(self) -> Iterator[Problem]:
        """Return problems; what comes after the first has no meaning."""
        events = self.ledger.health().details.get("events")
        self.expected = events if isinstance(events, int) else 0
        yield from self._find_hidden()
        yield from self._follow_log()
        yield from self._compare_end()
        yield from self._check_unsealed()
        yield from self._check_rest()
        yield from (_name(message, row) for message, row in self.rows.erasures.find_faults())
        yield from (Problem(message=message) for message in self.rows.notices.find_other_faults())

    def list_erasures(self) -> tuple[FoundErasure, ...]:
        """Return the erasures that the checkpoint does not cover."""
        start = self.checkpoint.tree_size if self.checkpoint else 0
        return tuple(
            each for each in self.rows.erasures.found.values() if each.leaf_index is None or each.leaf_index >= start
        )

    def _find_hidden(self) -> Iterator[Problem]:
        """Find rows that stand where neither sealing nor reading in order comes by, and a search for one finds them."""
        for row in self.ledger.scan(after=_LOWEST, limit=1):
            if row.position <= 0:
                yield _name(f"Row {row.position} stands before the first: somebody has put it in.", row)
        for row in self.ledger.scan_sealed(after=_LOWEST, limit=1):
            if row.leaf_index is None or row.leaf_index < 0:
                yield _name(
                    f"The event of row {row.position} has a place before the beginning of the log, so that no seal covers it.",
                    row,
                )

    def _follow_log(self) -> Iterator[Problem]:
        """Follow seals and what is under them, until there is nothing more: a sealer may add some meanwhile."""
        seals = self.ledger.seals
        while True:
            chain = follow_chain(seals, after=self.last_seal, is_signed=self.is_signed)
            yield from self._check_sealed(chain)
            if chain.broken:
                yield self._place(chain.reason, chain.broken, range(self.frontier.size, chain.broken.tree_size))
            beyond = self.ledger.scan_sealed(after=self.frontier.size - 1, limit=1)
            if not beyond:
                return
            # Rows first, seals second: they are committed together.
            if not seals.list(after=self.last_seal.number if self.last_seal else 0, limit=1):
                row = beyond[0]
                yield _name(f"The event of row {row.position} has a place in the log that no seal covers.", row)

    def _check_sealed(self, chain: Chain) -> Iterator[Problem]:
        if chain.last is None or chain.last is self.last_seal:
            return
        rows = self._read_sealed()
        for seal in read_seals(self.ledger.seals, after=self.last_seal.number if self.last_seal else 0):
            if seal.number > chain.last.number:
                return
            yield from self._check_under(seal, islice(rows, seal.tree_size - self.frontier.size))
            yield from self._compare_checkpoint()
            if self.last_seal and seal.sealed_at < self.last_seal.sealed_at:
                self.backdated_seal = self.backdated_seal or seal.number
            self.last_seal = seal
            self.sealed = seal.tree_size

    def _check_under(self, seal: Seal, rows: Iterator[StoredEvent]) -> Iterator[Problem]:
        start, positions = self.frontier.size, list[int]()
        for row in rows:
            if row.leaf_index != self.frontier.size:
                yield self._tell_missing(positions, row)
            if fault := self.rows.find_fault(row):
                yield _name(fault, row, seal=seal)
            self._take(row)
            positions.append(row.position)
        if self.frontier.size < seal.tree_size:
            yield self._tell_missing(positions, None)
        # A sealer takes rows by position: of equal revisions, the later position is what counts.
        if self.frontier.root() != seal.root or positions != sorted(positions):
            yield self._tell_wrong_root(seal, start, positions)
        self._report(len(positions))

    def _take(self, row: StoredEvent) -> None:
        self.frontier.append(row.digest)
        self.erased += row.event is None
        if self.checkpoint and self.frontier.size == self.checkpoint.tree_size:
            self.root_at_checkpoint = self.frontier.root()

    def _tell_missing(self, positions: list[int], found: StoredEvent | None) -> Problem:
        before = f"after row {positions[-1]}" if positions else "at the beginning of a seal"
        behind = f" and before row {found.position}" if found else ", and nothing follows it"
        return Problem(
            message=f"The event at place {self.frontier.size} of the log was removed: it stood {before}{behind}.",
            first_position=positions[-1] + 1 if positions else None,
            last_position=found.position - 1 if found else None,
            leaf_index=self.frontier.size,
        )

    def _tell_wrong_root(self, seal: Seal, start: int, positions: list[int]) -> Problem:
        in_order = sorted(positions)
        moved = [at for at, position in enumerate(positions) if position != in_order[at]]
        if moved:
            return Problem(
                message=f"Rows {in_order[moved[0]]} to {in_order[moved[-1]]} are not in the order in which they were sealed.",
                first_position=in_order[moved[0]],
                last_position=in_order[moved[-1]],
                leaf_index=start + moved[0],
                seal_number=seal.number,
            )
        leaves = self._narrow(seal, start)
        first, last = positions[leaves[0] - start], positions[leaves[-1] - start]
        return Problem(
            message=f"Among rows {first} to {last} one was changed together with its digest, removed or put in: the root of "
            f"seal {seal.number} is another one.",
            first_position=first,
            last_position=last,
            leaf_index=leaves[0],
            seal_number=seal.number,
        )

    def _narrow(self, seal: Seal, start: int) -> range:
        """Return the leaves among which one is wrong: those under a hash that the sealer saw otherwise."""
        seen = seal.unfold()
        for leaves, ours, theirs in zip(
            list_full_ranges(seal.tree_size), self.frontier.hashes, seen.hashes if seen else (), strict=False
        ):
            if ours != theirs:
                return range(max(start, leaves.start), leaves.stop)
        return range(start, seal.tree_size)

    def _compare_checkpoint(self) -> Iterator[Problem]:
        if self.checkpoint and self.root_at_checkpoint not in {None, self.checkpoint.root}:
            whole = range(self.checkpoint.tree_size)
            yield self._place(
                f"The log is not the one that the checkpoint was made of: something among its first {len(whole)} events was changed "
                "since, and sealed anew.",
                None,
                whole,
            )

    def _compare_end(self) -> Iterator[Problem]:
        if self.checkpoint is None:
            return
        yield from self._compare_checkpoint()
        if self.root_at_checkpoint is None:
            yield Problem(
                message=f"The checkpoint covers {self.checkpoint.tree_size} events, and {self.frontier.size} are sealed: those at "
                "the end were removed, or their seals.",
                leaf_index=self.frontier.size,
            )
        name = self.checkpoint.seal
        found = self.ledger.seals.list(after=name.number - 1, limit=1) if name else ()
        if name and (not found or found[0].seal_hash != name.seal_hash):
            yield Problem(
                message=f"Seal {name.number} is not the one that the checkpoint was made of, of {name.sealed_at}: it was made anew.",
                seal_number=name.number,
            )

    def _check_unsealed(self) -> Iterator[Problem]:
        first = self.ledger.seals.unsealed(limit=1)
        after = first[0].position - 1 if first else 0
        while first and (page := self.ledger.scan(after=after)):
            waiting = [row for row in page if row.leaf_index is None]
            for row in waiting:
                if fault := self.rows.find_fault(row):
                    yield _name(fault, row)
                self.erased += row.event is None
            self.unsealed += len(waiting)
            self._report(len(waiting))
            after = page[-1].position

    def _check_rest(self) -> Iterator[Problem]:
        """Look at what was sealed since the walk came to the end, and whether all rows came by."""
        newer = 0
        for row in self._read_sealed():
            # What is erased was noted while it had no seal.
            self.rows.erasures.note_erasure(row)
            newer += 1
        seen = self.frontier.size + self.unsealed + newer
        if seen < self.expected:
            yield Problem(
                message=f"Of {self.expected} rows {seen} came by, in the order of the log and of their arrival: an index of the "
                "database is damaged, or was tampered with. Have the database check and rebuild its indexes, and verify again."
            )

    def _read_sealed(self) -> Iterator[StoredEvent]:
        after = self.frontier.size - 1
        while page := self.ledger.scan_sealed(after=after):
            yield from page
            after = page[-1].leaf_index or 0

    def _report(self, count: int) -> None:
        if self.on_progress:
            self.on_progress(count)

    def _place(self, message: str, seal: Seal | None, leaves: range) -> Problem:
        """Return a problem of some leaves, with the positions of the first and the last one if there are any."""
        edges = [self.ledger.scan_sealed(after=at - 1, limit=1) for at in ((leaves[0], leaves[-1]) if leaves else ())]
        first, last = (edge[0].position if edge else None for edge in edges) if edges else (None, None)
        return Problem(
            message=message,
            first_position=first,
            last_position=last,
            leaf_index=leaves.start,
            seal_number=seal.number if seal else None,
        )


def _name(message: str, row: StoredEvent, seal: Seal | None = None) -> Problem:
    return Problem(
        message=message,
        first_position=row.position,
        last_position=row.position,
        leaf_index=row.leaf_index,
        seal_number=seal.number if seal else None,
    )
