"""`flask consent ledger seal`, `verify`, `prove`, `check-proof` and `checkpoint`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.core.checkpoint import parse_checkpoint
from consent.errors import LedgerError
from consent.ledger import MemoryLedger
from consent.web.visit import get_site
from consent.wire.signature import SignedKind
from tests.command_runner import make_runner
from tests.conftest import NOW
from tests.ledger_events import ALICE, make_events, number_id
from tests.ledger_site import make_ledger_command, make_ledger_site

EVENT = number_id(3)
OLD = NOW - timedelta(days=900)


@pytest.fixture
def ledger():
    ledger = MemoryLedger()
    ledger.append(make_events(range(1, 6), text_sha256=None))
    return ledger


@pytest.fixture
def run(ledger):
    return make_ledger_command(make_ledger_site(ledger))


@pytest.fixture
def checkpoint(run, tmp_path):
    """The path of a checkpoint over five sealed events."""
    path = tmp_path / "checkpoint"
    run("seal", "--limit", "2")
    assert run("checkpoint", "--output", str(path)).exit_code == 0
    return str(path)


def edit(ledger, statement):
    ledger.database.write(lambda transaction: transaction.execute(statement))


def test_seal_says_what_it_did_and_does_it_once(run):
    assert run("seal").stdout == "5 events sealed. The log has 5 events, under 1 seal.\n"
    assert run("seal").stdout == "0 events sealed. The log has 5 events, under 1 seal.\n"


def test_seal_of_an_empty_ledger_says_so():
    result = make_ledger_command(make_ledger_site(MemoryLedger()))("seal")

    assert (result.exit_code, result.stdout) == (0, "0 events sealed. There is nothing in the log yet.\n")


def test_seal_as_json(run, ledger):
    found = json.loads(run("seal", "--json").stdout)

    assert found == {"sealed": 5, "last_seal": ledger.seals.last().as_dict()}


def test_seal_of_a_lost_key_is_adopted_on_request(run, ledger):
    run("seal")
    ledger.append(make_events([6], text_sha256=None))
    other = make_ledger_command(make_ledger_site(ledger, SECRET_KEY="n" * 32))
    refused = other("seal")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: No key of this app has signed seal 1.")
    assert other("seal", "--adopt").exit_code == 0
    assert other("verify").exit_code == 0


def test_seals_of_a_key_among_the_fallbacks_are_the_site_s_own(run, ledger):
    run("seal")
    ledger.append(make_events([6], text_sha256=None))
    rotated = make_ledger_command(make_ledger_site(ledger, SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["k" * 32]))

    assert rotated("verify").exit_code == 0
    assert rotated("seal").exit_code == 0
    # From then on the old key is not needed.
    assert make_ledger_command(make_ledger_site(ledger, SECRET_KEY="n" * 32))("verify").exit_code == 0


def test_verify_tells_what_it_found_right(run, checkpoint):
    result = run("verify", "--checkpoint", checkpoint)

    assert result.exit_code == 0
    assert result.stdout == (
        "Everything is as it was sealed.\n"
        "\n"
        "sealed      5 events right, under 3 seals\n"
        "erased      0 events, of which the digest alone is left\n"
        "erasures    0 since the checkpoint\n"
        "unsealed    0 events, which can still be changed unnoticed\n"
        "checkpoint  given, signed by this app\n"
    )


def test_verify_tells_of_a_seal_that_is_older_than_the_one_before(ledger):
    app = make_ledger_site(ledger)
    run, moments = make_ledger_command(app), [NOW]
    get_site(app).engine.read_clock = lambda: moments[-1]
    for number in range(6, 9):
        ledger.append(make_events([number], text_sha256=None))
        run("seal")
        moments.append(moments[-1] - timedelta(days=1))
    result = run("verify")

    assert result.exit_code == 0
    assert "\ndates       seal 2 bears an earlier time than the one before: a clock was put back, or" in result.stdout
    assert json.loads(run("verify", "--json").stdout)["backdated_seal"] == 2


def test_verify_without_a_checkpoint_says_what_that_cannot_show(run):
    assert (
        "checkpoint  none: who can write to the database can have had all of it sealed anew\n" in run("verify").stdout
    )


def test_verify_lists_what_was_erased_since_the_checkpoint(run, ledger, checkpoint):
    ledger.erase(ALICE, reason="request of 23 November", at=NOW)
    told = run("verify", "--checkpoint", checkpoint)

    assert told.exit_code == 0
    assert (
        "erased      5 events, of which the digest alone is left\n"
        "erasures    1 since the checkpoint\n"
        "            2026-08-31T12:00:00Z  5 events, 'request of 23 November', row 6, not sealed yet\n"
    ) in told.stdout


def test_verify_shows_the_last_erasures_and_has_all_as_json(run, ledger):
    ledger.append(make_events(range(10, 22), text_sha256=None, recorded_at=OLD, valid_until=OLD))
    while ledger.purge(before=NOW, now=NOW, limit=1):
        pass
    run("seal")
    lines = run("verify").stdout.splitlines()

    assert "erasures    12 in all; the last ones, the rest with --json:" in lines
    assert len([line for line in lines if "1 event, 'retention', row " in line]) == 10
    assert lines[-3] == "            2026-08-31T12:00:00Z  1 event, 'retention', row 29, place 28"
    assert len(json.loads(run("verify", "--json").stdout)["erasures"]) == 12


def test_verify_names_what_is_wrong_first_and_fails(run, ledger, checkpoint):
    edit(ledger, "UPDATE consent_events SET payload = '{}' WHERE position = 4")
    result = run("verify", "--checkpoint", checkpoint)

    assert result.exit_code == 1
    assert result.stdout == (
        "WRONG: The event of row 4 was changed after it was recorded: its digest is another one.\n"
        "First wrong: row 4, place 3 of the log, seal 2. What comes behind it was not looked at.\n"
        "\n"
        "sealed      2 events right, under 1 seal\n"
        "checkpoint  given, signed by this app\n"
    )


def test_verify_names_rows_that_it_cannot_tell_apart(run, ledger, checkpoint):
    edit(ledger, "DELETE FROM consent_events WHERE position > 3")

    assert "First wrong: rows 4 to the end, place 3 of the log." in run("verify", "--checkpoint", checkpoint).stdout


def test_verify_as_json(run, ledger, checkpoint):
    right = json.loads(run("verify", "--checkpoint", checkpoint, "--json").stdout)
    edit(ledger, "DELETE FROM consent_seals WHERE number = 3")
    result = run("verify", "--json")

    assert right == {
        "is_intact": True,
        "problem": None,
        "sealed": 5,
        "erased": 0,
        "erasures": [],
        "unsealed": 0,
        "seals": 3,
        "last_seal": right["last_seal"],
        "backdated_seal": None,
        "has_checkpoint": True,
        "is_checkpoint_signed": True,
    }
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problem"] == {
        "message": "The event of row 5 has a place in the log that no seal covers.",
        "first_position": 5,
        "last_position": 5,
        "leaf_index": 4,
        "seal_number": None,
    }


def test_verify_tells_of_a_checkpoint_that_is_not_the_site_s(run, ledger, checkpoint):
    other = make_ledger_command(make_ledger_site(ledger, SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["k" * 32]))
    ledger.append(make_events([6], text_sha256=None))
    other("seal")
    result = make_ledger_command(make_ledger_site(ledger, SECRET_KEY="n" * 32))("verify", "--checkpoint", checkpoint)

    assert result.exit_code == 0
    assert "checkpoint  given, not signed by a key of this app\n" in result.stdout


def test_checkpoint_is_the_head_of_the_log_with_a_name_of_its_own(run, ledger, checkpoint):
    printed = run("checkpoint").stdout
    first = ledger.seals.list(limit=1)[0]

    assert Path(checkpoint).read_bytes() == printed.encode()
    assert parse_checkpoint(printed).origin == f"consent-ledger/{first.seal_hash.hex()[:16]}"
    assert parse_checkpoint(printed).tree_size == 5
    assert ALICE not in printed


def test_signature_of_a_checkpoint_passes_for_that_of_no_seal(ledger, checkpoint):
    app = make_ledger_site(ledger)
    parsed = parse_checkpoint(Path(checkpoint).read_text(encoding="utf-8"))
    is_signed = get_site(app).engine.is_signed

    assert is_signed(SignedKind.CHECKPOINT, parsed.text.encode(), parsed.signature)
    assert not is_signed(SignedKind.SEAL, parsed.text.encode(), parsed.signature)


def test_checkpoint_takes_a_name(run, checkpoint):
    assert parse_checkpoint(run("checkpoint", "--origin", "example.com/consent").stdout).origin == "example.com/consent"
    refused = run("checkpoint", "--origin", "two words")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: The origin of a checkpoint must be")


def test_checkpoint_before_the_first_seal_is_none(run):
    result = run("checkpoint")

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: There is no seal yet. Run first: flask consent ledger seal\n",
    )


def test_proof_is_checked_without_an_app(run, checkpoint, tmp_path):
    path = str(tmp_path / "proof.json")
    assert run("prove", EVENT, "--output", path).exit_code == 0

    def fail():
        raise RuntimeError("There is no app.")

    result = make_runner().invoke(
        group, ["ledger", "check-proof", path, "--checkpoint", checkpoint], obj=ScriptInfo(create_app=fail)
    )

    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"Proved: event {EVENT} was in the log when the checkpoint was made.\n\nplace     2\ndigest    "
    )
    assert result.stdout.endswith("kind      choice\nrecorded  2026-08-31T12:00:00Z\n")


def test_proof_of_a_later_event_asks_for_a_later_checkpoint(run, ledger, checkpoint, tmp_path):
    ledger.append(make_events([6], text_sha256=None))
    run("seal")
    path = tmp_path / "proof.json"
    path.write_text(run("prove", number_id(6)).stdout)
    refused = (
        run("prove", number_id(6), "--checkpoint", checkpoint),
        run("check-proof", str(path), "--checkpoint", checkpoint),
    )

    for each in refused:
        assert (each.exit_code, each.stdout) == (1, "")
        assert each.stderr == (
            "Error: The event stands at place 5 of the log, and the checkpoint covers the first 5 alone: it says nothing of what "
            "came later. Ask for a later checkpoint.\n"
        )


def test_proof_of_an_erased_event_says_nothing_of_whose_it_was(run, ledger, checkpoint, tmp_path):
    ledger.erase(ALICE, reason="request", at=NOW)
    run("seal")
    path = tmp_path / "proof.json"
    path.write_text(run("prove", EVENT, "--checkpoint", checkpoint).stdout)
    told = run("check-proof", str(path), "--checkpoint", checkpoint).stdout

    assert told.startswith(
        "Proved: a digest was in the log when the checkpoint was made. Its event was erased, and nothing tells any more what it was "
        "of.\n\nplace   2\ndigest  "
    )
    assert EVENT not in told
    assert json.loads(run("check-proof", str(path), "--checkpoint", checkpoint, "--json").stdout)["event_id"] is None


def test_doctored_proof_fails(run, checkpoint, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(run("prove", EVENT).stdout.replace('"choice"', '"withdrawal"'))
    result = run("check-proof", str(path), "--checkpoint", checkpoint)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The event is not the one that was recorded")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "half", "binary", "deep"])
def test_file_that_is_no_json_is_refused_with_its_name(run, checkpoint, tmp_path, content):
    path = tmp_path / "proof.json"
    path.write_bytes(content)
    result = run("check-proof", str(path), "--checkpoint", checkpoint)

    assert result.exit_code == 2
    assert f"Invalid value for FILE: {path}: " in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"{}"], ids=["missing", "empty", "binary", "other"])
def test_file_that_is_no_checkpoint_is_refused_with_its_name(run, tmp_path, content):
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    for command in (["verify"], ["prove", EVENT], ["check-proof", str(path)]):
        result = run(*command, "--checkpoint", str(path))

        assert result.exit_code == 2
        assert f"Invalid value for --checkpoint: {path}: " in result.stderr


def test_checkpoint_with_line_ends_of_another_system_is_refused(run, checkpoint):
    path = Path(checkpoint)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert "such as the line ends of another system" in run("verify", "--checkpoint", checkpoint).stderr


def test_unknown_event_and_place_that_cannot_be_written_are_told(run, checkpoint, tmp_path):
    assert run("prove", "nobody").stderr.startswith("Error: There is no event 'nobody' in the ledger.")
    result = run("prove", EVENT, "--output", str(tmp_path / "none" / "proof.json"))
    assert result.exit_code == 1
    assert result.stderr.endswith("proof.json cannot be written: No such file or directory.\n")


@pytest.mark.parametrize("command", [["seal"], ["verify"], ["prove", EVENT], ["checkpoint"]], ids=lambda each: each[0])
def test_command_without_a_ledger_or_with_one_out_of_reach_says_so(command, ledger):
    without = make_ledger_command(make_ledger_site(None))(*command)

    def fail(*_, **__):
        raise LedgerError("The database does not answer.")

    app = make_ledger_site(ledger)
    ledger.database.read = ledger.database.write = fail
    away = make_ledger_command(app)(*command)

    assert without.exit_code == away.exit_code == 1
    assert without.stderr.startswith("Error: No ledger is configured")
    assert away.stderr == "Error: The database does not answer.\n"


def test_progress_is_no_part_of_the_output(run):
    json.loads(run("seal", "--json").stdout)
    json.loads(run("verify", "--json").stdout)
    json.loads(run("prove", EVENT).stdout)
