"""A choice and the ledger: recorded before it counts, once, under ids that nobody can choose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from consent import Consent, consent_recorded
from consent.errors import LedgerError
from consent.web.visit import get_site
from tests.faulty_ledger import CHOICES, RETENTION, SAME_ORIGIN, STATE, post

SERVICES = ["google-analytics", "youtube"]


@pytest.fixture
def app(make_app, ledger):
    return make_app(ledger=ledger, **RETENTION)


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


# -- twins


def test_retry_of_a_grant_that_was_corrected_is_a_new_act(client, ledger):
    """The receiver that failed is told again, and the ledger has the truth of both."""
    told = []

    def fail_once(_app, record, **_):
        told.append(record.account.event)
        if len(told) == 1:
            raise RuntimeError("the warehouse is down")

    with consent_recorded.connected_to(fail_once):
        answers = [post(client, "accept_all", attempt="of-one-page").status_code for _ in range(2)]

    assert (answers, told) == ([503, 200], ["choice", "correction", "choice"])
    assert [each["event"] for each in ledger.records] == ["choice", "correction", "choice"]
    assert ledger.current(ledger.records[2]["subject_id"]).event_id == ledger.records[2]["record_id"]


def test_choice_whose_answer_was_lost_is_announced_by_its_retry(client, app, ledger, heard, monkeypatch):
    """The process dies between commit and events: another one takes the retry."""
    append = ledger.append

    def append_and_die(events):
        append(events)
        raise LedgerError("The answer was lost.")

    monkeypatch.setattr(ledger, "append", append_and_die)
    first = post(client, "accept_all", attempt="of-one-page").status_code
    monkeypatch.undo()
    second = post(client, "accept_all", attempt="of-one-page")

    assert (first, second.status_code, len(ledger.records)) == (503, 200, 1)
    assert [(name, record.record_id) for name, record in heard] == [("recorded", ledger.records[0]["record_id"])]


def test_page_that_a_cache_gave_to_two_clients_makes_two_visitors_of_them(app, ledger):
    """At once, too: their addresses and browsers differ."""
    for number in range(2):
        app.test_client().post(
            CHOICES,
            json={"action": "accept_all", "attempt": "of-one-page"},
            headers=SAME_ORIGIN,
            environ_overrides={"REMOTE_ADDR": f"198.51.100.{number}"},
        )

    assert len({each["subject_id"] for each in ledger.records}) == 2


def test_second_thought_before_the_first_answer_is_of_the_same_visitor(app, ledger):
    """Accept and then reject, pressed on one page before anything came back."""
    for action in ("accept_all", "reject_all"):
        post(app.test_client(), action, attempt="of-one-page")

    accepted, rejected = ledger.records
    assert accepted["subject_id"] == rejected["subject_id"]
    assert ledger.current(accepted["subject_id"]).event_id == rejected["record_id"]
