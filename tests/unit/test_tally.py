"""As what a choice counts, and what tallies add up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from consent.core.choice import Action, find_event
from consent.core.decision import Reason
from consent.core.declaration import Purpose, PurposeKind, default_purposes
from consent.core.gate import find_closed
from consent.core.policy import Policy
from consent.core.record import Event
from consent.core.tally import Counted, TallyKey, find_outcome
from consent.core.tally_summary import Dimension, Numbers, group, sum_up
from tests.engine_steps import ACCOUNT, GPC, QUIET, UNKNOWN, choose, make_engine, rules_of

CALIFORNIA = rules_of("US", "CA")
BRITAIN = rules_of("GB")
JAPAN = rules_of("JP")
DAY = date(2026, 11, 23)


@pytest.fixture
def exempt(clock):
    """An engine with a purpose that in Britain runs without consent."""
    counting = Purpose("counting", title="Counting", description="How many read what.", kind=PurposeKind.STATISTICS)
    return make_engine(Policy(controller="Example", purposes=(*default_purposes(), counting)), clock)


@pytest.fixture
def act(engine):
    """Return a function that makes a visitor act, and gives the outcome and where they stand then."""

    def take(action, *granted, engine=engine, before=None, rules=UNKNOWN, signals=QUIET, is_partial=False):
        before = before or engine.judge(None, signals=signals, jurisdiction=rules)
        record = choose(engine, action, *granted, before=before, is_partial=is_partial)
        after = engine.judge(record, signals=signals, jurisdiction=rules)
        closed = find_closed(before.decision, after.decision)
        event = find_event(before.decision, closed, regime=rules.regime) if closed else record.account.event
        if action is Action.ACKNOWLEDGE:
            event = Event.ACKNOWLEDGEMENT
        record = replace(record, account=replace(record.account, event=event))
        return find_outcome(record, before.decision), after

    return take


@pytest.mark.parametrize(
    ("action", "granted", "counted"),
    [
        (Action.ACCEPT_ALL, (), Counted.ACCEPTED),
        (Action.REJECT_ALL, (), Counted.REFUSED),
        (Action.WITHDRAW, (), Counted.REFUSED),
        (Action.SAVE, (), Counted.REFUSED),
        (Action.SAVE, ("analytics",), Counted.PARTIAL),
        (Action.SAVE, ("preferences", "analytics", "marketing"), Counted.ACCEPTED),
        (Action.ALLOW, ("player",), Counted.PARTIAL),
    ],
)
def test_first_choice_counts_by_what_it_grants(act, action, granted, counted):
    assert act(action, *granted)[0] is counted


@pytest.mark.parametrize("action", [Action.REJECT_ALL, Action.WITHDRAW, Action.SAVE])
def test_denying_what_was_granted_counts_as_withdrawn(act, action):
    _, accepted = act(Action.ACCEPT_ALL)

    assert act(action, before=accepted)[0] is Counted.WITHDRAWN


def test_withdrawing_a_part_counts_as_withdrawn(act):
    _, accepted = act(Action.ACCEPT_ALL)

    assert act(Action.SAVE, "analytics", before=accepted)[0] is Counted.WITHDRAWN


def test_refusing_again_counts_as_refused(act):
    _, refused = act(Action.REJECT_ALL)

    assert act(Action.REJECT_ALL, before=refused)[0] is Counted.REFUSED


@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN])
def test_objecting_to_what_runs_counts_as_opted_out(act, rules):
    assert act(Action.REJECT_ALL, rules=rules)[0] is Counted.OPTED_OUT


def test_opting_out_counts_whatever_is_granted_beside_it(act):
    assert act(Action.SAVE, "marketing", rules=CALIFORNIA, signals=GPC)[0] is Counted.OPTED_OUT


def test_opting_out_of_what_a_signal_keeps_shut_counts_as_opted_out(act):
    _, opted_out = act(Action.REJECT_ALL, rules=CALIFORNIA, signals=GPC)

    assert act(Action.REJECT_ALL, before=opted_out, rules=CALIFORNIA, signals=GPC)[0] is Counted.OPTED_OUT


def test_leaving_on_what_runs_counts_as_noted(act):
    assert act(Action.SAVE, "preferences", "analytics", "marketing", rules=CALIFORNIA)[0] is Counted.ACKNOWLEDGED


@pytest.mark.parametrize("rules", [JAPAN, CALIFORNIA])
def test_acknowledging_counts_as_noted(act, rules):
    assert act(Action.ACKNOWLEDGE, rules=rules)[0] is Counted.ACKNOWLEDGED


def test_refusing_counts_as_refused_although_it_closes_what_is_exempt(act, exempt):
    assert act(Action.REJECT_ALL, engine=exempt, rules=BRITAIN)[0] is Counted.REFUSED


def test_objecting_to_nothing_but_what_is_exempt_counts_as_opted_out(act, exempt):
    asked_elsewhere = act(Action.REJECT_ALL, engine=exempt, rules=BRITAIN)[1]
    undecided = {"counting": Reason.INFORMED}
    before = replace(asked_elsewhere.decision, reasons={**asked_elsewhere.decision.reasons, **undecided})
    record = choose(exempt, Action.REJECT_ALL, before=asked_elsewhere)

    assert find_outcome(replace(record, account=replace(ACCOUNT, event=Event.OBJECTION)), before) is Counted.OPTED_OUT


def test_record_without_account_counts_by_its_choices(act, engine):
    before = engine.judge(None, signals=QUIET, jurisdiction=UNKNOWN)
    record = replace(choose(engine, Action.ACCEPT_ALL), account=None)

    assert find_outcome(record, before.decision) is Counted.ACCEPTED


def test_answer_to_a_part_counts_by_that_part(act):
    _, allowed = act(Action.ALLOW, "player")

    assert act(Action.REJECT_ALL, before=allowed, is_partial=True)[0] is Counted.REFUSED
    assert act(Action.ACCEPT_ALL, before=allowed, is_partial=True)[0] is Counted.ACCEPTED


# -- sums


def make_key(counted, day=DAY, **members):
    return TallyKey(day=day, counted=counted, **members)


TALLIES = {
    make_key(Counted.PROMPT, jurisdiction="FR"): 200,
    make_key(Counted.ANSWERED, jurisdiction="FR", source="banner"): 50,
    make_key(Counted.ACCEPTED, jurisdiction="FR", source="banner"): 10,
    make_key(Counted.PARTIAL, jurisdiction="FR", source="preferences"): 10,
    make_key(Counted.REFUSED, jurisdiction="FR", source="banner"): 30,
    make_key(Counted.PROMPT, date(2025, 2, 1), jurisdiction="US-CA"): 7,
}


def test_rates_are_of_those_who_were_asked():
    total = sum_up(TALLIES)

    assert (total[Counted.PROMPT], total.choices, total[Counted.WITHDRAWN]) == (207, 50, 0)
    assert (total.accepted_rate, total.partial_rate, total.refused_rate) == (0.2, 0.2, 0.6)
    assert total.answered_rate == pytest.approx(50 / 207)


def test_rates_of_nothing_are_unknown():
    nobody = Numbers()

    assert [nobody.accepted_rate, nobody.partial_rate, nobody.refused_rate, nobody.answered_rate] == [None] * 4


def test_more_answers_than_prompts_are_all_of_them():
    assert Numbers({Counted.PROMPT: 2, Counted.ANSWERED: 3}).answered_rate == 1.0


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        (Dimension.DAY, ["2025-02-01", "2026-11-23"]),
        (Dimension.MONTH, ["2025-02", "2026-11"]),
        (Dimension.YEAR, ["2025", "2026"]),
        (Dimension.JURISDICTION, ["FR", "US-CA"]),
        (Dimension.SOURCE, ["", "banner", "preferences"]),
        (Dimension.LANGUAGE, [""]),
        (Dimension.POLICY_VERSION, [""]),
        (Dimension.SIGNAL, [""]),
    ],
)
def test_numbers_are_grouped_in_order(dimension, values):
    assert [value for (value,) in group(TALLIES, [dimension])] == values


def test_groups_by_two_dimensions_add_up_to_the_total():
    found = group(TALLIES, [Dimension.YEAR, Dimension.JURISDICTION])

    assert list(found) == [("2025", "US-CA"), ("2026", "FR")]
    assert found["2026", "FR"][Counted.PROMPT] + found["2025", "US-CA"][Counted.PROMPT] == 207
