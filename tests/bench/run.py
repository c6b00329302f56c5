"""Measure what the library costs, as ratios to the same site without it.

    python tests/bench/run.py [--quick]

Never fails on time: the table says what is over its target. docs/performance.md says how to read it.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version

from tests.bench.ledger_rows import has_postgresql, make_ledger_rows
from tests.bench.memory import measure_memory
from tests.bench.pairing import Ratio, compare
from tests.bench.rows import Row, check_stream, make_rows
from tests.bench.scan import make_scan_rows, say_what_is_missing

ROUNDS, QUICK_ROUNDS, FEWEST_ROUNDS = 200, 30, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Hold one line of the table."""

    row: Row
    ratio: Ratio

    @property
    def verdict(self) -> str:
        """`ok`, `over`, or `-` for a row without a target."""
        if self.row.target is None:
            return "-"
        return "ok" if self.ratio.value <= self.row.target else "over"


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure what the library costs, as ratios to the same site without it."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: quicker, and noisier")
    parser.add_argument("--rounds", type=int, help=f"rounds of each row (default {ROUNDS})")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the rows whose name holds this")
    options = parser.parse_args()
    rounds = max(options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS), FEWEST_ROUNDS)

    names = ("Flask", "Werkzeug", "Jinja2", "itsdangerous", "blinker")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Python {platform.python_version()}, {versions}; {rounds} rounds\n")
    with ExitStack() as stack:
        rows = [row for row in (*make_rows(), *make_scan_rows(), *make_ledger_rows(stack)) if options.only in row.name]
        print_table(list(measure(rows, rounds)))
    if not options.only:
        print(f"\nstream: {check_stream()}")
    if not options.only or "scan" in options.only:
        print(f"\n{measure_memory()}")
        if missing := say_what_is_missing():
            print(f"\n{missing}")
    if not has_postgresql():
        print("\nPostgreSQL: left out, since no server is installed. Run: tools/system_packages.sh server")
    return 0


def measure(rows: list[Row], rounds: int) -> Iterator[Result]:
    for number, row in enumerate(rows, start=1):
        report_progress(f"[{number}/{len(rows)}] {row.name}")
        share = max(round(rounds * row.rounds_share), FEWEST_ROUNDS)
        yield Result(row=row, ratio=compare(row.work, to=row.base, rounds=share))
    report_progress("")


def report_progress(text: str) -> None:
    """Show where the run is: one line that is written over, or lines of their own in a log."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


_COLUMNS: tuple[tuple[str, int, Callable[[Result], str]], ...] = (
    ("target", 8, lambda result: "-" if result.row.target is None else f"{result.row.target:.3g}"),
    ("ratio", 9, lambda result: f"{result.ratio.value:.4f}"),
    ("noise", 9, lambda result: f"±{result.ratio.noise:.4f}"),
    ("extra us", 10, lambda result: f"{result.ratio.extra_us / result.row.count:+.2f}"),
    ("of us", 10, lambda result: f"{result.ratio.base_us / result.row.count:.1f}"),
    ("", 6, lambda result: result.verdict),
)


def print_table(results: list[Result]) -> None:
    width = max((len(result.row.name) for result in results), default=0)
    print("what".ljust(width) + "".join(title.rjust(size) for title, size, _ in _COLUMNS))
    for result in results:
        print(result.row.name.ljust(width) + "".join(show(result).rjust(size) for _, size, show in _COLUMNS))


if __name__ == "__main__":
    sys.exit(main())
