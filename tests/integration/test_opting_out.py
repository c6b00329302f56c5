"""Saying no where things run unasked: one plain form, at once, for a year; and saying yes in spite of the signal."""

from __future__ import annotations

import re

import pytest

from consent.core.lifetime import add_months
from tests.conftest import NOW
from tests.traveller import GPC, PREFERENCES, make_traveller

OPTIONAL = ("preferences", "analytics", "marketing")
NOTHING = dict.fromkeys((*OPTIONAL, "stats", "ads"), "denied")


def lives_for(response):
    """Return the lifetime of the consent cookie in seconds."""
    (cookie,) = [each for each in response.headers.getlist("Set-Cookie") if each.startswith("consent=")]
    (seconds,) = re.findall(r"Max-Age=(\d+)", cookie)
    return int(seconds)


@pytest.mark.parametrize("place", ["US-CA", "US-CO", "US-TX", "CA-ON", "GB", "CH"])
def test_one_press_on_the_banner_stops_everything_on_the_next_page(place):
    visitor = make_traveller(place)
    answer = visitor.answer("reject_all")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert (visitor.look().runs, visitor.look().waits, visitor.look().banner) == ((), (), "")
    assert visitor.verdicts() == NOTHING


@pytest.mark.parametrize(("place", "event"), [("GB", "objection"), ("CH", "objection"), ("US-CA", "opt_out")])
def test_objection_is_recorded_and_announced_as_what_it_is(place, event):
    visitor = make_traveller(place)
    visitor.answer("reject_all")

    assert [name for name, _ in visitor.heard] == ["recorded", "withdrawn"]
    assert (visitor.last["event"], visitor.last["jurisdiction"]) == (event, place)
    assert {each["state"] for each in visitor.decided.values()} == {"refused"}


def test_objection_expires_the_cookies_of_what_ran():
    visitor = make_traveller("GB")
    visitor.client.set_cookie("_st", "1")
    answer = visitor.answer("reject_all")

    assert any(cookie.startswith("_st=; Expires=Thu, 01 Jan 1970") for cookie in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Clear-Site-Data"] == '"cache"'


def test_objection_to_one_exempt_purpose_leaves_the_other():
    visitor = make_traveller("GB")
    visitor.press("save", "preferences")

    assert visitor.look().runs == ("preferences",)
    assert visitor.last["event"] == "objection"


def test_choice_in_the_united_kingdom_can_grant_the_rest():
    visitor = make_traveller("GB")
    visitor.answer("accept_all")

    assert visitor.look().runs == OPTIONAL
    assert (visitor.last["event"], visitor.last["mode"]) == ("choice", "opt_in")


@pytest.mark.parametrize("place", ["US-CA", "GB", "JP"])
def test_preferences_stop_what_runs_by_a_plain_form(place):
    visitor = make_traveller(place)
    page = visitor.look(PREFERENCES).response.text
    visitor.press("save")

    assert '<form class="pvc-form" method="post" action="/privacy-choices/"' in page
    assert (visitor.look().runs, visitor.look().banner) == ((), "")


@pytest.mark.parametrize(
    ("action", "status"),
    [("reject_all", 303), ("withdraw", 303), ("save", 303), ("acknowledge", 403), ("accept_all", 403)],
)
def test_only_saying_no_needs_no_proof_of_where_it_comes_from(action, status):
    visitor = make_traveller("US-CA")

    assert visitor.client.post(PREFERENCES, data={"action": action}).status_code == status
    assert len(visitor.records) == (status == 303)


@pytest.mark.parametrize("action", ["reject_all", "acknowledge"])
def test_saying_no_asks_for_nothing_about_the_visitor(action):
    banner = make_traveller("US-CA").look().banner

    assert set(re.findall(r'<input[^>]* name="(\w+)"', banner)) == {"next"}
    assert banner.count(f'value="{action}"') == 1


@pytest.mark.parametrize("place", ["US-CA", "US-TX"])
def test_nobody_is_asked_again_within_a_year_of_saying_no(place):
    visitor = make_traveller(place)
    visitor.answer("reject_all")
    visitor.clock.instant = add_months(NOW, 12)

    assert (visitor.look().banner, visitor.look().runs) == ("", ())


@pytest.mark.parametrize(("place", "months"), [("US-CA", 13), ("FR", 6), ("GB", 6), ("CA-ON", 12), ("JP", 12)])
def test_refusal_holds_for_the_months_of_the_place_and_no_longer(place, months):
    visitor = make_traveller(place)
    answer = visitor.press("reject_all")
    visitor.clock.instant = ends_at = add_months(NOW, months)
    after = visitor.reason
    visitor.clock.advance(seconds=-1)

    assert lives_for(answer) == (ends_at - NOW).total_seconds()
    assert (visitor.reason, after) == (None, "expired")


def test_settings_of_the_site_stand_over_the_months_of_the_place():
    answer = make_traveller("US-CA", CONSENT_REFUSE_MONTHS=6).press("reject_all")

    assert lives_for(answer) == (add_months(NOW, 6) - NOW).total_seconds()


def test_opting_out_is_confirmed_and_stays_to_be_seen():
    visitor = make_traveller("US-CA")
    visitor.press("reject_all")
    text = visitor.look(f"{PREFERENCES}?saved=1").response.text

    assert '<p role="status"><strong>Your choice is saved.</strong></p>' in text
    assert text.count('data-off="Opted out"') == 5
    assert " checked" not in text


def test_opting_in_again_takes_as_many_presses_as_opting_out():
    visitor = make_traveller("US-CA")
    visitor.press("reject_all")
    text = visitor.look(PREFERENCES).response.text
    visitor.press("accept_all")

    assert text.count('name="action" value="accept_all"') == text.count('name="action" value="reject_all"') == 1
    assert visitor.verdicts() == dict.fromkeys(NOTHING, "granted")


def test_grant_is_recorded_as_an_act_of_its_own_while_the_signal_is_on():
    visitor = make_traveller("US-CA")
    visitor.press("save", "marketing", headers=GPC)

    assert visitor.look(**GPC).runs == ("marketing",)
    assert visitor.last["signals"] == {"gpc": True, "dnt": False, "sec_gpc": True, "dom_gpc": False}
    assert (visitor.decided["marketing"]["state"], visitor.last["event"]) == ("granted", "opt_out")
    assert (visitor.last["source"], visitor.last["previous"]) == ("preferences", None)


def test_page_does_not_claim_to_honour_what_the_visitor_overrode():
    visitor = make_traveller("US-CA")
    before = visitor.look(**GPC).link
    visitor.press("save", "marketing", headers=GPC)

    assert before.endswith(" Opt-Out Request Honored")
    assert visitor.look(**GPC).link == "Do Not Sell or Share My Personal Information"


@pytest.mark.parametrize("place", ["US-CA", "FR", "JP"])
def test_earlier_grant_gives_way_to_the_signal_and_comes_back_without_it(place):
    visitor = make_traveller("FR")
    visitor.press("accept_all")
    visitor.go(place)

    assert visitor.look(**GPC).runs == ("preferences", "analytics")
    assert visitor.verdicts() == dict.fromkeys(NOTHING, "granted")


@pytest.mark.parametrize("place", ["US-CA", "JP"])
def test_signal_is_not_asked_about_again_by_itself(place):
    visitor = make_traveller(place)
    visitor.press("acknowledge")

    assert (visitor.look(**GPC).banner, visitor.look(**GPC).runs) == ("", ("preferences", "analytics"))


@pytest.mark.parametrize("place", ["US-CA", "US-TX", "CA-ON"])
def test_acknowledging_lets_run_what_runs_and_grants_nothing(place):
    visitor = make_traveller(place)
    visitor.answer("acknowledge")

    assert (visitor.look().banner, visitor.decided, visitor.last["event"]) == ("", {}, "acknowledgement")
    assert visitor.verdicts() == dict.fromkeys(NOTHING, "granted")


@pytest.mark.parametrize("place", ["US-CA", "US-TX", "CA-ON"])
def test_switch_that_was_on_before_the_script_saw_the_signal_grants_nothing(place):
    visitor = make_traveller(place)
    visitor.press("save", *visitor.switched_on(), gpc="1")
    states = {key: each["state"] for key, each in visitor.decided.items()}

    assert states == {"marketing": "refused", "ads": "refused"}
    assert (visitor.look(**GPC).runs, visitor.look().runs) == (("preferences", "analytics"),) * 2


def test_switch_that_the_visitor_turns_on_in_spite_of_the_signal_is_a_grant():
    visitor = make_traveller("US-CA")
    visitor.press("save", *OPTIONAL, headers=GPC, gpc="1")

    assert visitor.decided["marketing"]["state"] == "granted"
    assert visitor.look(**GPC).runs == OPTIONAL
