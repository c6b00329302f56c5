"""Older cookies, and whether a grant still stands by the ledger."""

from __future__ import annotations

import logging

import pytest

from consent import Consent, current_consent
from consent.web.visit import get_site
from consent.wire.cookie import CookieCodec
from tests.faulty_ledger import RETENTION, STATE, choice_of, post

SERVICES = ["google-analytics", "youtube"]


@pytest.fixture
def app(make_app, ledger):
    return make_app(ledger=ledger, **RETENTION)


# -- older cookies


def test_choice_made_from_an_older_cookie_is_the_latest_all_the_same(client, app, ledger):
    post(client, "accept_all")
    old = client.get_cookie("consent").value
    post(client, "withdraw")
    post(client, "accept_all")
    other = app.test_client()
    other.set_cookie("consent", old)
    post(other, "reject_all")

    subject_id = ledger.records[0]["subject_id"]
    assert [each["revision"] for each in ledger.records] == [1, 2, 3, 4]
    assert ledger.current(subject_id).event_id == ledger.records[-1]["record_id"]


def test_replayed_cookie_counts_in_the_browser_as_shipped_and_the_ledger_knows_better(client, app, ledger):
    post(client, "accept_all")
    old = client.get_cookie("consent").value
    post(client, "withdraw")
    client.set_cookie("consent", old)

    assert client.get(STATE).json["choices"]["analytics"] == "granted"
    assert ledger.current(ledger.records[0]["subject_id"]).kind == "withdrawal"


# -- strict revocation


@pytest.fixture
def strict(bare_app, ledger):
    app = bare_app(CONSENT_LEDGER_STRICT_REVOCATION=True, **RETENTION)
    Consent(app, services=SERVICES, ledger=ledger)
    return app.test_client()


def test_grant_counts_while_the_ledger_has_it(strict):
    post(strict, "accept_all")

    assert choice_of(strict) == "granted"


def test_cookie_from_before_a_withdrawal_is_closed_at_once(strict):
    post(strict, "accept_all")
    old = strict.get_cookie("consent").value
    post(strict, "withdraw")
    strict.set_cookie("consent", old)

    assert (choice_of(strict), strict.get(STATE).json["needs_prompt"]) == ("denied", False)


def test_cookie_of_a_visitor_who_was_erased_grants_nothing_and_asks_again(strict, ledger):
    post(strict, "accept_all")
    subject_id = ledger.records[0]["subject_id"]
    ledger.erase(subject_id, reason="request", at=get_site(strict.application).engine.read_clock())

    assert (choice_of(strict), strict.get(STATE).json["needs_prompt"]) == ("denied", True)


def test_grant_from_before_there_was_a_ledger_is_asked_for_again(make_app, strict):
    before = make_app().test_client()
    post(before, "accept_all")
    strict.set_cookie("consent", before.get_cookie("consent").value)

    assert choice_of(strict) == "denied"


def test_ledger_that_does_not_answer_leaves_no_grant(strict, ledger, caplog):
    post(strict, "accept_all")
    ledger.is_away = True

    assert choice_of(strict) == "denied"
    assert "could not be asked" in caplog.text


def test_refusal_needs_no_word_of_the_ledger(strict, ledger):
    post(strict, "reject_all")
    ledger.is_away, ledger.asked = True, []

    assert (choice_of(strict), ledger.asked) == ("denied", [])


def test_ledger_is_not_asked_for_pages_that_do_not_depend_on_consent(bare_app, ledger):
    app = bare_app(CONSENT_LEDGER_STRICT_REVOCATION=True, CONSENT_INJECT=False, **RETENTION)
    Consent(app, services=SERVICES, ledger=ledger)
    client = app.test_client()
    post(client, "accept_all")
    ledger.asked.clear()
    client.get("/")

    assert ledger.asked == []


def test_last_decision_wins_when_two_tabs_answer_at_once(strict, ledger):
    """Both start from one cookie; the answers come back in reverse, and what was posted last holds."""
    post(strict, "reject_all")
    shared = strict.get_cookie("consent").value
    post(strict, "accept_all")
    granting = strict.get_cookie("consent").value
    strict.set_cookie("consent", shared)
    post(strict, "reject_all")
    strict.set_cookie("consent", granting)

    assert [each["revision"] for each in ledger.records] == [1, 2, 3]
    assert choice_of(strict) == "denied"


def test_nothing_is_logged_as_an_error_on_the_ordinary_way(client, caplog):
    caplog.set_level(logging.WARNING)
    post(client, "accept_all")
    post(client, "withdraw")

    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


# -- strict revocation under an opt-out


@pytest.fixture
def travelled(bare_app, ledger):
    """Return a visitor in California who granted analytics and refused marketing in France."""
    place = {"code": "FR"}
    app = bare_app(CONSENT_LEDGER_STRICT_REVOCATION=True, **RETENTION)
    Consent(app, services=SERVICES, ledger=ledger, jurisdiction=lambda: place["code"])
    client = app.test_client()
    post(client, "save", "analytics")
    place["code"] = "US-CA"
    return client


@pytest.mark.parametrize("fault", ["away", "erased", "replaced"])
def test_no_fault_of_the_ledger_opens_what_the_visitor_refused(travelled, ledger, fault):
    """Under an opt-out, what nobody has decided on runs: a refusal must not be forgotten with the grant."""
    subject_id = ledger.records[0]["subject_id"]
    if fault == "erased":
        ledger.erase(subject_id, reason="request", at=get_site(travelled.application).engine.read_clock())
    old = travelled.get_cookie("consent").value
    if fault == "replaced":
        post(travelled, "accept_all")
        travelled.set_cookie("consent", old)
    ledger.is_away = fault == "away"

    assert travelled.get(STATE).json["choices"]["marketing"] == "denied"


def test_wider_grant_elsewhere_does_not_widen_an_older_cookie(strict, app):
    post(strict, "save", "analytics")
    old = strict.get_cookie("consent").value
    post(strict, "accept_all")
    strict.set_cookie("consent", old)

    choices = strict.get(STATE).json["choices"]
    assert (choices["analytics"], choices["marketing"]) == ("granted", "denied")


def test_visitor_stays_the_same_while_the_ledger_is_away(strict, ledger):
    post(strict, "accept_all")
    ledger.is_away = True
    post(strict, "withdraw")
    ledger.is_away = False
    post(strict, "accept_all")

    assert len({each["subject_id"] for each in ledger.records}) == 1


def test_decided_page_does_not_read_its_record_for_nothing(client, monkeypatch):
    """What was decided is remembered for all who chose alike: only strict mode has to know whose it is."""
    client.application.add_url_rule("/plain", "plain", lambda: str(current_consent.allows("analytics")))
    post(client, "accept_all")
    client.get("/plain")
    read = []
    monkeypatch.setattr(CookieCodec, "read", lambda _codec, payload: read.append(payload))

    assert (client.get("/plain").text, read) == ("True", [])
