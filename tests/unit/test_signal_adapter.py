from __future__ import annotations

from typing import Any

import pytest

from consent.core.declaration import Purpose, Service, default_purposes
from consent.core.policy import Policy
from consent.core.record import Choice
from consent.core.regime import Regime
from consent.core.signal_adapter import SignalAdapter, bind_adapter
from consent.core.signal_call import Call, Region, Situation, fill_calls, select_calls
from consent.errors import ConfigError, UnknownKeyError

TYPES = {"ad_storage": "advertising", "analytics_storage": "statistics", "security_storage": "necessary"}
ADAPTER = SignalAdapter("maker", name="Maker", types=TYPES)


def make_policy(*services, purposes=()):
    return Policy(controller="Example", purposes=(*default_purposes(), *purposes), services=services)


def make_service(key, *purposes, signals=("maker",)):
    return Service(key, name=key, purposes=purposes, signals=signals)


def make_situation(**changes):
    states = {"ad_storage": Choice.DENIED, "analytics_storage": Choice.GRANTED, "security_storage": Choice.GRANTED}
    values: dict[str, Any] = {"states": states, "choices": {}, "regime": Regime.OPT_IN, "is_asking": False}
    return Situation(**(values | changes))


# What a type follows


def test_type_follows_the_services_that_are_told_and_serve_its_kind():
    policy = make_policy(make_service("ads", "marketing"), make_service("stats", "analytics"))

    assert bind_adapter(ADAPTER, policy, {}).rules == {
        "ad_storage": (("ads",),),
        "analytics_storage": (("stats",),),
        "security_storage": (("necessary",),),
    }


def test_one_of_two_services_is_enough():
    policy = make_policy(make_service("ads", "marketing"), make_service("more-ads", "marketing"))

    assert bind_adapter(ADAPTER, policy, {}).rules["ad_storage"] == (("ads",), ("more-ads",))


def test_type_follows_the_purpose_of_its_kind_of_a_service_for_several():
    rules = bind_adapter(ADAPTER, make_policy(make_service("tags", "analytics", "marketing")), {}).rules

    assert rules["ad_storage"] == (("tags",), ("marketing",))
    assert rules["analytics_storage"] == (("tags",), ("analytics",))


def test_type_follows_its_purpose_where_no_service_of_the_provider_serves_it():
    policy = make_policy(make_service("stats", "analytics"), make_service("other-ads", "marketing", signals=()))

    assert bind_adapter(ADAPTER, policy, {}).rules["ad_storage"] == (("marketing",),)


def test_type_follows_all_purposes_of_its_kind():
    personal = Purpose("personal-ads", title="Ads", description="Ads.", kind="advertising")

    assert bind_adapter(ADAPTER, make_policy(purposes=(personal,)), {}).rules["ad_storage"] == (
        ("marketing", "personal-ads"),
    )


def test_type_that_nothing_stands_for_is_denied():
    policy = Policy(controller="Example", purposes=(Purpose("necessary"), Purpose("stats", kind="statistics")))
    found = bind_adapter(ADAPTER, policy, {})

    assert found.rules["ad_storage"] == ()
    assert found.find_states(lambda _: True)["ad_storage"] is Choice.DENIED


def test_only_type_follows_the_services_that_are_told_whatever_they_are_for():
    adapter = SignalAdapter("maker", name="Maker", types={"consent": "statistics"})
    policy = make_policy(make_service("ads", "marketing"))

    assert bind_adapter(adapter, policy, {}).rules == {"consent": (("ads",),)}


def test_tag_that_runs_unasked_hears_of_no_grant_to_others():
    policy = make_policy(make_service("stats", "analytics"), make_service("more-stats", "analytics"))

    rules = bind_adapter(ADAPTER, policy, {}, advanced=["stats"]).rules

    assert rules["analytics_storage"] == (("stats",), ("more-stats", "stats"))
    assert rules["ad_storage"] == (("marketing", "stats"),)
    assert rules["security_storage"] == (("necessary",),)


def test_tag_that_runs_unasked_for_another_purpose_keeps_nothing_from_others():
    policy = make_policy(make_service("stats", "analytics"), make_service("ads", "marketing"))

    rules = bind_adapter(ADAPTER, policy, {}, advanced=["stats", "ads"]).rules

    assert rules["analytics_storage"] == (("stats",),)
    assert rules["ad_storage"] == (("ads",),)


def test_tag_manager_that_runs_unasked_hears_of_each_of_its_purposes():
    policy = make_policy(make_service("tags", "analytics", "marketing"))

    rules = bind_adapter(ADAPTER, policy, {}, advanced=["tags"]).rules

    assert ("analytics",) in rules["analytics_storage"]
    assert all({"tags", "marketing"} & set(keys) for keys in rules["ad_storage"])


def test_override_says_what_a_type_follows():
    personal = Purpose("personal-ads", title="Ads", description="Ads.", kind="advertising")
    policy = make_policy(make_service("ads", "marketing"), purposes=(personal,))

    rules = bind_adapter(ADAPTER, policy, {"ad_storage": ["personal-ads", "analytics"]}).rules

    assert rules["ad_storage"] == (("personal-ads", "analytics"),)


def test_override_of_an_unknown_type_names_the_closest():
    with pytest.raises(
        ConfigError, match=r"maps 'add_storage', which Maker does not have.*the closest first: 'ad_storage'"
    ):
        bind_adapter(ADAPTER, make_policy(), {"add_storage": ["marketing"]})


def test_override_with_an_unknown_purpose_names_the_closest():
    with pytest.raises(UnknownKeyError, match=r"'marketting'.*the closest first: 'marketing'"):
        bind_adapter(ADAPTER, make_policy(), {"ad_storage": ["marketting"]})


def test_override_that_would_grant_what_was_refused_is_an_error():
    with pytest.raises(ConfigError, match="'ad_storage' follow 'analytics', none of which is for 'advertising'"):
        bind_adapter(ADAPTER, make_policy(), {"ad_storage": ["analytics"]})


# Calls


def test_call_for_some_regimes_is_left_out_under_others():
    calls = (Call(call="ldu", regimes=("opt_out",)),)

    assert fill_calls(calls, make_situation()) == []
    assert fill_calls(calls, make_situation(regime=Regime.OPT_OUT)) == [("ldu", [])]


@pytest.mark.parametrize(("while_asking", "is_made"), [(True, False), (False, True), (None, True)])
def test_call_may_depend_on_whether_the_visitor_is_asked(while_asking, is_made):
    assert bool(fill_calls((Call(call="wait", while_asking=while_asking),), make_situation())) is is_made


def test_call_of_an_option_is_made_once_it_is_on():
    calls = (Call(call="pass", option="url_passthrough"),)

    assert fill_calls(calls, make_situation()) == []
    assert fill_calls(calls, make_situation(options=frozenset({"url_passthrough"}))) == [("pass", [])]


def test_regional_call_is_made_for_each_group_of_regions():
    granted = {"ad_storage": Choice.GRANTED}
    calls = (Call(call="gtag", arguments=({"...": "$states", "region": "$regions"},)),)

    assert fill_calls(calls, make_situation()) == []
    assert fill_calls(calls, make_situation(regions=(Region(codes=("JP", "US-CA"), states=granted),))) == [
        ("gtag", [{"ad_storage": "granted", "region": ["JP", "US-CA"]}])
    ]


def test_calls_that_can_never_be_made_here_are_not_sent_to_the_browser():
    calls = (Call(call="a"), Call(call="b", regimes=("opt_out",)), Call(call="c", option="x"))

    assert [call.call for call in select_calls(calls, regime=Regime.OPT_IN, options=())] == ["a"]
    assert [call.call for call in select_calls(calls, regime=Regime.OPT_OUT, options=("x",))] == ["a", "b", "c"]


# Mistakes in an adapter


@pytest.mark.parametrize("name", ["gtag()", "a b", "", "alert(1);x", "a..b", "1a"])
def test_call_must_name_a_function(name):
    with pytest.raises(ConfigError, match="Name a global function"):
        SignalAdapter("maker", name="Maker", types=TYPES, before=(Call(call=name),))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Call(call="f", when={"ad_storge": "denied"}), "depends on type 'ad_storge'.*closest first: 'ad_storage'"),
        (Call(call="f", arguments=([{"x": "$denied:nothing"}],)), "depends on type 'nothing'"),
        (Call(call="f", when={"ad_storage": "no"}), "'when' of signal adapter 'maker' must be one of"),
        (Call(call="f", regimes=("gdpr",)), "'regimes' of signal adapter 'maker' must be one of"),
        (Call(call="f", option="x"), "needs option 'x', which is not among its options: none"),
    ],
)
def test_call_must_depend_on_what_there_is(call, words):
    with pytest.raises(ConfigError, match=words):
        SignalAdapter("maker", name="Maker", types=TYPES, change=(call,))


@pytest.mark.parametrize("call", [Call(call="f", while_asking=True), Call(call="f", arguments=("$regions",))])
def test_change_knows_neither_regions_nor_asking(call):
    with pytest.raises(
        ConfigError, match=r"A change call of signal adapter 'maker' names '\$regions' or 'while_asking'"
    ):
        SignalAdapter("maker", name="Maker", types=TYPES, change=(call,))


def test_type_must_follow_a_kind_of_purpose():
    with pytest.raises(ConfigError, match=r"'types.ad_storage' of signal adapter 'maker' must be one of"):
        SignalAdapter("maker", name="Maker", types={"ad_storage": "marketing"})
