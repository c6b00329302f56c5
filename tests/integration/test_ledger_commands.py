"""`flask consent ledger status` and `upgrade`, and what every command of the group says without a ledger."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest

from consent.command_ledger import using_ledger
from consent.core.ledger import Health
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.ledger.waiting import find_wait
from tests.conftest import NOW
from tests.ledger_events import BOB, make_event, make_events, make_seal
from tests.ledger_site import make_ledger_command, make_ledger_site

OLD = NOW - timedelta(days=1000)
COMMANDS = (["status"], ["upgrade"], ["export"], ["stream"], ["erase", BOB, "--yes"], ["purge", "--yes"])


class _ClosedLedger(MemoryLedger):
    """A ledger whose database has gone away since the site started."""

    def health(self):
        return Health(is_writable=False, problem="The database does not answer.", details={"backend": "postgresql"})

    def _fail(self, *_, **__):
        raise LedgerError("The database does not answer.")

    upgrade = scan = scan_sealed = history = count_purgeable = _fail


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def run(ledger):
    return make_ledger_command(make_ledger_site(ledger))


def lines_of(result):
    return [line.split(maxsplit=1) for line in result.stdout.splitlines()]


def test_status_of_an_empty_ledger_has_nothing_to_do(run):
    result = run("status")

    assert result.exit_code == 0
    assert result.stdout == (
        "writable        yes\n"
        "backend         memory\n"
        f"version         {sqlite3.sqlite_version}\n"
        "schema version  1\n"
        "events          0\n"
        "erased          0\n"
        "erasures        0\n"
        "unsealed        0\n"
        "last seal       none\n"
        "retention       24 months\n"
    )


def test_status_says_what_waits_for_a_seal_and_what_is_too_old(run, ledger):
    ledger.append([*make_events([1, 2], recorded_at=OLD, valid_until=OLD), make_event(3, subject_id=BOB)])
    ledger.seals.add(make_seal(1, 1), [1])

    result = run("status")

    assert result.exit_code == 0
    assert "last seal       number 1, at 2026-08-31T12:00:00Z, over 1 event\n" in result.stdout
    assert result.stdout.endswith(
        "to do           2 events without a seal can be changed unnoticed. Run, best every hour: flask consent ledger seal\n"
        "                2 events older than 24 months to be erased. Run, best every day: flask consent ledger purge\n"
    )


def test_status_as_json_has_the_same(run, ledger):
    ledger.append([make_event()])

    found = json.loads(run("status", "--json").stdout)

    assert found["is_writable"] is True
    assert found["details"]["unsealed"] == 1
    assert (found["last_seal"], found["retention_months"], found["older"]) == (None, 24, 0)
    assert len(found["next"]) == 1


def test_status_of_a_ledger_out_of_reach_fails():
    result = make_ledger_command(make_ledger_site(_ClosedLedger()))("status")

    assert result.exit_code == 1
    assert result.stdout == (
        "writable   no\nproblem    The database does not answer.\nbackend    postgresql\nretention  24 months\n"
    )


def test_upgrade_of_a_ledger_that_needs_none(run):
    result = run("upgrade")

    assert (result.exit_code, result.stdout) == (0, "The ledger has schema version 1: up to date.\n")


def test_upgrade_says_from_where_to_where(ledger):
    run = make_ledger_command(make_ledger_site(ledger))
    for table in ("events", "seals", "artefacts", "notices", "tallies", "schema"):
        ledger.database.write(lambda transaction, name=table: transaction.execute(f"DROP TABLE consent_{name}"))

    assert run("status").exit_code == 1
    assert run("upgrade").stdout == "The ledger has schema version 1: upgraded from 0 to 1.\n"
    assert run("status").exit_code == 0


@pytest.mark.parametrize("options", COMMANDS, ids=lambda options: options[0])
def test_command_without_a_ledger_names_the_setting(options):
    result = make_ledger_command(make_ledger_site(None))(*options)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No ledger is configured")
    assert "Set CONSENT_LEDGER to a URL such as 'sqlite:///consent.db'" in result.stderr


@pytest.mark.parametrize("options", COMMANDS[1:], ids=lambda options: options[0])
def test_command_on_a_ledger_out_of_reach_says_why(options):
    ledger = _ClosedLedger()
    ledger.append([make_event(subject_id=BOB)])

    result = make_ledger_command(make_ledger_site(ledger))(*options)

    assert (result.exit_code, result.stderr) == (1, "Error: The database does not answer.\n")


def test_command_waits_longer_than_a_request(ledger):
    with make_ledger_site(ledger).app_context(), using_ledger():
        assert find_wait(2.0) == 60.0
