"""A ledger that does not answer, or fails in ways of its own: nothing opens, everything closes."""

from __future__ import annotations

import pytest

from consent import Consent, consent_recorded
from tests.faulty_ledger import CHOICES, RETENTION, SAME_ORIGIN, STATE, FaultyLedger, choice_of, post

SERVICES = ["google-analytics", "youtube"]


@pytest.fixture
def app(make_app, ledger):
    return make_app(ledger=ledger, **RETENTION)


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


def test_what_is_left_of_a_grant_that_was_not_kept_follows_the_choice_before_it(client, ledger):
    post(client, "save", "analytics")
    heard = []

    def hear(_app, record, **_):
        heard.append(record)

    ledger.is_away = True
    with consent_recorded.connected_to(hear):
        post(client, "save", "marketing")

    (narrowed,) = heard
    assert narrowed.account.previous_id == ledger.records[0]["record_id"]


def test_receivers_hear_of_a_choice_once_it_is_in_the_ledger(client, ledger):
    seen = []

    def look(_app, record, **_):
        seen.append(ledger.find(record.record_id) is not None)

    with consent_recorded.connected_to(look):
        post(client, "accept_all")

    assert seen == [True]


# -- a ledger of the site's own that fails in ways of its own


class WildLedger(FaultyLedger):
    """A ledger that raises what its driver raises."""

    def _ask(self, _name):
        if self.is_away:
            raise ConnectionError("the driver's own words")

    def health(self):
        raise ConnectionError("the driver's own words")


@pytest.fixture
def wild(bare_app):
    """Return a site whose ledger raises anything, by a client."""

    def make(**config):
        ledger = WildLedger()
        app = bare_app(**RETENTION, **config)
        Consent(app, services=SERVICES, ledger=ledger)
        return app.test_client(), ledger

    return make


@pytest.mark.parametrize("action", ["withdraw", "reject_all"])
def test_withdrawal_takes_effect_whatever_the_ledger_raises(wild, action, caplog):
    client, ledger = wild()
    post(client, "accept_all")
    ledger.is_away = True
    answer = post(client, action)

    assert (answer.status_code, answer.json["recorded"], choice_of(client)) == (200, False, "denied")
    assert "The ledger of the site's own failed in 'current'." in caplog.text
    assert "the driver's own words" in caplog.text


def test_grant_is_refused_whatever_the_ledger_raises(wild):
    client, ledger = wild()
    ledger.is_away = True

    assert (post(client, "accept_all").status_code, choice_of(client)) == (503, "denied")


def test_pages_of_every_kind_are_served_whatever_the_ledger_raises(wild):
    client, ledger = wild(CONSENT_LEDGER_STRICT_REVOCATION=True, CONSENT_LEDGER_DASHBOARD=lambda: True)
    post(client, "accept_all")
    ledger.is_away = True

    assert {
        path: client.get(path).status_code for path in ("/", CHOICES, f"{CHOICES}receipt", f"{CHOICES}dashboard")
    } == {
        "/": 200,
        CHOICES: 200,
        f"{CHOICES}receipt": 200,
        f"{CHOICES}dashboard": 200,
    }


# -- what a refusal carries, and what a limit keeps from being granted


@pytest.fixture
def grown(bare_app, ledger):
    """Return a visitor who had granted everything before another service came, under a limit that can be set."""
    limit = {"seconds": 0}
    first = bare_app(**RETENTION)
    Consent(first, services=["google-analytics"], ledger=ledger)
    before = first.test_client()
    post(before, "accept_all")
    app = bare_app(CONSENT_LEDGER_RATE_LIMIT=lambda: limit["seconds"], **RETENTION)
    Consent(app, services=["google-analytics", "youtube"], ledger=ledger)
    client = app.test_client()
    client.set_cookie("consent", before.get_cookie("consent").value)
    return client, limit


@pytest.mark.parametrize("reason", ["away", "limited"])
def test_refusal_of_what_is_new_takes_effect_and_leaves_the_rest(grown, ledger, reason):
    client, limit = grown
    ledger.is_away, limit["seconds"] = reason == "away", 30 if reason == "limited" else 0
    answer = post(client, "reject_all", asked="changed")

    state = client.get(STATE).json
    assert (answer.status_code, answer.json["recorded"]) == (200, False)
    assert (state["services"], state["needs_prompt"]) == ({"google-analytics": "granted", "youtube": "denied"}, False)


def test_what_a_limited_choice_closes_is_closed(grown):
    client, limit = grown
    limit["seconds"] = 30
    answer = post(client, "save", "analytics")

    choices = client.get(STATE).json["choices"]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert (choices["analytics"], choices["marketing"]) == ("granted", "denied")
