"""What was worked out of notices in one process: rendered once, and kept in the ledger once in a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consent.core.notice import Artefact, ShownNotice

_LIMIT = 128
# Not for ever: whoever erases the last record of a notice and purges what nothing refers to, takes the notice along.
_KEPT_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """Hold a notice as anybody gets it, with the artefacts that it refers to."""

    notice: ShownNotice
    artefacts: tuple[Artefact, ...]


@dataclass(slots=True)
class NoticeMemo:
    """Remember specimens and artefacts by all that they depend on, and when each notice was kept last."""

    specimens: dict[Hashable, Specimen] = field(default_factory=dict)
    artefacts: dict[Hashable, Artefact] = field(default_factory=dict)
    _kept_at: dict[ShownNotice, datetime] = field(default_factory=dict)

    def remember_specimen(self, key: Hashable, specimen: Specimen) -> None:
        """Remember a specimen; of very many, the others are forgotten."""
        if len(self.specimens) >= _LIMIT:
            self.specimens.clear()
        self.specimens[key] = specimen

    def find_artefact(self, key: Hashable, make: Callable[[], Artefact]) -> Artefact:
        """Return an artefact, made at the first call."""
        found = self.artefacts.get(key)
        if found is None:
            if len(self.artefacts) >= _LIMIT:
                self.artefacts.clear()
            found = self.artefacts[key] = make()
        return found

    def is_kept(self, notice: ShownNotice, *, now: datetime) -> bool:
        """Whether the ledger has taken a notice a moment ago."""
        kept_at = self._kept_at.get(notice)
        return kept_at is not None and abs(now - kept_at) < _KEPT_FOR

    def note_kept(self, notice: ShownNotice, *, now: datetime) -> None:
        """Note that the ledger has taken a notice."""
        if len(self._kept_at) >= _LIMIT:
            self._kept_at.clear()
        self._kept_at[notice] = now
