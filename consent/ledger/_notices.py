"""Notices and artefacts as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from functools import partial

from consent.core.notice import Artefact, ShownNotice
from consent.ledger._database import Database, Row, Transaction, Value, split_batches, write_list
from consent.ledger._events import to_seconds

_COLUMNS = tuple(field.name for field in fields(ShownNotice))
_ARTEFACT_COLUMNS = ("sha256", "media_type", "body")

_BATCH = 50
# Table, key, and what is so of a row that may go. Each question about events is one that an index answers.
UNUSED_NOTICES = (
    "consent_notices",
    "notice_id",
    (
        "kept_at < :kept_before AND NOT EXISTS (SELECT 1 FROM consent_events AS e WHERE e.text_sha256 = "
        "consent_notices.text_sha256 AND e.ui_sha256 = consent_notices.ui_sha256) AND NOT (consent_notices.ui_sha256 IS NULL AND "
        "EXISTS (SELECT 1 FROM consent_events AS e WHERE e.text_sha256 = consent_notices.text_sha256 AND e.ui_sha256 IS NULL))"
    ),
)
UNUSED_ARTEFACTS = (
    "consent_artefacts",
    "sha256",
    (
        "NOT EXISTS (SELECT 1 FROM consent_notices AS n WHERE consent_artefacts.sha256 IN (n.text_sha256, n.ui_sha256, "
        "n.configuration_sha256)) AND NOT EXISTS (SELECT 1 FROM consent_events AS e WHERE e.text_sha256 = "
        "consent_artefacts.sha256) AND NOT EXISTS (SELECT 1 FROM consent_events AS e WHERE e.ui_sha256 = consent_artefacts.sha256)"
    ),
)


@dataclass(frozen=True, slots=True)
class RelationalNotices:
    """Keep notices in the ledger's database."""

    database: Database

    def keep(self, notice: ShownNotice, artefacts: Sequence[Artefact], *, at: datetime) -> None:
        """Keep a notice and what it refers to; what is there already stays as it is, but for when it was last kept."""
        self.database.write(lambda transaction: _keep(transaction, notice, artefacts, kept_at=to_seconds(at)))

    def list(self, policy_version: str | None = None) -> tuple[ShownNotice, ...]:
        """Return the notices of one policy version, or of all, in a stable order."""
        where = "WHERE policy_version = :version" if policy_version is not None else ""
        values: dict[str, Value] = {"version": policy_version} if policy_version is not None else {}
        statement = (
            f"SELECT {', '.join(_COLUMNS)} FROM consent_notices {where} "  # noqa: S608 - constants
            "ORDER BY policy_version, language, profile, layer, prompt_kind, notice_id"
        )
        rows = self.database.read(lambda transaction: transaction.fetch(statement, values))
        return tuple(map(_to_notice, rows))

    def find(self, notice_id: str) -> ShownNotice | None:
        """Return a notice by its `notice_id`; None for none."""
        statement = f"SELECT {', '.join(_COLUMNS)} FROM consent_notices WHERE notice_id = :notice_id"  # noqa: S608 - constants
        rows = self.database.read(lambda transaction: transaction.fetch(statement, {"notice_id": notice_id}))
        return _to_notice(rows[0]) if rows else None

    def read(self, sha256: str) -> Artefact | None:
        """Return an artefact by its hash; None for none."""
        rows = self.database.read(
            lambda transaction: transaction.fetch(
                "SELECT media_type, body FROM consent_artefacts WHERE sha256 = :sha256", {"sha256": sha256}
            )
        )
        return Artefact(media_type=str(rows[0][0]), body=str(rows[0][1])) if rows else None

    def list_hashes(self) -> tuple[str, ...]:
        """Return the addresses of all artefacts, in order."""
        rows = self.database.read(
            lambda transaction: transaction.fetch("SELECT sha256 FROM consent_artefacts ORDER BY sha256")
        )
        return tuple(str(row[0]) for row in rows)


def purge(database: Database, *, kept_before: datetime) -> int:
    """Delete notices that no event refers to, then artefacts that neither event nor notice does; return how many of those."""
    _delete_unused(database, UNUSED_NOTICES, {"kept_before": to_seconds(kept_before)})
    return _delete_unused(database, UNUSED_ARTEFACTS, {})


def _delete_unused(database: Database, unused: tuple[str, str, str], values: Mapping[str, Value]) -> int:
    """Find rows on a snapshot, which keeps nobody waiting; then delete them a few at a time, each looked at once more."""
    table, key, condition = unused
    found = database.read(lambda transaction: transaction.fetch(f"SELECT {key} FROM {table} WHERE {condition}", values))  # noqa: S608 - constants
    deleted = 0
    for batch in split_batches([row[0] for row in found], _BATCH):
        names, keys = write_list("key", batch)
        statement = f"DELETE FROM {table} WHERE {key} IN ({names}) AND {condition}"  # noqa: S608 - constants
        deleted += database.write(partial(_execute, statement=statement, values={**values, **keys}))
    return deleted


def _execute(transaction: Transaction, *, statement: str, values: Mapping[str, Value]) -> int:
    return transaction.execute(statement, values)


def _to_notice(row: Row) -> ShownNotice:
    return ShownNotice(**dict(zip(_COLUMNS, row, strict=True)))  # type: ignore[arg-type]  # columns are its fields


def _keep(transaction: Transaction, notice: ShownNotice, artefacts: Sequence[Artefact], *, kept_at: int) -> None:
    rows: list[dict[str, Value]] = [
        {"sha256": each.sha256, "media_type": each.media_type, "body": each.body} for each in artefacts
    ]
    transaction.execute_many(transaction.dialect.write_insert("consent_artefacts", _ARTEFACT_COLUMNS), rows)
    values: dict[str, Value] = dict(zip(_COLUMNS, astuple(notice), strict=True))
    transaction.execute(
        transaction.dialect.write_insert("consent_notices", ("notice_id", *_COLUMNS, "kept_at")),
        {"notice_id": notice.notice_id, **values, "kept_at": kept_at},
    )
    transaction.execute(
        "UPDATE consent_notices SET kept_at = :kept_at WHERE notice_id = :notice_id AND kept_at < :kept_at",
        {"notice_id": notice.notice_id, "kept_at": kept_at},
    )
