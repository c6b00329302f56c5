"""What an action leads to: exactly what was asked for, and with `allow` nothing else."""

from __future__ import annotations

import pytest

from consent.core.choice import Action, choose, find_event
from consent.core.decision import decide
from consent.core.lifetime import add_months
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord, Event
from consent.core.regime import Regime

ALL = {"preferences", "analytics", "marketing", "stats", "player", "pixel"}
DECIDING = [action for action in Action if action not in (Action.ALLOW, Action.ONCE, Action.ACKNOWLEDGE)]


def judge(policy, record, now, *, gpc=False):
    return decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)


def record_of(policy, choices, now, *, gpc=False):
    return ConsentRecord(
        record_id="00000000-0000-4000-8000-000000000000",
        decided_at=now,
        valid_until=add_months(now, 6),
        regime=Regime.OPT_IN,
        signals=Signals(gpc=gpc),
        choices=choices,
        fingerprints={key: policy.fingerprints[key] for key in choices},
    )


def granted_in(choices):
    return {key for key, choice in choices.items() if choice is Choice.GRANTED}


@pytest.fixture
def stranger(policy, now):
    return judge(policy, None, now)


@pytest.fixture
def accepted(policy, now):
    return judge(policy, record_of(policy, dict.fromkeys(ALL, Choice.GRANTED), now), now)


def test_actions_are_those_of_the_contract():
    assert {action.value for action in Action} == {
        *("accept_all", "reject_all", "save", "allow", "once", "withdraw", "acknowledge"),
    }


@pytest.mark.parametrize("action", DECIDING)
def test_deciding_action_decides_on_every_key_and_on_nothing_necessary(policy, stranger, action):
    assert set(choose(policy, action, granted=("analytics",), before=stranger)) == ALL


@pytest.mark.parametrize("granted", [(), ("analytics",), ("marketing", "stats")])
def test_accept_all_grants_all_whatever_is_ticked(policy, stranger, granted):
    assert granted_in(choose(policy, Action.ACCEPT_ALL, granted=granted, before=stranger)) == ALL


@pytest.mark.parametrize("action", [Action.REJECT_ALL, Action.WITHDRAW])
@pytest.mark.parametrize("granted", [(), ("analytics", "player")])
def test_refusing_denies_all_whatever_is_ticked(policy, accepted, action, granted):
    assert granted_in(choose(policy, action, granted=granted, before=accepted)) == set()


@pytest.mark.parametrize(
    ("granted", "opened"),
    [
        ((), set()),
        (("preferences",), {"preferences"}),
        (("analytics",), {"analytics", "stats"}),
        (("marketing",), {"marketing", "player"}),
        (("analytics", "marketing"), {"analytics", "stats", "marketing", "player", "pixel"}),
        (("player",), {"player"}),
        (("pixel",), {"pixel"}),
        (("stats", "marketing"), {"stats", "marketing", "player"}),
        (("necessary",), set()),
        (("login",), set()),
        (("nobody", "", "ANALYTICS"), set()),
    ],
)
def test_save_grants_exactly_what_was_named(policy, accepted, granted, opened):
    # From a visitor who had accepted all: what is not named is denied.
    assert granted_in(choose(policy, Action.SAVE, granted=granted, before=accepted)) == opened


def test_purpose_and_all_its_services_come_together(policy, stranger):
    by_purpose = choose(policy, Action.SAVE, granted=("analytics",), before=stranger)
    by_both = choose(policy, Action.SAVE, granted=("analytics", "stats"), before=stranger)

    assert by_purpose == by_both


def test_allow_decides_on_nothing_else(policy, stranger):
    assert choose(policy, Action.ALLOW, granted=("player",), before=stranger) == {"player": Choice.GRANTED}


def test_allow_of_a_purpose_takes_its_services_along(policy, stranger):
    chosen = choose(policy, Action.ALLOW, granted=("marketing",), before=stranger)

    assert chosen == {"marketing": Choice.GRANTED, "player": Choice.GRANTED}


def test_allow_keeps_what_was_granted_and_what_was_refused(policy, now):
    choices = dict.fromkeys(ALL, Choice.DENIED) | {"analytics": Choice.GRANTED}
    before = judge(policy, record_of(policy, choices, now), now)

    assert choose(policy, Action.ALLOW, granted=("player",), before=before) == choices | {"player": Choice.GRANTED}


def test_allow_does_not_decide_what_a_change_made_undecided(policy, now):
    choices = dict.fromkeys(ALL - {"stats"}, Choice.GRANTED)
    before = judge(policy, record_of(policy, choices, now), now)

    assert "stats" not in choose(policy, Action.ALLOW, granted=("player",), before=before)


def test_allow_while_gpc_is_on_does_not_revive_marketing(policy, now):
    # Marketing was granted without the signal; the new record is made with it, and would say the grant was, too.
    record = record_of(policy, dict.fromkeys(ALL, Choice.GRANTED), now)
    before = judge(policy, record, now, gpc=True)

    chosen = choose(policy, Action.ALLOW, granted=("stats",), before=before)

    after = judge(policy, record_of(policy, chosen, now, gpc=True), now, gpc=True)
    assert {key for key, choice in {**after.choices, **after.services}.items() if choice == "granted"} == {
        *("necessary", "login"),
        *("preferences", "analytics", "stats"),
    }


def test_allow_of_a_service_while_gpc_is_on_opens_that_service_alone(policy, now):
    before = judge(policy, record_of(policy, dict.fromkeys(ALL, Choice.GRANTED), now), now, gpc=True)

    chosen = choose(policy, Action.ALLOW, granted=("player",), before=before)

    after = judge(policy, record_of(policy, chosen, now, gpc=True), now, gpc=True)
    assert after.services["player"] == "granted"
    assert (after.choices["marketing"], after.services["pixel"]) == ("denied", "denied")


@pytest.mark.parametrize("granted", [("necessary",), ("login",), ("nobody",), ()])
def test_allow_of_nothing_that_can_be_chosen_decides_nothing(policy, stranger, granted):
    assert choose(policy, Action.ALLOW, granted=granted, before=stranger) == {}


@pytest.mark.parametrize("action", DECIDING)
def test_choosing_twice_leads_to_the_same(policy, now, stranger, action):
    first = choose(policy, action, granted=("analytics",), before=stranger)
    before = judge(policy, record_of(policy, first, now), now)

    assert choose(policy, action, granted=("analytics",), before=before) == first


# -- acknowledging, and where the law is not opt-in


def judge_in(policy, record, now, regime):
    return decide(policy, record, signals=Signals(), regime=regime, now=now)


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("granted", [(), ("analytics", "player")])
def test_acknowledging_decides_on_nothing(policy, now, regime, granted):
    stranger = judge_in(policy, None, now, regime)

    assert choose(policy, Action.ACKNOWLEDGE, granted=granted, before=stranger) == {}


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("choice", Choice)
def test_acknowledging_keeps_every_answer(policy, now, regime, choice):
    answers = dict.fromkeys(ALL, choice)
    before = judge_in(policy, record_of(policy, answers, now), now, regime)

    assert choose(policy, Action.ACKNOWLEDGE, granted=(), before=before) == answers


@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.SAVE, Action.ALLOW])
def test_nothing_is_granted_under_notice(policy, now, action):
    stranger = judge_in(policy, None, now, Regime.NOTICE)

    assert granted_in(choose(policy, action, granted=("analytics", "player"), before=stranger)) == set()


def test_saving_under_notice_records_what_was_switched_off(policy, now):
    stranger = judge_in(policy, None, now, Regime.NOTICE)

    chosen = choose(policy, Action.SAVE, granted=("analytics", "preferences"), before=stranger)

    assert chosen == dict.fromkeys(("marketing", "player", "pixel"), Choice.DENIED)


@pytest.mark.parametrize(
    ("regime", "choices", "event"),
    [
        (Regime.OPT_IN, {"analytics": Choice.GRANTED}, Event.WITHDRAWAL),
        (Regime.OPT_OUT, {"analytics": Choice.GRANTED}, Event.WITHDRAWAL),
        (Regime.OPT_OUT, {}, Event.OPT_OUT),
        (Regime.NOTICE, {}, Event.OBJECTION),
    ],
)
def test_closing_is_a_withdrawal_of_a_grant_or_an_objection_to_what_ran(policy, now, regime, choices, event):
    before = judge_in(policy, record_of(policy, choices, now), now, regime)

    assert find_event(before, {"analytics"}, regime=regime) is event
