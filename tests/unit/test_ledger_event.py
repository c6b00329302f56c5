"""What of a record becomes an event of the ledger, and which record is none."""

from __future__ import annotations

import dataclasses
import json

import pytest

from consent.core.ledger import make_event
from consent.core.record import Account, Choice, Event, Notice
from tests.samples import make_record

SUBJECT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
ACCOUNT = Account(
    event=Event.CHOICE,
    source="banner",
    action="allow",
    notice=Notice(policy_version="0123456789abcdef", language="de", layer=1, text_sha256="1" * 64),
    evidence="sec-fetch-site",
    withdrawal_url="/privacy-choices/",
    bases={"analytics": "consent", "marketing": "consent"},
    services={"analytics": ("stats",), "marketing": ("player",)},
)


@pytest.fixture
def record(policy, now):
    granted = {"analytics": Choice.GRANTED}
    return make_record(policy, now, choices=granted, subject_id=SUBJECT, revision=1, account=ACCOUNT)


def test_event_says_the_same_as_its_record(record):
    event = make_event(record)

    assert json.loads(event.payload) == record.as_dict()
    assert (event.event_id, event.subject_id, event.revision) == (record.record_id, SUBJECT, 1)
    assert (event.kind, event.text_sha256, event.ui_sha256) == ("choice", "1" * 64, None)


def test_event_names_every_purpose_also_what_nobody_has_decided_on(record):
    decisions = json.loads(make_event(record).payload)["decisions"]

    assert {key: each["state"] for key, each in decisions.items()} == {"analytics": "granted", "marketing": "undecided"}


def test_record_that_lacks_a_purpose_is_no_event(record):
    lacking = dataclasses.replace(record, account=dataclasses.replace(ACCOUNT, bases={"analytics": "consent"}))

    with pytest.raises(
        ValueError, match=r"^The record says nothing of 'marketing'\. Name every optional purpose in 'bases'\.$"
    ):
        make_event(lacking)


@pytest.mark.parametrize("changes", [{"account": None}, {"subject_id": None}])
def test_record_without_account_or_subject_is_no_event(record, changes):
    with pytest.raises(ValueError, match="Only a record with its account and a subject"):
        make_event(dataclasses.replace(record, **changes))
