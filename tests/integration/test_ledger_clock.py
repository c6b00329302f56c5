"""Clocks that stand still, go back or jump ahead: the order of a visitor's choices is that of their numbers."""

from __future__ import annotations

import pytest

from consent.ledger.memory import MemoryLedger
from consent.web.visit import get_site
from tests.conftest import Clock
from tests.ledger_site import make_ledger_site


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(ledger, clock):
    app = make_ledger_site(ledger)
    get_site(app).engine.read_clock = clock
    return app.test_client()


def is_open(client):
    return client.get("/privacy-choices/state").json["choices"]["marketing"] == "granted"


def last_event(ledger):
    subjects = {row.event.subject_id for row in ledger.scan()}
    return ledger.current(*subjects)


def kinds(ledger):
    return [(row.event.revision, row.event.kind) for row in ledger.scan()]


def test_withdrawal_after_the_clock_went_back_is_the_last_word(client, choose, ledger, clock):
    choose(client, "accept_all")
    clock.advance(hours=-1)
    choose(client, "withdraw")

    assert not is_open(client)
    assert last_event(ledger).kind == "withdrawal"
    assert kinds(ledger) == [(1, "choice"), (2, "withdrawal")]


def test_choices_within_one_second_are_told_apart(client, choose, ledger):
    for action in ("accept_all", "withdraw", "accept_all", "withdraw"):
        choose(client, action)

    assert not is_open(client)
    assert [revision for revision, _ in kinds(ledger)] == [1, 2, 3, 4]
    assert last_event(ledger).kind == "withdrawal"


def test_grant_ends_when_the_clock_jumps_ahead(client, choose, ledger, clock):
    choose(client, "accept_all")
    clock.advance(days=365)

    assert not is_open(client)
    assert last_event(ledger).valid_until < clock()


def test_choice_from_a_future_that_never_came_grants_nothing(client, choose, clock):
    clock.advance(days=365)
    choose(client, "accept_all")
    clock.advance(days=-365)

    assert not is_open(client)


def test_choice_after_the_clock_was_set_right_is_the_last_word(client, choose, ledger, clock):
    clock.advance(days=365)
    choose(client, "accept_all")
    clock.advance(days=-365)
    choose(client, "reject_all")

    assert last_event(ledger).recorded_at == clock()
    assert kinds(ledger)[-1][0] == 2
    assert not is_open(client)
