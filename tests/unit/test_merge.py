"""Two records of one person: the stricter wins, and neither is lost."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from types import MappingProxyType

import pytest

from consent.core.decision import decide
from consent.core.declaration import Purpose
from consent.core.document import Document
from consent.core.merge import merge
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from tests.samples import make_record

GRANTED, DENIED = Choice.GRANTED, Choice.DENIED
OTHER_ID = "ffffffff-89ab-4def-8123-456789abcdef"
GPC, QUIET = Signals(gpc=True), Signals()


@pytest.fixture
def record(policy, now):
    """Return a function that makes a record of some choices, which are all that it covers."""

    def make(choices=MappingProxyType({}), *, noted=(), **changes):
        fingerprints = {key: policy.fingerprints[key] for key in (*choices, *noted)}
        return make_record(policy, now, **({"choices": dict(choices), "fingerprints": fingerprints} | changes))

    return make


@pytest.fixture
def join(policy, now):
    """Return a function that merges two records, and checks that their order does not matter."""

    def make(first, second, *, policy=policy, now=now):
        joined, turned = (merge(*pair, policy=policy, now=now) for pair in ((first, second), (second, first)))
        assert joined == turned
        return joined

    return make


def test_lone_record_counts_whole(record, join):
    alone = record({"analytics": GRANTED})

    assert join(alone, None) is alone


def test_no_record_stays_none(join):
    assert join(None, None) is None


def test_equal_records_are_one(record, join):
    one, same = record({"marketing": DENIED}), record({"marketing": DENIED})

    assert join(one, same) == one


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (GRANTED, GRANTED, GRANTED),
        (GRANTED, DENIED, DENIED),
        (DENIED, DENIED, DENIED),
        (GRANTED, None, GRANTED),
        (DENIED, None, DENIED),
    ],
)
def test_stricter_choice_wins(record, join, one, other, expected):
    first = record({"analytics": one})
    second = record({"analytics": other} if other else {"preferences": GRANTED}, record_id=OTHER_ID)

    assert join(first, second).choices["analytics"] is expected


def test_what_each_alone_decided_on_stands(record, join):
    joined = join(record({"analytics": GRANTED}), record({"preferences": DENIED}, record_id=OTHER_ID))

    assert joined.choices == {"analytics": GRANTED, "preferences": DENIED}


def test_choice_on_another_declaration_has_no_say(record, join, policy):
    stale = record({"analytics": DENIED}, fingerprints={"analytics": b"old"}, record_id=OTHER_ID)
    joined = join(record({"analytics": GRANTED}), stale)

    assert joined.choices == {"analytics": GRANTED}
    assert joined.fingerprints == {"analytics": policy.fingerprints["analytics"]}


def test_refused_purpose_reaches_its_newer_services(record, join):
    """The refusal was made before `stats` was added, and closes it; the other record knows and grants it."""
    joined = join(record({"analytics": DENIED}), record({"analytics": GRANTED, "stats": GRANTED}, record_id=OTHER_ID))

    assert joined.choices["stats"] is DENIED


def test_what_either_has_noted_is_noted(record, join, policy):
    joined = join(record(noted=["analytics"]), record(noted=["marketing"], record_id=OTHER_ID))

    assert joined.choices == {}
    assert set(joined.fingerprints) == {"analytics", "marketing"}


def test_grant_counts_no_further_than_under_the_laxer_regime(record, join):
    lax = record({"analytics": GRANTED}, regime=Regime.OPT_OUT, record_id=OTHER_ID)

    assert join(record({"analytics": GRANTED}), lax).regime is Regime.OPT_OUT


@pytest.mark.parametrize("regime", [Regime.OPT_OUT, Regime.NOTICE])
def test_regime_of_a_record_without_grants_does_not_weaken_those_of_the_other(record, join, regime):
    refusal = record({"marketing": DENIED}, noted=["analytics"], regime=regime, record_id=OTHER_ID)
    joined = join(record({"analytics": GRANTED}), refusal)

    assert (joined.regime, joined.choices["analytics"]) == (Regime.OPT_IN, GRANTED)


def test_regime_of_overruled_grants_does_not_weaken_the_others(record, join):
    overruled = record({"marketing": GRANTED}, regime=Regime.OPT_OUT, record_id=OTHER_ID)
    joined = join(record({"analytics": GRANTED, "marketing": DENIED}), overruled)

    assert (joined.regime, joined.choices["analytics"]) == (Regime.OPT_IN, GRANTED)


def test_regime_of_refusals_alone_is_the_laxer(record, join):
    joined = join(record({"analytics": DENIED}), record({}, regime=Regime.NOTICE, record_id=OTHER_ID))

    assert joined.regime is Regime.NOTICE


@pytest.mark.parametrize(("signals", "gpc"), [((GPC, GPC), True), ((GPC, QUIET), False)])
def test_grant_holds_in_spite_of_a_signal_only_if_both_do(record, join, signals, gpc):
    first, second = (
        record({"marketing": GRANTED}, signals=each, record_id=OTHER_ID if at else record().record_id)
        for at, each in enumerate(signals)
    )

    assert join(first, second).signals.gpc is gpc


def test_grants_end_with_the_record_that_ends_first(record, join, now):
    sooner = record(
        {"analytics": GRANTED},
        decided_at=now - timedelta(days=9),
        valid_until=now + timedelta(days=9),
        record_id=OTHER_ID,
    )
    joined = join(record({"analytics": GRANTED}), sooner)

    assert (joined.decided_at, joined.valid_until) == (sooner.decided_at, sooner.valid_until)


def test_refusals_alone_are_not_cut_short(record, join, now):
    longer = record({"marketing": DENIED})
    sooner = record({"analytics": DENIED}, valid_until=now + timedelta(days=9), record_id=OTHER_ID)

    assert join(longer, sooner).valid_until == longer.valid_until


def test_record_that_is_over_has_no_say_beside_one_in_force(record, join, now):
    over = record({"analytics": GRANTED}, valid_until=now, record_id=OTHER_ID)
    current = record({"marketing": DENIED})

    assert join(current, over) is current


def test_of_two_that_are_over_the_later_is_known(record, join, now):
    earlier = record({"analytics": GRANTED}, valid_until=now - timedelta(days=2))
    later = record({"analytics": DENIED}, valid_until=now - timedelta(days=1), record_id=OTHER_ID)

    assert join(earlier, later) is later


def test_id_is_that_of_the_later_choice(record, join, now):
    later = record({"analytics": DENIED}, decided_at=now + timedelta(seconds=1), record_id=OTHER_ID)

    assert join(record({"analytics": DENIED}), later).record_id == OTHER_ID


def test_complete_record_makes_the_whole_complete(record, join):
    partial = record({"stats": GRANTED}, is_complete=False, record_id=OTHER_ID)

    assert join(partial, partial).is_complete is False
    assert join(record({"analytics": DENIED}), partial).is_complete is True


def test_document_in_force_counts_as_noted_if_either_noted_it(policy, record, join):
    terms = Document("terms", url="/terms", version="2")
    with_terms = dataclasses.replace(policy, documents=(terms,))
    joined = join(
        record(documents={"terms": b"old", "gone": b"gon"}),
        record(documents={"terms": terms.fingerprint}, record_id=OTHER_ID),
        policy=with_terms,
    )

    assert joined.documents == {"terms": terms.fingerprint, "gone": b"gon"}


def test_account_of_neither_is_kept(record, join):
    assert isinstance(join(record({}), record({}, record_id=OTHER_ID)), ConsentRecord)
    assert join(record({}), record({}, record_id=OTHER_ID)).account is None


def test_merged_refusal_closes_what_runs_until_objected(policy, record, join, now):
    joined = join(record({"marketing": DENIED}), record({"marketing": GRANTED}, record_id=OTHER_ID))
    decision = decide(policy, joined, signals=QUIET, regime=Regime.OPT_OUT, now=now)

    assert decision.choices["marketing"] is DENIED
    assert decision.services["player"] is DENIED


def test_policy_without_anything_to_ask_merges_to_nothing_decided(now, record, join):
    empty = Policy(controller="Example", purposes=(Purpose("necessary"),))
    joined = join(record({"analytics": GRANTED}), record({"analytics": GRANTED}, record_id=OTHER_ID), policy=empty)

    assert (joined.choices, joined.fingerprints) == ({}, {})


@pytest.mark.parametrize("is_first", [True, False])
def test_refusal_of_something_unknown_in_either_record_is_kept(record, join, is_first):
    pair = (record(has_unknown_refusal=is_first), record(has_unknown_refusal=not is_first, record_id=OTHER_ID))

    assert join(*pair).has_unknown_refusal
