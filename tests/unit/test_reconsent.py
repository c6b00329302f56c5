"""Who is asked again, and of what: of what changed materially, and of nothing else (L22)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.core.choice import Action
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Purpose, Service
from consent.core.prompt import PromptKind, PromptReason
from consent.core.record import Choice
from tests.engine_steps import GPC, UNKNOWN, choose, header, look_up, make_engine, opened, rules_of

EXEMPT = {"necessary", "login"}
CALIFORNIA, JAPAN, BRITAIN = rules_of("US", "CA"), rules_of("JP"), rules_of("GB")

COUNTER = Service("counter", name="Counter", purposes=("analytics",))


def change_purpose(policy, key, **changes):
    return replace(policy, purposes=tuple(replace(p, **changes) if p.key == key else p for p in policy.purposes))


def change_service(policy, key, **changes):
    return replace(policy, services=tuple(replace(s, **changes) if s.key == key else s for s in policy.services))


def add_service(policy, service=COUNTER):
    return replace(policy, services=(*policy.services, service))


@pytest.fixture
def revisit(engine, clock):
    """Choose on the old policy, return to the new one; both through the cookie."""

    def revisit(new_policy, action, *granted, **options):
        text = header(engine, choose(engine, action, *granted, **options))
        new_engine = make_engine(new_policy, clock)
        return new_engine, look_up(new_engine, text, rules=options.get("rules", UNKNOWN))

    return revisit


def answer(engine, before, action, *, is_partial=True, rules=UNKNOWN):
    """Answer the prompt of a standing, and return where that leads."""
    record = choose(engine, action, before=before, is_partial=is_partial)
    return look_up(engine, header(engine, record), rules=rules)


# -- what is not material


IMMATERIAL = {
    "copy of a purpose": lambda policy: change_purpose(
        policy, "analytics", title="Statistics", description="We count."
    ),
    "copy of a service": lambda policy: change_service(policy, "stats", name="Numbers", description="It counts."),
    "privacy address of a service": lambda policy: change_service(
        policy, "stats", privacy_url="https://stats.example/p"
    ),
    "hosts of a service": lambda policy: change_service(policy, "stats", hosts=("cdn.stats.example", "stats.example")),
    "order of the services": lambda policy: replace(policy, services=policy.services[::-1]),
    "order of the purposes": lambda policy: replace(policy, purposes=policy.purposes[::-1]),
    "order of a service's purposes": lambda policy: change_service(
        policy, "pixel", purposes=("marketing", "analytics")
    ),
    "order of a service's cookies": lambda policy: change_service(
        policy, "stats", cookies=policy.services_by_key["stats"].cookies[::-1]
    ),
    "words about a cookie": lambda policy: change_service(
        policy, "pixel", cookies=(CookieDeclaration("_px", days=90, description="Ads."),)
    ),
    "address of the privacy policy": lambda policy: replace(policy, policy_url="/privacy"),
    "lifetimes": lambda policy: replace(policy, accept_months=1, refuse_months=1),
    "a service that needs no choice": lambda policy: add_service(
        policy, Service("cart", name="Cart", purposes=("necessary",), justification="It holds the order.")
    ),
    "a service less": lambda policy: replace(policy, services=policy.services[:-1]),
}


@pytest.mark.parametrize("change", IMMATERIAL.values(), ids=IMMATERIAL)
@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL])
def test_immaterial_change_asks_nobody_again(policy, revisit, change, action):
    new_policy = change(policy)
    _, standing = revisit(new_policy, action)

    assert not standing.decision.needs_prompt
    assert opened(standing) == (
        set(new_policy.keys) if action is Action.ACCEPT_ALL else EXEMPT | {"cart"} & {*new_policy.keys}
    )


@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN], ids=["opt_out", "notice"])
@pytest.mark.parametrize("change", IMMATERIAL.values(), ids=IMMATERIAL)
def test_immaterial_change_asks_nobody_again_who_has_noted_what_runs(policy, revisit, change, rules):
    _, standing = revisit(change(policy), Action.ACKNOWLEDGE, rules=rules)

    assert not standing.decision.needs_prompt


# -- what is


MATERIAL = {
    "its cookies": {"cookies": (CookieDeclaration("_st", months=2),)},
    "its provider": {"provider": "Another Inc."},
    "its provider's country": {"provider_country": "US"},
    "its revision": {"revision": 2},
    "its purposes": {"purposes": ("analytics", "preferences")},
}


@pytest.mark.parametrize("changes", MATERIAL.values(), ids=MATERIAL)
def test_changed_service_alone_is_asked_of_who_had_accepted(policy, revisit, changes):
    _, standing = revisit(change_service(policy, "stats", **changes), Action.ACCEPT_ALL)

    prompt = standing.decision.prompt
    assert (prompt.kind, prompt.reason, prompt.asked) == (PromptKind.CHOICE, PromptReason.POLICY_CHANGED, ("stats",))
    assert prompt.is_partial
    assert set(policy.keys) - opened(standing) == {"stats"}


@pytest.mark.parametrize("changes", MATERIAL.values(), ids=MATERIAL)
def test_changed_service_is_not_asked_of_who_had_refused(policy, revisit, changes):
    _, standing = revisit(change_service(policy, "stats", **changes), Action.REJECT_ALL)

    assert not standing.decision.needs_prompt
    assert opened(standing) == EXEMPT


def test_changed_purpose_is_asked_with_its_services(policy, revisit):
    _, standing = revisit(change_purpose(policy, "analytics", revision=2), Action.ACCEPT_ALL)

    assert set(standing.decision.prompt.asked) == {"analytics", "stats", "pixel"}
    assert opened(standing) == {*EXEMPT, "preferences", "marketing", "player"}


def test_purpose_that_gpc_now_denies_is_asked_again(policy, revisit):
    _, standing = revisit(change_purpose(policy, "analytics", denied_by_gpc=True), Action.ACCEPT_ALL)

    assert set(standing.decision.prompt.asked) == {"analytics", "stats", "pixel"}


@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL])
def test_new_purpose_alone_is_asked(policy, revisit, action):
    _, standing = revisit(replace(policy, purposes=(*policy.purposes, Purpose("research"))), action)

    assert standing.decision.prompt.asked == ("research",)
    assert standing.decision.choices["research"] == "denied"


def test_new_service_under_a_granted_purpose_alone_is_asked(policy, revisit):
    _, standing = revisit(add_service(policy), Action.SAVE, "analytics")

    assert standing.decision.prompt.asked == ("counter",)
    assert opened(standing) == {*EXEMPT, "analytics", "stats"}


@pytest.mark.parametrize("purposes", [("marketing",), ("analytics", "marketing")])
def test_new_service_under_a_refused_purpose_counts_as_refused(policy, revisit, purposes):
    _, standing = revisit(add_service(policy, replace(COUNTER, purposes=purposes)), Action.SAVE, "analytics")

    assert standing.decision.reasons["counter"] == "refused"
    assert not standing.decision.needs_prompt


# -- what the answer to such a question does


def test_accepting_what_changed_leaves_earlier_refusals_as_they_are(policy, revisit):
    engine, before = revisit(add_service(policy), Action.SAVE, "analytics")

    after = answer(engine, before, Action.ACCEPT_ALL)

    assert opened(after) == {*EXEMPT, "analytics", "stats", "counter"}
    assert not after.decision.needs_prompt


def test_refusing_what_changed_leaves_earlier_grants_as_they_are(policy, revisit):
    engine, before = revisit(add_service(policy), Action.SAVE, "analytics", "player")

    after = answer(engine, before, Action.REJECT_ALL)

    assert opened(after) == {*EXEMPT, "analytics", "stats", "player"}
    assert not after.decision.needs_prompt


def test_answer_to_everything_is_to_everything(policy, revisit):
    engine, before = revisit(add_service(policy), Action.SAVE, "analytics")

    assert opened(answer(engine, before, Action.ACCEPT_ALL, is_partial=False)) == {*policy.keys, "counter"}
    assert opened(answer(engine, before, Action.REJECT_ALL, is_partial=False)) == EXEMPT


def test_withdrawal_is_of_everything_whatever_was_asked(policy, revisit):
    engine, before = revisit(add_service(policy), Action.ACCEPT_ALL)

    assert opened(answer(engine, before, Action.WITHDRAW)) == EXEMPT


def test_stale_banner_about_a_change_opens_nothing_more(policy, revisit):
    # Another tab has answered meanwhile: nothing is asked any more, and the visitor has refused marketing.
    engine, before = revisit(add_service(policy), Action.SAVE, "analytics")
    answered = answer(engine, before, Action.REJECT_ALL)

    assert opened(answer(engine, answered, Action.ACCEPT_ALL)) == opened(answered)


def test_stale_banner_about_a_change_still_refuses(policy, revisit):
    engine, before = revisit(add_service(policy), Action.SAVE, "analytics")
    answered = answer(engine, before, Action.ACCEPT_ALL)

    assert opened(answer(engine, answered, Action.REJECT_ALL)) == EXEMPT


def test_answer_to_a_part_while_gpc_is_on_does_not_revive_marketing(policy, revisit):
    engine, _ = revisit(add_service(policy), Action.ACCEPT_ALL)
    text = header(engine, choose(make_engine(policy, engine.read_clock), Action.ACCEPT_ALL))
    before = look_up(engine, text, signals=GPC)

    record = choose(engine, Action.ACCEPT_ALL, before=before, signals=GPC, is_partial=True)

    assert "marketing" not in opened(look_up(engine, header(engine, record), signals=GPC))


# -- where the law is not opt-in


@pytest.mark.parametrize(
    ("rules", "kind"), [(CALIFORNIA, PromptKind.OBJECTION), (JAPAN, PromptKind.NOTICE)], ids=["opt_out", "notice"]
)
def test_new_service_runs_and_is_told_of_once(policy, revisit, rules, kind):
    engine, before = revisit(add_service(policy), Action.ACKNOWLEDGE, rules=rules)
    prompt = before.decision.prompt
    assert (prompt.kind, prompt.reason, prompt.asked) == (kind, PromptReason.POLICY_CHANGED, ("counter",))
    assert before.decision.services["counter"] == "granted"

    after = answer(engine, before, Action.ACKNOWLEDGE, rules=rules)
    assert not after.decision.needs_prompt
    assert Choice.GRANTED not in after.record.choices.values()


@pytest.mark.parametrize("rules", [CALIFORNIA, JAPAN], ids=["opt_out", "notice"])
def test_new_service_under_a_purpose_objected_to_does_not_run(policy, revisit, rules):
    _, standing = revisit(add_service(policy), Action.REJECT_ALL, rules=rules)

    assert opened(standing) == EXEMPT
    assert not standing.decision.needs_prompt


def test_accepting_what_changed_grants_nothing_that_merely_ran(policy, revisit):
    # Statistics run in Britain without a grant; the question is about marketing, and so is the answer.
    engine, before = revisit(change_purpose(policy, "marketing", revision=2), Action.ACKNOWLEDGE, rules=BRITAIN)
    asked = set(before.decision.prompt.asked)
    assert "analytics" not in asked

    after = answer(engine, before, Action.ACCEPT_ALL, rules=BRITAIN)

    assert after.decision.reasons["analytics"] == "not_objected"
    assert {key for key, choice in after.record.choices.items() if choice is Choice.GRANTED} == asked


def test_opting_out_of_what_changed_leaves_on_what_was_noted_before(policy, revisit):
    engine, before = revisit(add_service(policy), Action.ACKNOWLEDGE, rules=CALIFORNIA)

    assert opened(answer(engine, before, Action.REJECT_ALL, rules=CALIFORNIA)) == opened(before) - {
        *before.decision.prompt.asked
    }
