"""The two tables that the bench prints. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.bench.browser.figures import Figure, Target

# Column, and how its value is shown. `z` writes no negative zero.
_FORMATS: Final = {
    "bytes": "{:,.0f}",
    "requests": "{:.0f}",
    "first paint": "{:.0f} ms",
    "appears": "{:.0f} ms",
    "visible": "{:.0f} ms",
    "wait": "{:.0f} ms",
    "script": "{:z.1f} ms",
    "shift": "{:.4f}",
}
_NOTHING: Final = "-"


def format_lines(lines: Mapping[str, Mapping[str, Figure]]) -> str:
    """Write one row for each page: each column's value, and behind it the ratio where there is one."""
    rows = [["page", *_FORMATS]]
    rows += [
        [name, *(format_figure(figures[column], column) for column in _FORMATS)] for name, figures in lines.items()
    ]
    return _align(rows)


def format_targets(targets: Sequence[Target]) -> str:
    """Write one row for each target."""
    rows = [["target", "aim", "measured", "lowest", "highest", ""]]
    rows += [
        [each.name, f"{each.aim:g}", *(f"{n:z.3f}" for n in (each.measured, each.lowest, each.highest)), each.verdict]
        for each in targets
    ]
    return _align(rows)


def format_figure(figure: Figure, column: str) -> str:
    """Write one cell."""
    if figure.value is None:
        return _NOTHING
    text = _FORMATS[column].format(figure.value)
    return text if figure.ratio is None else f"{text} {figure.ratio:z6.2f}"


def _align(rows: Sequence[Sequence[str]]) -> str:
    """Set the first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    )
