"""A purge of a real file that is killed half-way: what was erased stays erased, and the next one goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime

from consent.ledger import SQLiteLedger
from tests.ledger_events import list_visitors_ids, make_event, number_id
from tests.ledger_site import make_ledger_command, make_ledger_site

OLD = datetime(2024, 7, 1, tzinfo=UTC)
COUNT = 2500
CHILD = """
import os, signal, sys
# At the end: the checkout must not take the place of the wheel that is tested.
sys.path.append(os.getcwd())
from consent.ledger import SQLiteLedger
from tests.ledger_site import make_ledger_command, make_ledger_site

class KilledLedger(SQLiteLedger):
    calls = 0

    def purge(self, **options):
        self.calls += 1
        if self.calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().purge(**options)

make_ledger_command(make_ledger_site(KilledLedger(sys.argv[1])))("purge", "--yes")
"""


def count_left(ledger):
    return len(list_visitors_ids(ledger))


def test_purge_that_was_killed_goes_on_when_run_again(tmp_path):
    path = tmp_path / "consent.db"
    ledger = SQLiteLedger(path)
    run = make_ledger_command(make_ledger_site(ledger))
    ledger.append(
        [make_event(each, subject_id=number_id(each), recorded_at=OLD, valid_until=OLD) for each in range(COUNT)]
    )
    ledger.close()

    child = subprocess.run([sys.executable, "-c", CHILD, str(path)], check=False, timeout=60)

    assert child.returncode == -signal.SIGKILL
    assert count_left(ledger) == COUNT - 1000
    assert run("purge", "--yes").stdout.startswith("Erased 1,500 events ")
    assert count_left(ledger) == 0
    ledger.close()
