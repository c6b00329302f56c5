"""The events of a choice, and what happens when a receiver fails."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from consent import ConsentRecord, consent_recorded, consent_withdrawn

STATE = "/privacy-choices/state"


@contextmanager
def listening(fails_on=()):
    heard = []

    def take(name):
        def receive(app, record, previous):
            heard.append((name, app, record, previous))
            if name in fails_on:
                raise RuntimeError("the ledger is down")

        return receive

    recorded, withdrawn = take("recorded"), take("withdrawn")
    with consent_recorded.connected_to(recorded), consent_withdrawn.connected_to(withdrawn):
        yield heard


def test_choice_is_announced_with_app_record_and_previous(app, client, choose):
    with listening() as heard:
        choose(client, "accept_all")
        choose(client, "save", "analytics", "preferences", "marketing")
    (first_name, first_app, first, nothing), (second_name, _, second, previous) = heard

    assert (first_name, first_app, nothing) == ("recorded", app, None)
    assert isinstance(first, ConsentRecord)
    assert (second_name, previous.record_id) == ("recorded", first.record_id)
    assert second.record_id != first.record_id
    assert previous.account is None


@pytest.mark.parametrize("action", ["withdraw", "reject_all", "save"])
def test_closing_by_whatever_action_is_announced_twice(client, choose, action):
    choose(client, "accept_all")
    with listening() as heard:
        choose(client, action)

    assert [name for name, *_ in heard] == ["recorded", "withdrawn"]
    assert heard[0][2] is heard[1][2]
    assert heard[0][3] is heard[1][3]


@pytest.mark.parametrize("action", ["reject_all", "withdraw"])
def test_first_refusal_is_no_withdrawal(client, choose, action):
    with listening() as heard:
        choose(client, action)

    assert [name for name, *_ in heard] == ["recorded"]


def test_closing_one_service_while_opening_another_is_announced_as_withdrawal(client, choose):
    choose(client, "save", "youtube")
    with listening() as heard:
        choose(client, "save", "google-analytics")

    assert [name for name, *_ in heard] == ["recorded", "withdrawn"]


def test_loading_once_is_not_announced(client, choose):
    with listening() as heard:
        choose(client, "once", service="youtube", id="aqz-KE-bpKQ")

    assert heard == []


def test_record_as_plain_values_has_the_documented_shape(client, choose):
    with listening() as heard:
        choose(client, "save", "analytics", headers={"Sec-Fetch-Site": "same-origin", "Sec-GPC": "1"})
    record = heard[0][2].as_dict()
    decisions = record.pop("decisions")
    times = [datetime.fromisoformat(record.pop(name)) for name in ("event_time", "valid_until", "decided_at")]

    assert UUID(record.pop("record_id")).version == 4
    assert abs((datetime.now(UTC) - times[0]).total_seconds()) < 60
    assert 180 < (times[1] - times[0]).days < 185
    assert times[2] == times[0]
    assert record.pop("notice") == {
        "version": client.get(STATE).json["policy_version"],
        "text_sha256": None,
        "ui_sha256": None,
        "is_as_shown": None,
        "layer": 2,
        "prompt_reason": "no_record",
    }
    assert record == {
        "schema": "consent-record/1",
        "subject_id": None,
        "revision": 0,
        "mode": "opt_in",
        "signals": {"gpc": True, "dnt": False, "sec_gpc": True, "dom_gpc": False},
        "is_complete": True,
        "event": "choice",
        "source": "preferences",
        "action": "save",
        "jurisdiction": None,
        "profile": "unknown",
        "language": "en",
        "evidence": "sec-fetch-site",
        "client": {},
        "signal_map": {
            "google": {
                "ad_storage": "denied",
                "ad_user_data": "denied",
                "ad_personalization": "denied",
                "analytics_storage": "granted",
                "functionality_storage": "denied",
                "personalization_storage": "denied",
                "security_storage": "granted",
            }
        },
        "noted": {},
        "documents": {},
        "withdrawal_url": "/privacy-choices/",
        "previous": None,
    }
    assert {key: decision["state"] for key, decision in decisions.items()} == {
        "analytics": "granted",
        "google-analytics": "granted",
        "marketing": "refused",
        "preferences": "refused",
        "youtube": "refused",
    }
    assert decisions["analytics"]["vendors"] == ["google-analytics"]


@pytest.mark.parametrize(
    ("action", "granted", "expected"),
    [
        ("accept_all", (), ("banner", 1, True)),
        ("reject_all", (), ("banner", 1, True)),
        ("save", ("analytics",), ("preferences", 2, True)),
        ("withdraw", (), ("preferences", 2, True)),
        ("allow", ("youtube",), ("embed", 0, False)),
    ],
)
def test_record_says_where_the_choice_was_made(client, choose, action, granted, expected):
    with listening() as heard:
        choose(client, action, *granted, next="/")
    record = heard[0][2]

    assert (record.account.source, record.account.notice.layer, record.is_complete) == expected
    assert record.account.event == ("withdrawal" if action == "withdraw" else "choice")


def test_json_choice_comes_from_the_interface(client, choose):
    with listening() as heard:
        choose(client, "accept_all", json=True)

    assert heard[0][2].account.source == "api"


@pytest.mark.parametrize(
    ("headers", "evidence"),
    [
        ({"Sec-Fetch-Site": "none"}, "sec-fetch-site"),
        ({"Origin": "http://localhost"}, "origin"),
        ({"Referer": "http://localhost/a"}, "referer"),
        ({}, "none"),
    ],
)
def test_record_says_what_proved_the_origin(client, choose, headers, evidence):
    with listening() as heard:
        choose(client, "reject_all", headers=headers)

    assert heard[0][2].account.evidence == evidence


@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
def test_grant_that_no_one_took_is_503_and_grants_nothing(client, choose, caplog, json):
    with listening(fails_on={"recorded"}):
        response = choose(client, "accept_all", json=json)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert response.headers.getlist("Set-Cookie") == []
    assert response.is_json is json
    assert client.get(STATE).json["choices"]["analytics"] == "denied"
    # Of the choice, and of the correction, which others may need that took the choice before.
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "A receiver of a consent event failed."
    ] * 2


def test_receivers_that_took_a_grant_hear_that_it_did_not_take_effect(client, choose):
    with listening() as heard, listening(fails_on={"recorded"}):
        choose(client, "accept_all")

    assert [(name, record.account.event, record.is_grant) for name, _, record, _ in heard] == [
        ("recorded", "choice", True),
        ("recorded", "correction", False),
        ("withdrawn", "correction", False),
    ]
    assert heard[1][2].account.signal_map["google"]["analytics_storage"] == "denied"
    assert heard[1][3].record_id == heard[0][2].record_id


def test_failed_grant_in_json_says_so(client, choose):
    with listening(fails_on={"recorded"}):
        body = choose(client, "accept_all", json=True).json

    assert body == {"error": "not_recorded", "message": "The choice could not be recorded; nothing was granted."}


@pytest.mark.parametrize("action", ["withdraw", "reject_all", "save"])
@pytest.mark.parametrize("event", ["recorded", "withdrawn"])
def test_closing_takes_effect_although_a_receiver_fails(client, choose, action, event):
    choose(client, "accept_all")
    with listening(fails_on={event}):
        response = choose(client, action)

    assert response.status_code == 303
    assert response.headers["Clear-Site-Data"] == '"cache"'
    assert client.get(STATE).json["choices"]["analytics"] == "denied"


def test_withdrawal_is_announced_although_the_first_receiver_fails(client, choose):
    choose(client, "accept_all")
    with listening(fails_on={"recorded"}) as heard:
        choose(client, "withdraw")

    assert [name for name, *_ in heard] == ["recorded", "withdrawn"]


def test_closing_half_of_a_failed_choice_takes_effect(client, choose):
    choose(client, "save", "youtube")
    with listening(fails_on={"recorded"}):
        choose(client, "save", "google-analytics")
    services = client.get(STATE).json["services"]

    assert services == {"google-analytics": "denied", "youtube": "denied"}


def test_renewed_grant_that_no_one_took_is_not_renewed(client, choose):
    choose(client, "accept_all")
    with listening(fails_on={"recorded"}):
        response = choose(client, "accept_all")

    assert response.status_code == 503
    assert response.headers.getlist("Set-Cookie") == []


def test_async_receiver_is_awaited(client, choose):
    heard = []

    async def receive(_app, record, **_):
        heard.append(record)

    with consent_recorded.connected_to(receive):
        choose(client, "accept_all")

    assert len(heard) == 1
