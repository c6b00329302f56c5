"""Kills, lost power, failing and full disks, forks: short runs of `tests/faults`; docs/durability.md has the long ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from consent.errors import LedgerError
from tests.faults.disk import Disk, RecordingVFS, leave_nothing, leave_torn
from tests.faults.failing import FailNext
from tests.faults.full_disk import run_model
from tests.faults.io_errors import run_flaky
from tests.faults.kill import run as run_kills
from tests.faults.load import count
from tests.faults.power_loss import judge, record
from tests.faults.power_loss import run as lose_power
from tests.faults.report import BEGIN, END, write_page
from tests.faults.sqlite_over import open_over
from tests.ledger_events import make_event, make_events

EVENTS, FAILURES = 60, 15


@pytest.fixture
def disk():
    return Disk()


def left_by(disk, leave=leave_nothing):
    """Return what is on the disk at the very end of its log."""
    *_, (image, _) = disk.failures(every=10**9, leave=leave)
    return image


def test_nothing_acknowledged_is_lost_to_kills(tmp_path):
    figures = run_kills(tmp_path, kills=6, chance=Random(1))

    assert figures.is_kept, figures


def test_nothing_acknowledged_is_lost_to_power_failures():
    for figures in lose_power(synchronous="FULL", events=EVENTS, chance=Random(1), failures=FAILURES):
        assert figures.is_kept, figures


def test_power_failures_would_show_what_weaker_syncing_loses(tmp_path):
    disk = record(tmp_path / "consent.db", synchronous="NORMAL", events=EVENTS)

    assert judge(disk, leave=leave_nothing, title="NORMAL", failures=FAILURES).lost > 0


@pytest.mark.parametrize("rates", [{"sync": 0.1}, {"write": 0.05}, {"sync": 0.2, "truncate": 0.2, "open": 0.05}])
def test_nothing_acknowledged_is_lost_to_failing_disks(rates):
    for figures in run_flaky(rates=rates, events=EVENTS, seed=1, failures=FAILURES):
        assert figures.is_kept, figures


def test_nothing_acknowledged_is_lost_to_full_disks():
    figures = run_model(events=EVENTS)

    assert figures.is_kept, figures
    assert figures.notes["refusals"]


def test_commit_that_was_refused_is_on_disk_before_it_is_acknowledged_after_all(tmp_path, disk):
    fail = FailNext()
    vfs = RecordingVFS("failed syncs", disk, fail=fail)
    ledger = open_over(tmp_path / "consent.db", vfs)
    ledger.prepare()
    ledger.close()  # with no reader left, the log is read back at the next opening
    ledger.append([make_event(1)])
    # That of the commit, and that of the checkpoint when the connection is closed: the log stays, and shows the commit.
    fail.plan(["sync", "sync"])
    # So many that pages are split: half of the change would be a damaged file.
    batch = make_events(range(2, 80))
    with pytest.raises(LedgerError):
        ledger.append(batch)
    ledger.append(batch)
    disk.note("acknowledged", batch[-1].event_id)
    ledger.close()
    vfs.unregister()

    figures = judge(disk, leave=leave_nothing, title="at every moment", failures=len(disk.log))

    assert figures.is_kept, figures


def test_forked_processes_lose_and_double_nothing():
    command = [sys.executable, "-m", "tests.faults.forked", "--events", "60"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_figures_tell_what_is_lost_and_what_is_doubled():
    figures = count("a test", ["a", "b", "c"], ["a", "b", "b"], faults=1)

    assert (figures.lost, figures.doubled, figures.is_kept) == (1, 1, False)
    assert str(figures).startswith("a test: faults 1, acknowledged 3, recovered 2, lost 1, doubled 1, sound True")


def test_page_gets_no_figures_of_faults_that_never_came(tmp_path):
    page = tmp_path / "durability.md"
    page.write_text(before := f"above\n{BEGIN}\nold\n{END}\nbelow\n")
    figures = [count("errors of sync", ["a"], ["a"], faults=number) for number in (3, 0)]

    with pytest.raises(ValueError, match=r"Nothing failed in 'errors of sync': the page stays as it is\."):
        write_page(page, ["new"], figures)

    assert page.read_text() == before
    write_page(page, ["new"], figures[:1])
    assert page.read_text() == f"above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n"


def test_disk_keeps_what_was_synced(disk):
    disk.note("write", "file", 0, b"synced")
    disk.note("sync", "file")
    disk.note("write", "file", 6, b" and not")
    disk.note("truncate", "file", 2)

    assert left_by(disk) == {"file": b"synced"}
    disk.note("sync", "file")
    assert left_by(disk) == {"file": b"sy"}


def test_disk_tears_the_last_write(disk):
    disk.note("write", "file", 0, b"whole")
    disk.note("write", "file", 5, b"halved")

    assert left_by(disk, leave_torn) == {"file": b"wholehal"}


def test_disk_never_gets_what_a_failed_sync_dropped(disk):
    disk.note("write", "file", 0, b"dropped")
    disk.note("failed_sync", "file")
    disk.note("write", "file", 7, b"!")
    disk.note("sync", "file")

    assert left_by(disk) == {"file": bytes(7) + b"!"}


def test_disk_brings_no_deleted_file_back(disk):
    disk.note("write", "file", 0, b"synced")
    disk.note("sync", "file")
    disk.note("delete", "file")

    assert left_by(disk) == {}
