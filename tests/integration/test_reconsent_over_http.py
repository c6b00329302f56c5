"""A site that changes what it declares: asked of is what changed, and the rest stands."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from consent import CookieDeclaration, Purpose, Service
from consent.core.declaration import PurposeKind, default_purposes
from tests.traveller import ADS, STATS, make_traveller

HEATMAP = Service("heatmap", name="Heatmap", provider="Heat Inc.", purposes=("analytics",))
MIXER = Service("mixer", name="Mixer", purposes=("analytics", "marketing"))
SURVEY = Purpose("survey", title="Surveys", description="Ask what you think.")
CHANGED = "Something has changed since your last choice. Your other choices stand."


def titles_of(sight):
    return re.findall(r"<li><strong>([^<]*)</strong>", sight.banner)


def has_field(sight):
    return '<input type="hidden" name="asked" value="changed">' in sight.banner


@pytest.fixture
def visitor():
    """Return a visitor in France who has allowed all but marketing."""
    found = make_traveller("FR")
    found.press("save", "preferences", "analytics")
    return found


def test_new_service_of_a_granted_purpose_is_asked_for_by_its_name(visitor):
    sight = visitor.redeclare(services=[STATS, ADS, HEATMAP]).look()

    assert (titles_of(sight), has_field(sight)) == (["Analytics"], True)
    assert "New here: Heatmap." in sight.words
    assert CHANGED in sight.words


def test_what_was_granted_runs_on_and_what_is_new_does_not(visitor):
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])

    assert later.look().runs == ("preferences", "analytics")
    assert (later.verdicts()["stats"], later.verdicts()["heatmap"]) == ("granted", "denied")
    assert later.reason == "policy_changed"


@pytest.mark.parametrize(("action", "verdict"), [("accept_all", "granted"), ("reject_all", "denied")])
def test_answer_counts_for_what_was_asked_and_leaves_the_rest(visitor, action, verdict):
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    before = later.verdicts()
    later.answer(action)

    assert later.verdicts() == before | {"heatmap": verdict}
    assert later.reason is None


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_reason_of_the_question_is_in_the_record(visitor, action):
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    later.answer(action)

    assert later.last["notice"]["prompt_reason"] == "policy_changed"
    assert later.last["previous"] == visitor.records[0].record_id
    assert visitor.records[0].account.notice.prompt_reason == "no_record"


def test_refused_purpose_is_not_asked_about_for_a_new_service(visitor):
    extra = Service("banners", name="Banners", purposes=("marketing",))
    later = visitor.redeclare(services=[STATS, ADS, extra])

    assert (later.reason, later.verdicts()["banners"]) == (None, "denied")


def test_service_of_a_refused_and_a_granted_purpose_is_not_asked_for(visitor):
    later = visitor.redeclare(services=[STATS, ADS, MIXER])

    assert (later.reason, later.verdicts()["mixer"]) == (None, "denied")


def test_new_purpose_is_asked_for_alone(visitor):
    later = visitor.redeclare(purposes=[SURVEY])
    sight = later.look()
    later.answer("accept_all")

    assert titles_of(sight) == ["Surveys"]
    assert (later.verdicts()["survey"], later.verdicts()["marketing"]) == ("granted", "denied")


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "Bigger Stats Inc."},
        {"cookies": (CookieDeclaration("_st", months=13),)},
        {"revision": 2},
    ],
    ids=str,
)
def test_material_change_of_a_service_asks_for_it_again(visitor, change):
    later = visitor.redeclare(services=[dataclasses.replace(STATS, **change), ADS])

    assert (later.reason, titles_of(later.look()), later.verdicts()["stats"]) == (
        "policy_changed",
        ["Analytics"],
        "denied",
    )


@pytest.mark.parametrize(
    "declared",
    [
        {"services": [ADS, STATS]},
        {"services": [STATS]},
        {"services": [dataclasses.replace(STATS, name="Statistics", description="Counts."), ADS]},
        {"purposes": [dataclasses.replace(default_purposes()[2], title="Measuring", description="Count.")]},
        {"CONSENT_TEXTS": {"en": {"banner.title": "Your say"}}},
        {"CONSENT_LANGUAGE": "de"},
        {"CONSENT_REFUSE_MONTHS": 12},
    ],
    ids=["order", "gone", "words", "title", "texts", "language", "months"],
)
def test_other_words_order_or_less_ask_nothing_again(visitor, declared):
    later = visitor.redeclare(**declared)

    assert (later.reason, later.look().runs) == (None, ("preferences", "analytics"))


def test_purpose_that_now_heeds_the_signal_is_asked_about_again(visitor):
    statistics = dataclasses.replace(default_purposes()[2], denied_by_gpc=True)
    later = visitor.redeclare(purposes=[statistics])

    assert later.reason == "policy_changed"
    assert later.look().runs == ("preferences",)


def test_service_that_comes_back_as_it_was_is_not_asked_for_again(visitor):
    later = visitor.redeclare(services=[STATS]).redeclare(services=[STATS, ADS])

    assert (later.reason, later.verdicts()["stats"], later.verdicts()["ads"]) == (None, "granted", "denied")


def test_forged_mark_of_a_partial_question_grants_nothing_that_was_refused(visitor):
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    later.press("accept_all", asked="changed")

    assert (later.verdicts()["marketing"], later.verdicts()["ads"]) == ("denied", "denied")


def test_whole_answer_from_the_preferences_counts_for_everything(visitor):
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    later.press("reject_all")

    assert set(later.verdicts().values()) == {"denied"}


def test_new_service_is_told_where_objecting_is_enough():
    visitor = make_traveller("US-CA")
    visitor.answer("acknowledge")
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    sight = later.look()

    assert (sight.buttons, has_field(sight)) == ([("reject_all", "Opt out"), ("acknowledge", "OK")], True)
    assert "New here: Heatmap." in sight.words
    assert later.verdicts()["heatmap"] == "granted"


@pytest.mark.parametrize("action", ["acknowledge", "accept_all"])
def test_opting_out_of_something_new_leaves_what_was_noted_or_granted(action):
    visitor = make_traveller("US-CA")
    visitor.press(action)
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    later.answer("reject_all")

    assert [key for key, verdict in later.verdicts().items() if verdict == "denied"] == ["heatmap"]


def test_new_service_is_told_again_under_notice():
    visitor = make_traveller("JP")
    visitor.answer("acknowledge")
    later = visitor.redeclare(services=[STATS, ADS, HEATMAP])
    before = later.reason
    later.answer("acknowledge")

    assert (before, later.reason, later.verdicts()["heatmap"]) == ("policy_changed", None, "granted")


def test_embed_that_was_allowed_leaves_the_rest_to_be_asked():
    visitor = make_traveller("FR")
    visitor.press("allow", "ads")
    sight = visitor.look()

    assert (visitor.reason, has_field(sight), titles_of(sight)) == (
        "incomplete",
        True,
        ["Preferences", "Analytics", "Marketing"],
    )
    assert "has changed" not in sight.words


def test_answer_after_an_embed_leaves_the_embed_allowed():
    visitor = make_traveller("FR")
    visitor.press("allow", "ads")
    visitor.answer("reject_all")

    assert (visitor.verdicts()["ads"], visitor.verdicts()["marketing"], visitor.reason) == ("granted", "denied", None)


def test_expired_choice_is_asked_about_as_a_whole(visitor):
    visitor.clock.advance(days=200)
    sight = visitor.look()

    assert (visitor.reason, has_field(sight), sight.runs) == ("expired", False, ())
    assert "Your last choice has run out." in sight.words


# -- a refusal of what was declared otherwise


MARKETING = default_purposes()[3]
EDITED: dict[str, dict[str, Any]] = {
    "signal": {"purposes": [dataclasses.replace(default_purposes()[2], denied_by_gpc=True)]},
    "revision": {"purposes": [dataclasses.replace(MARKETING, revision=2)]},
    "kind": {"purposes": [dataclasses.replace(MARKETING, kind=PurposeKind.OTHER)]},
    "purpose and service": {
        "purposes": [dataclasses.replace(MARKETING, revision=2)],
        "services": [STATS, dataclasses.replace(ADS, cookies=(CookieDeclaration("_new", months=1),))],
    },
    "beside something unrelated": {"purposes": [dataclasses.replace(MARKETING, revision=2), SURVEY]},
}


@pytest.mark.parametrize("place", ["US-CA", "US-TX", "JP"])
@pytest.mark.parametrize("declared", EDITED.values(), ids=EDITED)
def test_opted_out_of_stays_shut_when_it_is_edited_and_is_asked_about(place, declared):
    visitor = make_traveller(place)
    visitor.press("reject_all")
    later = visitor.redeclare(**declared)

    assert (later.reason, later.look().runs, set(later.verdicts().values())) == ("policy_changed", (), {"denied"})
    assert later.look().buttons == [("accept_all", "Accept all"), ("reject_all", "Reject all")]


@pytest.mark.parametrize("place", ["US-CA", "JP"])
def test_answer_about_what_was_edited_makes_it_usual_again(place):
    visitor = make_traveller(place)
    visitor.press("save", "preferences", "analytics")
    later = visitor.redeclare(**EDITED["revision"])
    later.answer("reject_all")
    last = later.redeclare(**EDITED["revision"], services=[STATS, ADS, HEATMAP])

    assert (later.reason, later.look().runs) == (None, ("preferences", "analytics"))
    assert (last.look().runs, last.verdicts()["heatmap"]) == (("preferences", "analytics"), "granted")
    assert "accept_all" not in dict(last.look().buttons)


@pytest.mark.parametrize("place", ["US-CA", "JP"])
def test_service_that_is_edited_under_a_purpose_opted_out_of_stays_shut(place):
    visitor = make_traveller(place)
    visitor.press("reject_all")
    later = visitor.redeclare(services=[STATS, dataclasses.replace(ADS, revision=2)])

    assert (later.reason, set(later.verdicts().values())) == (None, {"denied"})


@pytest.mark.parametrize("place", ["US-CA", "JP"])
def test_something_new_runs_for_who_refused_nothing_that_changed(place):
    visitor = make_traveller(place)
    visitor.press("save", "preferences", "analytics")
    later = visitor.redeclare(purposes=[SURVEY], services=[STATS, ADS, HEATMAP])

    assert (later.reason, later.verdicts()["survey"], later.verdicts()["heatmap"]) == (
        "policy_changed",
        "granted",
        "granted",
    )
    assert later.verdicts()["marketing"] == "denied"
