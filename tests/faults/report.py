"""Run every fault experiment at full length and print the table of docs/durability.md; about five minutes.

python -m tests.faults.report [--share 0.1] [--write]
"""

from __future__ import annotations

import argparse
import logging
import platform
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from consent.errors import quote_all
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.faults import forked, full_disk, io_errors, kill, postgres_kills, power_loss
from tests.faults.load import Figures
from tests.faults.machine import LedgerMachine
from tests.faults.machine_run import run_all
from tests.postgres import run_server

PAGE = Path(__file__).parents[2] / "docs" / "durability.md"
BEGIN, END = "<!-- figures: python -m tests.faults.report --write -->", "<!-- end of figures -->"
HEAD = (
    "| experiment | faults | acknowledged | recovered | lost | doubled | file sound |\n"
    "|---|---:|---:|---:|---:|---:|---|"
)
KILLS, SERVER_KILLS, EVENTS, EXAMPLES, STEPS = 200, 20, 2000, 200, 50


def run_experiments(share: float) -> Iterator[Figures]:
    """Run one after the other, each at a share of its length."""
    events = round(EVENTS * share)
    with TemporaryDirectory() as folder:
        yield kill.run(Path(folder), kills=round(KILLS * share), chance=Random(1))
    yield from power_loss.run(synchronous="FULL", events=events, chance=Random(1))
    yield power_loss.run(synchronous="NORMAL", events=events, chance=Random(1))[0]
    yield from io_errors.run_mixes(events=events, seed=1)
    yield full_disk.run_model(events=events)
    yield full_disk.run_mounted(events=max(1000, events))
    with TemporaryDirectory() as folder:
        yield forked.run(Path(folder), events=events // 4)
    yield kill_server(kills=max(1, round(SERVER_KILLS * share)))


def kill_server(*, kills: int) -> Figures:
    """Kill PostgreSQL under load, all its processes each time."""
    with run_server() as server:
        schema = server.create_schema()
        ledger = SQLAlchemyLedger(server.url(schema))
        ledger.prepare()
        ledger.close()
        figures = postgres_kills.kill_under_load(server, schema, kills=kills)
    return Figures(
        experiment=f"kill -9, PostgreSQL, {postgres_kills.CLIENTS} clients",
        faults=figures.kills,
        acknowledged=figures.acknowledged,
        recovered=figures.acknowledged - figures.lost,
        doubled=figures.doubled,
        notes={"retries": figures.retries},
    )


def format_row(figures: Figures) -> str:
    """Return one line of the table."""
    sound = "yes" if figures.is_sound else "**no**"
    numbers = (figures.faults, figures.acknowledged, figures.recovered, figures.lost, figures.doubled)
    worst = f" (longest write {figures.notes['worst write ms']} ms)" if "worst write ms" in figures.notes else ""
    return f"| {figures.experiment}{worst} | {' | '.join(f'{each:,}' for each in numbers)} | {sound} |"


def write_page(page: Path, lines: Sequence[str], figures: Sequence[Figures]) -> None:
    """Put the lines between the marks of the page.

    Raises:
        ValueError: If an experiment had no fault: its row would look like a proof and be none.
    """
    if idle := [each.experiment for each in figures if not each.faults]:
        raise ValueError(f"Nothing failed in {quote_all(idle)}: the page stays as it is. Run with a larger --share.")
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(lines)
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the fault experiments and print what became of every event.")
    parser.add_argument("--share", type=float, default=1.0, help="of the full length, such as 0.1")
    parser.add_argument("--write", action="store_true", help="write the table into docs/durability.md")
    arguments = parser.parse_args()
    logging.getLogger("consent").setLevel(logging.ERROR)
    all_figures = []
    for figures in run_experiments(arguments.share):
        print(figures, flush=True)
        all_figures.append(figures)
    lines = [HEAD, *map(format_row, all_figures)]
    run_all(examples=max(1, round(EXAMPLES * arguments.share)), steps=STEPS)
    steps = ", ".join(f"{name} {number:,}" for name, number in LedgerMachine.steps.items())
    lines += ["", f"Steps of the state machine, each followed by a comparison with its model: {steps}."]
    lines += ["", f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}."]
    print(*lines, sep="\n")
    if arguments.write:
        write_page(PAGE, lines, all_figures)
    return 0 if all(each.is_kept or "NORMAL" in each.experiment for each in all_figures) else 1


if __name__ == "__main__":
    sys.exit(main())
