"""How commands print: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equal length as lines whose columns stand below each other; empty for none."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def format_json(values: object) -> str:
    """Return plain values as JSON, in lines, with every script as it is."""
    return json.dumps(values, indent=2, ensure_ascii=False)
