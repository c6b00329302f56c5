"""Gates: shut unless everything is granted; what closing takes with it."""

from __future__ import annotations

import pytest

from consent.core.choice import Action, choose
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.decision import decide
from consent.core.declaration import Service
from consent.core.gate import CookieVerdicts, find_closed, is_open, judge_cookies
from consent.core.lifetime import add_months
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.record import Choice, ConsentRecord
from consent.core.regime import Regime


def judge(policy, choices, now, *, gpc=False):
    record = ConsentRecord(
        record_id="00000000-0000-4000-8000-000000000000",
        decided_at=now,
        valid_until=add_months(now, 6),
        regime=Regime.OPT_IN,
        signals=Signals(),
        choices=choices,
        fingerprints={key: policy.fingerprints[key] for key in choices},
    )
    return decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)


def saved(policy, now, *granted, gpc=False):
    before = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)
    return judge(policy, choose(policy, Action.SAVE, granted=granted, before=before), now, gpc=gpc)


def unwanted_names(policy, decision):
    return {cookie.name for cookie in judge_cookies(policy, decision).unwanted}


def kept_names(policy, decision):
    return {cookie.name for cookie in judge_cookies(policy, decision).kept}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("analytics",), True),
        (("stats",), True),
        (("necessary",), True),
        (("login",), True),
        (("analytics", "stats", "login"), True),
        (("marketing",), False),
        (("analytics", "marketing"), False),
        (("marketing", "analytics"), False),
        (("player",), False),
        (("pixel",), False),
        ((), False),
        (("unknown",), False),
        (("analytics", "unknown"), False),
        (("",), False),
    ],
)
def test_gate_opens_only_if_every_key_is_granted(policy, now, keys, expected):
    assert is_open(saved(policy, now, "analytics"), keys) is expected


def test_gate_is_shut_to_a_stranger(policy, now):
    decision = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)

    assert {key for key in policy.keys if is_open(decision, (key,))} == {"necessary", "login"}


# -- find_closed


def test_withdrawal_closes_what_was_granted(policy, now):
    before, after = saved(policy, now, "analytics", "player"), saved(policy, now)

    assert find_closed(before, after) == {"analytics", "stats", "player"}


def test_nothing_closes_when_more_is_granted(policy, now):
    assert find_closed(saved(policy, now), saved(policy, now, "analytics")) == frozenset()


def test_nothing_closes_from_a_stranger(policy, now):
    stranger = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)

    assert find_closed(stranger, saved(policy, now)) == frozenset()


def test_exchange_closes_only_what_was_lost(policy, now):
    assert find_closed(saved(policy, now, "player"), saved(policy, now, "stats")) == {"player"}


# -- judge_cookies


def test_stranger_has_no_unwanted_cookies(policy, now):
    stranger = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)

    assert judge_cookies(policy, stranger) == CookieVerdicts(unwanted=(), kept=())


def test_refusal_makes_the_cookies_of_all_unwanted(policy, now):
    assert unwanted_names(policy, saved(policy, now)) == {"_st", "_st_*", "pl_id", "_px"}


def test_granted_services_keep_their_cookies(policy, now):
    assert unwanted_names(policy, saved(policy, now, "analytics")) == {"pl_id", "_px"}
    assert kept_names(policy, saved(policy, now, "analytics")) == {"_st", "_st_*"}


def test_signal_makes_cookies_unwanted(policy, now):
    decision = saved(policy, now, "analytics", "marketing", gpc=True)

    assert unwanted_names(policy, decision) == {"pl_id", "_px"}


def test_cookies_of_undecided_services_are_neither_to_go_nor_to_stay(policy, now):
    decision = judge(policy, {"player": Choice.DENIED}, now)

    assert unwanted_names(policy, decision) == {"pl_id"}
    assert kept_names(policy, decision) == set()


def make_policy(*services):
    return Policy(controller="Example", services=services)


def test_cookie_shared_with_a_granted_service_is_named_to_stay(now):
    cookie = CookieDeclaration("_ga", months=13)
    policy = make_policy(
        Service("one", name="One", purposes=("analytics",), cookies=(cookie,)),
        Service("two", name="Two", purposes=("marketing",), cookies=(cookie, CookieDeclaration("_two", days=1))),
    )

    assert unwanted_names(policy, saved(policy, now, "one")) == {"_ga", "_two"}
    assert kept_names(policy, saved(policy, now, "one")) == {"_ga"}


def test_cookie_shared_with_a_necessary_service_is_named_to_stay(now):
    cookie = CookieDeclaration("shared", days=1)
    policy = make_policy(
        Service("one", name="One", purposes=("necessary",), cookies=(cookie,), justification="It is asked for."),
        Service("two", name="Two", purposes=("marketing",), cookies=(cookie,)),
    )

    assert kept_names(policy, saved(policy, now)) == {"shared"}


def test_storage_and_third_party_cookies_are_not_ours_to_expire(now):
    policy = make_policy(
        Service(
            "one",
            name="One",
            purposes=("marketing",),
            cookies=(
                CookieDeclaration("IDE", months=13, third_party=True),
                CookieDeclaration("one-state", kind="local_storage"),
                CookieDeclaration("_one", days=1),
            ),
        )
    )

    assert unwanted_names(policy, saved(policy, now)) == {"_one"}


def test_cookies_of_necessary_services_are_never_unwanted(now):
    policy = make_policy(
        Service(
            "login",
            name="L",
            purposes=("necessary",),
            cookies=(CookieDeclaration("session", session=True),),
            justification="It is asked for.",
        )
    )

    assert unwanted_names(policy, saved(policy, now)) == set()
