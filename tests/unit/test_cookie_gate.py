"""Whose a cookie is by its name, and whether it may be set."""

from __future__ import annotations

import pytest

from consent.core.choice import Action, choose
from consent.core.cookie_declaration import CookieDeclaration, StorageKind
from consent.core.cookie_gate import CookieIndex, is_cookie_open
from consent.core.decision import decide
from consent.core.declaration import Purpose, Service, default_purposes
from consent.core.policy import Policy
from consent.core.privacy_signal import Signals
from consent.core.regime import Regime
from tests.samples import make_record

LOGIN = Service(
    "login",
    name="Login",
    purposes=("necessary",),
    justification="Keeps you signed in.",
    cookies=(CookieDeclaration("sid", session=True), CookieDeclaration("st_login_*", session=True)),
)
STATS = Service(
    "stats",
    name="Stats",
    purposes=("analytics",),
    cookies=(
        CookieDeclaration("_st", months=1),
        CookieDeclaration("_st_*", months=1),
        CookieDeclaration("far", months=1, third_party=True),
        CookieDeclaration("kept", kind=StorageKind.LOCAL_STORAGE),
        CookieDeclaration("st_*", days=1),
    ),
)
ADS = Service(
    "ads",
    name="Ads",
    purposes=("analytics", "marketing"),
    cookies=(CookieDeclaration("_st", months=2), CookieDeclaration("*_ad*id", months=1)),
)


@pytest.fixture
def policy():
    purposes = (*default_purposes(), Purpose("maps", title="Maps", description="Shows maps."))
    return Policy(controller="Example News Ltd", purposes=purposes, services=(LOGIN, STATS, ADS))


@pytest.fixture
def index(policy):
    return CookieIndex(policy)


def decide_on(policy, now, *granted):
    before = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)
    choices = choose(policy, Action.SAVE, granted=granted, before=before)
    record = make_record(policy, now, choices=choices)
    return decide(policy, record, signals=Signals(), regime=Regime.OPT_IN, now=now)


@pytest.mark.parametrize(
    ("name", "services", "declared_name"),
    [
        ("sid", ("login",), "sid"),
        ("_st", ("stats", "ads"), "_st"),
        ("_st_1", ("stats",), "_st_*"),
        ("_st_", ("stats",), "_st_*"),
        ("_st_x_ad_id", ("stats", "ads"), "_st_*"),
        ("_adid", ("ads",), "*_ad*id"),
        ("my_ad.id.id", ("ads",), "*_ad*id"),
        ("_st_\nx", ("stats",), "_st_*"),
        ("_st_\x00é", ("stats",), "_st_*"),
    ],
)
def test_owner_is_found_by_exact_name_and_by_pattern(index, name, services, declared_name):
    owner = index.find_owner(name)

    assert (owner.services, owner.declared_name) == (services, declared_name)


@pytest.mark.parametrize("name", ["", "_S", "_ST", "_stx", "x_st", " _st", "far", "kept", "_ad", "_ai_d", "_st*"])
def test_cookie_that_nobody_declares_has_no_owner(index, name):
    assert index.find_owner(name) is None


def test_owner_names_the_purposes_of_all_its_services(index):
    assert index.find_owner("_st").purposes == ("analytics", "marketing")


def test_cookie_that_a_necessary_service_declares_is_necessary_whoever_means_it_too(index):
    owner = index.find_owner("st_login_7")

    assert owner.services == ("login", "stats")
    assert owner.is_necessary
    assert not index.find_owner("st_other").is_necessary


@pytest.mark.parametrize(
    ("name", "granted", "is_open"),
    [
        ("_st", (), False),
        ("_st", ("stats",), True),
        ("_st", ("ads",), True),
        ("_st_1", ("ads",), False),
        ("_adid", ("analytics",), False),
        ("_adid", ("analytics", "marketing", "ads"), True),
        ("sid", (), True),
        ("st_login_7", (), True),
    ],
)
def test_cookie_is_open_once_any_service_that_declares_it_is_granted(policy, index, now, name, granted, is_open):
    assert is_cookie_open(index.find_owner(name), decide_on(policy, now, *granted)) is is_open


def test_cookie_of_a_service_that_waits_is_shut_unless_another_one_is_open(policy, index, now):
    decision = decide_on(policy, now, "stats", "ads")

    assert not is_cookie_open(index.find_owner("_adid"), decision, waiting={"ads", "marketing"})
    assert is_cookie_open(index.find_owner("_st"), decision, waiting={"ads", "marketing"})


def test_cookie_that_is_undecided_is_shut(policy, index, now):
    decision = decide(policy, None, signals=Signals(), regime=Regime.OPT_IN, now=now)

    assert not is_cookie_open(index.find_owner("_st"), decision)


def test_index_lists_what_a_visitor_decides_on(index):
    assert [cookie.name for cookie in index.optional] == ["_st", "_st_*", "st_*", "_st", "*_ad*id"]


@pytest.mark.parametrize("name", ["_a" * 30_000, "_a_b_c" * 10_000, "_ax" + "y" * 60_000, " " * 60_000])
def test_long_name_is_compared_with_a_pattern_of_many_wildcards_in_one_pass(name):
    greedy = Service("greedy", name="G", purposes=("analytics",), cookies=(CookieDeclaration("_a*b*c*d*e*f", days=1),))
    index = CookieIndex(Policy(controller="Example News Ltd", services=(greedy,)))

    assert index.find_owner(name) is None
