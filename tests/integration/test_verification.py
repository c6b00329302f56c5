"""Verifying names what was changed first: in memory, and in a file that somebody has edited (T107, T111 to T114)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest

from consent.core.event_digest import digest_event
from consent.core.ledger import ConsentEvent
from consent.core.merkle import Frontier
from consent.core.seal import NO_SEAL_HASH, hash_seal
from consent.ledger.verification import verify
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, make_notice, number_id
from tests.sealed_log import Key, open_memory_log, open_sqlite_log

LATER = NOW + timedelta(days=800)


@pytest.fixture(params=["memory", "sqlite"])
def log(request, tmp_path):
    """Twelve events of two visitors under three seals, and two that wait for one."""
    log = open_memory_log() if request.param == "memory" else open_sqlite_log(tmp_path / "consent.db")
    log.append(*range(1, 7))
    log.append(*range(7, 13), subject_id=BOB)
    log.seal(limit=4)
    log.append(13, 14)
    yield log
    log.ledger.close()


def find_problem(log, checkpoint=None, key=None):
    problem = log.verify(checkpoint, key).problem
    assert problem is not None
    return problem


def find_rows(log, checkpoint=None):
    problem = find_problem(log, checkpoint)
    return problem.first_position, problem.last_position


def write_anew(log, position, **changes):
    """Change an event as somebody does who knows how digests are made."""
    row = next(row for row in log.ledger.scan() if row.position == position)
    assert row.event
    digest = digest_event(replace(row.event, **changes), row.salt or b"")
    columns = ", ".join(f"{name} = :{name}" for name in changes)
    log.edit(
        f"UPDATE consent_events SET {columns}, digest = :digest WHERE position = :at",
        at=position,
        digest=digest,
        **changes,
    )


def seal_anew(log, key):
    """Replace all seals by ones over what is there now."""
    sizes = [seal.tree_size for seal in log.ledger.seals.list()]
    log.edit("DELETE FROM consent_seals")
    previous, frontier = NO_SEAL_HASH, Frontier()
    digests = log.ledger.seals.digests()
    for number, size in enumerate(sizes, start=1):
        while frontier.size < size:
            frontier.append(digests[frontier.size])
        made = hash_seal(number, tree_size=size, root=frontier.root(), previous_hash=previous, sealed_at=NOW)
        log.edit(
            "INSERT INTO consent_seals VALUES (:number, :size, :root, :previous, :at, :hash, :signature, '')",
            number=number,
            size=size,
            root=frontier.root(),
            previous=previous,
            at=int(NOW.timestamp()),
            hash=made,
            signature=key.sign(made),
        )
        previous = made


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
    problem = find_problem(log)

    assert (problem.first_position, problem.last_position, problem.leaf_index, problem.seal_number) == (6, 6, 5, 2)
    assert problem.message == "The event of row 6 was changed after it was recorded: its digest is another one."


def test_bytes_that_are_no_text_name_the_row(tmp_path):
    log = open_sqlite_log(tmp_path / "consent.db")
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_events SET payload = CAST(x'ff00fe' AS TEXT) WHERE position = 2")

    assert find_rows(log) == (2, 2)


def test_first_of_several_edits_is_named(log):
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position IN (11, 3, 7)")

    assert find_rows(log) == (3, 3)


def test_edit_with_a_digest_to_match_names_the_rows_that_one_seal_knows_apart(log):
    write_anew(log, 6, payload="{}")
    problem = find_problem(log)

    # Rows 5 to 8 are under seal 2; after it, the log was one full tree of eight.
    assert (problem.first_position, problem.last_position, problem.seal_number) == (5, 8, 2)
    assert problem.message == (
        "Among rows 5 to 8 one was changed together with its digest, removed or put in: the root of seal 2 is another one."
    )


def test_edit_with_a_digest_to_match_is_narrowed_to_a_full_tree_within_the_seal():
    log = open_memory_log()
    log.append(*range(1, 23))
    log.seal()
    write_anew(log, 18, payload="{}")

    # 22 = 16 + 4 + 2: the sealer kept the hash of each.
    assert find_rows(log) == (17, 20)


def test_edit_is_not_narrowed_where_somebody_removed_what_the_sealer_kept(log):
    log.edit("UPDATE consent_seals SET frontier = 'none'")
    write_anew(log, 10, payload="{}")

    assert find_rows(log) == (9, 12)


def test_edited_row_without_a_seal_is_named(log):
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 14")
    problem = find_problem(log)

    assert (problem.first_position, problem.leaf_index, problem.seal_number) == (14, None, None)


@pytest.mark.parametrize("position", [1, 4, 5, 6, 11])
def test_deleted_row_is_named_with_its_place(log, position):
    log.edit("DELETE FROM consent_events WHERE position = :at", at=position)
    problem = find_problem(log)

    assert problem.leaf_index == position - 1
    assert problem.first_position in {position, None}
    assert problem.last_position == position
    assert problem.message.startswith(f"The event at place {position - 1} of the log was removed: it stood ")


def test_deleted_end_is_named(log):
    log.edit("DELETE FROM consent_events WHERE position > 10")
    problem = find_problem(log)

    assert (problem.first_position, problem.last_position, problem.leaf_index) == (11, None, 10)
    assert problem.message == (
        "The event at place 10 of the log was removed: it stood after row 10, and nothing follows it."
    )


def test_deleted_row_whose_place_the_others_took_is_found(log):
    log.edit("DELETE FROM consent_events WHERE position = 6")
    for leaf in range(6, 12):
        log.edit("UPDATE consent_events SET leaf_index = :before WHERE leaf_index = :at", at=leaf, before=leaf - 1)

    # Seal 2 now covers rows 5, 7, 8 and 9.
    assert find_rows(log) == (5, 9)


def test_row_put_in_behind_the_last_seal_has_no_place(log):
    log.edit("UPDATE consent_events SET leaf_index = 12 WHERE position = 13")
    problem = find_problem(log)

    assert problem.first_position == 13
    assert problem.message == "The event of row 13 has a place in the log that no seal covers."


def test_row_put_in_among_others_is_found(log):
    for leaf in range(11, 5, -1):
        log.edit("UPDATE consent_events SET leaf_index = :behind WHERE leaf_index = :at", at=leaf, behind=leaf + 1)
    log.edit("UPDATE consent_events SET leaf_index = 6 WHERE position = 13")
    problem = find_problem(log)

    # Rows 5 and 6 stand where they stood; then comes 13.
    assert (problem.first_position, problem.last_position, problem.leaf_index) == (7, 13, 6)
    assert problem.message == "Rows 7 to 13 are not in the order in which they were sealed."


def test_reordered_rows_are_named(log):
    for position, leaf in ((6, 100), (8, 5), (6, 7)):
        log.edit("UPDATE consent_events SET leaf_index = :leaf WHERE position = :at", at=position, leaf=leaf)
    problem = find_problem(log)

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

    assert find_rows(log) == (5, 8)


def test_row_with_text_for_a_place_is_no_row_of_the_log(tmp_path):
    log = open_sqlite_log(tmp_path / "consent.db")
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_events SET leaf_index = 'first' WHERE position = 1")

    assert find_problem(log).leaf_index == 0


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
    problem = find_problem(log)

    assert (problem.seal_number, problem.leaf_index, problem.first_position) == (2, 4, 5)
    assert problem.message.startswith("Seal 2 was changed after it was made, or stands in for another")


def test_exchanged_seals_are_named(log):
    for number, other in ((2, 20), (3, 2), (20, 3)):
        log.edit("UPDATE consent_seals SET number = :other WHERE number = :number", number=number, other=other)

    assert find_problem(log).seal_number == 2


def test_removed_seal_is_named(log):
    log.edit("DELETE FROM consent_seals WHERE number = 2")
    problem = find_problem(log)

    assert problem.message == "Seal 2 was removed: the next one is seal 3."
    assert (problem.first_position, problem.last_position) == (5, 12)


@pytest.mark.parametrize("numbers", ["3", "1, 2, 3"])
def test_removed_last_seals_leave_rows_that_none_covers(log, numbers):
    log.edit(f"DELETE FROM consent_seals WHERE number IN ({numbers})")

    assert find_problem(log).message.endswith("has a place in the log that no seal covers.")


def test_seals_made_again_with_another_key_are_nobody_s(log):
    write_anew(log, 6, payload="{}")
    seal_anew(log, Key(secret=b"somebody else's"))
    problem = find_problem(log)

    assert (problem.seal_number, problem.first_position) == (1, 1)
    assert problem.message.startswith("Neither seal 1 nor one behind it is signed by a key of this app")


def test_last_seal_made_again_with_another_key_is_named(log):
    last = log.ledger.seals.last()
    log.edit("UPDATE consent_seals SET signature = :it WHERE number = 3", it=Key(secret=b"else").sign(last.seal_hash))
    problem = find_problem(log)

    assert (problem.seal_number, problem.first_position, problem.last_position) == (3, 9, 12)


def test_seals_of_a_key_that_is_gone_hold_behind_one_of_the_new_key(log):
    log.seal(key=Key(secret=b"new", older=[log.key.secret]))

    assert log.verify(key=Key(secret=b"new")).is_intact


def test_break_in_the_chain_ends_what_a_later_signature_vouches_for(log):
    new = Key(secret=b"new", older=[log.key.secret])
    log.seal(key=new)
    log.edit("DELETE FROM consent_seals WHERE number = 2")

    assert find_problem(log, key=Key(secret=b"new")).seal_number == 1
    assert find_problem(log, key=new).seal_number == 3


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


# Artefacts --------------------------------------------------------------------------------------------------------------


def keep_notice(log):
    notice, artefacts = make_notice()
    log.ledger.notices.keep(notice, artefacts, at=NOW)
    log.append(20, text_sha256=notice.text_sha256, ui_sha256=notice.ui_sha256)
    log.seal()
    return notice


def test_event_whose_notice_is_kept_is_intact(log):
    keep_notice(log)

    assert log.verify().is_intact


@pytest.mark.parametrize("name", ["text_sha256", "ui_sha256"])
def test_edited_artefact_is_named_with_the_first_event_that_refers_to_it(log, name):
    address = getattr(keep_notice(log), name)
    log.edit("UPDATE consent_artefacts SET body = 'Agree?' WHERE sha256 = :address", address=address)
    problem = find_problem(log)

    assert problem.first_position == 15
    assert problem.message == (
        f"The event of row 15 has lost what its visitor was shown. The artefact {address} was changed: its hash is another one."
    )


def test_removed_artefact_is_named_with_the_first_event_that_refers_to_it(log):
    notice = keep_notice(log)
    log.edit("DELETE FROM consent_artefacts WHERE sha256 = :address", address=notice.text_sha256)

    assert find_problem(log).first_position == 15


def test_edited_or_removed_configuration_is_found_with_its_notice(log):
    notice = keep_notice(log)
    log.edit("UPDATE consent_artefacts SET body = '' WHERE sha256 = :it", it=notice.configuration_sha256)
    edited = find_problem(log)
    log.edit("DELETE FROM consent_artefacts WHERE sha256 = :it", it=notice.configuration_sha256)
    removed = find_problem(log)

    for problem in (edited, removed):
        assert problem.message.startswith("The notice of policy version 'v1' in 'en': The artefact ")
        assert problem.first_position is None


def test_edited_artefact_that_nothing_refers_to_is_found(log):
    log.edit("INSERT INTO consent_artefacts VALUES (:it, 'text/html', '')", it="0" * 64)

    assert find_problem(log).message == f"The artefact {'0' * 64} was changed: its hash is another one."


def test_artefact_that_is_purged_with_its_event_meanwhile_is_no_problem(log, monkeypatch):
    keep_notice(log)
    notices = log.ledger.notices
    read = type(notices).read

    def purge_and_read(store, address):
        log.ledger.erase(ALICE, reason="request", at=NOW)
        log.ledger.purge_artefacts(kept_before=NOW + timedelta(days=1))
        return read(store, address)

    monkeypatch.setattr(type(notices), "read", purge_and_read)

    assert log.verify().is_intact


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

    assert log.verify().sealed == 14


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

    assert find_problem(log).message == f"The event of row 8 {fault}"


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


# Checkpoints ------------------------------------------------------------------------------------------------------------


def test_log_that_grew_since_the_checkpoint_is_intact(log):
    checkpoint = log.checkpoint()
    log.seal()

    assert log.verify(checkpoint).is_intact


def test_log_written_anew_with_the_site_s_own_key_fails_against_the_checkpoint_alone(log):
    """T114: somebody with database and keys can rewrite everything but what was kept elsewhere."""
    checkpoint = log.checkpoint()
    write_anew(log, 6, payload="{}")
    seal_anew(log, log.key)

    assert log.verify().is_intact
    problem = find_problem(log, checkpoint)
    assert (problem.first_position, problem.last_position, problem.leaf_index) == (1, 12, 0)
    assert problem.message.startswith("The log is not the one that the checkpoint was made of")


def test_log_written_anew_under_fewer_seals_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    write_anew(log, 6, payload="{}")
    log.edit("DELETE FROM consent_seals")
    log.edit("UPDATE consent_events SET leaf_index = NULL")
    log.seal()

    assert find_rows(log, checkpoint) == (1, 12)


def test_end_that_was_cut_off_with_its_seal_fails_against_the_checkpoint_alone(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals WHERE number = 3")
    log.edit("DELETE FROM consent_events WHERE position > 8")

    assert log.verify().is_intact
    problem = find_problem(log, checkpoint)
    assert problem.leaf_index == 8
    assert problem.message.startswith("The checkpoint covers 12 events, and 8 are sealed")


def test_everything_gone_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals")
    log.edit("DELETE FROM consent_events")

    assert find_problem(log, checkpoint).leaf_index == 0


def test_seal_made_anew_over_the_same_events_fails_against_the_checkpoint(log):
    checkpoint = log.checkpoint()
    log.edit("DELETE FROM consent_seals WHERE number = 3")
    log.edit("UPDATE consent_events SET leaf_index = NULL WHERE position > 8")
    log.edit("DELETE FROM consent_events WHERE position > 12")
    log.seal(now=NOW - timedelta(days=30))
    problem = find_problem(log, checkpoint)

    assert problem.seal_number == 3
    assert problem.message.startswith("Seal 3 is not the one that the checkpoint was made of")


def test_change_before_the_checkpoint_is_still_named_by_its_row(log):
    checkpoint = log.checkpoint()
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 6")

    assert find_rows(log, checkpoint) == (6, 6)


def test_checkpoint_of_nothing_is_the_beginning_of_any_log(log):
    empty = replace(log.checkpoint(), tree_size=0, root=sha256(b"").digest(), seal=None)

    assert log.verify(empty).is_intact
    assert find_problem(log, replace(empty, root=bytes(32))).leaf_index == 0


def test_checkpoint_of_another_key_is_not_the_site_s_own(log):
    checkpoint = replace(log.checkpoint(), signature="0" * 64)

    assert not log.verify(checkpoint).is_checkpoint_signed
