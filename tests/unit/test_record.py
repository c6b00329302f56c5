"""The full account of one choice, as a ledger will keep it."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from consent.core.privacy_signal import Signals
from consent.core.record import SCHEMA, Account, Choice, ConsentRecord, Event, Notice
from consent.core.regime import Regime

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
        "subject_id": None,
        "jurisdiction": None,
        "profile": None,
        "language": "de",
        "notice": {
            "version": "0123456789abcdef",
            "text_sha256": None,
            "ui_sha256": None,
            "layer": 1,
            "prompt_reason": "no_record",
        },
        "evidence": "sec-fetch-site",
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
