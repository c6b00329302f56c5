"""`guard()` in a job: by the record that the job was given, or by the ledger."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consent import CookieDeclaration, Service, current_consent, guard
from consent.errors import SetupError, UnknownKeyError
from consent.testing import grant, refuse
from consent.web.visit import get_site


@pytest.fixture
def stored(app, client):
    """Return a function that makes a choice, and gives the record as a job queue carries it."""

    @app.get("/record")
    def show_record():
        record = current_consent.record
        return record.as_dict() if record else {}

    def choose_and_read(*granted):
        if granted:
            grant(client, *granted)
        else:
            refuse(client)
        return client.get("/record").json

    return choose_and_read


@pytest.fixture
def in_job(app):
    """Return a function that asks outside a request, as a job does."""

    def run(*keys, **options):
        with app.app_context():
            return bool(guard(*keys, **options))

    return run


def test_job_follows_the_record_that_it_was_given(stored, in_job):
    record = json.loads(json.dumps(stored("analytics")))

    assert in_job("analytics", record=record)
    assert not in_job("youtube", record=record)
    assert not in_job("analytics", record=stored())


def test_job_takes_the_record_itself(app, client, in_job):
    found = []

    @app.get("/keep")
    def keep():
        found.append(current_consent.record)
        return ""

    grant(client)
    client.get("/keep")

    assert in_job("analytics", "youtube", record=found[0])


def test_job_without_a_record_is_refused_all_but_the_necessary(in_job):
    assert not in_job("analytics", record=None)
    assert in_job("necessary", record=None)


def test_record_that_is_over_grants_nothing(stored, in_job):
    record = stored("analytics")
    record["valid_until"] = record["decided_at"]

    assert not in_job("analytics", record=record)


def test_record_of_another_declaration_grants_nothing(stored, in_job, make_app):
    record = stored("analytics")
    tracker = Service(
        "tracker", name="T", provider="T", purposes=("analytics",), cookies=(CookieDeclaration("t", months=1),)
    )
    record["decisions"]["analytics"]["fingerprint"] = "000000"

    assert not in_job("analytics", record=record)
    with make_app(services=(tracker,)).app_context():
        assert not guard("tracker", record=stored("analytics"))


@pytest.mark.parametrize(
    ("named", "is_granted"),
    [({}, True), ({"jurisdiction": "US-CA"}, True), ({"jurisdiction": "FR"}, False), ({"jurisdiction": "?"}, False)],
    ids=["none", "same", "stricter", "malformed"],
)
def test_grant_counts_as_at_the_place_where_it_was_given(stored, in_job, named, is_granted):
    """A grant of California's kind would not be enough in France."""
    record = stored("analytics") | {"mode": "opt_out"} | named

    assert in_job("analytics", record=record) is is_granted


def test_place_is_read_from_the_account_of_a_record(make_app, choose, heard, in_job):
    client = make_app(jurisdiction=lambda: "US-CA").test_client()
    choose(client, "accept_all")
    (_, record) = heard[0]

    assert record.account.jurisdiction == "US-CA"
    assert in_job("analytics", record=record)
    assert not in_job("analytics", record=replace(record, account=replace(record.account, jurisdiction="FR")))


def test_what_merely_runs_does_not_without_the_word_of_the_browser(stored, in_job):
    """Where things run until objected, a signal may say no; nobody is there to ask for it."""
    record = stored("analytics") | {"mode": "opt_out", "noted": {}, "decisions": {}}

    assert in_job("analytics", record=record)
    assert not in_job("marketing", record=record)


@pytest.mark.parametrize("has_gpc", [False, True], ids=["silent", "gpc"])
def test_signal_that_came_with_the_choice_counts(stored, in_job, has_gpc):
    """Where the visitor is merely told, nobody has to ask for the signal, and it closes all the same."""
    record = stored("youtube") | {"mode": "notice", "decisions": {}, "noted": {}}
    record["signals"] = {"gpc": has_gpc, "dnt": False}

    assert in_job("marketing", record=record) is not has_gpc
    assert in_job("analytics", record=record)


MALFORMED = [
    {},
    {"schema": "consent-record/1"},
    {"schema": []},
    "consent-record/1",
    [],
    7,
]


@pytest.mark.parametrize("record", MALFORMED, ids=repr)
def test_malformed_record_grants_nothing_and_is_not_quoted(in_job, caplog, record):
    with caplog.at_level(logging.ERROR, "consent"):
        assert not in_job("analytics", record=record)

    (message,) = [each.getMessage() for each in caplog.records]
    assert message == "A stored record could not be read, so nothing is granted: 'schema' is malformed." or (
        "'schema'" not in message and message.endswith(" is malformed.")
    )


def test_content_of_a_malformed_record_stays_out_of_the_log(stored, in_job, caplog):
    record = stored("analytics") | {"decided_at": "secret-of-the-visitor"}

    assert not in_job("analytics", record=record)
    assert "secret" not in caplog.text
    assert "'decided_at' is malformed" in caplog.text


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_instant_at_the_edge_of_the_calendar_grants_nothing(stored, in_job, instant):
    assert not in_job("analytics", record=stored("analytics") | {"decided_at": instant, "valid_until": instant})


def test_job_without_an_app_says_what_is_missing():
    with pytest.raises(SetupError, match=r"without an app. In a job, ask it within: with app.app_context\(\)"):
        bool(guard("analytics", record=None))


def test_job_without_a_record_says_what_is_missing(app):
    with app.app_context(), pytest.raises(SetupError, match=r"outside a request, .*record=….*subject_id=…"):
        bool(guard("analytics"))


def test_record_and_subject_exclude_each_other():
    with pytest.raises(SetupError, match="both 'record' and 'subject_id'"):
        guard("analytics", record=None, subject_id=None)


def test_record_given_in_a_request_counts_alone(app, stored):
    record = stored("analytics")
    with app.test_request_context("/"):
        assert guard("analytics", record=record)
        assert not guard("analytics")


def test_job_is_judged_by_the_clock_of_the_site(app, stored, in_job):
    record = stored("analytics")
    site = get_site(app)
    site.engine = site.engine.at(datetime.now(UTC) + timedelta(days=400))

    assert not in_job("analytics", record=record)


def test_regime_of_a_notice_grants_nothing_that_was_not_told(stored, in_job):
    record = stored("analytics") | {"mode": "notice"}

    assert not in_job("analytics", record=record)


def test_unknown_key_is_refused_in_a_job(in_job):
    with pytest.raises(UnknownKeyError, match="'analitics'"):
        in_job("analitics", record=None)


# -- by the ledger -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(make_app, ledger):
    """A site with a ledger."""
    return make_app(ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=12)


def subject_of(heard):
    return heard[-1][1].subject_id


def ask_ledger(app, key, subject_id):
    with app.app_context():
        return bool(guard(key, subject_id=subject_id))


def test_withdrawal_since_counts_by_the_ledger(kept, heard):
    client = kept.test_client()
    grant(client)
    subject_id = subject_of(heard)
    before = ask_ledger(kept, "analytics", subject_id)
    refuse(client)

    assert (before, ask_ledger(kept, "analytics", subject_id)) == (True, False)


@pytest.mark.parametrize("subject_id", [None, "", "nobody", 7, "00000000-0000-4000-8000-000000000000", "\0"])
def test_subject_that_the_ledger_does_not_know_grants_nothing(kept, subject_id):
    assert not ask_ledger(kept, "analytics", subject_id)
    assert ask_ledger(kept, "necessary", subject_id)


def test_ledger_that_does_not_answer_grants_nothing(kept, ledger, heard, caplog):
    grant(kept.test_client())
    ledger.is_away = True

    assert not ask_ledger(kept, "analytics", subject_of(heard))
    assert "The ledger could not be asked what a visitor allows, so nothing is" in caplog.text


def test_subject_without_a_ledger_is_refused(app):
    with pytest.raises(SetupError, match="there is no ledger to ask"):
        ask_ledger(app, "analytics", "00000000-0000-4000-8000-000000000000")
