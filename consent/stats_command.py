"""`flask consent stats`: how many were asked, and what they answered."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import click
from flask.cli import with_appcontext

from consent.command_days import check_order, read_day
from consent.command_ledger import using_ledger
from consent.command_output import count_of, format_json, format_table
from consent.command_site import find_site
from consent.core.tally import Counted, TallyKey
from consent.core.tally_summary import Dimension, Numbers, group, sum_up

_DEFAULT_DAYS = 30

# In the order in which a visitor meets them.
_COLUMNS: Mapping[Counted, str] = {
    Counted.PROMPT: "prompts",
    Counted.ANSWERED: "answered",
    Counted.ACCEPTED: "accepted",
    Counted.PARTIAL: "partial",
    Counted.REFUSED: "refused",
    Counted.WITHDRAWN: "withdrawn",
    Counted.OPTED_OUT: "opted out",
    Counted.ACKNOWLEDGED: "noted",
    Counted.SIGNAL: "signals",
    Counted.UNRECORDED: "unrecorded",
}
_WITHOUT_VALUE: Mapping[Dimension, str] = {
    Dimension.SOURCE: "(page shown)",
    Dimension.SIGNAL: "(none)",
}
_NOTE = """\
prompts     pages sent with a banner; who reads on without answering sees several
answered    choices that answered a banner, and their share of the prompts
accepted, partial, refused
            choices where nothing runs before, and their share of the three
withdrawn   something that had been granted was denied
opted out   something that ran unasked was objected to
noted       a notice was acknowledged
signals     pages on which a privacy signal kept something shut that would have run
unrecorded  refusals that took effect while the ledger was away"""


@click.command("stats")
@click.option("--since", callback=read_day, help="First day, such as 2026-01-01; nothing for 30 days in all.")
@click.option("--until", callback=read_day, help="Last day; nothing for today (UTC).")
@click.option(
    "--by",
    type=click.Choice([each.value for each in Dimension]),
    multiple=True,
    help="A line for each value of this; may be repeated, for combinations.",
)
@click.option("--jurisdiction", help="Only visitors under the rules of this row, such as US-CA.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, with whole numbers and rates from 0 to 1.")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV, with whole numbers.")
@with_appcontext
def stats_command(
    *,
    since: date | None,
    until: date | None,
    by: Sequence[str],
    jurisdiction: str | None,
    is_json: bool,
    is_csv: bool,
) -> None:
    """Count what visitors were asked and what they answered.

    Nothing in it identifies anybody. Opt-out requests of a year by where they came from (CCPA, 11 CCR 7102):
    flask consent stats --since 2026-01-01 --until 2026-12-31 --jurisdiction US-CA --by source
    """
    if is_json and is_csv:
        raise click.UsageError("--json and --csv exclude each other. Give one of them.")
    first, last = _find_span(since, until)
    with using_ledger() as ledger:
        found = ledger.tallies.read(since=first, until=last)
    if jurisdiction:
        found = {key: number for key, number in found.items() if key.jurisdiction == jurisdiction}
    dimensions = tuple(dict.fromkeys(map(Dimension, by)))
    if is_json:
        click.echo(format_json(_describe(found, dimensions, first=first, last=last)))
    else:
        click.echo(_format_csv(found, dimensions) if is_csv else _format(found, dimensions, first=first, last=last))


def _find_span(since: date | None, until: date | None) -> tuple[date, date]:
    last = until or find_site().engine.read_clock().date()
    first = since or last - timedelta(days=_DEFAULT_DAYS - 1)
    check_order(first, last)
    return first, last


def _describe(
    found: Mapping[TallyKey, int], dimensions: Sequence[Dimension], *, first: date, last: date
) -> dict[str, object]:
    return {
        "since": first.isoformat(),
        "until": last.isoformat(),
        "total": _describe_numbers(sum_up(found)),
        "by": [each.value for each in dimensions],
        "groups": [
            {**dict(zip(dimensions, values, strict=True)), **_describe_numbers(numbers, dimensions)}
            for values, numbers in (group(found, dimensions).items() if dimensions else ())
        ],
    }


def _describe_numbers(numbers: Numbers, dimensions: Sequence[Dimension] = ()) -> dict[str, object]:
    rates = {
        f"{counted}_rate": None if rate is None else round(rate, 4)
        for counted, rate in _find_rates(numbers, dimensions).items()
    }
    return {**{each.value: numbers[each] for each in Counted}, **rates}


def _find_rates(numbers: Numbers, dimensions: Sequence[Dimension]) -> Mapping[Counted, float | None]:
    return {
        # A page that was merely shown has no source, and what it was answered with has one.
        Counted.ANSWERED: None if Dimension.SOURCE in dimensions else numbers.answered_rate,
        Counted.ACCEPTED: numbers.accepted_rate,
        Counted.PARTIAL: numbers.partial_rate,
        Counted.REFUSED: numbers.refused_rate,
    }


def _format_csv(found: Mapping[TallyKey, int], dimensions: Sequence[Dimension]) -> str:
    # Cells are days, counts, and codes from the library's own tables: nothing that a spreadsheet would run.
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*dimensions, *(each.value for each in Counted)])
    for values, numbers in group(found, dimensions).items():
        writer.writerow([*values, *(numbers[each] for each in Counted)])
    return file.getvalue().rstrip("\n")


def _format(found: Mapping[TallyKey, int], dimensions: Sequence[Dimension], *, first: date, last: date) -> str:
    span = f"{first} to {last}, {count_of((last - first).days + 1, 'day')}"
    if not found:
        return f"{span}: nothing was counted. Numbers come in a few seconds after the visits."
    rows = [_list_cells(values, numbers, dimensions) for values, numbers in group(found, dimensions).items()]
    if dimensions:
        total = ("total", *("" for _ in dimensions[1:]))
        rows.append((*total, *_list_numbers(sum_up(found))))
    head = (*(each.value.replace("_", " ") for each in dimensions), *_COLUMNS.values())
    return f"{span}\n\n{_align(head, rows, len(dimensions))}\n\n{_NOTE}"


def _list_cells(values: Sequence[str], numbers: Numbers, dimensions: Sequence[Dimension]) -> tuple[str, ...]:
    named = (value or _WITHOUT_VALUE.get(dimension, "-") for value, dimension in zip(values, dimensions, strict=True))
    # A digest, of which a few digits tell one version from another.
    return (*(each[:12] for each in named), *_list_numbers(numbers, dimensions))


def _list_numbers(numbers: Numbers, dimensions: Sequence[Dimension] = ()) -> tuple[str, ...]:
    rates = _find_rates(numbers, dimensions)
    # Where there is no rate, room for one keeps the numbers below each other.
    return tuple(
        _format_number(numbers[each]) + (_format_rate(rates[each]) if each in rates else "") for each in _COLUMNS
    )


def _format_number(number: int) -> str:
    return f"{number:,}" if number else "-"


def _format_rate(rate: float | None) -> str:
    return f"{rate:6.0%}" if rate is not None else 6 * " "


def _align(head: Sequence[str], rows: Sequence[Sequence[str]], labels: int) -> str:
    """Return the table with numbers to the right, so that they can be compared."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return format_table(
        [
            [
                cell if at < labels else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            for row in (head, *rows)
        ]
    )
