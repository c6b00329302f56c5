"""Global Privacy Control of a known user is an objection by law, and one event of the ledger."""

from __future__ import annotations

import pytest
from flask import jsonify

from consent import Consent, current_consent
from tests.faulty_ledger import RETENTION, post

GPC = {"Sec-GPC": "1"}


@pytest.fixture
def kept():
    return {"choice": ""}


@pytest.fixture
def client(bare_app, ledger, kept):
    app = bare_app(**RETENTION)
    privacy = Consent(app, services=["youtube"], jurisdiction=lambda: "US-CO", ledger=ledger)
    privacy.load_choice(lambda: kept["choice"])
    privacy.save_choice(lambda text: kept.update(choice=text))
    app.add_url_rule("/plain", "plain", lambda: jsonify(current_consent.allows("marketing")))
    return app.test_client()


def test_signal_of_a_known_user_is_one_event_however_many_pages_follow(client, ledger, kept):
    for _ in range(3):
        assert client.get("/plain", headers=GPC).json is False

    (record,) = ledger.records
    assert (record["event"], record["source"], record["revision"]) == ("signal", "signal", 1)
    assert (record["signals"]["sec_gpc"], record["decisions"]["marketing"]["state"]) == (True, "refused")
    assert record["notice"]["ui_sha256"] is None
    assert kept["choice"]


def test_signal_is_of_the_browser_and_not_of_the_user(client, ledger):
    """Else whoever sits before one of the user's devices later would see the history of all of them."""
    post(client, "reject_all")
    post(client, "accept_all")
    client.get("/plain", headers=GPC)
    other = client.application.test_client()
    other.get("/plain")
    post(other, "accept_all")

    refused, granted, signal, elsewhere = ledger.records
    assert [each["revision"] for each in (refused, granted, signal, elsewhere)] == [1, 2, 3, 1]
    assert {each["subject_id"] for each in (granted, signal)} == {refused["subject_id"]}
    assert elsewhere["subject_id"] != refused["subject_id"]


def test_signal_counts_while_the_ledger_is_away(client, ledger, kept):
    ledger.is_away = True

    assert client.get("/plain", headers=GPC).json is False
    assert kept["choice"]


def test_signal_of_somebody_unknown_leaves_no_trace(client, ledger, kept):
    kept["choice"] = None
    answer = client.get("/plain", headers=GPC)

    assert (answer.json, ledger.records, "Set-Cookie" in answer.headers) == (False, [], False)
