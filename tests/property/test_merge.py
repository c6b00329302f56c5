"""Merging opens nothing that either record keeps shut, and does not ask which record came first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.core.decision import Reason, decide, is_valid
from consent.core.declaration import Purpose, PurposeKind, Service
from consent.core.merge import merge
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime

# One policy with every relation that matters: a service of one purpose, of two, and one that a third party may use.
POLICY = Policy(
    controller="Example",
    purposes=(
        Purpose("necessary"),
        Purpose("a", kind=PurposeKind.STATISTICS),
        Purpose("b", denied_by_gpc=True, kind=PurposeKind.ADVERTISING),
    ),
    services=(
        Service("one", name="One", purposes=("a",)),
        Service("two", name="Two", purposes=("a", "b")),
        Service("shared", name="Shared", purposes=("a",), third_party_use=True),
    ),
)
NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)
KEYS = sorted(POLICY.fingerprints)

regimes = st.sampled_from(Regime)
signals = st.builds(Signals, gpc=st.booleans(), dnt=st.booleans())
places = st.fixed_dictionaries(
    {
        "regime": regimes,
        "signals": signals,
        "regime_by_kind": st.dictionaries(st.sampled_from(PurposeKind), regimes),
    }
)


@st.composite
def records(draw):
    """Any record: partly noted, partly on declarations of another day, in force or not."""
    regime = draw(regimes)
    verdicts = st.sampled_from([Choice.DENIED] if regime is Regime.NOTICE else list(Choice))
    choices = draw(st.dictionaries(st.sampled_from(KEYS), verdicts))
    noted = draw(st.sets(st.sampled_from(KEYS)))
    stale = draw(st.sets(st.sampled_from(KEYS), max_size=2))
    return ConsentRecord(
        record_id=str(draw(st.uuids(version=4))),
        decided_at=NOW + timedelta(seconds=draw(st.sampled_from([-86400, 0, 200, 400]))),
        valid_until=NOW + timedelta(days=draw(st.sampled_from([-1, 0, 1, 200]))),
        regime=regime,
        signals=draw(signals),
        choices=choices,
        fingerprints={key: b"old" if key in stale else POLICY.fingerprints[key] for key in {*choices, *noted}},
        is_complete=draw(st.booleans()),
    )


def judge(record, place):
    return decide(POLICY, record, now=NOW, **place)


def opened(decision):
    verdicts = {**decision.choices, **decision.services}
    return {key for key, choice in verdicts.items() if choice is Choice.GRANTED}


def decided_on(record, place):
    """Return what a record that is in force has decided on, newer services of a refused purpose included."""
    if not is_valid(record, now=NOW):
        return set()
    covered = {key for key in record.choices if record.fingerprints[key] == POLICY.fingerprints[key]}
    return covered | {key for key, reason in judge(record, place).reasons.items() if reason is Reason.REFUSED}


@settings(max_examples=200, deadline=None)
@given(first=records(), second=records(), place=places)
def test_merging_opens_nothing_that_either_has_decided_to_keep_shut(first, second, place):
    merged = opened(judge(merge(first, second, policy=POLICY, now=NOW), place))

    for record in (first, second):
        assert merged & decided_on(record, place) <= opened(judge(record, place))


@settings(max_examples=200, deadline=None)
@given(first=records(), second=records(), place=places)
def test_what_nobody_has_decided_on_is_open_only_to_strangers(first, second, place):
    decided = decided_on(first, place) | decided_on(second, place)
    merged = opened(judge(merge(first, second, policy=POLICY, now=NOW), place))

    assert merged - decided <= opened(judge(None, place))


@settings(max_examples=200, deadline=None)
@given(first=records(), second=records(), place=places)
def test_order_of_the_two_does_not_matter(first, second, place):
    one, other = (merge(*pair, policy=POLICY, now=NOW) for pair in ((first, second), (second, first)))

    assert opened(judge(one, place)) == opened(judge(other, place))
    assert judge(one, place).reasons == judge(other, place).reasons


@given(record=records())
def test_record_merges_with_nothing_and_with_itself_to_itself(record):
    assert merge(record, None, policy=POLICY, now=NOW) == record
    assert merge(None, record, policy=POLICY, now=NOW) == record
    assert merge(record, record, policy=POLICY, now=NOW) == record


@settings(max_examples=200, deadline=None)
@given(first=records(), second=records(), place=places)
def test_merging_again_changes_nothing(first, second, place):
    merged = merge(first, second, policy=POLICY, now=NOW)

    for record in (first, second):
        again = judge(merge(merged, record, policy=POLICY, now=NOW), place)
        assert opened(again) == opened(judge(merged, place))
