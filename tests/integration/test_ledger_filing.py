"""A choice and the ledger: recorded before it counts, once, under ids that nobody can choose."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from consent import Consent, consent_recorded, consent_withdrawn
from consent.web.visit import get_site
from tests.faulty_ledger import CHOICES, RETENTION, SAME_ORIGIN, STATE, FaultyLedger, post

SERVICES = ["google-analytics", "youtube"]


@pytest.fixture
def ledger():
    return FaultyLedger()


@pytest.fixture
def app(bare_app, ledger):
    app = bare_app(**RETENTION)
    Consent(app, services=SERVICES, ledger=ledger)
    return app


@pytest.fixture
def heard():
    """Return what receivers were told: `recorded` or `withdrawn`, and the record's event."""
    told = []

    def hear_recorded(_app, record, **_):
        told.append(("recorded", record))

    def hear_withdrawn(_app, record, **_):
        told.append(("withdrawn", record))

    with consent_recorded.connected_to(hear_recorded), consent_withdrawn.connected_to(hear_withdrawn):
        yield told


# -- what is kept


def test_choice_is_kept_before_it_is_answered(client, ledger):
    answer = post(client, "save", "analytics")

    (record,) = ledger.records
    assert (answer.status_code, answer.json["recorded"]) == (200, True)
    assert (record["event"], record["action"], record["revision"], record["previous"]) == ("choice", "save", 1, None)
    assert UUID(record["record_id"]).version == UUID(record["subject_id"]).version == 4
    assert {key: each["state"] for key, each in record["decisions"].items()} == {
        "analytics": "granted",
        "google-analytics": "granted",
        "marketing": "refused",
        "preferences": "refused",
        "youtube": "refused",
    }


def test_answer_says_nothing_of_records_where_there_is_no_ledger(make_app):
    assert "recorded" not in post(make_app().test_client(), "accept_all").json


def test_later_choices_are_of_the_same_visitor_and_count_up(client, ledger):
    for action in ("accept_all", "reject_all", "accept_all"):
        post(client, action)

    first, second, third = ledger.records
    assert {each["subject_id"] for each in ledger.records} == {first["subject_id"]}
    assert [each["revision"] for each in ledger.records] == [1, 2, 3]
    assert [each["event"] for each in ledger.records] == ["choice", "withdrawal", "choice"]
    assert [second["previous"], third["previous"]] == [first["record_id"], second["record_id"]]


def test_withdrawal_leaves_the_earlier_record_as_it_was(client, ledger):
    post(client, "accept_all")
    before = ledger.scan()
    post(client, "withdraw")

    assert ledger.scan()[0] == before[0]
    assert ledger.current(before[0].event.subject_id).kind == "withdrawal"


def test_visitors_do_not_share_an_id(app, ledger):
    for _ in range(2):
        post(app.test_client(), "accept_all")

    assert len({each["subject_id"] for each in ledger.records}) == 2


def test_nothing_of_the_client_is_kept_as_shipped(client, ledger):
    headers = {**SAME_ORIGIN, "User-Agent": "Mozilla/5.0 Firefox/153.0", "X-Forwarded-For": "203.0.113.9"}
    client.post(
        CHOICES, json={"action": "accept_all"}, headers=headers, environ_overrides={"REMOTE_ADDR": "198.51.100.7"}
    )

    text = ledger.scan()[0].event.payload
    assert not [word for word in ("198.51", "203.0", "Firefox", "Mozilla", "localhost") if word in text]


def test_minimised_forms_are_kept_where_the_site_wants_them(bare_app, ledger):
    app = bare_app(CONSENT_LEDGER_KEEPS=["network", "browser"], **RETENTION)
    Consent(app, services=SERVICES, ledger=ledger)
    headers = {**SAME_ORIGIN, "User-Agent": "Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/153.0"}
    app.test_client().post(
        CHOICES, json={"action": "reject_all"}, headers=headers, environ_overrides={"REMOTE_ADDR": "198.51.100.7"}
    )

    assert ledger.records[0]["client"] == {"network": "198.51.100.0/24", "browser": "Firefox 153"}


def test_client_cannot_choose_ids_times_or_numbers(client, ledger):
    theirs = {
        "record_id": str(UUID(int=1)),
        "subject_id": str(UUID(int=2)),
        "event_time": "1999-01-01T00:00:00Z",
        "revision": "99",
    }
    post(client, "accept_all", **theirs)

    (record,) = ledger.records
    assert not {name for name in theirs if str(record[name]) == theirs[name]}


# -- once


def test_double_click_is_one_event(client, app, ledger, heard):
    first = post(client, "accept_all", attempt="of-one-page")
    again = post(app.test_client(), "accept_all", attempt="of-one-page")

    assert (len(ledger.records), [name for name, _ in heard]) == (1, ["recorded"])
    assert (first.json, first.status_code) == (again.json, again.status_code)


def test_one_click_posted_32_times_at_once_is_one_event(app, ledger):
    def click(_):
        client = app.test_client()
        answer = post(client, "accept_all", attempt="of-one-page")
        return answer.status_code, answer.json["recorded"], client.get(STATE).json["choices"]

    with ThreadPoolExecutor(max_workers=32) as pool:
        answers = list(pool.map(click, range(32)))

    assert len(ledger.records) == 1
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][:2] == (200, True)


def test_other_choice_on_the_same_page_is_another_event(client, ledger):
    post(client, "accept_all", attempt="of-one-page")
    post(client, "reject_all", attempt="of-one-page")
    post(client, "accept_all", attempt="of-one-page")

    assert [each["revision"] for each in ledger.records] == [1, 2, 3]


def test_page_that_a_cache_gave_to_two_visitors_makes_two_of_them(app, ledger, monkeypatch):
    """The second comes a while later; a retry comes at once."""
    post(app.test_client(), "accept_all", attempt="of-one-page")
    engine = get_site(app).engine
    later = engine.read_clock() + timedelta(minutes=5)
    monkeypatch.setattr(engine, "read_clock", lambda: later)
    post(app.test_client(), "accept_all", attempt="of-one-page")

    assert len({each["subject_id"] for each in ledger.records}) == 2


def test_mark_of_the_page_tells_nothing_of_the_ids(client, ledger):
    post(client, "accept_all", attempt="of-one-page")

    assert "of-one-page" not in ledger.scan()[0].event.payload


def test_overlong_mark_is_refused(client, ledger):
    assert (post(client, "accept_all", attempt="x" * 65).status_code, ledger.records) == (400, [])


# -- when the ledger does not answer


def test_grant_that_cannot_be_recorded_opens_nothing(client, ledger, heard):
    ledger.is_away = True
    answer = post(client, "accept_all")

    assert (answer.status_code, answer.json["error"]) == (503, "not_recorded")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in answer.headers
    assert heard == []
    assert client.get(STATE).json["needs_prompt"]


def test_refusal_that_cannot_be_recorded_takes_effect(client, ledger, heard, caplog):
    post(client, "accept_all")
    ledger.is_away = True
    heard.clear()
    answer = post(client, "withdraw")

    assert (answer.status_code, answer.json["recorded"]) == (200, False)
    assert client.get(STATE).json["choices"]["analytics"] == "denied"
    assert [name for name, _ in heard] == ["recorded", "withdrawn"]
    assert "A choice could not be recorded: The ledger's database does not answer." in caplog.text


def test_what_an_unrecorded_choice_closes_is_closed_and_told(client, ledger, heard):
    post(client, "save", "analytics")
    ledger.is_away = True
    heard.clear()
    answer = post(client, "save", "marketing")

    choices = client.get(STATE).json["choices"]
    assert answer.status_code == 503
    assert (choices["analytics"], choices["marketing"]) == ("denied", "denied")
    assert [name for name, _ in heard] == ["recorded", "withdrawn"]
    assert len(ledger.records) == 1


def test_form_is_told_too(client, ledger):
    ledger.is_away = True
    answer = client.post(CHOICES, data={"action": "accept_all"}, headers=SAME_ORIGIN)

    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "Nothing was granted" in answer.text


def test_ledger_that_is_away_is_asked_once_a_request(client, ledger):
    post(client, "accept_all")
    ledger.is_away, ledger.asked = True, []
    post(client, "save", "marketing")

    assert len(ledger.asked) == 1


def test_first_choice_after_the_ledger_is_back_is_recorded(client, ledger):
    ledger.is_away = True
    post(client, "reject_all")
    ledger.is_away = False
    post(client, "accept_all")

    assert [each["revision"] for each in ledger.records] == [1]


def test_pages_are_served_while_the_ledger_is_away(client, ledger):
    ledger.is_away = True

    assert (client.get("/").status_code, client.get(CHOICES).status_code) == (200, 200)


# -- when somebody else fails after the ledger


def test_receiver_that_fails_after_the_commit_is_answered_by_a_correction(client, ledger):
    def fail(_app, **_):
        raise RuntimeError("the warehouse is down")

    with consent_recorded.connected_to(fail):
        answer = post(client, "accept_all")

    granted, corrected = ledger.records
    assert answer.status_code == 503
    assert "granted" in {each["state"] for each in granted["decisions"].values()}
    assert "granted" not in {each["state"] for each in corrected["decisions"].values()}
    assert (corrected["revision"], corrected["previous"]) == (2, granted["record_id"])


def test_receivers_hear_of_a_choice_once_it_is_in_the_ledger(client, ledger):
    seen = []

    def look(_app, record, **_):
        seen.append(ledger.find(record.record_id) is not None)

    with consent_recorded.connected_to(look):
        post(client, "accept_all")

    assert seen == [True]


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


def choice_of(client):
    return client.get(STATE).json["choices"]["analytics"]


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
