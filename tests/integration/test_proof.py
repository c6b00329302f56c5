"""A proof holds with nothing but a checkpoint, and a doctored one does not (T110, T111, T114)."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace

import pytest

from consent.core.event_digest import digest_event
from consent.core.merkle import EMPTY_ROOT, hash_node
from consent.core.proof import Growth, Proof, read_proof
from consent.core.seal import Seal, hash_seal
from consent.errors import LedgerError, ProofError
from consent.ledger.proof import check_proof, prove
from tests.conftest import NOW
from tests.ledger_events import ALICE, make_event, number_id
from tests.sealed_log import open_memory_log


@pytest.fixture
def log():
    """Eleven events under three seals."""
    log = open_memory_log()
    log.append(*range(1, 12))
    log.seal(limit=4)
    return log


def send(proof):
    """Take a proof through JSON, as to another machine."""
    return json.loads(json.dumps(proof.as_dict()))


def find_refusal(data, checkpoint):
    with pytest.raises(ProofError) as caught:
        check_proof(data, checkpoint)
    return str(caught.value)


@pytest.mark.parametrize("number", range(1, 12))
def test_every_event_is_proved_with_the_checkpoint_of_the_last_seal(log, number):
    checkpoint = log.checkpoint()
    proof = check_proof(send(prove(log.ledger, number_id(number))), checkpoint)

    assert proof.event == make_event(number, text_sha256=None)
    assert proof.leaf_index == number - 1
    assert proof == replace(prove(log.ledger, number_id(number)), seal=proof.seal)


def test_event_is_proved_with_an_earlier_checkpoint_that_the_log_has_grown_out_of(log):
    checkpoint = log.checkpoint()
    log.append(*range(12, 20))
    log.seal()
    proof = check_proof(send(prove(log.ledger, number_id(3), checkpoint=checkpoint)), checkpoint)

    assert (proof.event, proof.leaf_index) == (make_event(3, text_sha256=None), 2)


def test_event_behind_the_checkpoint_is_not_proved_by_it(log):
    checkpoint = log.checkpoint()
    log.append(12)
    log.seal()

    with pytest.raises(
        ProofError, match=r"^The event stands at place 11 of the log, and the checkpoint covers the first 11 alone"
    ):
        prove(log.ledger, number_id(12), checkpoint=checkpoint)


@pytest.mark.parametrize("size", [8, 0])
def test_event_made_up_behind_a_checkpoint_by_somebody_who_has_nothing_else_is_not_proved(size):
    """Behind a full tree, and behind nothing, the root is all that it takes to let the log grow."""
    log = open_memory_log()
    log.append(*range(1, 9))
    log.seal()
    known = log.checkpoint() if size else replace(log.checkpoint(), tree_size=0, root=EMPTY_ROOT)
    event, salt = make_event(99), bytes(32)
    digest = digest_event(event, salt)
    root, path = (hash_node(known.root, digest), (known.root,)) if size else (digest, ())
    made = {"tree_size": size + 1, "root": root, "previous_hash": bytes(32), "sealed_at": NOW}
    forged = Proof(
        event=event,
        salt=salt,
        digest=digest,
        leaf_index=size,
        path=path,
        seal=Seal(number=2, seal_hash=hash_seal(2, **made), signature="nobody", **made),
        growth=Growth(tree_size=size, path=(digest,) if size else ()),
    )

    assert find_refusal(send(forged), known) == (
        f"The event stands at place {size} of the log, and the checkpoint covers the first {size} alone: it says nothing of what "
        "came later. Ask for a later checkpoint."
    )


def test_only_event_of_a_log_is_proved_by_its_digest():
    log = open_memory_log()
    log.append(1)
    log.seal()
    proof = prove(log.ledger, number_id(1))

    assert proof.path == ()
    assert check_proof(send(proof), log.checkpoint()).leaf_index == 0


def test_proof_is_json_of_this_shape(log):
    data = send(prove(log.ledger, number_id(3)))

    assert [*data] == ["schema", "event_id", "event", "salt", "digest", "leaf_index", "path", "seal", "growth"]
    assert data["schema"] == "consent-proof/1"
    assert data["event"] == {
        "subject_id": ALICE,
        "revision": 1,
        "kind": "choice",
        "recorded_at": "2026-08-31T12:00:00Z",
        "valid_until": "2027-02-27T12:00:00Z",
        "text_sha256": None,
        "ui_sha256": None,
        "payload": make_event(3).payload,
    }
    assert len(data["path"]) == 4
    assert data["growth"] is None


def test_proof_of_an_erased_event_says_so_and_still_holds(log):
    checkpoint = log.checkpoint()
    before = prove(log.ledger, number_id(3))
    log.ledger.erase(ALICE, reason="request", at=NOW)
    data = send(prove(log.ledger, number_id(3)))

    assert (data["event"], data["event_id"], data["salt"]) == ("erased", None, None)
    assert not {ALICE, number_id(3)} & set(json.dumps(data).split('"'))
    assert check_proof(data, checkpoint).event is None
    # What was handed out before holds as long as whoever has it keeps it.
    assert check_proof(send(before), checkpoint).event == before.event


def test_checking_needs_neither_ledger_nor_framework(log, tmp_path):
    proof, checkpoint = tmp_path / "proof.json", tmp_path / "checkpoint"
    proof.write_text(json.dumps(prove(log.ledger, number_id(3)).as_dict()))
    checkpoint.write_text(log.checkpoint().write(), encoding="utf-8", newline="")
    code = (
        "import json, sys; from pathlib import Path; proof, checkpoint = map(Path, sys.argv[1:]); from consent.core.checkpoint import parse_checkpoint; "
        "from consent.ledger.proof import check_proof; "
        "print(check_proof(json.loads(proof.read_text()), parse_checkpoint(checkpoint.read_text('utf-8')))"
        ".leaf_index, 'flask' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, proof, checkpoint], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["2", "False"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("event_id",), number_id(4)),
        (("event", "subject_id"), "somebody else"),
        (("event", "revision"), 2),
        (("event", "kind"), "withdrawal"),
        (("event", "recorded_at"), "2026-08-31T12:00:01Z"),
        (("event", "valid_until"), "2029-02-27T12:00:00Z"),
        (("event", "text_sha256"), "1" * 64),
        (("event", "ui_sha256"), "1" * 64),
        (("event", "payload"), "{}"),
        (("salt",), "0" * 64),
        (("digest",), "0" * 64),
        (("leaf_index",), 3),
        (("leaf_index",), 11),
        (("path", 0), "0" * 64),
        (("path",), []),
        (("seal", "tree_size"), 12),
        (("seal", "root"), "0" * 64),
        (("seal", "number"), 4),
        (("seal", "sealed_at"), "2020-01-01T00:00:00Z"),
        (("seal", "previous_hash"), "0" * 64),
        (("seal", "seal_hash"), "0" * 64),
        (("growth",), {"tree_size": 11, "path": ["0" * 64]}),
        (("growth",), {"tree_size": 4, "path": []}),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_doctored_proof_proves_nothing(log, path, value):
    data = send(prove(log.ledger, number_id(3)))
    *way, name = path
    target = data
    for each in way:
        target = target[each]
    target[name] = value

    assert find_refusal(data, log.checkpoint())


@pytest.mark.parametrize(("name", "value"), [("event_id", number_id(3)), ("salt", "0" * 64)])
def test_proof_of_an_erased_event_says_nothing_of_whose_it_was(log, name, value):
    data = send(prove(log.ledger, number_id(3))) | {"event": "erased", "event_id": None, "salt": None}
    assert check_proof(data, log.checkpoint()).event is None

    assert find_refusal(data | {name: value}, log.checkpoint()).startswith(
        f"'{name}' of the proof must be null where 'event' is 'erased'."
    )


def test_digest_of_an_inner_node_is_no_erased_event(log):
    data = send(prove(log.ledger, number_id(3)))
    inner = deepcopy(data) | {
        "event": "erased",
        "event_id": None,
        "salt": None,
        "digest": data["path"][1],
        "path": data["path"][2:],
    }

    assert find_refusal(inner, log.checkpoint()).startswith("The path does not lead from the event to the seal")


def test_proof_from_a_log_written_anew_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    other = open_memory_log()
    other.append(*range(1, 11), 99)
    other.seal()

    assert find_refusal(send(prove(other.ledger, number_id(3))), checkpoint).startswith(
        "The log has not grown out of the 11 events that the checkpoint was made of"
    )


def test_proof_for_another_size_says_how_to_have_it_made(log):
    checkpoint = log.checkpoint()
    log.append(12)
    log.seal()

    assert find_refusal(send(prove(log.ledger, number_id(3))), checkpoint) == (
        "The proof was made for a checkpoint of 12 events, and this one is of 11. Have it made for this one: flask consent "
        f"ledger prove {number_id(3)} --checkpoint FILE"
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), "consent-proof/2", "The data is no proof: its 'schema' must be 'consent-proof/1'."),
        (("event_id",), None, "'event_id' of the proof must be text."),
        (("event",), None, "'event' of the proof must be an object or 'erased'."),
        (("event",), "gone", "'event' of the proof must be an object or 'erased'."),
        (("event", "payload"), "\ud800", "'payload' of the proof must be text."),
        (("event", "revision"), True, "'revision' of the proof must be a whole number."),
        (("event", "recorded_at"), "today", "'recorded_at' of the proof must be a time such as 2026-11-23T08:25:00Z."),
        (("salt",), None, "'salt' of the proof must be 64 hexadecimal digits."),
        (("digest",), "A" * 64, "'digest' of the proof must be 64 hexadecimal digits."),
        (("digest",), "0" * 63 + "\n", "'digest' of the proof must be 64 hexadecimal digits."),
        (("leaf_index",), -1, "'leaf_index' of the proof must be a whole number."),
        (("leaf_index",), 1.0, "'leaf_index' of the proof must be a whole number."),
        (("leaf_index",), 2**63, "'leaf_index' of the proof must be a whole number."),
        (("path",), "0" * 64, "'path' of the proof must be a list of 64 hexadecimal digits each."),
        (("path",), [1], "'path' of the proof must be a list of 64 hexadecimal digits each."),
        (("seal",), [], "'seal' of the proof must be an object."),
        (("growth",), [], "'growth' of the proof must be an object or null."),
        (("growth",), {"path": []}, "'tree_size' of the proof must be a whole number."),
    ],
    ids=str,
)
def test_malformed_proof_is_refused_by_the_name_of_the_member(log, path, value, message):
    data = send(prove(log.ledger, number_id(3)))
    *way, name = path
    target = data
    for each in way:
        target = target[each]
    target[name] = value

    assert find_refusal(data, log.checkpoint()) == f"{message} Take it as it was written by: flask consent ledger prove"


@pytest.mark.parametrize("data", [None, [], "", 7, {}, [{}]])
def test_what_is_no_proof_at_all_is_refused(data):
    with pytest.raises(ProofError, match="is no proof"):
        read_proof(data)


def test_event_that_is_not_there_or_not_sealed_is_not_proved(log):
    log.append(12)

    with pytest.raises(ProofError, match=r"^There is no event 'nobody' in the ledger"):
        prove(log.ledger, "nobody")
    with pytest.raises(ProofError, match=r"has no seal yet\. Run first: flask consent ledger seal$"):
        prove(log.ledger, number_id(12))


def test_changed_log_proves_nothing(log):
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 3")
    with pytest.raises(ProofError, match=r"^The event is not the one that was recorded"):
        prove(log.ledger, number_id(3))

    log.edit("UPDATE consent_events SET digest = :it WHERE position = 5", it=bytes(32))
    with pytest.raises(ProofError, match=r"^The path does not lead from the event to the seal"):
        prove(log.ledger, number_id(4))

    log.edit("DELETE FROM consent_events WHERE position = 5")
    with pytest.raises(LedgerError, match=r"^The log has no event at place 4, and 11 are sealed"):
        prove(log.ledger, number_id(4))


def test_proof_for_a_checkpoint_that_the_log_has_not_grown_out_of_is_not_made(log):
    checkpoint = log.checkpoint()

    for other in (
        replace(checkpoint, tree_size=12),
        replace(checkpoint, tree_size=9),
        replace(checkpoint, root=bytes(32)),
    ):
        with pytest.raises(ProofError, match=r"^The log has not grown out of"):
            prove(log.ledger, number_id(3), checkpoint=other)


def test_progress_tells_of_the_whole_log(log):
    told: list[int] = []
    prove(log.ledger, number_id(3), on_progress=told.append)

    assert sum(told) == 11
