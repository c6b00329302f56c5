"""`decide()` case by case: the cases are in `tests/vectors/decision.json`, to be read in other languages too."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from consent.core.decision import Reason, decide
from consent.core.declaration import Purpose, Service
from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.prompt import PromptReason
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime
from tests.samples import build_record

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "decision.json").read_text())


def build_policy():
    declared = VECTORS["policy"]
    return Policy(
        controller="Example",
        purposes=tuple(Purpose(**purpose) for purpose in declared["purposes"]),
        services=tuple(
            Service(
                service["key"],
                name=service["key"],
                purposes=service["purposes"],
                justification="It is asked for." if service["purposes"] == ["necessary"] else "",
            )
            for service in declared["services"]
        ),
    )


POLICY = build_policy()


def decide_case(case):
    return decide(
        POLICY,
        build_record(case["record"], POLICY),
        signals=Signals(gpc=case["gpc"]),
        regime=Regime.OPT_IN,
        now=datetime.fromisoformat(case["now"]),
    )


def make_record(policy, now, *, choice=Choice.GRANTED, **changes):
    values = {
        "record_id": "00000000-0000-4000-8000-000000000000",
        "decided_at": now,
        "valid_until": add_months(now, 6),
        "regime": Regime.OPT_IN,
        "signals": Signals(),
        "choices": dict.fromkeys(policy.fingerprints, choice),
        "fingerprints": dict(policy.fingerprints),
    }
    return ConsentRecord(**(values | changes))


def judge(policy, record, now, *, gpc=False):
    return decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_reasons_of_each_case(case):
    assert decide_case(case).reasons == case["reasons"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_verdicts_of_each_case(case):
    decision = decide_case(case)

    verdicts = {**decision.choices, **decision.services}
    assert sorted(key for key, choice in verdicts.items() if choice is Choice.GRANTED) == case["granted"]
    assert set(decision.choices) == set(POLICY.purposes_by_key)
    assert set(decision.services) == set(POLICY.services_by_key)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_prompt_of_each_case(case):
    decision = decide_case(case)

    assert decision.prompt_reason == case["prompt_reason"]
    assert decision.needs_prompt is (case["prompt_reason"] is not None)


def test_every_reason_and_prompt_reason_occurs_in_the_cases():
    # Those of other regimes are in `test_regimes.py`, those of documents in `test_prompt.py`.
    elsewhere = {Reason.NOT_OBJECTED, Reason.INFORMED, Reason.DNT}
    assert {reason for case in VECTORS["cases"] for reason in case["reasons"].values()} == set(Reason) - elsewhere
    asked = {case["prompt_reason"] for case in VECTORS["cases"]}
    assert asked == {*PromptReason, None} - {PromptReason.PLACE_CHANGED, PromptReason.DOCUMENT_REVISED}


def test_decision_carries_the_regime_it_was_made_under(policy, now):
    assert judge(policy, None, now).regime is Regime.OPT_IN


def test_nothing_is_asked_when_there_is_nothing_to_ask(now):
    policy = Policy(controller="Example", purposes=(Purpose("necessary"),))

    assert judge(policy, None, now).prompt_reason is None


def test_signal_does_not_suppress_the_prompt(policy, now):
    assert judge(policy, None, now, gpc=True).prompt_reason is PromptReason.NO_RECORD


def test_service_is_not_opened_by_the_grant_of_its_purpose_alone(policy, now):
    record = make_record(policy, now, choices={"analytics": Choice.GRANTED})

    assert judge(policy, record, now).services["stats"] == "denied"


def test_grant_without_a_fingerprint_does_not_count(policy, now):
    record = make_record(policy, now, fingerprints={})

    assert judge(policy, record, now).choices["analytics"] == "denied"


def test_fingerprint_without_a_choice_does_not_open(policy, now):
    record = make_record(policy, now, choices={})

    assert set(judge(policy, record, now).choices.values()) == {"granted", "denied"}
    assert judge(policy, record, now).choices["analytics"] == "denied"


@pytest.mark.parametrize("value", ["granted ", "GRANTED", True, 1, None])
def test_value_that_is_no_choice_does_not_open(policy, now, value):
    record = make_record(policy, now, choices=dict.fromkeys(policy.fingerprints, value))

    assert judge(policy, record, now).choices["analytics"] == "denied"


def test_service_of_two_purposes_is_closed_by_the_signal_on_either(policy, now):
    decision = judge(policy, make_record(policy, now), now, gpc=True)

    assert decision.reasons["pixel"] is Reason.GPC
    assert decision.reasons["stats"] is Reason.GRANTED


def test_revision_of_a_purpose_asks_again_for_it_and_its_services(policy, now):
    record = make_record(policy, now)
    revised = dataclasses.replace(
        policy,
        purposes=tuple(
            dataclasses.replace(purpose, revision=2) if purpose.key == "analytics" else purpose
            for purpose in policy.purposes
        ),
    )

    reasons = judge(revised, record, now).reasons

    undecided = {key for key, reason in reasons.items() if reason is Reason.UNDECIDED}
    assert undecided == {"analytics", "stats", "pixel"}


# -- time


class NoOffset(tzinfo):
    """A zone that does not know its offset: by the rules of `datetime` such an instant is naive."""

    def utcoffset(self, _instant):
        return None

    def dst(self, _instant):
        return None

    def tzname(self, _instant):
        return "nowhere"


NAIVE = datetime(2026, 8, 31)  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("naive", [NAIVE, NAIVE.replace(tzinfo=NoOffset())])
@pytest.mark.parametrize("is_first_visit", [True, False])
def test_naive_now_is_refused(policy, now, naive, is_first_visit):
    record = None if is_first_visit else make_record(policy, now)

    with pytest.raises(ValueError, match="must be an aware instant") as error:
        judge(policy, record, naive)

    assert str(error.value) == "'now' must be an aware instant, got a naive one. Use datetime.now(UTC)."


@pytest.mark.parametrize("hours", [-12, 5, 14])
def test_time_zone_of_now_does_not_matter(policy, now, hours):
    record = make_record(policy, now)
    elsewhere = now.astimezone(timezone(timedelta(hours=hours)))

    assert judge(policy, record, elsewhere) == judge(policy, record, now)


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_ends_of_time_do_not_raise(policy, now):
    record = make_record(policy, datetime(2026, 1, 1, tzinfo=UTC))

    assert judge(policy, record, now).choices["analytics"] == "denied"


@pytest.mark.parametrize("name", ["choices", "services", "reasons"])
def test_decision_cannot_be_edited(policy, now, name):
    # One decision serves many requests: an edit by one view would grant to the next visitor.
    with pytest.raises(TypeError):
        getattr(judge(policy, None, now), name)["analytics"] = Choice.GRANTED


@pytest.mark.parametrize("name", ["choices", "regime", "prompt"])
def test_decision_is_frozen(policy, now, name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(judge(policy, None, now), name, {})
