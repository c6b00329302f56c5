"""Whatever a job queue carries for a record, a guard answers, and grants nothing that no record says."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consent import Consent, guard

MEMBERS = st.sampled_from(
    [
        *("schema", "record_id", "decided_at", "valid_until", "mode", "signals"),
        *("is_complete", "decisions", "noted", "documents", "jurisdiction"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["consent-record/1", "granted", "opt_out", "US-CA", "2026-11-23T10:00:00Z", "000000"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS | st.text(max_size=8), inner, max_size=8),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def app():
    app = Flask("queue")
    app.config.from_mapping(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=["google-analytics"])
    return app


@given(record=JSON)
def test_arbitrary_values_grant_nothing(app, record):
    with app.app_context():
        assert not guard("analytics", record=record)
        assert guard("necessary", record=record)


@given(subject_id=JSON)
def test_arbitrary_subject_grants_nothing(queue_with_ledger, subject_id):
    with queue_with_ledger.app_context():
        assert not guard("analytics", subject_id=subject_id)


@pytest.fixture(scope="module")
def queue_with_ledger():
    app = Flask("kept")
    app.config.from_mapping(
        SECRET_KEY="k" * 32,
        CONSENT_CONTROLLER="Example News Ltd",
        CONSENT_LEDGER="memory:",
        CONSENT_LEDGER_RETENTION_MONTHS=1,
    )
    Consent(app, services=["google-analytics"])
    return app
