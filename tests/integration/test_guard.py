"""`guard()`: what the server does itself is done only where it is granted, in a request and in a job."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consent import CookieDeclaration, Service, current_consent, guard
from consent.errors import SetupError, UnknownKeyError
from consent.testing import AskedGuard, grant, recorded_guards, refuse
from consent.web.visit import get_site


def send():
    """Return what a call to a provider would: something that is no None."""
    return "sent"


@pytest.fixture
def ask(app):
    """Return a function that asks a guard in a request of a client, and says what it answered."""
    app.add_url_rule("/ask/<path:keys>", "ask", lambda keys: "sent" if guard(*keys.split("/")) else "not sent")

    def in_request(client, *keys):
        return client.get(f"/ask/{'/'.join(keys)}")

    return in_request


@pytest.fixture
def stored(app, client):
    """Return a function that makes a choice, and gives the record as a job queue carries it."""

    @app.get("/record")
    def show_record():
        return current_consent.record.as_dict()

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


# -- in a request ------------------------------------------------------------------------------------------------------------------


def test_call_is_made_only_after_a_grant(client, ask):
    before = ask(client, "analytics").text
    refuse(client)
    refused = ask(client, "analytics").text
    grant(client, "analytics")

    assert [before, refused, ask(client, "analytics").text] == ["not sent", "not sent", "sent"]


def test_every_key_must_be_granted(client, ask):
    grant(client, "analytics")

    assert ask(client, "analytics", "youtube").text == "not sent"
    assert ask(client, "analytics", "google-analytics").text == "sent"


def test_answer_depends_on_the_visitor(client, ask):
    answer = ask(client, "analytics")

    assert answer.headers["Vary"] == "Cookie, Sec-GPC"
    assert "private" in answer.headers["Cache-Control"]


def test_block_is_told_and_its_exception_passes(app):
    with app.test_request_context("/"):
        with guard("analytics") as is_granted, guard("necessary") as is_needed:
            assert (is_granted, is_needed) == (False, True)
        with pytest.raises(ZeroDivisionError), guard("necessary"):
            _ = 1 / 0


def test_function_is_not_called_without_a_grant(app):
    guarded = guard("analytics")(send)
    needed = guard("necessary")(send)
    with app.test_request_context("/"):
        assert guarded() is None
        assert needed() == "sent"
        assert needed.__name__ == "send"


def test_async_function_is_not_called_without_a_grant(app):
    async def send_later(what):
        await asyncio.sleep(0)
        return what

    with app.test_request_context("/"):
        assert asyncio.run(guard("analytics")(send_later)("event")) is None
        assert asyncio.run(guard("necessary")(send_later)("event")) == "event"


def test_function_is_judged_at_each_call(app, client):
    guarded = guard("analytics")(send)
    app.add_url_rule("/send", "send", lambda: str(guarded()))
    before = client.get("/send").text
    grant(client)

    assert [before, client.get("/send").text] == ["None", "sent"]


def test_what_loads_before_the_choice_is_not_sent(make_app):
    app = make_app(CONSENT_SIGNALS={"google": {}}, CONSENT_ADVANCED=["google-analytics"])
    with app.test_request_context("/"):
        assert not guard("google-analytics")


def test_signal_of_the_browser_is_heeded(make_app):
    app = make_app(jurisdiction=lambda: "US-CA")
    with app.test_request_context("/", headers={"Sec-GPC": "1"}):
        assert not guard("marketing")
    with app.test_request_context("/"):
        # It runs until objected, and yet waits for the browser's own word on the signal.
        assert current_consent.allows("marketing")
        assert not guard("marketing")
        assert guard("analytics")


@pytest.mark.parametrize("keys", [(), (send,)], ids=["none", "function"])
def test_guard_without_a_key_is_refused(keys):
    with pytest.raises(SetupError, match=r"guard\(\) needs at least one key, such as guard\('analytics'\)\."):
        guard(*keys)


def test_unknown_key_is_named_with_the_known_ones(app):
    with (
        app.test_request_context("/"),
        pytest.raises(UnknownKeyError, match=r"'analitics' \(guard\(\)\).* 'analytics'"),
    ):
        bool(guard("analitics"))
    with app.app_context(), pytest.raises(UnknownKeyError):
        bool(guard("analitics", record=None))


def yielding():
    yield 1


async def yielding_later():
    yield 1


@pytest.mark.parametrize("function", [yielding, yielding_later, "send"], ids=["generator", "async", "text"])
def test_what_cannot_be_guarded_is_refused(function):
    with pytest.raises(SetupError, match="@guard cannot guard"):
        guard("analytics")(function)


# -- in a job ----------------------------------------------------------------------------------------------------------------------


def test_job_follows_the_record_that_it_was_given(stored, in_job):
    record = json.loads(json.dumps(stored("analytics")))

    assert in_job("analytics", record=record)
    assert not in_job("youtube", record=record)
    assert not in_job("analytics", record=stored())


def test_job_takes_the_record_itself(app, client, in_job):
    found = []
    app.add_url_rule("/keep", "keep", lambda: found.append(current_consent.record) or "")
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


def test_signal_that_came_with_the_choice_counts(stored, in_job):
    record = stored("youtube") | {"mode": "opt_out", "decisions": {}, "noted": {}}
    record["signals"] = {"gpc": True, "dnt": False}

    assert not in_job("marketing", record=record)


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


# -- in the tests of a site ----------------------------------------------------------------------------------------------------------


def test_recorded_guards_say_who_asked_for_what(app, client):
    @guard("analytics", "youtube")
    def send_purchase():
        return None

    def view():
        send_purchase()
        with guard("marketing"):
            return "yes" if guard("necessary") else "no"

    app.add_url_rule("/buy", "buy", view)
    with recorded_guards() as asked:
        client.get("/buy")
    client.get("/buy")

    assert asked == [
        AskedGuard(keys=("analytics", "youtube"), is_open=False, function="send_purchase"),
        AskedGuard(keys=("marketing",), is_open=False, function="view"),
        AskedGuard(keys=("necessary",), is_open=True, function="view"),
    ]


def test_recorded_guards_end_after_an_exception_and_nest(app):
    with recorded_guards() as outer:
        with pytest.raises(ZeroDivisionError), recorded_guards():
            _ = 1 / 0
        with recorded_guards() as inner, app.test_request_context("/"):
            bool(guard("analytics"))

    assert outer == inner != []


def test_job_is_judged_by_the_clock_of_the_site(app, stored, in_job):
    record = stored("analytics")
    site = get_site(app)
    site.engine = site.engine.at(datetime.now(UTC) + timedelta(days=400))

    assert not in_job("analytics", record=record)


def test_regime_of_a_notice_grants_nothing_that_was_not_told(stored, in_job):
    record = stored("analytics") | {"mode": "notice"}

    assert not in_job("analytics", record=record)
