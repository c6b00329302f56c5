"""The ledger that a command works on, and how its troubles are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from consent.command_site import find_site
from consent.core.ledger import ConsentEvent, Ledger
from consent.errors import LedgerError
from consent.ledger.waiting import COMMAND_SECONDS, waiting

_FIRST_LIMIT = 1000


@contextmanager
def using_ledger() -> Iterator[Ledger]:
    """Lend the ledger of the current app to the body, which has time, and tell what goes wrong with it.

    Raises:
        click.ClickException: If there is none, with the setting that gives one; for a `LedgerError` of the body.
    """
    ledger = find_site().ledger
    if ledger is None:
        raise click.ClickException(
            "No ledger is configured, so choices are kept in the visitors' cookies alone and there is nothing to work on. "
            "Set CONSENT_LEDGER to a URL such as 'sqlite:///consent.db' and CONSENT_LEDGER_RETENTION_MONTHS to a number of months."
        )
    try:
        with waiting(COMMAND_SECONDS):
            yield ledger
    except LedgerError as error:
        raise click.ClickException(str(error)) from error


def read_id(text: str) -> str:
    """Return an id as the ledger has it, however it was pasted."""
    return text.strip().lower()


def count_rows(ledger: Ledger, name: str) -> int:
    """Return how many rows there are of those that `Health.details` counts under a name, such as `unsealed`; 0 if nobody knows."""
    found = ledger.health().details.get(name, 0)
    return found if isinstance(found, int) else 0


def list_subject(ledger: Ledger, subject_id: str) -> tuple[ConsentEvent, ...]:
    """Return all events of a visitor, however many, the oldest first.

    Raises:
        click.ClickException: If there is none.
    """
    limit = _FIRST_LIMIT
    events = ledger.history(subject_id, limit=limit)
    while len(events) == limit:
        limit *= 10
        events = ledger.history(subject_id, limit=limit)
    if not events:
        raise click.ClickException(_tell_absence(ledger, subject_id))
    return events[::-1]


def _tell_absence(ledger: Ledger, subject_id: str) -> str:
    row = ledger.find(subject_id)
    # That of an erasure is no visitor's.
    if row is not None and row.event is not None and row.event.subject_id:
        # Receipts show the one, exports both.
        return f"{subject_id!r} is the id of a record. Its visitor is {row.event.subject_id!r}: take that one."
    return "No event of that visitor is in the ledger: it never was, or it was erased."
