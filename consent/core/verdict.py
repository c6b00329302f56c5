"""What verifying a ledger finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consent.core.seal import INSTANT_FORMAT, Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Say what is wrong first, and where: what comes after it was not looked at."""

    message: str
    """What is wrong, and what to do, as sentences."""

    first_position: int | None = None
    """The first row that is wrong or, if no more can be known, the first of those among which one is; None for none of the rows."""

    last_position: int | None = None
    """The last of those rows; the same as the first where it is known which one it is."""

    leaf_index: int | None = None
    """Place of the first in the sealed log; None for an event without a seal, and for what is no event."""

    seal_number: int | None = None
    """The seal that they are under, or that is wrong itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundErasure:
    """Say what one erasure in the log took away: whoever erased is to know of it."""

    event_id: str
    position: int
    leaf_index: int | None
    """None while it has no seal."""

    erased_at: datetime
    reason: str
    events: int
    """How many events it names."""

    def as_dict(self) -> dict[str, object]:
        """Return the erasure as plain JSON values; the time as ISO 8601 with `Z`."""
        values: dict[str, object] = {name: getattr(self, name) for name in FoundErasure.__slots__}
        return values | {"erased_at": f"{self.erased_at:{INSTANT_FORMAT}}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Say whether a ledger is as it was sealed."""

    problem: Problem | None
    """None if nothing is wrong."""

    sealed: int
    """How many sealed events were found right, those erased since included."""

    erased: int
    """How many of all events were erased: of them, only the digest can be looked at, and the erasure that names them."""

    erasures: tuple[FoundErasure, ...]
    """Erasures since the checkpoint, those without a seal last; all of them without one."""

    unsealed: int
    """How many events have no seal yet: who can write to the storage can change or remove them unnoticed."""

    seals: int
    """How many seals were found right."""

    last_seal: Seal | None
    """The last of them."""

    backdated_seal: int | None
    """The first seal that bears an earlier time than the one before it; None for none.

    No proof of anything: a clock was put back, or who has the app's keys has chosen that time.
    """

    has_checkpoint: bool
    """Whether the log was compared with a checkpoint. Only that shows what was done by somebody who has the app's keys."""

    is_checkpoint_signed: bool
    """Whether a key of this app has signed that checkpoint."""

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None

    def as_dict(self) -> dict[str, object]:
        """Return the verdict as plain JSON values; hashes in hexadecimal digits, times as ISO 8601 with `Z`."""
        problem, seal = self.problem, self.last_seal
        return {
            "is_intact": self.is_intact,
            "problem": problem and {name: getattr(problem, name) for name in Problem.__slots__},
            "sealed": self.sealed,
            "erased": self.erased,
            "erasures": [each.as_dict() for each in self.erasures],
            "unsealed": self.unsealed,
            "seals": self.seals,
            "last_seal": seal and seal.as_dict(),
            "backdated_seal": self.backdated_seal,
            "has_checkpoint": self.has_checkpoint,
            "is_checkpoint_signed": self.is_checkpoint_signed,
        }
