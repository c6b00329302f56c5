"""A process that writes to a ledger until it is killed: several threads, as a server has.

    python -m tests.faults.writer URL LOG [--threads 4]

What its predecessor asked and never saw acknowledged, it sends again first, as a client would.
"""

from __future__ import annotations

import argparse
import logging
from itertools import count
from pathlib import Path
from threading import Thread

from consent.core.ledger import Ledger
from consent.errors import LedgerError
from consent.ledger import open_ledger
from tests.faults.load import Log, make_load, read_log


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("log", type=Path)
    parser.add_argument("--threads", type=int, default=4)
    arguments = parser.parse_args()
    logging.getLogger("consent").setLevel(logging.ERROR)
    ledger = open_ledger(arguments.url, folder=Path())
    asked, acknowledged = read_log(arguments.log)
    log = Log(arguments.log)
    for event_id in asked - acknowledged:
        send(ledger, log, event_id)
    threads = [Thread(target=write, args=(ledger, log)) for _ in range(arguments.threads)]
    for thread in threads:
        thread.start()


def write(ledger: Ledger, log: Log) -> None:
    """Write new events for ever."""
    for _ in count():
        event_id = make_load().event_id
        log.ask(event_id)
        send(ledger, log, event_id)


def send(ledger: Ledger, log: Log, event_id: str) -> None:
    """Send one event until it is acknowledged."""
    while True:
        try:
            ledger.append([make_load(event_id)])
        except LedgerError as error:
            if error.reason not in {"busy", "unavailable"}:
                raise
        else:
            log.acknowledge(event_id)
            return


if __name__ == "__main__":
    main()
