"""`decide()` under every regime: the table is `tests/vectors/regimes.json`, to be read in other languages too."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from itertools import product
from pathlib import Path

import pytest

from consent.core.decision import Reason, decide
from consent.core.declaration import Purpose, PurposeKind, Service
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.prompt import Prompt, PromptKind, PromptReason
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime, strictest
from tests.conftest import NOW
from tests.engine_steps import make_engine, rules_of
from tests.samples import OLD_FINGERPRINT, build_record, make_record

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "regimes.json").read_text())
CASES = pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
OPEN = ("necessary", "granted", "not_objected", "informed")

POLICY = Policy(
    controller="Example",
    purposes=tuple(Purpose(**purpose) for purpose in VECTORS["policy"]["purposes"]),
    services=tuple(Service(**{"name": each["key"]} | each) for each in VECTORS["policy"]["services"]),
)


def decide_case(case):
    return decide(
        POLICY,
        build_record(VECTORS["records"][case["record"]], POLICY),
        signals=Signals(gpc=case["gpc"], dnt=case["dnt"]),
        regime=Regime(case["regime"]),
        regime_by_kind={PurposeKind(kind): Regime(regime) for kind, regime in case["regime_by_kind"].items()},
        now=datetime.fromisoformat(VECTORS["now"]),
    )


@CASES
def test_reasons_of_each_case(case):
    assert decide_case(case).reasons == {"necessary": "necessary", **case["reasons"]}


@CASES
def test_verdicts_follow_from_the_reasons_of_each_case(case):
    decision = decide_case(case)

    verdicts = {**decision.choices, **decision.services}
    for key, reason in case["reasons"].items():
        assert verdicts[key] == ("granted" if reason in OPEN else "denied")


@CASES
def test_prompt_of_each_case(case):
    decision = decide_case(case)

    kind = decision.prompt.kind if decision.prompt else None
    assert (kind, decision.prompt_reason) == (case["prompt_kind"], case["prompt_reason"])


@CASES
def test_strictest_regime_of_each_case(case):
    assert decide_case(case).regime == case["strictest"]


@CASES
def test_stranger_is_asked_of_everything_and_others_of_what_is_open(case):
    decision = decide_case(case)

    if decision.prompt is None:
        assert "undecided" not in case["reasons"].values()
    elif case["record"] == "none":
        assert set(decision.prompt.asked) == set(POLICY.fingerprints)
    else:
        undecided = {key for key, reason in case["reasons"].items() if reason == "undecided"}
        assert undecided <= set(decision.prompt.asked) <= set(POLICY.fingerprints)


def test_every_reason_prompt_and_record_occurs_in_the_cases():
    cases = VECTORS["cases"]

    assert {reason for case in cases for reason in case["reasons"].values()} | {"necessary"} == set(Reason)
    assert {case["prompt_reason"] for case in cases} == {*PromptReason, None} - {PromptReason.DOCUMENT_REVISED}
    assert {case["prompt_kind"] for case in cases} == {*PromptKind, None} - {PromptKind.ANNOUNCEMENT}
    assert {case["record"] for case in cases} == set(VECTORS["records"])


# -- regimes among themselves


@pytest.mark.parametrize(("strict", "lax"), list(product(Regime, Regime)))
def test_regimes_are_ordered(strict, lax):
    order = [Regime.OPT_IN, Regime.OPT_OUT, Regime.NOTICE]

    assert strict.is_as_strict_as(lax) is (order.index(strict) <= order.index(lax))
    assert strictest((strict, lax)) is strictest((lax, strict)) is min(strict, lax, key=order.index)


def test_strictest_of_no_regimes_is_opt_in():
    assert strictest(()) is Regime.OPT_IN


def test_record_under_notice_cannot_hold_a_grant():
    with pytest.raises(ValueError, match="'notice' cannot hold a grant"):
        ConsentRecord(
            record_id="00000000-0000-4000-8000-000000000000",
            decided_at=datetime.fromisoformat(VECTORS["now"]),
            valid_until=datetime.fromisoformat(VECTORS["now"]),
            regime=Regime.NOTICE,
            signals=Signals(),
            choices={"analytics": Choice.GRANTED},
            fingerprints={},
        )


def test_service_that_third_parties_use_profits_from_no_exemption():
    # PECR sch. A1: statistics that are shared onwards need consent.
    exempt: dict[str, Regime] = {PurposeKind.STATISTICS: Regime.OPT_OUT}
    now = datetime.fromisoformat(VECTORS["now"])

    decision = decide(POLICY, None, signals=Signals(), regime=Regime.OPT_IN, regime_by_kind=exempt, now=now)

    assert (decision.services["stats"], decision.services["counter"]) == ("granted", "denied")


def test_third_party_use_does_not_loosen_what_is_stricter_for_a_kind():
    health = Service("clinic", name="Clinic", purposes=("health",), third_party_use=True)
    policy = Policy(controller="Example", purposes=POLICY.purposes, services=(health,))
    strict: dict[str, Regime] = {PurposeKind.SENSITIVE: Regime.OPT_IN}
    now = datetime.fromisoformat(VECTORS["now"])

    decision = decide(policy, None, signals=Signals(), regime=Regime.OPT_OUT, regime_by_kind=strict, now=now)

    assert decision.reasons["clinic"] is Reason.UNDECIDED


@pytest.mark.parametrize(
    ("place", "kinds", "expected"),
    [
        ("GB", ("statistics",), Regime.OPT_OUT),
        ("GB", ("statistics", "appearance"), Regime.OPT_OUT),
        ("GB", ("statistics", "advertising"), Regime.OPT_IN),
        ("KR", ("appearance",), Regime.NOTICE),
        ("KR", ("appearance", "statistics"), Regime.OPT_IN),
        ("JP", ("advertising", "sensitive"), Regime.OPT_IN),
        ("JP", ("advertising",), Regime.NOTICE),
        ("GB", (), Regime.OPT_IN),
    ],
)
def test_regime_is_the_strictest_of_what_the_policy_has(place, kinds, expected):
    purposes = (Purpose("necessary"), *(Purpose(kind, kind=kind) for kind in kinds))
    policy = Policy(controller="Example", purposes=purposes)
    row = rules_of(place)
    decision = decide(
        policy,
        None,
        signals=Signals(),
        regime=row.regime,
        regime_by_kind=row.regime_by_kind,
        now=datetime.fromisoformat(VECTORS["now"]),
    )

    assert decision.regime is expected


def test_regime_counts_a_service_that_others_use():
    shared = Service("shared", name="Shared", purposes=("counts",), third_party_use=True)
    purposes = (Purpose("necessary"), Purpose("counts", kind=PurposeKind.STATISTICS))
    policy = Policy(controller="Example", purposes=purposes, services=(shared,))

    standing = make_engine(policy, lambda: NOW).judge(None, signals=Signals(), jurisdiction=rules_of("GB"))

    assert standing.decision.regime is Regime.OPT_IN


@pytest.mark.parametrize("regime", [Regime.OPT_OUT, Regime.NOTICE])
@pytest.mark.parametrize("has_keys", [True, False], ids=["record", "cookie"])
def test_refusal_of_an_older_declaration_keeps_it_shut_until_the_visitor_is_asked(regime, has_keys):
    # A cookie holds fingerprints alone: of one that is not known any more, it cannot say what was refused.
    record = dataclasses.replace(
        make_record(POLICY, NOW),
        regime=Regime.OPT_OUT,
        choices={"ads": Choice.DENIED} if has_keys else {},
        fingerprints={**POLICY.fingerprints, "ads": OLD_FINGERPRINT},
        has_unknown_refusal=not has_keys,
    )
    decision = decide(POLICY, record, signals=Signals(), regime=regime, now=NOW)

    assert decision.reasons["ads"] is Reason.UNDECIDED
    assert decision.prompt == Prompt(kind=PromptKind.CHOICE, reason=PromptReason.POLICY_CHANGED, asked=("ads",))
