"""`flask consent ledger export` and `stream`: what the ledger holds, for people and for other systems."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import click
from flask.cli import with_appcontext

from consent.command_days import check_order, read_day
from consent.command_file import replacing
from consent.command_ledger import list_subject, read_id, using_ledger
from consent.command_output import count_of, show_progress
from consent.command_site import find_site
from consent.core.ledger import Ledger, StoredEvent
from consent.web.described_site import SiteWording, describe_site
from consent.wire.ledger_export import describe_row, format_line, write_csv, write_dpv, write_json, write_json_lines

_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """Hold the days that are asked for, in UTC and both included; None for no limit."""

    since: date | None
    until: date | None

    def has(self, row: StoredEvent) -> bool:
        """Whether a row is of these days. An erased one is of no day that is known."""
        if self.since is None and self.until is None:
            return True
        if row.event is None:
            return False
        return (self.since or date.min) <= row.event.recorded_at.date() <= (self.until or date.max)


_WRITERS: Mapping[str, Callable[[Iterable[StoredEvent]], Iterator[str]]] = MappingProxyType(
    {"jsonl": write_json_lines, "json": write_json, "csv": write_csv}
)
_FORMS = click.Choice([*_WRITERS, "dpv"])


@click.command("export")
@click.option("--subject", help="Random id of a visitor: their events alone.")
@click.option("--since", callback=read_day, help="First day of the events, in UTC.")
@click.option("--until", callback=read_day, help="Last day of the events, in UTC.")
@click.option("--format", "form", type=_FORMS, default="jsonl", show_default=True, help="What to write.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; without, the terminal.")
@with_appcontext
def export_command(
    *, subject: str | None, since: date | None, until: date | None, form: str, output: Path | None
) -> None:
    """Write events out, in the order in which they arrived.

    JSON holds each record as it was made; CSV what of it fits a table; DPV is JSON-LD in the Data Privacy Vocabulary. What is
    left of erased events is there, too, unless days, a visitor or DPV are asked for. A file is there when it is complete, and
    its owner alone can read it.
    """
    check_order(since, until)
    days = _Days(since=since, until=until)
    is_watched = output is None and sys.stdout.isatty()
    with using_ledger() as ledger, replacing(output) if output else nullcontext(sys.stdout.buffer) as target:
        rows, number = _find_rows(ledger, subject)
        with show_progress("Exporting", number, is_shown=not is_watched) as advance:
            wanted = (row for row in _tell(rows, advance) if days.has(row))
            for line in _WRITERS[form](wanted) if form in _WRITERS else _write_dpv(wanted, ledger):
                target.write(line.encode() + b"\n")


@click.command("stream")
@click.option("--after", type=click.IntRange(min=-1), default=-1, help="Cursor of the last event that was taken over.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--follow", is_flag=True, help="Wait for more instead of stopping at the end.")
@click.option(
    "--every", type=click.FloatRange(min=0.01), default=5.0, show_default=True, help="Seconds between two looks."
)
@with_appcontext
def stream_command(*, after: int, limit: int | None, follow: bool, every: float) -> None:
    """Print sealed events for another system, as lines of JSON.

    For Kafka, NATS or a warehouse: each at least once, none skipped. Each line has a `cursor`. Keep that of the last line that
    the other system has acknowledged, and begin there with --after: what it had not acknowledged comes again, with the same
    `event_id`. An event that is erased later does not come again; that it was erased is an event of its own, whose `record`
    names in `event_ids` what to erase in copies.
    """
    target = sys.stdout.buffer
    left = limit
    with using_ledger() as ledger:
        _check_cursor(ledger, after)
        while left is None or left > 0:
            rows = ledger.scan_sealed(after=after, limit=min(_BATCH, left or _BATCH))
            for cursor, row in enumerate(rows, start=after + 1):
                _check_order(row, cursor)
                target.write(format_line({"cursor": cursor, **describe_row(row)}).encode() + b"\n")
            target.flush()
            after += len(rows)
            left = left and left - len(rows)
            if not rows and not follow:
                return
            if not rows:
                time.sleep(every)


def _write_dpv(rows: Iterable[StoredEvent], ledger: Ledger) -> Iterator[str]:
    """Yield the lines of the document, and say on the terminal what it lacks: what no banner knows is the site's to add."""
    missing: dict[str, None] = {}

    def leave_out(row: StoredEvent) -> None:
        click.echo(
            f"Record {row.event_id} cannot be read, and was left out. Run: flask consent ledger verify", err=True
        )

    def note_missing(names: Iterable[str]) -> None:
        missing.update(dict.fromkeys(names))

    site = describe_site(SiteWording(find_site()))
    yield from write_dpv(rows, site=site, find=ledger.find, leave_out=leave_out, note_missing=note_missing)
    if missing:
        click.echo(
            f"Not every record has what ISO/IEC TS 27560 asks for. Missing: {', '.join(missing)}. Add what your site knows of it.",
            err=True,
        )


def _check_cursor(ledger: Ledger, after: int) -> None:
    seal = ledger.seals.last()
    sealed = seal.tree_size if seal else 0
    if after >= sealed:
        raise click.ClickException(
            f"The cursor {after} is of an event that is not there: the seals cover {count_of(sealed, 'event')}. It belongs to another ledger, or "
            "this one was restored from a backup and has lost what came after it. Compare the two systems before you go on."
        )


def _check_order(row: StoredEvent, cursor: int) -> None:
    # Places in the log have no gaps: without this, what somebody removed would be skipped, and a place that is no number
    # would come again and again.
    if row.leaf_index != cursor:
        raise click.ClickException(
            f"The event with the cursor {cursor} is not where it was sealed: somebody has changed or removed it. "
            f"Run: flask consent ledger verify. To go on without it, begin with: --after {cursor}"
        )


def _find_rows(ledger: Ledger, subject: str | None) -> tuple[Iterable[StoredEvent], int]:
    """Return rows to export, and about how many they are."""
    if subject is None:
        number = ledger.health().details.get("events")
        return _scan(ledger), number if isinstance(number, int) else 0
    events = list_subject(ledger, read_id(subject))
    found = (ledger.find(event.event_id) for event in events)
    return filter(None, found), len(events)


def _scan(ledger: Ledger) -> Iterator[StoredEvent]:
    rows = ledger.scan(limit=_BATCH)
    while rows:
        yield from rows
        rows = ledger.scan(after=rows[-1].position, limit=_BATCH)


def _tell(rows: Iterable[StoredEvent], advance: Callable[[int], None]) -> Iterator[StoredEvent]:
    for row in rows:
        yield row
        advance(1)
