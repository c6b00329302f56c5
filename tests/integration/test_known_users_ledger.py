"""Known users of a site with a ledger: a choice is shared by a user's devices, what proves it is each browser's own."""

from __future__ import annotations

import json

import pytest
from flask import g, request

from consent import Consent
from consent.web.visit import get_site
from tests.faulty_ledger import RETENTION, FaultyLedger, choice_of, post

RECEIPT = "/privacy-choices/receipt?format=json"


@pytest.fixture
def ledger():
    return FaultyLedger()


@pytest.fixture
def kept():
    """Texts by user, as the site keeps them."""
    return {}


@pytest.fixture
def app(bare_app, ledger, kept):
    """A site whose visitors say who they are by a header."""
    app = bare_app(**RETENTION)
    privacy = Consent(app, services=["google-analytics", "youtube"], ledger=ledger)
    app.before_request(lambda: setattr(g, "user", request.headers.get("X-User")))

    @privacy.load_choice
    def load():
        return kept.get(g.user, "") if g.user else None

    @privacy.save_choice
    def save(text):
        kept[g.user] = text

    return app


@pytest.fixture
def device(app):
    """Return a function that makes a browser, with somebody logged in or nobody."""

    def make(name=None):
        client = app.test_client()
        if name:
            log_in(client, name)
        return client

    return make


def log_in(client, name):
    client.environ_base["HTTP_X_USER"] = name


def receipt_of(client):
    return json.loads(client.get(RECEIPT).text)


def test_devices_of_one_user_have_a_subject_each(device, ledger):
    first, second = device("ann"), device("ann")
    post(first, "accept_all")
    post(second, "reject_all")
    post(first, "reject_all")

    subjects = [each["subject_id"] for each in ledger.records]
    assert subjects[0] == subjects[2] != subjects[1]
    assert [each["revision"] for each in ledger.records] == [1, 1, 2]


def test_browser_keeps_its_subject_through_the_choice_of_another_device(device, ledger):
    """What is merged of the two counts on; whichever of them was later, the history stays that of this browser."""
    browser = device()
    post(browser, "accept_all")
    post(device("ann"), "reject_all")
    log_in(browser, "ann")
    merged = choice_of(browser)
    post(browser, "accept_all")

    own, _, last = ledger.records
    assert merged == "denied"
    assert (last["subject_id"], last["revision"]) == (own["subject_id"], 2)


def test_browser_that_chose_later_than_the_other_device_keeps_its_subject(device, ledger):
    post(device("ann"), "reject_all")
    browser = device()
    post(browser, "accept_all")
    log_in(browser, "ann")
    post(browser, "accept_all")

    _, own, last = ledger.records
    assert (last["subject_id"], last["revision"]) == (own["subject_id"], 2)


def test_receipt_of_one_device_shows_nothing_of_the_other(device, ledger):
    first, second = device("ann"), device()
    post(second, "reject_all")
    post(first, "accept_all")
    post(first, "reject_all")
    log_in(second, "ann")
    post(second, "withdraw")

    found = receipt_of(second)
    shown = {each["record_id"] for each in (found["record"], *found["history"])}
    assert shown == {each["record_id"] for each in (ledger.records[0], ledger.records[-1])}


def test_text_that_is_kept_for_a_user_names_no_subject(app, device, kept, ledger):
    post(device("ann"), "accept_all")
    record = get_site(app).engine.read_user(kept["ann"])

    assert record
    assert (record.record_id, record.subject_id, record.revision) == (ledger.records[0]["record_id"], None, 0)


def test_text_is_as_long_as_the_guide_says(device, kept):
    """Analytics, marketing, preferences and a service beside it: the subject, 22 characters more, would show."""
    post(device("ann"), "save", "analytics")

    assert 90 + 4 * 3 <= len(kept["ann"]) <= 90 + 4 * 5
