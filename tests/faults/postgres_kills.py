"""PostgreSQL killed with SIGKILL, all its processes, while several clients append: what was acknowledged must be there.

Run it at full length: python -m tests.faults.postgres_kills [KILLS]
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock, Semaphore
from uuid import uuid4

from consent.errors import LedgerError
from consent.ledger.sqlalchemy import SQLAlchemyLedger
from tests.ledger_events import make_event
from tests.postgres import PostgresServer, run_server

CLIENTS = 6
# Between two kills, so that each meets a server at work.
_EVENTS_PER_KILL = 100
_STALL_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What became of the events."""

    kills: int
    acknowledged: int
    recovered: int
    retries: int
    lost: int
    """Acknowledged, and not there."""

    doubled: int
    """Rows beyond one for each event."""


@dataclass
class _Load:
    ledger: SQLAlchemyLedger
    acknowledged: list[str] = field(default_factory=list)
    retries: int = 0
    is_over: Event = field(default_factory=Event)
    done: Semaphore = field(default_factory=lambda: Semaphore(0))
    lock: Lock = field(default_factory=Lock)

    def append_on_and_on(self) -> None:
        """Append one event after the other, each again until it is acknowledged."""
        while not self.is_over.is_set():
            event = make_event(event_id=str(uuid4()), subject_id=str(uuid4()))
            while not self._is_kept(event):
                # As a browser does that was told to come back later.
                self.is_over.wait(0.02)

    def _is_kept(self, event) -> bool:
        try:
            result = self.ledger.append([event])
        except LedgerError:
            with self.lock:
                self.retries += 1
            return False
        assert result.stored | result.known == {event.event_id}  # known: of an attempt whose answer was lost
        with self.lock:
            self.acknowledged.append(event.event_id)
        self.done.release()
        return True


def kill_under_load(server: PostgresServer, schema: str, *, kills: int) -> Figures:
    """Kill and restart a server so often, then compare what was acknowledged with what is there."""
    ledger = SQLAlchemyLedger(server.url(schema))
    load = _Load(ledger)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.append_on_and_on) for _ in range(CLIENTS)]
        try:
            for _ in range(kills):
                for _ in range(_EVENTS_PER_KILL):
                    if not load.done.acquire(timeout=_STALL_SECONDS):
                        raise RuntimeError(f"No client got an answer in {_STALL_SECONDS} seconds.")
                server.kill()
                server.start()
        finally:
            load.is_over.set()
    for client in clients:
        client.result()
    ledger.close()
    with server.connect(schema) as connection:
        rows = [str(row[0]) for row in connection.execute("SELECT event_id FROM consent_events")]
    return Figures(
        kills=kills,
        acknowledged=len(load.acknowledged),
        recovered=len(rows),
        retries=load.retries,
        lost=len(set(load.acknowledged) - set(rows)),
        doubled=len(rows) - len(set(rows)),
    )


def main() -> None:
    """Print the figures."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with run_server() as server:
        schema = server.create_schema()
        ledger = SQLAlchemyLedger(server.url(schema))
        ledger.prepare()
        ledger.close()
        print(kill_under_load(server, schema, kills=kills))


if __name__ == "__main__":
    main()
