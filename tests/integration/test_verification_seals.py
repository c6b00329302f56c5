"""Verifying names the seal that is wrong, and holds the log against what was kept elsewhere (T107, T114)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest

from consent.core.seal import hash_seal
from tests.conftest import NOW
from tests.sealed_log import Key

# Seals ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tree_size", 7),
        ("root", bytes(32)),
        ("root", "text"),
        ("sealed_at", 0),
        ("sealed_at", "yesterday"),
        ("seal_hash", bytes(32)),
        ("previous_hash", bytes(32)),
    ],
)
def test_edited_seal_is_named_with_what_is_under_it(log, column, value):
    log.edit(f"UPDATE consent_seals SET {column} = :value WHERE number = 2", value=value)
    problem = log.find_problem()

    assert (problem.seal_number, problem.leaf_index, problem.first_position) == (2, 4, 5)
    assert problem.message.startswith("Seal 2 was changed after it was made, or stands in for another")


def test_exchanged_seals_are_named(log):
    for number, other in ((2, 20), (3, 2), (20, 3)):
        log.edit("UPDATE consent_seals SET number = :other WHERE number = :number", number=number, other=other)

    assert log.find_problem().seal_number == 2


def test_removed_seal_is_named(log):
    log.edit("DELETE FROM consent_seals WHERE number = 2")
    problem = log.find_problem()

    assert problem.message == "Seal 2 was removed: the next one is seal 3."
    assert (problem.first_position, problem.last_position) == (5, 12)


@pytest.mark.parametrize("numbers", ["3", "1, 2, 3"])
def test_removed_last_seals_leave_rows_that_none_covers(log, numbers):
    log.edit(f"DELETE FROM consent_seals WHERE number IN ({numbers})")

    assert log.find_problem().message.endswith("has a place in the log that no seal covers.")


def test_seals_made_again_with_another_key_are_nobody_s(log):
    log.write_anew(6, payload="{}")
    log.seal_anew(Key(secret=b"somebody else's"))
    problem = log.find_problem()

    assert (problem.seal_number, problem.first_position) == (1, 1)
    assert problem.message.startswith("Neither seal 1 nor one behind it is signed by a key of this app")


def test_last_seal_made_again_with_another_key_is_named(log):
    last = log.ledger.seals.last()
    log.edit("UPDATE consent_seals SET signature = :it WHERE number = 3", it=Key(secret=b"else").sign(last.seal_hash))
    problem = log.find_problem()

    assert (problem.seal_number, problem.first_position, problem.last_position) == (3, 9, 12)


def test_seals_of_a_key_that_is_gone_hold_behind_one_of_the_new_key(log):
    log.seal(key=Key(secret=b"new", older=[log.key.secret]))

    assert log.verify(key=Key(secret=b"new")).is_intact


def test_break_in_the_chain_ends_what_a_later_signature_vouches_for(log):
    new = Key(secret=b"new", older=[log.key.secret])
    log.seal(key=new)
    log.edit("DELETE FROM consent_seals WHERE number = 2")

    assert log.find_problem(key=Key(secret=b"new")).seal_number == 1
    assert log.find_problem(key=new).seal_number == 3


def test_seals_that_cover_nothing_new_or_follow_another_are_refused(log):
    last = log.ledger.seals.last()
    for size, previous in product((12, 13), (last.seal_hash, last.previous_hash)):
        made = hash_seal(4, tree_size=size, root=last.root, previous_hash=previous, sealed_at=NOW)
        log.edit(
            "INSERT INTO consent_seals VALUES (4, :size, :root, :previous, :at, :hash, :signature, '')",
            size=size,
            root=last.root,
            previous=previous,
            at=int(NOW.timestamp()),
            hash=made,
            signature=log.key.sign(made),
        )
        assert log.verify().problem is not None
        log.edit("DELETE FROM consent_seals WHERE number = 4")

    assert log.verify().is_intact


# Checkpoints ------------------------------------------------------------------------------------------------------------


def test_log_that_grew_since_the_checkpoint_is_intact(log):
    checkpoint = log.checkpoint()
    log.seal()

    assert log.verify(checkpoint).is_intact


def test_log_written_anew_with_the_site_s_own_key_fails_against_the_checkpoint_alone(log):
    """T114: somebody with database and keys can rewrite everything but what was kept elsewhere."""
    checkpoint = log.checkpoint()
    log.write_anew(6, payload="{}")
    log.seal_anew(log.key)

    assert log.verify().is_intact
    problem = log.find_problem(checkpoint)
    assert (problem.first_position, problem.last_position, problem.leaf_index) == (1, 12, 0)
    assert problem.message.startswith("The log is not the one that the checkpoint was made of")


def test_log_written_anew_under_fewer_seals_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    log.write_anew(6, payload="{}")
    log.edit("DELETE FROM consent_seals")
    log.edit("UPDATE consent_events SET leaf_index = NULL")
    log.seal()

    assert log.find_rows(checkpoint) == (1, 12)


def test_end_that_was_cut_off_with_its_seal_fails_against_the_checkpoint_alone(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals WHERE number = 3")
    log.edit("DELETE FROM consent_events WHERE position > 8")

    assert log.verify().is_intact
    problem = log.find_problem(checkpoint)
    assert problem.leaf_index == 8
    assert problem.message.startswith("The checkpoint covers 12 events, and 8 are sealed")


def test_everything_gone_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals")
    log.edit("DELETE FROM consent_events")

    assert log.find_problem(checkpoint).leaf_index == 0


def test_seal_made_anew_over_the_same_events_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals WHERE number = 3")
    log.edit("UPDATE consent_events SET leaf_index = NULL WHERE position > 8")
    log.edit("DELETE FROM consent_events WHERE position > 12")
    log.seal(now=NOW - timedelta(days=30))
    problem = log.find_problem(checkpoint)

    assert problem.seal_number == 3
    assert problem.message.startswith("Seal 3 is not the one that the checkpoint was made of")


def test_change_before_the_checkpoint_is_still_named_by_its_row(log):
    checkpoint = log.checkpoint()
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 6")

    assert log.find_rows(checkpoint) == (6, 6)


def test_checkpoint_of_nothing_is_the_beginning_of_any_log(log):
    empty = replace(log.checkpoint(), tree_size=0, root=sha256(b"").digest(), seal=None)

    assert log.verify(empty).is_intact
    assert log.find_problem(replace(empty, root=bytes(32))).leaf_index == 0


def test_checkpoint_of_another_key_is_not_the_site_s_own(log):
    checkpoint = replace(log.checkpoint(), signature="0" * 64)

    assert not log.verify(checkpoint).is_checkpoint_signed
