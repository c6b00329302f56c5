"""Verifying names what was changed first: in memory, and in a file that somebody has edited (T107, T111 to T114)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest

from consent.core.event_digest import digest_event
from consent.core.ledger import ConsentEvent
from consent.ledger.verification import verify
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, number_id
from tests.sealed_log import open_memory_log, open_sqlite_log

LATER = NOW + timedelta(days=800)


# What is right ----------------------------------------------------------------------------------------------------------


def test_log_that_nobody_touched_is_intact(log):
    verdict = log.verify(log.checkpoint())

    assert verdict.is_intact
    assert (verdict.sealed, verdict.unsealed, verdict.erased, verdict.seals) == (12, 2, 0, 3)
    assert verdict.last_seal == log.ledger.seals.last()
    assert verdict.is_checkpoint_signed


def test_empty_ledger_is_intact():
    verdict = open_memory_log().verify()

    assert (verdict.is_intact, verdict.sealed, verdict.seals, verdict.last_seal) == (True, 0, 0, None)


def test_progress_tells_of_every_row(log):
    told: list[int] = []
    verify(log.ledger, is_signed=log.key.is_signed, on_progress=told.append)

    assert sum(told) == 14


def test_what_is_appended_and_sealed_meanwhile_is_no_problem(log, monkeypatch):
    scan_sealed, number = log.ledger.scan_sealed, iter(range(15, 20))

    def scan(**options):
        for each in [*number][:5]:
            log.append(each)
            log.seal()
        return scan_sealed(**options)

    monkeypatch.setattr(log.ledger, "scan_sealed", scan)
    verdict = log.verify()

    assert (verdict.problem, verdict.sealed, verdict.unsealed) == (None, 19, 0)


# Rows -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", "{}"),
        ("payload", None),
        ("subject_id", BOB),
        ("revision", 7),
        ("revision", "many"),
        ("kind", "withdrawal"),
        ("recorded_at", 0),
        ("recorded_at", 10**17),
        ("valid_until", 2**33),
        ("text_sha256", "2" * 64),
        ("event_id", number_id(99)),
        ("salt", bytes(32)),
        ("digest", bytes(32)),
    ],
)
def test_edited_column_names_the_row(log, column, value):
    log.edit(f"UPDATE consent_events SET {column} = :value WHERE position = 6", value=value)
    problem = log.find_problem()

    assert (problem.first_position, problem.last_position, problem.leaf_index, problem.seal_number) == (6, 6, 5, 2)
    assert problem.message == "The event of row 6 was changed after it was recorded: its digest is another one."


def test_bytes_that_are_no_text_name_the_row(tmp_path):
    log = open_sqlite_log(tmp_path / "consent.db")
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_events SET payload = CAST(x'ff00fe' AS TEXT) WHERE position = 2")

    assert log.find_rows() == (2, 2)


def test_first_of_several_edits_is_named(log):
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position IN (11, 3, 7)")

    assert log.find_rows() == (3, 3)


def test_edit_with_a_digest_to_match_names_the_rows_that_one_seal_knows_apart(log):
    log.write_anew(6, payload="{}")
    problem = log.find_problem()

    # Rows 5 to 8 are under seal 2; after it, the log was one full tree of eight.
    assert (problem.first_position, problem.last_position, problem.seal_number) == (5, 8, 2)
    assert problem.message == (
        "Among rows 5 to 8 one was changed together with its digest, removed or put in: the root of seal 2 is another one."
    )


def test_edit_with_a_digest_to_match_is_narrowed_to_a_full_tree_within_the_seal():
    log = open_memory_log()
    log.append(*range(1, 23))
    log.seal()
    log.write_anew(18, payload="{}")

    # 22 = 16 + 4 + 2: the sealer kept the hash of each.
    assert log.find_rows() == (17, 20)


def test_edit_is_not_narrowed_where_somebody_removed_what_the_sealer_kept(log):
    log.edit("UPDATE consent_seals SET frontier = 'none'")
    log.write_anew(10, payload="{}")

    assert log.find_rows() == (9, 12)


def test_edited_row_without_a_seal_is_named(log):
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 14")
    problem = log.find_problem()

    assert (problem.first_position, problem.leaf_index, problem.seal_number) == (14, None, None)


@pytest.mark.parametrize("position", [1, 4, 5, 6, 11])
def test_deleted_row_is_named_with_its_place(log, position):
    log.edit("DELETE FROM consent_events WHERE position = :at", at=position)
    problem = log.find_problem()

    assert problem.leaf_index == position - 1
    assert problem.first_position in {position, None}
    assert problem.last_position == position
    assert problem.message.startswith(f"The event at place {position - 1} of the log was removed: it stood ")


def test_deleted_end_is_named(log):
    log.edit("DELETE FROM consent_events WHERE position > 10")
    problem = log.find_problem()

    assert (problem.first_position, problem.last_position, problem.leaf_index) == (11, None, 10)
    assert problem.message == (
        "The event at place 10 of the log was removed: it stood after row 10, and nothing follows it."
    )


def test_deleted_row_whose_place_the_others_took_is_found(log):
    log.edit("DELETE FROM consent_events WHERE position = 6")
    for leaf in range(6, 12):
        log.edit("UPDATE consent_events SET leaf_index = :before WHERE leaf_index = :at", at=leaf, before=leaf - 1)

    # Seal 2 now covers rows 5, 7, 8 and 9.
    assert log.find_rows() == (5, 9)


def test_row_put_in_behind_the_last_seal_has_no_place(log):
    log.edit("UPDATE consent_events SET leaf_index = 12 WHERE position = 13")
    problem = log.find_problem()

    assert problem.first_position == 13
    assert problem.message == "The event of row 13 has a place in the log that no seal covers."


def test_row_put_in_among_others_is_found(log):
    for leaf in range(11, 5, -1):
        log.edit("UPDATE consent_events SET leaf_index = :behind WHERE leaf_index = :at", at=leaf, behind=leaf + 1)
    log.edit("UPDATE consent_events SET leaf_index = 6 WHERE position = 13")
    problem = log.find_problem()

    # Rows 5 and 6 stand where they stood; then comes 13.
    assert (problem.first_position, problem.last_position, problem.leaf_index) == (7, 13, 6)
    assert problem.message == "Rows 7 to 13 are not in the order in which they were sealed."


def test_reordered_rows_are_named(log):
    for position, leaf in ((6, 100), (8, 5), (6, 7)):
        log.edit("UPDATE consent_events SET leaf_index = :leaf WHERE position = :at", at=position, leaf=leaf)
    problem = log.find_problem()

    assert (problem.first_position, problem.last_position, problem.leaf_index, problem.seal_number) == (6, 8, 5, 2)


def test_exchanged_contents_are_found(log):
    names = [*(name for name in ConsentEvent.__slots__), "salt", "digest"]
    rows = {row.position: row for row in log.ledger.scan()}
    log.edit("UPDATE consent_events SET event_id = 'aside' WHERE position = 6")
    for target, source in ((8, rows[6]), (6, rows[8])):
        event = source.event
        values = {name: getattr(event, name) for name in ConsentEvent.__slots__}
        values |= {name: int(values[name].timestamp()) for name in ("recorded_at", "valid_until")}
        if target == 8:
            log.edit("UPDATE consent_events SET event_id = 'too' WHERE position = 8")
        columns = ", ".join(f"{name} = :{name}" for name in names)
        log.edit(
            f"UPDATE consent_events SET {columns} WHERE position = :at",
            at=target,
            salt=source.salt,
            digest=source.digest,
            **values,
        )

    assert log.find_rows() == (5, 8)


@pytest.mark.parametrize("position", [13, 3])
def test_row_with_a_place_before_the_beginning_is_named(log, position):
    log.edit("UPDATE consent_events SET leaf_index = -1 WHERE position = :at", at=position)
    problem = log.find_problem(log.checkpoint())

    assert (problem.first_position, problem.leaf_index) == (position, -1)
    assert problem.message == (
        f"The event of row {position} has a place before the beginning of the log, so that no seal covers it."
    )


def test_row_before_the_first_is_named(log):
    log.edit("UPDATE consent_events SET position = -5, leaf_index = -2 WHERE position = 14")
    problem = log.find_problem()

    assert problem.first_position == -5
    assert problem.message == "Row -5 stands before the first: somebody has put it in."


def test_row_that_comes_by_in_no_order_is_missed(log, monkeypatch):
    """As where an index has lost it: a search for the event itself still finds it."""
    health = replace(log.ledger.health(), details={"events": 15})
    monkeypatch.setattr(log.ledger, "health", lambda: health)

    assert log.find_problem().message.startswith(
        "Of 15 rows 14 came by, in the order of the log and of their arrival: "
    )


def test_rows_under_one_seal_that_changed_their_positions_are_named(log):
    """Of equal revisions, the later position is what counts."""
    for position, other in ((6, 100), (7, 6), (100, 7)):
        log.edit("UPDATE consent_events SET position = :other WHERE position = :at", at=position, other=other)

    assert log.find_problem().message == "Rows 6 to 7 are not in the order in which they were sealed."


def test_row_with_text_for_a_place_is_no_row_of_the_log(tmp_path):
    log = open_sqlite_log(tmp_path / "consent.db")
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_events SET leaf_index = 'first' WHERE position = 1")

    assert log.find_problem().leaf_index == 0


# Erasing ----------------------------------------------------------------------------------------------------------------


def test_erased_subject_leaves_the_log_intact(log):
    checkpoint = log.checkpoint()
    assert log.ledger.erase(ALICE, reason="request", at=NOW) == 8
    verdict = log.verify(checkpoint)

    assert (verdict.is_intact, verdict.sealed, verdict.erased) == (True, 12, 8)


def test_purging_in_pieces_leaves_the_log_intact_after_each(log):
    while log.ledger.purge(before=LATER, now=LATER, limit=5):
        assert log.verify().is_intact

    assert log.verify().erased == 14


def test_erased_event_is_sealed_like_any_other(log):
    log.ledger.erase(ALICE, reason="request", at=NOW)
    log.seal()

    # And so is what says that it was erased.
    assert log.verify().sealed == 15


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("salt = :it", "is marked as erased, and its salt was left."),
        ("erased_at = NULL", "has lost its salt, and it was not erased."),
    ],
)
def test_half_erased_row_is_named(log, change, fault):
    log.ledger.erase(BOB, reason="request", at=NOW)
    log.edit(f"UPDATE consent_events SET {change} WHERE position = 8", **({"it": bytes(32)} if ":it" in change else {}))

    assert log.find_problem().message == f"The event of row 8 {fault}"


def test_digest_of_an_erased_event_is_guessed_by_nobody_who_lacks_the_salt(log):
    """T112: with every value that the event may have had, and even with the salts of others."""
    event = make_event(3, text_sha256=None)
    salts = [row.salt for row in log.ledger.scan() if row.event and row.event.subject_id == BOB]
    assert digest_event(event, log.ledger.find(event.event_id).salt) == log.ledger.find(event.event_id).digest
    log.ledger.erase(ALICE, reason="request", at=NOW)
    row = log.ledger.find(event.event_id)

    guesses = (
        replace(event, kind=kind, revision=revision)
        for kind, revision in product(("choice", "withdrawal", "acknowledgement"), range(1, 20))
    )
    assert not any(digest_event(guess, salt) == row.digest for guess in guesses for salt in (b"", bytes(32), *salts))
    assert sha256(event.payload.encode()).digest() != row.digest
