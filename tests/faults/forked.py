"""Let four forked processes write to one file beside their parent, as a server does that loads the app first (T94).

python -m tests.faults.forked --events 500
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from consent.core.ledger import Ledger
from consent.ledger.sqlite import SQLiteLedger
from tests.faults.kill import check_integrity
from tests.faults.load import Figures, count, make_load, read_ids

CHILDREN = 4


def run(folder: Path, *, events: int) -> Figures:
    """Write, fork while the writer's thread lives, and write on in every process at once."""
    ledger = SQLiteLedger(folder / "consent.db")
    ledger.prepare()
    ids, _ = write(ledger, events=1)
    children = [_fork(ledger, folder / f"child-{number}", events=events) for number in range(CHILDREN)]
    own_ids, worst = write(ledger, events=events)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * CHILDREN, f"the children ended with {codes}"
    told = [json.loads((folder / f"child-{number}").read_text()) for number in range(CHILDREN)]
    stored = list(read_ids(ledger))
    ledger.close()
    return count(
        f"{CHILDREN} forked processes and their parent",
        [*ids, *own_ids, *(event_id for ids, _ in told for event_id in ids)],
        stored,
        faults=CHILDREN,
        is_sound=check_integrity(folder / "consent.db"),
        notes={"worst write ms": round(1000 * max(worst, *(each for _, each in told)), 1)},
    )


def write(ledger: Ledger, *, events: int) -> tuple[list[str], float]:
    """Write one event after the other; return their ids and the longest time that one took, in seconds."""
    ids, worst = [], 0.0
    for _ in range(events):
        event = make_load()
        start = time.perf_counter()
        ledger.append([event])
        worst = max(worst, time.perf_counter() - start)
        ids.append(event.event_id)
    return ids, worst


def _fork(ledger: Ledger, path: Path, *, events: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        path.write_text(json.dumps(write(ledger, events=events)))
        ledger.close()
        code = 0
    finally:
        os._exit(code)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write from forked processes and print the longest wait.")
    parser.add_argument("--events", type=int, default=500, help="by each process")
    with TemporaryDirectory() as folder:
        figures = run(Path(folder), events=parser.parse_args().events)
    print(figures)
    return 0 if figures.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
