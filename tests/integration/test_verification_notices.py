"""Verifying names what is missing or changed of what visitors were shown: in memory, and in a file (R4, R22)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.ledger_events import ALICE, make_notice, number_id


def keep_notice(log):
    notice, artefacts = make_notice()
    log.ledger.notices.keep(notice, artefacts, at=NOW)
    log.append(20, text_sha256=notice.text_sha256, ui_sha256=notice.ui_sha256)
    log.seal()
    return notice


def test_event_whose_notice_is_kept_is_intact(log):
    keep_notice(log)

    assert log.verify().is_intact


@pytest.mark.parametrize(
    ("column", "value"),
    [("language", "de"), ("profile", "US-CA"), ("policy_version", "v2"), ("layer", 2), ("prompt_kind", "")],
)
def test_edited_notice_is_named(log, column, value):
    keep_notice(log)
    log.edit(f"UPDATE consent_notices SET {column} = :value", value=value)

    assert log.find_problem().message.endswith(": What it says was changed: its hash is another one.")


def test_removed_notice_is_named_with_the_first_event_that_it_was_shown_with(log):
    keep_notice(log)
    log.edit("DELETE FROM consent_notices")
    problem = log.find_problem()

    assert problem.first_position == 15
    assert problem.message == (
        "The event of row 15 has lost what its visitor was shown. No notice with these words and this markup is kept."
    )


def test_notice_with_other_markup_is_not_the_one_that_was_shown(log):
    notice, artefacts = make_notice()
    other, others = make_notice(ui="<p>Other words</p>")
    log.ledger.notices.keep(other, others, at=NOW)
    log.ledger.notices.keep(notice, artefacts, at=NOW)
    log.append(20, text_sha256=notice.text_sha256, ui_sha256=notice.ui_sha256)
    log.edit("DELETE FROM consent_notices WHERE notice_id = :it", it=notice.notice_id)

    assert log.find_problem().message.endswith("No notice with these words and this markup is kept.")


def test_notice_that_is_kept_meanwhile_is_found(log, monkeypatch):
    keep_notice(log)
    notice, artefacts = make_notice(text="other words")
    list_all = type(log.ledger.notices).list

    def keep(store, version=None):
        found = list_all(store, version)
        if log.ledger.find(number_id(21)) is None:
            store.keep(notice, artefacts, at=NOW)
            log.append(21, text_sha256=notice.text_sha256, ui_sha256=notice.ui_sha256)
        return found

    monkeypatch.setattr(type(log.ledger.notices), "list", keep)

    assert log.verify().is_intact
    assert log.ledger.find(number_id(21)) is not None


@pytest.mark.parametrize("name", ["text_sha256", "ui_sha256"])
def test_artefact_that_is_said_to_be_something_else_is_named(log, name):
    address = getattr(keep_notice(log), name)
    log.edit("UPDATE consent_artefacts SET media_type = 'image/png' WHERE sha256 = :address", address=address)
    problem = log.find_problem()

    assert problem.first_position == 15
    assert f"The artefact {address} was changed: it is no " in problem.message


@pytest.mark.parametrize("name", ["text_sha256", "ui_sha256"])
def test_edited_artefact_is_named_with_the_first_event_that_refers_to_it(log, name):
    address = getattr(keep_notice(log), name)
    log.edit("UPDATE consent_artefacts SET body = 'Agree?' WHERE sha256 = :address", address=address)
    problem = log.find_problem()

    assert problem.first_position == 15
    assert problem.message == (
        f"The event of row 15 has lost what its visitor was shown. The artefact {address} was changed: its hash is another one."
    )


def test_removed_artefact_is_named_with_the_first_event_that_refers_to_it(log):
    notice = keep_notice(log)
    log.edit("DELETE FROM consent_artefacts WHERE sha256 = :address", address=notice.text_sha256)

    assert log.find_problem().first_position == 15


def test_edited_or_removed_configuration_is_found_with_its_notice(log):
    notice = keep_notice(log)
    log.edit("UPDATE consent_artefacts SET body = '' WHERE sha256 = :it", it=notice.configuration_sha256)
    edited = log.find_problem()
    log.edit("DELETE FROM consent_artefacts WHERE sha256 = :it", it=notice.configuration_sha256)
    removed = log.find_problem()

    for problem in (edited, removed):
        assert problem.message.startswith("The notice of policy version 'v1' in 'en': The artefact ")
        assert problem.first_position is None


def test_edited_artefact_that_nothing_refers_to_is_found(log):
    log.edit("INSERT INTO consent_artefacts VALUES (:it, 'text/html', '')", it="0" * 64)

    assert log.find_problem().message == f"The artefact {'0' * 64} was changed: its hash is another one."


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
