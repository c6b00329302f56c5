"""Five years of page views: nobody is asked inside the lifetime of an answer, everybody once when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consent.core.choice import Action
from consent.core.declaration import Service
from consent.core.lifetime import add_months
from consent.core.prompt import PromptReason
from tests.engine_steps import GPC, QUIET, choose, header, look_up, make_engine, opened, rules_of

ACCEPT, REFUSE, ACKNOWLEDGE = Action.ACCEPT_ALL, Action.REJECT_ALL, Action.ACKNOWLEDGE
VIEWS = [(month, timedelta(hours=33 * view)) for month in range(60) for view in range(20)]

FRANCE, ITALY, CALIFORNIA, JAPAN = ("FR", ""), ("IT", ""), ("US", "CA"), ("JP", "")
CANADA, ONTARIO, NOWHERE = ("CA", ""), ("CA", "ON"), (None, "")

CASES = [
    *((place, action, 6) for place in (FRANCE, ITALY, CANADA, NOWHERE) for action in (ACCEPT, REFUSE)),
    *((CALIFORNIA, action, months) for action, months in ((ACCEPT, 12), (REFUSE, 13), (ACKNOWLEDGE, 13))),
    *((place, action, 12) for place in (ONTARIO, JAPAN) for action in (ACCEPT, REFUSE, ACKNOWLEDGE)),
]


def browse(engine, clock, place, action, *, signals=QUIET, text=""):
    """View pages for five years, answering whenever asked; return when and why that was."""
    begin, prompts, views = clock.instant, [], []
    for month, offset in VIEWS:
        clock.instant = add_months(begin, month) + offset
        views.append(clock.instant)
        rules = rules_of(*place, now=clock.instant)
        standing = look_up(engine, text, rules=rules, signals=signals)
        if standing.decision.prompt:
            prompts.append((clock.instant, standing.decision.prompt_reason))
            text = header(engine, choose(engine, action, before=standing, signals=signals))
    return prompts, views


def first_views_after_each_end(views, months):
    """Return the views at which an answer given at the view before them is over."""
    expected = [views[0]]
    for view in views:
        if view >= add_months(expected[-1], months):
            expected.append(view)
    return expected


@pytest.mark.parametrize(("place", "action", "months"), CASES)
def test_visitor_is_asked_once_a_lifetime_and_never_inside_it(engine, clock, place, action, months):
    prompts, views = browse(engine, clock, place, action)

    assert [instant for instant, _ in prompts] == first_views_after_each_end(views, months)
    assert [reason for _, reason in prompts[1:]] == [PromptReason.EXPIRED] * (len(prompts) - 1)
    assert 60 // (months + 1) <= len(prompts) <= -(-60 // months)


@pytest.mark.parametrize(("place", "months"), [(FRANCE, 6), (CALIFORNIA, 13), (JAPAN, 12)])
def test_browser_with_gpc_is_asked_no_more_often(engine, clock, place, months):
    prompts, views = browse(engine, clock, place, REFUSE, signals=GPC)

    assert [instant for instant, _ in prompts] == first_views_after_each_end(views, months)


@pytest.mark.parametrize("place", [FRANCE, NOWHERE])
def test_acknowledgement_is_no_answer_where_the_law_is_opt_in(engine, clock, place):
    prompts, views = browse(engine, clock, place, ACKNOWLEDGE)

    assert [instant for instant, _ in prompts] == views


@pytest.mark.parametrize("action", [ACCEPT, REFUSE])
def test_answer_under_opt_in_holds_all_over_the_world(engine, clock, action):
    text = header(engine, choose(engine, action, rules=rules_of("FR")))
    end = add_months(clock.instant, 6)
    for place in (ITALY, CALIFORNIA, JAPAN, CANADA, NOWHERE):
        clock.instant = end - timedelta(seconds=1)
        assert not look_up(engine, text, rules=rules_of(*place)).decision.needs_prompt
        clock.instant = end
        assert look_up(engine, text, rules=rules_of(*place)).decision.prompt_reason is PromptReason.EXPIRED


# -- calendar months


@pytest.mark.parametrize(
    ("place", "action", "begin", "end"),
    [
        (FRANCE, ACCEPT, "2026-08-31", "2027-02-28"),
        (FRANCE, REFUSE, "2027-08-31", "2028-02-29"),
        (ITALY, REFUSE, "2026-12-31", "2027-06-30"),
        (NOWHERE, ACCEPT, "2026-10-31", "2027-04-30"),
        (CALIFORNIA, ACCEPT, "2028-02-29", "2029-02-28"),
        (CALIFORNIA, REFUSE, "2026-12-31", "2028-01-31"),
        (CALIFORNIA, ACKNOWLEDGE, "2027-01-31", "2028-02-29"),
        (JAPAN, ACKNOWLEDGE, "2027-02-28", "2028-02-28"),
    ],
)
def test_answer_ends_on_the_same_day_or_the_last_of_its_month(engine, clock, place, action, begin, end):
    clock.instant = datetime.fromisoformat(f"{begin}T23:30:00Z")
    rules = rules_of(*place)
    text = header(engine, choose(engine, action, rules=rules))
    last = datetime.fromisoformat(f"{end}T23:30:00Z")

    clock.instant = last - timedelta(seconds=1)
    assert not look_up(engine, text, rules=rules).decision.needs_prompt
    clock.instant = last
    assert look_up(engine, text, rules=rules).decision.prompt_reason is PromptReason.EXPIRED


def test_site_s_own_months_stand_in_for_those_of_the_place(policy, clock):
    engine = make_engine(replace(policy, accept_months=2), clock)

    accepted = choose(engine, ACCEPT, rules=rules_of("US", "CA"))
    refused = choose(engine, REFUSE, rules=rules_of("US", "CA"))

    assert accepted.valid_until == datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert refused.valid_until == datetime(2027, 9, 30, 12, tzinfo=UTC)


# -- acts that are no new answer


@pytest.mark.parametrize("action", [ACCEPT, REFUSE])
def test_acknowledging_time_and_again_renews_no_answer(engine, clock, action):
    record = choose(engine, action, rules=rules_of("US", "CA"))
    end = record.valid_until
    for _ in range(11):
        clock.advance(days=30)
        before = look_up(engine, header(engine, record), rules=rules_of("US", "CA"))
        record = choose(engine, ACKNOWLEDGE, before=before)

    assert record.valid_until == end


def test_allowing_an_embed_asks_nobody_again_who_has_noted_what_runs(engine):
    california = rules_of("US", "CA")
    noted = look_up(
        engine, header(engine, choose(engine, ACKNOWLEDGE, rules=california)), rules=california, signals=GPC
    )
    text = header(engine, choose(engine, Action.ALLOW, "player", before=noted, signals=GPC))

    standing = look_up(engine, text, rules=california, signals=GPC)

    assert standing.decision.services["player"] == "granted"
    assert not standing.decision.needs_prompt


@pytest.mark.parametrize("months", [1, 5])
def test_allowing_embeds_for_two_years_renews_no_other_grant(engine, clock, months):
    begin, france = clock.instant, rules_of("FR")
    text = header(engine, choose(engine, Action.SAVE, "analytics", rules=france))
    ends = [add_months(begin, 6)]
    for month in range(months, 25, months):
        clock.instant = add_months(begin, month)
        before = look_up(engine, text, rules=france)
        text = header(engine, choose(engine, Action.ALLOW, "player", before=before))
        ends.append(look_up(engine, text, rules=france).record.valid_until)
        assert ("analytics" in opened(look_up(engine, text, rules=france))) is (month < 6)

    assert ends[: -(-6 // months)] == ends[:1] * -(-6 // months)


@pytest.mark.parametrize("action", [ACCEPT, REFUSE])
def test_answering_parts_renews_no_other_grant(policy, clock, action):
    begin, france, engine = clock.instant, rules_of("FR"), make_engine(policy, clock)
    text = header(engine, choose(engine, Action.SAVE, "analytics", rules=france))
    for month in range(1, 6):
        clock.instant = add_months(begin, month)
        added = Service(f"new-{month}", name="New", purposes=("analytics",))
        engine = make_engine(replace(engine.policy, services=(*engine.policy.services, added)), clock)
        before = look_up(engine, text, rules=france)
        text = header(engine, choose(engine, action, before=before, is_partial=True))

    assert look_up(engine, text, rules=france).record.valid_until == add_months(begin, 6)
