"""What the banner is about: of which kind, why, and which questions are meant."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from consent.core.choice import Action
from consent.core.declaration import Purpose
from consent.core.policy import Policy
from consent.core.prompt import Prompt, PromptKind, PromptReason
from tests.engine_steps import GPC, UNKNOWN, choose, header, look_up, make_engine, opened, rules_of

CALIFORNIA, JAPAN, FRANCE, BRITAIN = rules_of("US", "CA"), rules_of("JP"), rules_of("FR"), rules_of("GB")


def prompt_of(engine, record, rules):
    return look_up(engine, header(engine, record) if record else "", rules=rules).decision.prompt


def test_kinds_and_reasons_are_those_of_the_contract():
    assert {kind.value for kind in PromptKind} == {"choice", "objection", "notice", "announcement"}
    assert {reason.value for reason in PromptReason} == {
        *("no_record", "expired", "policy_changed", "incomplete", "place_changed", "document_revised"),
    }


@pytest.mark.parametrize("reason", PromptReason)
def test_only_what_changed_or_was_left_open_is_asked_apart(reason):
    prompt = Prompt(kind=PromptKind.CHOICE, reason=reason, asked=("analytics",))

    assert prompt.is_partial is (reason in (PromptReason.POLICY_CHANGED, PromptReason.INCOMPLETE))


def test_prompt_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Prompt(kind=PromptKind.CHOICE, reason=PromptReason.EXPIRED, asked=()).asked = ("analytics",)  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        (UNKNOWN, PromptKind.CHOICE),
        (FRANCE, PromptKind.CHOICE),
        (BRITAIN, PromptKind.CHOICE),
        (CALIFORNIA, PromptKind.OBJECTION),
        (JAPAN, PromptKind.NOTICE),
    ],
    ids=lambda value: getattr(value, "key", ""),
)
def test_stranger_is_asked_of_everything_in_the_way_of_the_place(engine, policy, rules, kind):
    assert prompt_of(engine, None, rules) == Prompt(
        kind=kind, reason=PromptReason.NO_RECORD, asked=tuple(policy.fingerprints)
    )


def test_statistics_alone_are_told_of_in_britain_and_not_asked(clock):
    purposes = tuple(
        purpose for purpose in Policy(controller="E").purposes if purpose.key in ("necessary", "analytics")
    )
    engine = make_engine(Policy(controller="Example", purposes=purposes), clock)

    assert prompt_of(engine, None, BRITAIN).kind is PromptKind.OBJECTION
    assert prompt_of(engine, None, FRANCE).kind is PromptKind.CHOICE


def test_sensitive_purpose_makes_a_real_choice_of_a_notice(policy, clock):
    sensitive = replace(policy, purposes=(*policy.purposes, Purpose("health", kind="sensitive")))
    engine = make_engine(sensitive, clock)

    assert prompt_of(engine, None, JAPAN).kind is PromptKind.CHOICE
    assert "health" not in opened(look_up(engine, "", rules=JAPAN))


# -- moving from place to place


@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN], ids=["opt_out", "notice"])
def test_who_has_noted_what_runs_is_asked_where_the_law_is_opt_in(engine, policy, rules):
    prompt = prompt_of(engine, choose(engine, Action.ACKNOWLEDGE, rules=rules), FRANCE)

    assert prompt == Prompt(kind=PromptKind.CHOICE, reason=PromptReason.PLACE_CHANGED, asked=tuple(policy.fingerprints))


def test_who_has_accepted_in_california_is_asked_in_france(engine):
    record = choose(engine, Action.ACCEPT_ALL, rules=CALIFORNIA)

    assert prompt_of(engine, record, FRANCE).reason is PromptReason.PLACE_CHANGED
    assert prompt_of(engine, record, CALIFORNIA) is None


def test_who_has_accepted_in_california_is_asked_in_britain_of_what_needs_consent_there(engine):
    record = choose(engine, Action.ACCEPT_ALL, rules=CALIFORNIA)

    prompt = prompt_of(engine, record, BRITAIN)

    assert (prompt.kind, prompt.reason) == (PromptKind.CHOICE, PromptReason.PLACE_CHANGED)
    assert set(prompt.asked) == {"marketing", "player", "pixel"}


@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL])
@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN, BRITAIN], ids=["opt_out", "notice", "split"])
def test_who_has_chosen_in_france_is_asked_nowhere(engine, action, rules):
    assert prompt_of(engine, choose(engine, action, rules=FRANCE), rules) is None


@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN], ids=["opt_out", "notice"])
def test_who_has_objected_is_asked_nowhere(engine, rules):
    record = choose(engine, Action.REJECT_ALL, rules=rules)

    assert prompt_of(engine, record, FRANCE) is None


def test_grant_does_not_grow_on_its_way_from_place_to_place(engine):
    # Statistics were accepted in California; one embed is allowed in Britain, whose law is opt-in for embeds.
    at_first = header(engine, choose(engine, Action.SAVE, "analytics", rules=CALIFORNIA))
    in_britain = look_up(engine, at_first, rules=BRITAIN)
    record = choose(engine, Action.ALLOW, "player", before=in_britain)

    assert "analytics" not in opened(look_up(engine, header(engine, record), rules=FRANCE))


def test_signal_does_not_suppress_the_prompt_and_does_not_change_it(engine):
    for rules in (FRANCE, CALIFORNIA, JAPAN):
        quiet, heard = (look_up(engine, "", rules=rules, **options) for options in ({}, {"signals": GPC}))
        assert heard.decision.prompt == quiet.decision.prompt
