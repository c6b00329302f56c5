"""How commands print: a table for people, JSON for programs, and how far long work has come."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

_STEP = 1000
# Above, a digit behind the point says nothing more.
_PRECISE_BELOW = 10


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equal length as lines whose columns stand below each other; empty for none."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def format_json(values: object) -> str:
    """Return plain values as JSON, in lines, with every script as it is."""
    return json.dumps(values, indent=2, ensure_ascii=False)


def count_of(number: int, noun: str) -> str:
    """Return how many of something there are, such as `1 event` or `2,500 events`.

    Args:
        noun: In the singular; its plural ends in `s`.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_size(number: int) -> str:
    """Return a number of bytes as `512 B`, `1.4 MB` or `75 GB`, in steps of a thousand."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _STEP:
            break
        size, unit = size / _STEP, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= _PRECISE_BELOW else f"{size:.1f} {unit}"


@contextmanager
def show_progress(label: str, number: int, *, is_shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Show on the terminal, beside the output, how far long work has come; nothing where nobody watches.

    Args:
        number: How many there are to do, as far as is known.

    Returns:
        A function that takes how many more were done.
    """
    if not (is_shown and sys.stderr.isatty()):
        yield lambda _: None
        return
    with click.progressbar(length=number, label=label, file=sys.stderr) as bar:
        yield bar.update
