"""Events under load, and the account of what became of them: what every fault experiment begins and ends with."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from consent.core.ledger import ConsentEvent, Ledger
from consent.errors import LedgerError
from tests.ledger_events import make_event


def make_load(event_id: str = "") -> ConsentEvent:
    """Make an event of a visitor of its own. It follows from the id: whoever makes it again, after a kill too, makes the same."""
    event_id = event_id or str(uuid4())
    return make_event(event_id=event_id, subject_id=str(UUID(int=UUID(event_id).int ^ 1)))


def try_append(ledger: Ledger, event_id: str) -> bool:
    """Send the event of an id; return whether it was acknowledged."""
    try:
        ledger.append([make_load(event_id)])
    except LedgerError:
        return False
    return True


class Log:
    """Write down, outside the ledger, what was asked of it and what it acknowledged.

    One line is one write of the system: a kill leaves whole lines, and the system keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def ask(self, event_id: str) -> None:
        """Say that an event is about to be sent."""
        os.write(self._file, f"? {event_id}\n".encode())

    def acknowledge(self, event_id: str) -> None:
        """Say that the ledger has it."""
        os.write(self._file, f"+ {event_id}\n".encode())


def read_log(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids that were asked and those that were acknowledged."""
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    asked, acknowledged = (frozenset(each for mark, each in lines if mark == wanted) for wanted in "?+")
    return asked, acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Say what became of the events of an experiment."""

    experiment: str
    faults: int
    acknowledged: int
    recovered: int
    """How many of the acknowledged are in the ledger afterwards."""

    doubled: int
    """How many are in it more than once."""

    is_sound: bool = True
    """Whether the database finds nothing wrong with itself."""

    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """How many of the acknowledged are gone: what must be 0."""
        return self.acknowledged - self.recovered

    @property
    def is_kept(self) -> bool:
        """Whether the ledger has kept what it promised."""
        return self.is_sound and self.acknowledged > 0 and self.lost == 0 and self.doubled == 0

    def __str__(self) -> str:
        numbers = {name: getattr(self, name) for name in ("faults", "acknowledged", "recovered", "lost", "doubled")}
        facts = {**numbers, "sound": self.is_sound, **self.notes}
        return f"{self.experiment}: " + ", ".join(f"{name} {value}" for name, value in facts.items())


def count(
    experiment: str,
    acknowledged: Iterable[str],
    stored: Iterable[str],
    *,
    faults: int,
    is_sound: bool = True,
    notes: Mapping[str, object] | None = None,
) -> Figures:
    """Compare what was acknowledged with what is stored, by event id."""
    expected, found = set(acknowledged), Counter(stored)
    return Figures(
        experiment=experiment,
        faults=faults,
        acknowledged=len(expected),
        recovered=len(expected & found.keys()),
        doubled=sum(number > 1 for number in found.values()),
        is_sound=is_sound,
        notes={"stored": found.total(), **(notes or {})},
    )


def read_ids(ledger: Ledger) -> Iterator[str]:
    """Return the event id of every row; of an erased one, also `<id> erased`."""
    after = 0
    while rows := ledger.scan(after=after):
        for row in rows:
            yield row.event_id
            if row.event is None:
                yield f"{row.event_id} erased"
        after = rows[-1].position
