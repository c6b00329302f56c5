"""Load one article with the library's banner and with its peers', in Chromium on a slow line.

    python -m tests.bench.browser.run [--rounds N] [--json FILE]

Never fails on time: the tables say which targets are missed. docs/performance.md says how to read them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from tests.bench.browser.figures import BASELINE, SCRIPT_PEER, Figure, Load, Target, compute_line, compute_targets
from tests.bench.browser.loading import CPU_SLOWDOWN, LATENCY_MS, LINE_BYTES_PER_SECOND, load
from tests.bench.browser.pages import Page, make_scene
from tests.bench.browser.peers import PEERS, read_version
from tests.bench.browser.server import make_server_app
from tests.bench.browser.table import format_lines, format_targets
from tests.bench.run import report_progress
from tests.browser.chromium import launch
from tests.browser.serving import serve

ROUNDS: Final = 7
SEED: Final = 20
PACKAGES: Final = Path(__file__).parents[3] / "build" / "bench-browser" / "node_modules"

_LEGEND: Final = (
    f"Medians; behind them ratios to {BASELINE} of the same round, those of script time to {SCRIPT_PEER}. "
    "The shift is the largest of all rounds."
)


def main() -> int:
    options = _read_options()
    try:
        versions = {peer.package: read_version(options.packages, peer.package) for peer in PEERS}
    except FileNotFoundError:
        print(f"The peers are not in {options.packages}. Run: make bench-browser", file=sys.stderr)
        return 1
    scene = make_scene(options.packages)
    with serve(make_server_app(scene)) as server, launch() as browser:
        versions = {"Chromium": browser.version, **versions}
        print(_describe(versions, options.rounds, options.seed), flush=True)
        if not scene.has_runtime:
            print("The library's page carries no script.", flush=True)
        origin = f"http://127.0.0.1:{server.server_port}"
        rounds = list(run_rounds(browser, origin, scene.pages, rounds=options.rounds, seed=options.seed))
    lines = {page.name: compute_line(rounds, page.name) for page in scene.pages}
    targets = compute_targets(rounds)
    print(f"\n{format_lines(lines)}\n\n{_LEGEND}\n\n{format_targets(targets)}")
    if options.json:
        _write_json(options.json, versions=versions, seed=options.seed, rounds=rounds, lines=lines, targets=targets)
    return 0


def run_rounds(
    browser: Browser, origin: str, pages: tuple[Page, ...], *, rounds: int, seed: int
) -> Iterator[dict[str, Load]]:
    """Load every page once a round, in an order of chance that the seed repeats."""
    chance = random.Random(seed)
    report_progress("warming up")
    load(browser, origin=origin, name=pages[0].name, selector=pages[0].selector)
    for number in range(1, rounds + 1):
        loads = {}
        for at, page in enumerate(chance.sample(pages, len(pages)), start=1):
            report_progress(f"[round {number}/{rounds}, page {at}/{len(pages)}] {page.name}")
            loads[page.name] = load(browser, origin=origin, name=page.name, selector=page.selector)
        yield loads
    report_progress("")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Load one article with the library's banner and with its peers', in Chromium on a slow line."
    )
    parser.add_argument("--rounds", type=_read_rounds, default=ROUNDS, help=f"loads of each page (default {ROUNDS})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the order within the rounds (default {SEED})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every load to this file")
    parser.add_argument(
        "--packages", type=Path, default=PACKAGES, metavar="FOLDER", help="node_modules that holds the peers"
    )
    return parser.parse_args()


def _read_rounds(text: str) -> int:
    rounds = int(text)
    if rounds < 1:
        raise argparse.ArgumentTypeError("there must be one round at least")
    return rounds


def _describe(versions: dict[str, str], rounds: int, seed: int) -> str:
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    line = f"{LINE_BYTES_PER_SECOND * 8 / 1e6:g} Mbit/s, {LATENCY_MS} ms, processor {CPU_SLOWDOWN} times slower"
    return f"{names}\n{line}; {rounds} rounds, seed {seed}"


def _write_json(
    path: Path,
    *,
    versions: dict[str, str],
    seed: int,
    rounds: list[dict[str, Load]],
    lines: dict[str, dict[str, Figure]],
    targets: list[Target],
) -> None:
    report = {
        "versions": versions,
        "seed": seed,
        "rounds": [{name: asdict(one) for name, one in each.items()} for each in rounds],
        "lines": {
            name: {column: {**asdict(figure), "ratio": figure.ratio} for column, figure in figures.items()}
            for name, figures in lines.items()
        },
        "targets": [{**asdict(target), "verdict": target.verdict} for target in targets],
    }
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
