"""`flask consent ledger erase` and `purge`: what a visitor may ask for, and what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask.cli import with_appcontext

from consent.command_file import reading
from consent.command_ledger import count_rows, list_subject, read_id, using_ledger
from consent.command_output import count_of, format_table, show_progress
from consent.command_site import find_site
from consent.core.ledger import ConsentEvent, Ledger
from consent.core.lifetime import add_months
from consent.core.receipt import SIZE_LIMIT_BYTES, encode_receipt, read_receipt
from consent.web.settings import RETENTION_LIMIT_MONTHS
from consent.web.site import Site
from consent.wire.signature import SignedKind

_BATCH = 1000
# Servers keep a notice about once a minute, and choices in between refer to it unasked.
_ON_ITS_WAY = timedelta(hours=1)
_REASON_LIMIT = 200
_IN_LOG = (
    "Somebody still reads an older state, so SQLite's log has the erased content as well. It goes with the first event that is "
    "kept once they have ended; until then `flask consent ledger status` shows 'log holds erased'."
)
_COPIES = "Exports, backups and other systems have copies of their own: erase these events there, too."

_is_dry = click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be erased, and erase nothing.")
_is_sure = click.option("--yes", "is_sure", is_flag=True, help="Do not ask whether to go on.")


@click.command("erase")
@click.argument("subject", required=False)
@click.option("--record", help="Id of one of the visitor's records, in place of SUBJECT.")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A receipt as the visitor downloaded it (JSON), in place of SUBJECT.",
)
@click.option("--reason", default="request", show_default=True, help="Why, for auditors; nothing about the person.")
@_is_dry
@_is_sure
@with_appcontext
def erase_command(
    *, subject: str | None, record: str | None, receipt: Path | None, reason: str, is_dry: bool, is_sure: bool
) -> None:
    """Erase all that is kept of one visitor.

    SUBJECT is the `subject_id` of their records. Nothing refers to them then, and every seal still holds. Id and digest of
    each event stay, without anything by which a digest could be guessed.
    """
    _check_reason(reason)
    if sum(each is not None for each in (subject, record, receipt)) != 1:
        raise click.UsageError("Name the visitor in one way: by SUBJECT, by --record or by --receipt.")
    site = find_site()
    with using_ledger() as ledger:
        record_id = _read_record_id(receipt, site) if receipt else record
        subject_id = _find_subject(ledger, record_id) if record_id else read_id(subject or "")
        events = list_subject(ledger, subject_id)
        click.echo(_format_events(events))
        if is_dry:
            click.echo(f"Nothing was erased. Without --dry-run, {count_of(len(events), 'event')} would be.")
            return
        _make_sure(f"Erase {count_of(len(events), 'event')} for ever?", is_sure=is_sure)
        number = ledger.erase(subject_id, reason=reason, at=site.engine.read_clock())
        click.echo(f"Erased {count_of(number, 'event')}. {_COPIES}")
        _tell_of_log(ledger)


@click.command("purge")
@click.option(
    "--older-than", "age", help="Months, or a day such as 2024-01-31; without, CONSENT_LEDGER_RETENTION_MONTHS."
)
@_is_dry
@_is_sure
@with_appcontext
def purge_command(*, age: str | None, is_dry: bool, is_sure: bool) -> None:
    """Erase what is older than it needs to be.

    Events first, and then what no event refers to any more. A choice that is in force stays, however old it is. Killed
    half-way, it goes on when it is run again.
    """
    site = find_site()
    now = site.engine.read_clock()
    with using_ledger() as ledger:
        before = _read_age(age, site, now)
        number = ledger.count_purgeable(before=before, now=now)
        told = f"{count_of(number, 'event')} recorded before {before:%Y-%m-%d %H:%M} UTC"
        if is_dry:
            click.echo(f"Nothing was erased. Without --dry-run, {told} would be.")
            return
        if number:
            _make_sure(f"Erase {told} for ever?", is_sure=is_sure)
        erased = _purge(ledger, before=before, now=now, number=number)
        artefacts = ledger.purge_artefacts(kept_before=now - _ON_ITS_WAY)
        click.echo(
            f"Erased {count_of(erased, 'event')} and {count_of(artefacts, 'text')} that none refers to any more."
        )
        _tell_of_log(ledger)


def _purge(ledger: Ledger, *, before: datetime, now: datetime, number: int) -> int:
    done = 0
    with show_progress("Erasing", number) as advance:
        while erased := ledger.purge(before=before, now=now, limit=_BATCH):
            done += erased
            advance(erased)
    return done


def _tell_of_log(ledger: Ledger) -> None:
    if count_rows(ledger, "log_holds_erased"):
        click.echo(_IN_LOG)


def _make_sure(question: str, *, is_sure: bool) -> None:
    if not is_sure:
        click.confirm(question, abort=True, err=True)


def _check_reason(reason: str) -> None:
    if not reason.isprintable() or not 0 < len(reason) <= _REASON_LIMIT:
        raise click.BadParameter(
            f"The reason must be one line of up to {_REASON_LIMIT} characters, such as 'request of 2026-11-23'.",
            param_hint="--reason",
        )


def _read_record_id(path: Path, site: Site) -> str:
    """Return the id of the record in a genuine receipt: nobody is to erase what is another's by editing a file."""
    with reading(path, hint="--receipt"), path.open("rb") as file:
        receipt = read_receipt(file.read(SIZE_LIMIT_BYTES + 1))
    if not site.engine.is_signed(SignedKind.RECEIPT, encode_receipt(receipt.content), receipt.signature):
        raise click.BadParameter(
            f"{path} was not signed by this site, or it was changed since. Ask for the file as it was downloaded, or for the id "
            "of the record on the visitor's receipt page, and use --record.",
            param_hint="--receipt",
        )
    return receipt.record_id


def _find_subject(ledger: Ledger, record_id: str) -> str:
    row = ledger.find(read_id(record_id))
    if row is None:
        raise click.ClickException(f"No record {record_id!r} is in the ledger. It may be of another site.")
    if row.event is None:
        when = f" on {row.erased_at:%Y-%m-%d}" if row.erased_at else ""
        raise click.ClickException(
            f"The record was erased{when} ({row.erasure_reason}), and nothing tells any more whose it was. "
            "If there are later ones of the same visitor, name one of those."
        )
    if not row.event.subject_id:
        raise click.ClickException(f"The record {record_id!r} says what was erased, and is of no visitor. It stays.")
    return row.event.subject_id


def _format_events(events: Sequence[ConsentEvent]) -> str:
    heads = ("event", "recorded at", "kind")
    return format_table(
        [heads, *((each.event_id, f"{each.recorded_at:%Y-%m-%dT%H:%M:%SZ}", each.kind) for each in events)]
    )


def _read_age(age: str | None, site: Site, now: datetime) -> datetime:
    """Return the instant before which events are too old."""
    if age is None:
        # Required of every site with a ledger, when the app starts.
        return add_months(now, -(site.settings.ledger_retention_months or 0))
    if age.isascii() and age.isdigit() and 0 < int(age) <= RETENTION_LIMIT_MONTHS:
        return add_months(now, -int(age))
    try:
        before = datetime.fromisoformat(age)
    except ValueError:
        before = now
    before = before if before.tzinfo else before.replace(tzinfo=UTC)
    if before >= now:
        raise click.BadParameter(
            f"{age!r} must be a number of months from 1 to {RETENTION_LIMIT_MONTHS}, such as 36, or a day that is over, such as "
            "2024-01-31.",
            param_hint="--older-than",
        )
    return before
