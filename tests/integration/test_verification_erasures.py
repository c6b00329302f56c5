"""Verifying holds what was erased against what the log says was erased: in memory, and in a file that somebody has edited."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent.core.erasure import make_erasure
from tests.conftest import NOW
from tests.ledger_events import ALICE, BOB, make_event, number_id

LATER = NOW + timedelta(days=800)
# What `erase` leaves of a row, by hand.
EMPTY = (
    "subject_id = NULL, revision = NULL, kind = NULL, recorded_at = NULL, valid_until = NULL, text_sha256 = NULL, "
    "ui_sha256 = NULL, payload = NULL, salt = NULL"
)
OTHER_SCHEMA = '{"schema":"consent-erasure/2","event_ids":[],"event_time":"2028-11-08T12:00:00Z","reason":"request"}'
UNNAMED = (
    "The event of row 3 was erased, and no erasure in the log names it as it is: it was not erased by this library, or its id, "
    "time or reason was changed since."
)


def erase_by_hand(log, *positions):
    at = ", ".join(map(str, positions))
    log.edit(
        f"UPDATE consent_events SET {EMPTY}, erased_at = :at, erasure_reason = 'request' WHERE position IN ({at})",
        at=int(LATER.timestamp()),
    )


def test_row_that_somebody_emptied_is_named(log):
    erase_by_hand(log, 3, 7)
    problem = log.find_problem(log.checkpoint())

    assert (problem.message, problem.first_position, problem.leaf_index) == (UNNAMED, 3, 2)


def test_row_without_a_seal_that_somebody_emptied_is_named(log):
    erase_by_hand(log, 14)

    assert log.find_rows() == (14, 14)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_erased_row_with_another_id_is_named(log, is_sealed):
    log.ledger.erase(ALICE, reason="request", at=NOW)
    if is_sealed:
        log.seal()
    log.edit("UPDATE consent_events SET event_id = 'another' WHERE position = 3")

    assert log.find_problem().message == (
        "An event that the erasure of row 15 names was removed altogether, or its id was changed."
    )


@pytest.mark.parametrize("change", ["erased_at = 5", "erasure_reason = 'other'"])
def test_erased_row_that_says_another_time_or_reason_is_named(log, change):
    log.ledger.erase(ALICE, reason="request", at=NOW)
    log.edit(f"UPDATE consent_events SET {change} WHERE position = 3")
    problem = log.find_problem()

    assert problem.first_position == 3
    assert problem.message == (
        "The event of row 3 says another time or reason than the erasure of row 15, which names it."
    )


def test_row_that_is_marked_as_erased_with_its_content_left_is_named(log):
    log.edit("UPDATE consent_events SET salt = NULL, erased_at = 1 WHERE position = 3")

    assert log.find_problem().message == "The event of row 3 is marked as erased, and its content was left."


@pytest.mark.parametrize("column", ["subject_id", "payload", "text_sha256", "recorded_at"])
def test_content_that_came_back_to_an_erased_row_is_named(log, column):
    log.ledger.erase(ALICE, reason="request", at=NOW)
    log.edit(f"UPDATE consent_events SET {column} = '1' WHERE position = 3")

    assert log.find_problem().message == "The event of row 3 is marked as erased, and its content was left."


def test_event_that_is_there_although_an_erasure_names_it_is_named(log):
    log.ledger.append([make_erasure(number_id(99), event_ids=[number_id(3)], reason="request", at=NOW)])
    problem = log.find_problem()

    assert problem.first_position == 3
    assert problem.message == "The event of row 3 is there, although the erasure of row 15 names it."


@pytest.mark.parametrize("is_sealed", [True, False])
def test_erasure_that_was_erased_is_named(log, is_sealed):
    log.ledger.erase(BOB, reason="request", at=LATER)
    if is_sealed:
        log.seal()
    erase_by_hand(log, 15)

    assert log.find_problem().message == UNNAMED.replace("row 3", "row 7")


def test_erasure_that_was_removed_before_it_was_sealed_leaves_rows_that_none_names(log):
    log.ledger.erase(BOB, reason="request", at=LATER)
    log.edit("DELETE FROM consent_events WHERE position = 15")

    assert log.find_rows() == (7, 7)


def test_erasure_that_says_less_than_was_erased_is_named(log):
    log.ledger.erase(BOB, reason="request", at=LATER)
    event = make_erasure(number_id(99), event_ids=[number_id(7)], reason="request", at=LATER)
    log.write_anew(15, payload=event.payload)

    assert log.find_rows() == (8, 8)


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"schema":"consent-erasure/1","event_ids":7}', OTHER_SCHEMA])
def test_erasure_that_says_nothing_is_named(log, payload):
    log.ledger.erase(BOB, reason="request", at=LATER)
    log.write_anew(15, payload=payload)

    assert log.find_problem().message == "The erasure of row 15 does not say what was erased."


def test_erasures_since_the_checkpoint_are_listed(log):
    log.ledger.purge(before=LATER, now=LATER, limit=2)
    log.seal()
    checkpoint = log.checkpoint()
    log.ledger.erase(ALICE, reason="request", at=LATER)
    log.seal()
    log.ledger.erase(BOB, reason="asked to", at=LATER)
    since, ever = log.verify(checkpoint), log.verify()

    assert [(each.position, each.leaf_index, each.reason, each.events) for each in since.erasures] == [
        (16, 15, "request", 6),
        (17, None, "asked to", 6),
    ]
    assert [each.events for each in ever.erasures] == [2, 6, 6]
    assert since.as_dict()["erasures"][0] == {
        "event_id": since.erasures[0].event_id,
        "position": 16,
        "leaf_index": 15,
        "erased_at": "2028-11-08T12:00:00Z",
        "reason": "request",
        "events": 6,
    }


def test_erasing_by_hand_with_an_erasure_to_match_is_listed_at_least(log):
    """Who writes to the database has it sealed: the operator is to see an erasure that they did not ask for."""
    checkpoint = log.checkpoint()
    erase_by_hand(log, 3)
    log.ledger.append([make_erasure(number_id(99), event_ids=[number_id(3)], reason="request", at=LATER)])
    log.seal()
    verdict = log.verify(checkpoint)

    assert [(each.event_id, each.events) for each in verdict.erasures] == [(number_id(99), 1)]


@pytest.mark.parametrize("is_sealing", [True, False])
@pytest.mark.parametrize("name", ["scan_sealed", "scan"])
def test_what_is_erased_meanwhile_is_no_problem(log, monkeypatch, name, is_sealing):
    read, subjects = getattr(log.ledger, name), [ALICE, BOB]

    def erase_and_read(**options):
        rows = read(**options)
        if rows and subjects:
            log.ledger.erase(subjects.pop(), reason="request", at=LATER)
            log.append(40 + len(subjects))
            if is_sealing:
                log.seal()
        return rows

    monkeypatch.setattr(log.ledger, name, erase_and_read)
    verdict = log.verify()

    assert verdict.problem is None
    assert len({each.event_id for each in verdict.erasures}) == len(verdict.erasures)


def test_erasure_that_is_sealed_while_nobody_looks_is_found(log, monkeypatch):
    """It has no seal while the log is followed, and one when what has no seal is looked at."""
    log.ledger.erase(BOB, reason="request", at=LATER)
    store = type(log.ledger.seals)
    unsealed = store.unsealed

    def seal_and_read(seals, *, limit):
        monkeypatch.setattr(store, "unsealed", unsealed)
        log.seal()
        return unsealed(seals, limit=limit)

    monkeypatch.setattr(store, "unsealed", seal_and_read)
    verdict = log.verify()

    assert verdict.problem is None
    assert [each.leaf_index for each in verdict.erasures] == [14]


def test_erasing_between_the_log_and_what_waits_is_no_problem(log, monkeypatch):
    store = type(log.ledger.seals)
    unsealed = store.unsealed

    def erase_and_read(seals, *, limit):
        monkeypatch.setattr(store, "unsealed", unsealed)
        log.ledger.erase(BOB, reason="request", at=LATER)
        log.ledger.append([make_event(50, text_sha256=None)])
        log.seal()
        log.ledger.erase(ALICE, reason="request", at=LATER)
        return unsealed(seals, limit=limit)

    monkeypatch.setattr(store, "unsealed", erase_and_read)

    assert log.verify().problem is None
