"""Nothing opens without an explicit grant, whatever the record, the signals and the clock say."""

from __future__ import annotations

import dataclasses
from datetime import UTC, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consent.core.choice import Action, choose
from consent.core.decision import Reason, decide
from consent.core.gate import find_closed, is_open, judge_cookies
from consent.core.privacy_signal import Signals
from consent.core.record import Choice
from consent.core.regime import Regime
from tests import strategies

quickly = settings(max_examples=100, deadline=None)

GRANTED, DENIED = Choice.GRANTED, Choice.DENIED


def judge(policy, record, *, now, gpc=False):
    return decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)


def verdicts(decision):
    return {**decision.choices, **decision.services}


def opened(decision):
    return {key for key, choice in verdicts(decision).items() if choice is GRANTED}


def exempt(policy):
    return {"necessary", *(service.key for service in policy.services if service.purposes == ("necessary",))}


@quickly
@given(data=st.data())
def test_decide_is_total(data):
    policy, record = data.draw(strategies.policies_with_record())
    decision = judge(policy, record, now=data.draw(strategies.moments_around(record)), gpc=data.draw(st.booleans()))

    assert set(decision.choices) == set(policy.purposes_by_key)
    assert set(decision.services) == set(policy.services_by_key)
    assert set(decision.reasons) == set(policy.keys)
    assert all(isinstance(choice, Choice) for choice in verdicts(decision).values())


@quickly
@given(data=st.data())
def test_nothing_opens_without_an_explicit_grant_on_the_same_declaration(data):
    policy, record = data.draw(strategies.policies_with_record())
    decision = judge(policy, record, now=data.draw(strategies.moments_around(record)), gpc=data.draw(st.booleans()))

    for key in opened(decision) - exempt(policy):
        assert record.choices[key] is GRANTED
        assert record.regime is Regime.OPT_IN
        assert record.fingerprints[key] == policy.fingerprints[key]


@quickly
@given(data=st.data())
def test_nothing_opens_outside_the_record_s_time(data):
    policy, record = data.draw(strategies.policies_with_record())
    now = data.draw(strategies.moments_around(record))
    assume(now >= record.valid_until or record.decided_at - now > timedelta(seconds=300))

    assert opened(judge(policy, record, now=now)) == exempt(policy)


@quickly
@given(policy=strategies.policies(), now=strategies.instants, gpc=st.booleans())
def test_first_visit_opens_only_what_is_exempt(policy, now, gpc):
    decision = judge(policy, None, now=now, gpc=gpc)

    assert opened(decision) == exempt(policy)
    assert decision.needs_prompt is policy.is_asking


@quickly
@given(data=st.data())
def test_signal_only_ever_closes(data):
    policy, record = data.draw(strategies.policies_with_record())
    now = data.draw(strategies.moments_around(record))

    without, with_signal = judge(policy, record, now=now), judge(policy, record, now=now, gpc=True)

    assert opened(with_signal) <= opened(without)
    assert with_signal.prompt_reason == without.prompt_reason


@quickly
@given(data=st.data())
def test_denying_one_more_key_opens_nothing(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    assume(record.choices)
    now, gpc = data.draw(strategies.moments_around(record)), data.draw(st.booleans())
    key = data.draw(st.sampled_from(sorted(record.choices)))
    less = dataclasses.replace(record, choices=dict(record.choices) | {key: DENIED})

    before, after = judge(policy, record, now=now, gpc=gpc), judge(policy, less, now=now, gpc=gpc)

    assert opened(after) == opened(before) - {key}


@quickly
@given(data=st.data())
def test_verdict_follows_from_the_reason(data):
    policy, record = data.draw(strategies.policies_with_record())
    decision = judge(policy, record, now=data.draw(strategies.moments_around(record)), gpc=data.draw(st.booleans()))

    assert opened(decision) == {
        key for key, reason in decision.reasons.items() if reason in (Reason.NECESSARY, Reason.GRANTED)
    }
    is_open = Reason.UNDECIDED in decision.reasons.values() or bool(decision.revised)
    assert decision.needs_prompt is (is_open and policy.is_asking)


@quickly
@given(data=st.data())
def test_decide_is_pure(data):
    policy, record = data.draw(strategies.policies_with_record())
    now = data.draw(strategies.moments_around(record))

    assert judge(policy, record, now=now) == judge(policy, record, now=now.astimezone(UTC))


@quickly
@given(data=st.data())
def test_gate_of_more_keys_is_never_wider(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    decision = judge(policy, record, now=record.decided_at)
    keys = data.draw(st.lists(st.sampled_from([*policy.keys, "nobody"]), min_size=1))
    more = [*keys, data.draw(st.sampled_from([*policy.keys, "nobody"]))]

    assert is_open(decision, more) <= is_open(decision, keys)


@quickly
@given(data=st.data())
def test_no_action_opens_more_than_it_names(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    gpc = data.draw(st.booleans())
    before = judge(policy, record, now=record.decided_at, gpc=gpc)
    action = data.draw(st.sampled_from([Action.SAVE, Action.ALLOW, Action.REJECT_ALL, Action.WITHDRAW]))
    granted = data.draw(st.lists(st.sampled_from([*policy.keys, "nobody"]), unique=True))

    chosen = choose(policy, action, granted=granted, before=before)

    named = {key for key in policy.fingerprints if key in granted} | {
        service.key for service in policy.services if set(service.purposes) <= set(granted)
    }
    kept = opened(before) if action is Action.ALLOW else set()
    assert {key for key, choice in chosen.items() if choice is GRANTED} <= named | kept
    assert set(chosen) <= set(policy.fingerprints)


@quickly
@given(data=st.data())
def test_allow_changes_nothing_but_what_it_names(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    gpc = data.draw(st.booleans())
    before = judge(policy, record, now=record.decided_at, gpc=gpc)
    granted = data.draw(st.lists(st.sampled_from(list(policy.keys)), unique=True))
    chosen = choose(policy, Action.ALLOW, granted=granted, before=before)
    fingerprints = {key: policy.fingerprints[key] for key in chosen}
    after_record = dataclasses.replace(
        record, choices=chosen, fingerprints=fingerprints, signals=Signals(gpc=gpc), regime=Regime.OPT_IN
    )

    after = judge(policy, after_record, now=record.decided_at, gpc=gpc)

    named = {key for key in policy.fingerprints if key in granted} | {
        service.key for service in policy.services if set(service.purposes) <= set(granted)
    }
    assert {key: value for key, value in verdicts(after).items() if key not in named} == {
        key: value for key, value in verdicts(before).items() if key not in named
    }
    assert find_closed(before, after) == frozenset()


@quickly
@given(data=st.data())
def test_cookies_go_only_after_a_no_and_stay_after_a_yes(data):
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    decision = judge(policy, record, now=record.decided_at, gpc=data.draw(st.booleans()))
    verdicts_on_cookies = judge_cookies(policy, decision)

    for service in policy.services:
        is_granted = decision.services[service.key] is GRANTED
        assert not is_granted or set(service.cookies) <= set(verdicts_on_cookies.kept)
        is_open_question = decision.reasons[service.key] is Reason.UNDECIDED
        is_decided = record.choices.get(service.key) is DENIED or record.regime is Regime.OPT_IN
        assert not is_open_question or service.key not in record.choices or not is_decided
    assert not verdicts_on_cookies.unwanted or DENIED in verdicts(decision).values()
