"""Under every regime: signals, unknown places and stricter laws only close, and no act but a grant opens."""

from __future__ import annotations

import dataclasses

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consent.core.choice import Action
from consent.core.decision import Reason, decide
from consent.core.declaration import PurposeKind
from consent.core.gate import is_open
from consent.core.jurisdiction import Jurisdiction
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice
from consent.core.regime import Regime, strictest
from consent.engine import Engine
from tests import strategies
from tests.engine_steps import ACCOUNT, UNKNOWN, header, look_up

quickly = settings(max_examples=80, deadline=None)

ACTIONS = st.sampled_from([action for action in Action if action is not Action.ONCE])


@dataclasses.dataclass(frozen=True)
class Scene:
    """A visitor who has chosen, somewhere, some time ago."""

    policy: Policy
    engine: Engine
    record: object
    place: Jurisdiction
    signals: Signals

    def judge(self, record, *, place=None, signals=None):
        return self.engine.judge(record, signals=signals or self.signals, jurisdiction=place or self.place)

    def opened(self, record, *, place=None, signals=None):
        decision = self.judge(record, place=place, signals=signals).decision
        return {key for key in self.policy.keys if is_open(decision, (key,))}


@st.composite
def scenes(draw, *, is_true=True):
    policy, record = draw(strategies.policies_with_record(is_true=is_true))
    now = draw(strategies.moments_around(record) | st.just(record.decided_at))
    engine = Engine(policy, keys_oldest_first=[b"a key of at least sixteen bytes"], read_clock=lambda: now)
    place = draw(strategies.jurisdictions())
    return Scene(policy, engine, draw(st.just(record) | st.none()), place, draw(strategies.signals))


@st.composite
def acts(draw):
    """A scene, what was posted in it, and the record of that."""
    scene = draw(scenes())
    action, is_partial = draw(ACTIONS), draw(st.booleans())
    granted = draw(st.lists(st.sampled_from(list(scene.policy.keys)), unique=True))
    before = scene.judge(scene.record)
    record = scene.engine.make_record(action, granted=granted, before=before, account=ACCOUNT, is_partial=is_partial)
    return scene, action, granted, before, record


def named(policy, granted):
    """What these keys grant: a purpose its services, unless they serve others as well."""
    services = {each.key for each in policy.services if set(each.purposes) <= set(granted)}
    return (set(granted) & set(policy.fingerprints)) | services


# -- what closes


@quickly
@given(scene=scenes(is_true=False), data=st.data())
def test_signal_only_ever_closes_anywhere(scene, data):
    more = data.draw(strategies.signals)
    both = Signals(gpc=scene.signals.gpc or more.gpc, dnt=scene.signals.dnt or more.dnt)

    assert scene.opened(scene.record, signals=both) <= scene.opened(scene.record)


@quickly
@given(scene=scenes(is_true=False))
def test_unknown_place_opens_nothing_that_a_known_one_shuts(scene):
    assert scene.opened(scene.record, place=UNKNOWN) <= scene.opened(scene.record)


@quickly
@given(scene=scenes(is_true=False), data=st.data())
def test_stricter_law_opens_nothing_that_an_easier_one_shuts(scene, data):
    other = data.draw(strategies.jurisdictions())
    both = {kind: strictest((scene.place.regime_of(kind), other.regime_of(kind))) for kind in PurposeKind}
    regime = strictest((scene.place.regime, other.regime))

    stricter = dataclasses.replace(scene.place, regime=regime, regime_by_kind=both)

    assert scene.opened(scene.record, place=stricter) <= scene.opened(scene.record)


@quickly
@given(scene=scenes(is_true=False))
def test_loss_of_the_record_reopens_nothing_but_what_it_refused(scene):
    reasons = scene.judge(scene.record).decision.reasons
    choices = scene.record.choices if scene.record else {}
    refused = {key for key, choice in choices.items() if choice is Choice.DENIED}

    reopened = scene.opened(None) - scene.opened(scene.record)

    assert all(reasons[key] is Reason.REFUSED or key in refused for key in reopened)
    assert scene.opened(None, place=UNKNOWN) <= scene.opened(scene.record, place=UNKNOWN)


@quickly
@given(scene=scenes(is_true=False))
def test_nothing_under_opt_in_opens_without_a_grant_made_under_opt_in(scene):
    record, place, now = scene.record, scene.place, scene.engine.read_clock()
    decision = scene.judge(record).decision
    kinds = {purpose.key: purpose.kind for purpose in scene.policy.purposes}
    for purpose in scene.policy.optional_purposes:
        if place.regime_of(kinds[purpose.key]) is not Regime.OPT_IN or not is_open(decision, (purpose.key,)):
            continue
        assert (record.choices[purpose.key], record.regime) == (Choice.GRANTED, Regime.OPT_IN)
        assert record.fingerprints[purpose.key] == scene.policy.fingerprints[purpose.key]
        assert now < record.valid_until


@quickly
@given(scene=scenes(is_true=False))
def test_service_is_never_easier_than_its_purposes(scene):
    decision = scene.judge(None).decision

    for service in scene.policy.services:
        if is_open(decision, (service.key,)):
            assert is_open(decision, service.purposes)


@quickly
@given(scene=scenes(is_true=False))
def test_decision_is_total_anywhere(scene):
    decision = scene.judge(scene.record).decision

    assert set(decision.reasons) == set(scene.policy.keys)
    assert {*decision.choices, *decision.services} == set(scene.policy.keys)
    assert decision.prompt is None or set(decision.prompt.asked) <= set(scene.policy.fingerprints)


@quickly
@given(policy=strategies.policies(), place=strategies.jurisdictions(), now=strategies.instants)
def test_stranger_is_asked_of_everything_anywhere(policy, place, now):
    decision = decide(
        policy, None, signals=Signals(), regime=place.regime, regime_by_kind=place.regime_by_kind, now=now
    )

    assert decision.needs_prompt is policy.is_asking
    assert decision.prompt is None or set(decision.prompt.asked) == set(policy.fingerprints)


# -- what is recorded


@quickly
@given(act=acts())
def test_record_under_notice_holds_no_grant_whatever_was_posted(act):
    _, _, _, _, record = act

    assert record.regime is not Regime.NOTICE or not record.is_grant


@quickly
@given(act=acts())
def test_new_grant_under_notice_is_recorded_by_no_action(act):
    scene, _, _, before, record = act
    if before.decision.regime is not Regime.NOTICE or not record.is_grant:
        return

    granted = {key for key, choice in record.choices.items() if choice is Choice.GRANTED}
    assert all(scene.record.choices[key] is Choice.GRANTED for key in granted)
    assert record.regime is scene.record.regime


@quickly
@given(act=acts(), data=st.data())
def test_acknowledging_opens_nothing_anywhere_and_renews_no_choice(act, data):
    scene, _, _, before, _ = act
    place, signals = data.draw(strategies.jurisdictions()), data.draw(strategies.signals)

    record = scene.engine.make_record(Action.ACKNOWLEDGE, granted=(), before=before, account=ACCOUNT)

    # Elsewhere and under other signals, too: an acknowledgement must not turn into more than it was.
    kept = before.record
    reopened = scene.opened(record, place=place, signals=signals) - scene.opened(kept, place=place, signals=signals)
    assert reopened == set()
    if kept and kept.choices:
        assert (record.decided_at, record.valid_until) == (kept.decided_at, kept.valid_until)


@quickly
@given(act=acts(), data=st.data())
def test_allowing_one_thing_opens_that_alone_anywhere(act, data):
    scene, _, granted, before, _ = act
    place, signals = data.draw(strategies.jurisdictions()), data.draw(strategies.signals)

    record = scene.engine.make_record(Action.ALLOW, granted=granted, before=before, account=ACCOUNT)

    after = scene.opened(record, place=place, signals=signals)
    assert after <= scene.opened(before.record, place=place, signals=signals) | named(scene.policy, granted)


@quickly
@given(act=acts(), data=st.data())
def test_answer_to_a_part_of_the_questions_opens_that_part_alone_anywhere(act, data):
    scene, _, _, before, _ = act
    place, signals = data.draw(strategies.jurisdictions()), data.draw(strategies.signals)
    record = scene.engine.make_record(Action.ACCEPT_ALL, granted=(), before=before, account=ACCOUNT, is_partial=True)

    after = scene.opened(record, place=place, signals=signals)
    asked = set(before.decision.prompt.asked) if before.decision.prompt else set()
    assert after - asked <= scene.opened(before.record, place=place, signals=signals)


@quickly
@given(act=acts())
def test_refusal_closes_everything_that_was_asked_and_withdrawal_everything(act):
    scene, _, _, before, _ = act
    exempt = {"necessary", *(each.key for each in scene.policy.services if each.purposes == ("necessary",))}

    for action, is_partial in ((Action.REJECT_ALL, False), (Action.WITHDRAW, False), (Action.WITHDRAW, True)):
        record = scene.engine.make_record(action, granted=(), before=before, account=ACCOUNT, is_partial=is_partial)
        assert scene.opened(record) == exempt


@quickly
@given(act=acts(), data=st.data())
def test_narrowing_opens_nothing_anywhere(act, data):
    scene, _, _, before, record = act
    place, signals = data.draw(strategies.jurisdictions()), data.draw(strategies.signals)

    narrowed = scene.engine.narrow(record, before=before)

    after = scene.opened(narrowed, place=place, signals=signals)
    assert after <= scene.opened(before.record, place=place, signals=signals)


@quickly
@given(act=acts())
def test_narrowing_closes_what_was_closed_and_lengthens_no_grant(act):
    scene, _, _, before, record = act

    narrowed = scene.engine.narrow(record, before=before)

    assert {key for key, choice in record.choices.items() if choice is Choice.DENIED} <= {
        key for key, choice in narrowed.choices.items() if choice is Choice.DENIED
    }
    if narrowed.is_grant:
        assert narrowed.valid_until == before.record.valid_until


@quickly
@given(act=acts())
def test_made_record_comes_back_from_its_cookie(act):
    scene, _, _, _, record = act
    assume(scene.judge(record).record is not None)

    standing = look_up(scene.engine, header(scene.engine, record), rules=scene.place, signals=scene.signals)

    assert standing.record == dataclasses.replace(record, account=None)
    assert standing.decision == scene.judge(record).decision


@quickly
@given(act=acts())
def test_answer_is_not_asked_for_again_at_once(act):
    scene, action, _, _, record = act
    assume(action not in (Action.ALLOW, Action.ACKNOWLEDGE) and scene.judge(record).record is not None)

    assert not scene.judge(record).decision.needs_prompt
