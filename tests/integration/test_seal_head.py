"""`flask consent ledger seal --checkpoint FILE`: a log that was changed to be sealed anew is not sealed."""

from __future__ import annotations

import json

import pytest

from consent.core.checkpoint import parse_checkpoint
from consent.ledger import MemoryLedger
from tests.ledger_events import make_events
from tests.ledger_site import make_ledger_command, make_ledger_site

OTHER_KEY = {"SECRET_KEY": "n" * 32}


@pytest.fixture
def ledger():
    ledger = MemoryLedger()
    ledger.append(make_events(range(1, 6), text_sha256=None))
    return ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "head"


@pytest.fixture
def seal(ledger, path):
    """Run the command as cron does."""
    run = make_ledger_command(make_ledger_site(ledger))
    return lambda *options: run("seal", "--limit", "2", "--checkpoint", str(path), *options)


@pytest.fixture
def sealed(ledger, seal):
    """The ledger, sealed twice, with an event that waits."""
    seal()
    ledger.append(make_events([6], text_sha256=None))
    seal()
    ledger.append(make_events([7], text_sha256=None))
    return ledger


def edit(ledger, *statements):
    for statement in statements:
        ledger.database.write(lambda transaction, each=statement: transaction.execute(each))


def read_size(path):
    return parse_checkpoint(path.read_text("utf-8")).tree_size


def test_head_is_written_with_the_first_seal_and_after_each(ledger, seal, path):
    assert seal().exit_code == 0
    first = path.read_text("utf-8")
    ledger.append(make_events([6], text_sha256=None))
    assert seal().exit_code == 0

    assert (parse_checkpoint(first).tree_size, read_size(path)) == (5, 6)
    assert parse_checkpoint(first).origin == parse_checkpoint(path.read_text("utf-8")).origin
    assert make_ledger_command(make_ledger_site(ledger))("verify", "--checkpoint", str(path)).exit_code == 0


def test_head_of_a_log_that_has_not_grown_stays_as_it_is(sealed, seal, path):
    seal()
    before = path.stat()
    result = seal()

    assert (result.exit_code, result.stdout) == (0, "0 events sealed. The log has 7 events, under 5 seals.\n")
    assert path.stat() == before


def test_nothing_to_seal_in_an_empty_ledger_leaves_no_head(path):
    result = make_ledger_command(make_ledger_site(MemoryLedger()))("seal", "--checkpoint", str(path))

    assert result.exit_code == 0
    assert not path.exists()


@pytest.mark.parametrize(
    "statements",
    [
        # As somebody does who has no key, and waits for cron to sign what they have made of the log.
        ("DELETE FROM consent_seals", "UPDATE consent_events SET leaf_index = NULL"),
        (
            "DELETE FROM consent_seals WHERE number = 4",
            "UPDATE consent_events SET leaf_index = NULL WHERE leaf_index >= 5",
        ),
        ("UPDATE consent_seals SET seal_hash = previous_hash WHERE number = 4",),
        ("UPDATE consent_seals SET tree_size = 3 WHERE number = 4",),
    ],
    ids=["all seals", "last seal", "hash", "size"],
)
def test_log_that_was_made_ready_to_be_sealed_anew_is_not_sealed(sealed, seal, path, statements):
    edit(sealed, *statements)
    seals, head = sealed.seals.list(), path.read_bytes()
    result = seal("--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        "Error: The log has not grown out of the 6 events that the checkpoint was made of. Seal 4 is not there any more, or is "
        "another one. Somebody has changed the ledger,"
    )
    assert (sealed.seals.list(), path.read_bytes()) == (seals, head)
    # Without the head, the sealer signs what it finds.
    if not seals:
        assert make_ledger_command(make_ledger_site(sealed))("seal").exit_code == 0


def test_chain_that_was_broken_since_is_not_gone_on_with(sealed, seal, path):
    head = path.read_bytes()
    seal()
    sealed.append(make_events([8], text_sha256=None))
    seal()
    path.write_bytes(head)
    sealed.append(make_events([9], text_sha256=None))
    edit(sealed, "DELETE FROM consent_seals WHERE number = 5")

    assert "Seal 5 was removed: the next one is seal 6." in seal().stderr


def test_what_is_changed_while_it_is_sealed_is_not_vouched_for(sealed, seal, path, monkeypatch):
    head, add = path.read_bytes(), type(sealed.seals).add

    def add_and_edit(store, made, positions):
        added = add(store, made, positions)
        edit(sealed, "UPDATE consent_seals SET sealed_at = 0 WHERE number = 4")
        return added

    monkeypatch.setattr(type(sealed.seals), "add", add_and_edit)

    assert seal().exit_code == 1
    assert path.read_bytes() == head


def test_head_that_is_lost_is_asked_for(sealed, seal, path):
    path.unlink()
    result = seal()

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {path} is not there, although the log has seals. If it was lost, put a copy of it there; for a log that had none "
        f"so far, verify it, and run once: flask consent ledger checkpoint --output {path}\n"
    )
    assert make_ledger_command(make_ledger_site(sealed))("checkpoint", "--output", str(path)).exit_code == 0
    assert seal().stdout.startswith("1 event sealed.")


def test_head_of_another_key_is_refused_and_adopted_on_request(sealed, seal, path):
    other = make_ledger_command(make_ledger_site(sealed, **OTHER_KEY))
    refused = other("seal", "--checkpoint", str(path))

    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {path} is not signed by a key of this app: ")
    assert other("seal", "--checkpoint", str(path), "--adopt").exit_code == 0
    assert other("seal", "--checkpoint", str(path)).exit_code == 0
    assert read_size(path) == 7


def test_key_among_the_fallbacks_still_signs_the_head(sealed, path):
    rotated = make_ledger_command(make_ledger_site(sealed, **OTHER_KEY, SECRET_KEY_FALLBACKS=["k" * 32]))

    assert rotated("seal", "--checkpoint", str(path)).exit_code == 0
    assert make_ledger_command(make_ledger_site(sealed, **OTHER_KEY))("seal", "--checkpoint", str(path)).exit_code == 0


def test_head_that_names_no_seal_is_refused(sealed, seal, path):
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("seal ")), "utf-8", newline="\n")

    assert seal("--adopt").stderr.startswith("Error: The checkpoint names no seal. Take one that was written by: ")


def test_place_that_cannot_be_written_is_refused_before_anything_is_sealed(ledger, tmp_path):
    run = make_ledger_command(make_ledger_site(ledger))
    result = run("seal", "--checkpoint", str(tmp_path / "none" / "head"))

    assert result.exit_code == 2
    assert "Invalid value for --checkpoint" in result.stderr
    assert ledger.seals.last() is None


def test_result_as_json_is_the_same_with_a_head(ledger, seal):
    assert json.loads(seal("--json").stdout) == {"sealed": 5, "last_seal": ledger.seals.last().as_dict()}
