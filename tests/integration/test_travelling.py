"""A choice that goes to another place with its visitor; and the notice, which grants nothing wherever it goes."""

from __future__ import annotations

import dataclasses

import pytest

from consent import Purpose
from consent.core.declaration import PurposeKind, default_purposes
from consent.testing import grant
from tests.traveller import GPC, SAME_ORIGIN, Traveller, make_traveller

OPTIONAL = ("preferences", "analytics", "marketing")
NOTICE_PLACES = ["JP", "US-ID"]
HEALTH = Purpose("health", title="Health", description="Adapt to your health.", kind=PurposeKind.SENSITIVE)
ASKING_BESIDE_WHAT_RUNS = [
    ("GB", (), ("preferences", "analytics")),
    ("CH", (), ("preferences", "analytics")),
    ("KR", (), ("preferences",)),
    ("US-CO", (HEALTH,), OPTIONAL),
    ("JP", (HEALTH,), OPTIONAL),
]


@pytest.mark.parametrize("place", NOTICE_PLACES)
@pytest.mark.parametrize(
    ("action", "granted"),
    [("accept_all", ()), ("save", OPTIONAL), ("save", ("marketing",)), ("allow", ("ads",)), ("acknowledge", ())],
)
def test_notice_never_records_a_grant(place, action, granted):
    visitor = make_traveller(place)
    visitor.press(action, *granted)

    assert visitor.last["mode"] == "notice"
    assert "granted" not in {each["state"] for each in visitor.decided.values()}


@pytest.mark.parametrize("place", NOTICE_PLACES)
@pytest.mark.parametrize(("action", "granted"), [("accept_all", ()), ("save", OPTIONAL), ("acknowledge", ())])
def test_nothing_that_was_pressed_under_notice_opens_anything_under_opt_in(place, action, granted):
    visitor = make_traveller(place)
    visitor.press(action, *granted)
    visitor.go("FR")

    assert (visitor.look().runs, visitor.reason) == ((), "place_changed")


def test_i_agree_is_recorded_as_an_acknowledgement():
    visitor = make_traveller("JP")
    visitor.answer("acknowledge")

    assert (visitor.last["event"], visitor.last["action"], visitor.decided) == (
        "acknowledgement",
        "acknowledge",
        {},
    )
    assert sorted(visitor.last["noted"]) == ["ads", "analytics", "marketing", "preferences", "stats"]
    assert [name for name, _ in visitor.heard] == ["recorded"]


def test_i_agree_hides_the_notice_and_changes_nothing_else():
    visitor = make_traveller("JP")
    before = visitor.verdicts()
    visitor.answer("acknowledge")

    assert (visitor.look().banner, visitor.look().runs, visitor.verdicts()) == ("", OPTIONAL, before)


def test_helper_for_tests_of_sites_grants_nothing_under_notice_either():
    visitor = make_traveller("JP")
    grant(visitor.client, "marketing")

    assert "granted" not in {each["state"] for each in visitor.decided.values()}


def test_refusal_counts_under_notice():
    visitor = make_traveller("JP")
    visitor.press("save", "preferences")

    assert visitor.look().runs == ("preferences",)
    assert (visitor.last["event"], sorted(visitor.last["noted"])) == ("objection", ["preferences"])


def test_acknowledged_elsewhere_is_asked_where_the_law_wants_a_choice():
    visitor = make_traveller("JP")
    visitor.answer("acknowledge")
    sight = visitor.go("FR").look()

    assert (sight.buttons[0], sight.runs, visitor.reason) == (("accept_all", "Accept all"), (), "place_changed")
    assert "You chose in a place with other rules. Here they are stricter." in sight.words


def test_acknowledged_under_notice_is_not_asked_where_objecting_is_enough():
    visitor = make_traveller("JP")
    visitor.answer("acknowledge")
    visitor.go("US-CA")

    assert (visitor.reason, visitor.look().runs) == (None, ("preferences", "analytics"))


def test_granted_where_objecting_is_enough_is_asked_where_the_law_wants_a_choice():
    visitor = make_traveller("US-TX")
    visitor.press("accept_all")
    sight = visitor.go("FR").look()

    assert (sight.runs, sight.waits, visitor.reason) == ((), (), "place_changed")
    assert sight.buttons == [("accept_all", "Accept all"), ("reject_all", "Reject all")]


@pytest.mark.parametrize("place", ["US-TX", "US-CA", "JP", "GB", None])
def test_refused_stays_refused_wherever_the_visitor_goes(place):
    visitor = make_traveller("FR")
    visitor.answer("reject_all")
    visitor.go(place)

    assert (visitor.look().runs, visitor.look().waits, visitor.reason) == ((), (), None)


@pytest.mark.parametrize("place", ["US-TX", "US-CA", "JP", "GB", "DE", None])
def test_granted_under_opt_in_stays_granted_wherever_the_visitor_goes(place):
    visitor = make_traveller("FR")
    visitor.answer("accept_all")
    visitor.go(place)

    assert (set(visitor.verdicts().values()), visitor.reason) == ({"granted"}, None)


def test_granted_in_spite_of_the_signal_stays_granted_under_opt_out():
    visitor = make_traveller("FR")
    visitor.answer("accept_all", **GPC)
    visitor.go("US-CA")

    assert visitor.look().runs == OPTIONAL
    assert visitor.look(**GPC).runs == OPTIONAL


def test_answer_in_the_stricter_place_replaces_the_other():
    visitor = make_traveller("US-TX")
    visitor.press("accept_all")
    visitor.go("FR").answer("reject_all")

    assert (visitor.reason, visitor.look().runs, visitor.last["notice"]["prompt_reason"]) == (None, (), "place_changed")
    assert visitor.last["previous"] == visitor.records[0].record_id


def test_going_back_after_the_answer_asks_nothing():
    visitor = make_traveller("US-TX")
    visitor.press("accept_all")
    visitor.go("FR").answer("accept_all")

    assert (visitor.go("US-TX").reason, visitor.go("FR").reason, visitor.look().runs) == (None, None, OPTIONAL)


def test_what_was_allowed_under_opt_in_is_no_more_than_that_after_more_under_opt_out():
    visitor = make_traveller("US-TX")
    visitor.press("accept_all")
    visitor.go("FR").press("allow", "ads")

    assert visitor.look().runs == ()
    assert visitor.verdicts() == dict.fromkeys(("preferences", "analytics", "marketing", "stats"), "denied") | {
        "ads": "granted"
    }


@pytest.mark.parametrize("place", ["US-TX", "JP"])
def test_losing_sight_of_the_place_shuts_what_merely_ran(place):
    visitor = make_traveller(place)
    visitor.answer("acknowledge")
    visitor.go(None)

    assert (visitor.look().runs, visitor.look().waits, visitor.state()["regime"]) == ((), (), "opt_in")


@pytest.mark.parametrize("answer", [7, "Atlantis", ("US", 5), b"US", "", ("", "CA"), "ＵＳ", "US\n-TX"], ids=ascii)
def test_answer_that_is_no_place_means_unknown(answer):
    visitor = make_traveller(answer)

    assert (visitor.look().runs, visitor.state()["regime"]) == ((), "opt_in")


def test_grant_cannot_be_posted_from_elsewhere_under_any_regime():
    visitor = make_traveller("JP")
    answers = [
        visitor.client.post("/privacy-choices/", data={"action": action}, headers={"Sec-Fetch-Site": "cross-site"})
        for action in ("accept_all", "acknowledge")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert visitor.press("acknowledge", headers=SAME_ORIGIN).status_code == 303


# -- a switch that was on before the visitor came


@pytest.mark.parametrize(("place", "purposes", "on"), ASKING_BESIDE_WHAT_RUNS)
def test_saving_what_was_switched_on_grants_nothing_elsewhere(place, purposes, on):
    visitor = make_traveller(place, purposes=purposes)
    switches = visitor.switched_on()
    visitor.press("save", *switches)

    assert (switches, tuple(key for key in OPTIONAL if visitor.verdicts()[key] == "granted")) == (on, on)
    assert "granted" not in {each["state"] for each in visitor.decided.values()}
    visitor.go("FR")
    assert (visitor.look().runs, set(visitor.verdicts().values()), bool(visitor.reason)) == ((), {"denied"}, True)


@pytest.mark.parametrize(("place", "purposes", "on"), ASKING_BESIDE_WHAT_RUNS)
def test_switch_that_the_visitor_turns_on_is_a_grant_beside_those_that_were(place, purposes, on):
    visitor = make_traveller(place, purposes=purposes)
    added = {*OPTIONAL, *(purpose.key for purpose in purposes)} - {*on}
    visitor.press("save", *on, *added)
    visitor.go("FR")

    assert {key for key, verdict in visitor.verdicts().items() if verdict == "granted"} & {*OPTIONAL, "health"} == added


@pytest.mark.parametrize("place", ["JP", "KR"])
def test_accepting_all_grants_nothing_that_runs_under_notice(place):
    visitor = make_traveller(place, purposes=[HEALTH])
    before = visitor.look().runs
    visitor.answer("accept_all")

    assert visitor.decided["health"]["state"] == "granted"
    assert not {*before} & {*visitor.decided}
    assert not {*before} & {*visitor.go("FR").look().runs}


@pytest.mark.parametrize(
    ("place", "purpose"), [("JP", HEALTH), ("GB", dataclasses.replace(default_purposes()[2], denied_by_gpc=True))]
)
def test_saving_what_was_switched_on_under_a_signal_that_a_script_saw_grants_nothing(place, purpose):
    visitor = make_traveller(place, purposes=[purpose])
    visitor.press("save", *visitor.switched_on(), gpc="1")

    assert "granted" not in {each["state"] for each in visitor.decided.values()}


@pytest.mark.parametrize(
    ("action", "granted", "fields"),
    [
        ("accept_all", (), {"asked": "changed"}),
        ("reject_all", (), {"asked": "changed"}),
        ("save", ("preferences", "analytics"), {}),
        ("allow", ("ads",), {}),
    ],
)
def test_grant_of_where_less_is_asked_counts_for_no_more_after_an_act_on_something_else(action, granted, fields):
    visitor = make_traveller("US-TX")
    visitor.press("accept_all")
    visitor.go("GB").press(action, *granted, **fields)

    assert "analytics" in visitor.look().runs
    assert "analytics" not in visitor.decided
    assert "analytics" not in visitor.go("FR").look().runs


# -- what the banner says


@pytest.mark.parametrize("place", ["FR", None])
def test_acknowledging_under_opt_in_is_no_answer_and_no_journey(place):
    visitor = make_traveller(place)
    visitor.press("acknowledge")

    assert (visitor.reason, visitor.look().runs) == ("incomplete", ())
    assert "other rules" not in visitor.look().words


def test_banner_of_one_visitor_is_not_kept_for_another_for_whom_less_runs():
    agreeing = make_traveller("US-TX")
    objecting = Traveller(agreeing.app, agreeing.clock)
    agreeing.press("acknowledge")
    objecting.press("save", "preferences", "marketing")
    agreeing.go("GB")

    assert agreeing.reason == objecting.reason == "place_changed"
    assert agreeing.look().words != objecting.look().words
