"""Tallies as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from consent.core.tally import Counted, TallyKey
from consent.ledger._database import Database, Row, Value

_MEMBERS = ("day", "counted", "source", "jurisdiction", "language", "policy_version", "browser_signal")


@dataclass(frozen=True, slots=True)
class RelationalTallies:
    """Keep tallies in the ledger's database."""

    database: Database

    def add(self, numbers: Mapping[TallyKey, int]) -> None:
        """Add to what is there, all of it or nothing."""
        rows = [_to_values(key, number) for key, number in numbers.items()]
        self.database.write(
            lambda transaction: transaction.execute_many(
                transaction.dialect.write_adding(
                    "consent_tallies", ("tally_id", *_MEMBERS, "number"), key="tally_id", total="number"
                ),
                rows,
            ),
            is_repeatable=False,
        )

    def read(self, *, since: date | None = None, until: date | None = None) -> Mapping[TallyKey, int]:
        """Return the tallies of days from `since` to `until`, both included; rows that mean nothing here are left out."""
        values: dict[str, Value] = {
            "since": (since or date.min).isoformat(),
            "until": (until or date.max).isoformat(),
        }
        rows = self.database.read(
            lambda transaction: transaction.fetch(
                f"SELECT {', '.join(_MEMBERS)}, number FROM consent_tallies WHERE day >= :since AND day <= :until "  # noqa: S608 - constants
                "ORDER BY day, tally_id",
                values,
            )
        )
        return dict(filter(None, map(_to_tally, rows)))


def _to_values(key: TallyKey, number: int) -> dict[str, Value]:
    members = (
        *(key.day.isoformat(), key.counted.value, key.source, key.jurisdiction),
        *(key.language, key.policy_version, key.signal),
    )
    # One short key in place of seven columns: indexes over many long texts pass the limits of some databases.
    tally_id = sha256(repr(members).encode()).hexdigest()
    return {"tally_id": tally_id, **dict(zip(_MEMBERS, members, strict=True)), "number": number}


def _to_tally(row: Row) -> tuple[TallyKey, int] | None:
    day, counted, source, jurisdiction, language, policy_version, signal = map(str, row[:-1])
    number = row[-1]
    try:
        key = TallyKey(
            day=date.fromisoformat(day),
            counted=Counted(counted),
            source=source,
            jurisdiction=jurisdiction,
            language=language,
            policy_version=policy_version,
            signal=signal,
        )
    except ValueError:
        return None
    return (key, number) if isinstance(number, int) else None
