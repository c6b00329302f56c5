"""The full account of one choice, as a ledger will keep it."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from consent.core.privacy_signal import Signals
from consent.core.record import SCHEMA, Account, Choice, ConsentRecord, Event, Notice, read_record
from consent.core.regime import Regime
from consent.errors import RecordError

ACCOUNT = Account(
    event=Event.CHOICE,
    source="banner",
    action="save",
    notice=Notice(policy_version="0123456789abcdef", language="de", layer=1, prompt_reason="no_record"),
    evidence="sec-fetch-site",
    has_header_gpc=True,
    withdrawal_url="/privacy-choices/",
    services={"analytics": ("stats",)},
    previous_id="99999999-9999-4999-8999-999999999999",
)


RECORD = ConsentRecord(
    record_id="00000000-0000-4000-8000-000000000000",
    decided_at=datetime(2026, 8, 31, 12, 0, 1, tzinfo=UTC),
    valid_until=datetime(2027, 2, 28, 12, 0, 1, tzinfo=UTC),
    regime=Regime.OPT_IN,
    signals=Signals(gpc=True),
    choices={"marketing": Choice.DENIED, "analytics": Choice.GRANTED},
    fingerprints={"marketing": b"\x00\x01\x02", "analytics": b"\xff\xfe\xfd"},
)


def make_record(**changes):
    return dataclasses.replace(RECORD, **changes)


def test_record_of_the_cookie_describes_what_the_cookie_holds():
    assert make_record(is_complete=False).as_dict() == {
        "schema": "consent-record/1",
        "record_id": "00000000-0000-4000-8000-000000000000",
        "subject_id": None,
        "revision": 0,
        "event_time": "2026-08-31T12:00:01Z",
        "decided_at": "2026-08-31T12:00:01Z",
        "valid_until": "2027-02-28T12:00:01Z",
        "mode": "opt_in",
        "signals": {"gpc": True, "dnt": False},
        "is_complete": False,
        "decisions": {
            "analytics": {"state": "granted", "basis": "consent", "fingerprint": "fffefd"},
            "marketing": {"state": "refused", "basis": "consent", "fingerprint": "000102"},
        },
        "noted": {},
        "documents": {},
    }


def test_record_with_its_account_describes_everything():
    described = make_record(account=ACCOUNT).as_dict()

    assert described["decisions"] == {
        "analytics": {"state": "granted", "basis": "consent", "fingerprint": "fffefd", "vendors": ["stats"]},
        "marketing": {"state": "refused", "basis": "consent", "fingerprint": "000102"},
    }
    assert described["signals"] == {"gpc": True, "dnt": False, "sec_gpc": True, "dom_gpc": False}
    assert {key: described[key] for key in list(described)[list(described).index("event") :]} == {
        "event": "choice",
        "source": "banner",
        "action": "save",
        "jurisdiction": None,
        "profile": None,
        "language": "de",
        "notice": {
            "version": "0123456789abcdef",
            "text_sha256": None,
            "ui_sha256": None,
            "is_as_shown": None,
            "layer": 1,
            "prompt_reason": "no_record",
        },
        "evidence": "sec-fetch-site",
        "client": {},
        "signal_map": {},
        "withdrawal_url": "/privacy-choices/",
        "previous": "99999999-9999-4999-8999-999999999999",
    }


def test_record_survives_json_as_it_is():
    described = make_record(account=ACCOUNT).as_dict()

    assert json.loads(json.dumps(described, allow_nan=False)) == described


def test_schema_is_named():
    assert SCHEMA == "consent-record/1"


@pytest.mark.parametrize(
    ("choices", "is_grant"),
    [
        ({}, False),
        ({"analytics": Choice.DENIED}, False),
        ({"analytics": Choice.DENIED, "stats": Choice.GRANTED}, True),
    ],
)
def test_one_grant_makes_a_grant(choices, is_grant):
    assert make_record(choices=choices).is_grant is is_grant


def test_record_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_record().choices = {}


def test_choices_are_what_the_wire_says():
    assert json.dumps([Choice.GRANTED, Choice.DENIED]) == '["granted", "denied"]'


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"is_complete": False},
        {"choices": {}},
        {"regime": Regime.NOTICE, "choices": {"analytics": Choice.DENIED}},
        {"signals": Signals(gpc=False, dnt=True)},
        {"documents": {"privacy": b"\x01\x02\x03"}},
    ],
    ids=str,
)
def test_record_is_read_back_as_it_was(changes):
    record = make_record(**changes)

    assert read_record(json.loads(json.dumps(record.as_dict()))) == record


def test_record_is_read_back_without_its_account():
    assert read_record(make_record(account=ACCOUNT).as_dict()) == make_record()


def test_act_on_an_older_choice_is_told_at_its_own_time():
    acted_at = datetime(2026, 10, 1, 8, tzinfo=UTC)
    described = make_record(account=dataclasses.replace(ACCOUNT, acted_at=acted_at)).as_dict()

    assert (described["event_time"], described["decided_at"]) == ("2026-10-01T08:00:00Z", "2026-08-31T12:00:01Z")
    assert read_record(described).decided_at == RECORD.decided_at


def test_declaration_that_was_merely_noted_is_listed_apart():
    described = make_record(choices={"marketing": Choice.DENIED}).as_dict()

    assert (described["noted"], [*described["decisions"]]) == ({"analytics": "fffefd"}, ["marketing"])


def test_document_is_described_by_version_and_fingerprint():
    account = dataclasses.replace(ACCOUNT, documents={"privacy": "3"})
    documents = {"privacy": b"\x01\x02\x03", "terms": b"\x04\x05\x06"}

    assert make_record(account=account, documents=documents).as_dict()["documents"] == {
        "privacy": {"version": "3", "fingerprint": "010203"},
        "terms": {"fingerprint": "040506"},
    }


@pytest.mark.parametrize("schema", [None, "", "consent-record/2", 1])
def test_record_of_another_schema_is_refused(schema):
    with pytest.raises(RecordError) as caught:
        read_record(RECORD.as_dict() | {"schema": schema})

    assert "'schema'" in str(caught.value)
    assert "consent-record/1" in str(caught.value)


@pytest.mark.parametrize("name", ["decisions", "noted", "signals", "documents"])
@pytest.mark.parametrize("value", [[], "x", 7, None, True], ids=repr)
def test_member_that_is_no_object_is_refused_by_its_name(name, value):
    with pytest.raises(RecordError, match=f"'{name}'.* an object"):
        read_record(RECORD.as_dict() | {name: value})


@pytest.mark.parametrize("name", ["decided_at", "valid_until"])
def test_instant_without_an_offset_is_refused_by_its_name(name):
    with pytest.raises(RecordError, match=f"'{name}'.*2026-11-23T10:00:00Z"):
        read_record(RECORD.as_dict() | {name: "2026-08-31T12:00:01"})


@pytest.mark.parametrize(
    "changes",
    [
        {"record_id": None},
        {"record_id": "12"},
        {"decided_at": None},
        {"decided_at": "yesterday"},
        {"valid_until": 20261231},
        {"mode": "opt-in"},
        {"mode": None},
        {"decisions": {"analytics": {"state": "allowed", "fingerprint": "000000"}}},
        {"decisions": {"analytics": {"state": "granted"}}},
        {"decisions": {"analytics": {"state": "granted", "fingerprint": "xyz"}}},
        {"decisions": {"analytics": "granted"}},
        {"noted": {"analytics": "xyz"}},
        {"noted": {"analytics": None}},
        {"documents": {"privacy": "3"}},
        {"documents": {"privacy": {"version": "3"}}},
    ],
    ids=str,
)
def test_malformed_member_is_refused(changes):
    with pytest.raises(RecordError):
        read_record(RECORD.as_dict() | changes)


@pytest.mark.parametrize("name", ["record_id", "decided_at", "valid_until", "mode"])
def test_missing_member_is_refused(name):
    described = RECORD.as_dict()
    del described[name]

    with pytest.raises(RecordError):
        read_record(described)


def test_grant_under_notice_cannot_be_made_nor_read():
    with pytest.raises(ValueError, match="A record of the regime 'notice' cannot hold a grant"):
        make_record(regime=Regime.NOTICE)
    with pytest.raises(RecordError, match="since the record holds a grant"):
        read_record(RECORD.as_dict() | {"mode": "notice"})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"record_id": "12"}, "record_id"),
        ({"mode": "opt-in"}, "mode"),
        ({"is_complete": 1}, "is_complete"),
        ({"signals": {"gpc": "yes", "dnt": False}}, "signals.gpc"),
        ({"signals": {"gpc": True}}, "signals.dnt"),
        ({"decisions": {"analytics": {"state": "allowed", "fingerprint": "00"}}}, "decisions.analytics.state"),
        ({"decisions": {"analytics": {"state": "granted"}}}, "decisions.analytics.fingerprint"),
        ({"decisions": {"analytics": "granted"}}, "decisions.analytics.fingerprint"),
        ({"noted": {"analytics": "xyz"}}, "noted.analytics"),
        ({"documents": {"privacy": {"version": "3"}}}, "documents.privacy.fingerprint"),
    ],
    ids=str,
)
def test_malformed_member_is_refused_by_its_path(changes, path):
    with pytest.raises(RecordError) as caught:
        read_record(RECORD.as_dict() | changes)

    assert f"'{path}'" in str(caught.value)
