"""From a header to a standing and from a choice to a record; clock and ids are given."""

from __future__ import annotations

import dataclasses
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from consent.core.choice import Action
from consent.core.declaration import Service
from consent.core.policy import Policy
from consent.core.prompt import PromptReason
from consent.core.record import Choice
from consent.core.regime import Regime
from consent.engine import Engine
from consent.errors import ConfigError
from tests.engine_steps import ACCOUNT, GPC, KEY, QUIET, choose, header, look_up, make_engine, opened, rules_of

EXEMPT = {"necessary", "login"}


@pytest.fixture
def accepted(engine):
    return header(engine, choose(engine, Action.ACCEPT_ALL))


# -- records


def test_record_says_what_when_and_until_when(engine, policy, now):
    record = choose(engine, Action.ACCEPT_ALL, signals=GPC)

    assert record.decided_at == now
    assert record.valid_until == datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert record.choices == dict.fromkeys(policy.fingerprints, Choice.GRANTED)
    assert record.fingerprints == policy.fingerprints
    assert (record.regime, record.signals, record.is_complete) == (Regime.OPT_IN, GPC, True)
    assert record.account == dataclasses.replace(ACCOUNT, acted_at=now)


def test_record_keeps_whole_seconds(policy, clock):
    clock.advance(microseconds=999_999)
    engine = make_engine(policy, clock)
    record = choose(engine, Action.ACCEPT_ALL)

    assert record.decided_at.microsecond == 0
    assert look_up(engine, header(engine, record)).record == dataclasses.replace(record, account=None)


def test_record_ids_are_random_and_made_by_the_engine(engine):
    ids = {choose(engine, Action.REJECT_ALL).record_id for _ in range(50)}

    assert len(ids) == 50
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each) for each in ids
    )


def test_record_id_can_be_given(policy, clock):
    engine = make_engine(policy, clock, new_id=lambda: "01234567-89ab-4def-8123-456789abcdef")

    assert choose(engine, Action.SAVE).record_id == "01234567-89ab-4def-8123-456789abcdef"


@pytest.mark.parametrize(
    ("action", "granted", "months"),
    [
        (Action.ACCEPT_ALL, (), 2),
        (Action.REJECT_ALL, (), 12),
        (Action.WITHDRAW, (), 12),
        (Action.SAVE, (), 12),
        (Action.SAVE, ("stats",), 2),
        (Action.ALLOW, ("player",), 2),
    ],
)
def test_one_grant_makes_the_record_last_like_a_grant(clock, policy, action, granted, months):
    engine = make_engine(dataclasses.replace(policy, accept_months=2, refuse_months=12), clock)
    ends = {2: datetime(2026, 10, 31, 12, tzinfo=UTC), 12: datetime(2027, 8, 31, 12, tzinfo=UTC)}

    record = choose(engine, action, *granted)

    assert record.valid_until == ends[months]
    assert look_up(engine, header(engine, record)).record.valid_until == ends[months]


def test_allow_before_any_choice_leaves_the_record_incomplete(engine):
    record = choose(engine, Action.ALLOW, "player")
    standing = look_up(engine, header(engine, record))

    assert not record.is_complete
    assert opened(standing) == {*EXEMPT, "player"}
    assert standing.decision.prompt_reason is PromptReason.INCOMPLETE


def test_allow_after_a_choice_keeps_the_banner_away(engine):
    refused = look_up(engine, header(engine, choose(engine, Action.REJECT_ALL)))
    record = choose(engine, Action.ALLOW, "player", before=refused)

    assert record.is_complete
    assert opened(look_up(engine, header(engine, record))) == {*EXEMPT, "player"}


def test_withdrawal_keeps_the_banner_away(engine, accepted):
    record = choose(engine, Action.WITHDRAW, before=look_up(engine, accepted))
    standing = look_up(engine, header(engine, record))

    assert opened(standing) == EXEMPT
    assert not standing.decision.needs_prompt


def test_allow_while_gpc_is_on_does_not_revive_marketing_through_the_cookie(engine, accepted):
    before = look_up(engine, accepted, signals=GPC)
    assert "marketing" not in opened(before)

    record = choose(engine, Action.ALLOW, "stats", before=before, signals=GPC)

    for signals in (GPC, QUIET):
        standing = look_up(engine, header(engine, record), signals=signals)
        assert opened(standing) == {*EXEMPT, "preferences", "analytics", "stats"}


def test_marketing_granted_while_gpc_is_on_counts(engine):
    record = choose(engine, Action.SAVE, "marketing", signals=GPC)

    assert opened(look_up(engine, header(engine, record), signals=GPC)) == {*EXEMPT, "marketing", "player"}


def test_gpc_that_comes_on_later_closes_and_opens_again_when_it_goes(engine, accepted):
    everything = opened(look_up(engine, accepted))

    assert opened(look_up(engine, accepted, signals=GPC)) == everything - {"marketing", "player", "pixel"}
    assert opened(look_up(engine, accepted)) == everything


# -- look-ups


def test_no_cookie_is_a_stranger(engine):
    standing = look_up(engine, "")

    assert standing.record is None
    assert opened(standing) == EXEMPT
    assert standing.decision.prompt_reason is PromptReason.NO_RECORD


@pytest.mark.parametrize("is_secure", [True, False])
def test_cookie_is_believed(engine, policy, is_secure):
    record = choose(engine, Action.ACCEPT_ALL)
    standing = look_up(engine, header(engine, record, is_secure=is_secure), is_secure=is_secure)

    assert standing.record == dataclasses.replace(record, account=None)
    assert opened(standing) == set(policy.keys)


@pytest.mark.parametrize("is_secure", [True, False])
def test_neither_scheme_reads_the_other_s_cookie(engine, is_secure):
    record = choose(engine, Action.ACCEPT_ALL)
    under_own_name = header(engine, record, is_secure=is_secure)
    under_other_name = f"{engine.cookie_name(is_secure=not is_secure)}={engine.encode(record, is_secure=is_secure)}"

    for text in (under_own_name, under_other_name):
        assert look_up(engine, text, is_secure=not is_secure).record is None


def test_two_different_cookies_mean_unknown(engine, accepted):
    other = header(engine, choose(engine, Action.ACCEPT_ALL))

    for text in (
        f"{accepted}; {other}",
        f"{other}; {accepted}",
        f"{accepted}; __Host-consent=",
        f"__Host-consent=x; {accepted}",
    ):
        assert look_up(engine, text).record is None
        assert opened(look_up(engine, text)) == EXEMPT


def test_one_cookie_sent_twice_is_one(engine, accepted):
    assert look_up(engine, f"{accepted}; a=b; {accepted}").record is not None


def test_cookie_among_many_is_found(engine, accepted):
    assert look_up(engine, f"session=abc; {accepted}; _ga=1.2.3").record is not None


@pytest.mark.parametrize(
    "text",
    [
        "__Host-consent=",
        "__Host-consent=x",
        "__Host-consent=é",
        "__Host-consent=\ud800",
        "\x00",
        ";" * 9999,
        "=" * 9999,
    ],
)
def test_bad_cookie_is_a_stranger(engine, text):
    assert look_up(engine, text) is look_up(engine, "")


def test_bad_cookie_leaves_a_debug_line_without_its_value(engine, accepted, caplog):
    caplog.set_level(logging.DEBUG, logger="consent")

    look_up(engine, accepted[:-5])
    look_up(engine, f"{accepted}; __Host-consent=sesame")

    assert [record.getMessage() for record in caplog.records] == [
        "The consent cookie is not believed: The consent cookie is not signed by this app.",
        "The request carries 2 different consent cookies; none is believed.",
    ]


def test_cookie_over_its_end_is_asked_again(engine, clock, accepted):
    clock.instant = datetime(2027, 2, 28, 11, 59, 59, tzinfo=UTC)
    assert "analytics" in opened(look_up(engine, accepted))

    clock.advance(seconds=1)
    standing = look_up(engine, accepted)
    assert opened(standing) == EXEMPT
    assert standing.decision.prompt_reason is PromptReason.EXPIRED


@pytest.mark.parametrize(("seconds", "is_believed"), [(120, True), (300, True), (301, False), (3600, False)])
def test_cookie_from_the_future_counts_within_five_minutes(policy, clock, seconds, is_believed):
    ahead = make_engine(policy, lambda: clock.instant + timedelta(seconds=seconds))
    text = header(ahead, choose(ahead, Action.ACCEPT_ALL))

    assert ("analytics" in opened(look_up(make_engine(policy, clock), text))) is is_believed


def test_shorter_lifetime_counts_for_choices_made_from_then_on(policy, clock):
    # What the visitor was told holds: neither a shorter nor a longer lifetime changes a record that is made.
    old = make_engine(dataclasses.replace(policy, accept_months=3), clock)
    text = header(old, choose(old, Action.ACCEPT_ALL))
    for months in (1, 13):
        later = make_engine(dataclasses.replace(policy, accept_months=months), clock)
        assert look_up(later, text).record.valid_until == datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_changed_policy_asks_again_for_what_changed(policy, clock, engine, accepted):
    services = tuple(dataclasses.replace(each, revision=2) if each.key == "stats" else each for each in policy.services)
    changed = make_engine(dataclasses.replace(policy, services=services), clock)

    standing = look_up(changed, accepted)

    assert set(policy.keys) - opened(standing) == {"stats"}
    assert standing.decision.prompt_reason is PromptReason.POLICY_CHANGED


def test_new_service_is_closed_and_asked_for(policy, clock, accepted):
    new = Service("new", name="New", purposes=("analytics",))
    grown = make_engine(dataclasses.replace(policy, services=(*policy.services, new)), clock)

    standing = look_up(grown, accepted)

    assert standing.decision.services["new"] == "denied"
    assert standing.decision.prompt_reason is PromptReason.POLICY_CHANGED


# -- a grant that could not be kept


def test_narrowed_record_keeps_the_refusals_and_the_grants_in_force(engine):
    before = look_up(engine, header(engine, choose(engine, Action.SAVE, "analytics", "player")))
    posted = choose(engine, Action.SAVE, "marketing", "stats", before=before)

    narrowed = engine.narrow(posted, before=before)

    granted = {key for key, choice in narrowed.choices.items() if choice is Choice.GRANTED}
    assert granted == {"stats", "player"}
    assert narrowed.choices["marketing"] is Choice.DENIED
    assert narrowed.valid_until == before.record.valid_until
    assert narrowed.record_id == posted.record_id
    assert narrowed.decided_at == before.record.decided_at


def test_narrowed_record_keeps_the_regime_of_the_grants_in_force(engine):
    texas, france = rules_of("US", "TX"), rules_of("FR")
    before = look_up(engine, header(engine, choose(engine, Action.ACCEPT_ALL, rules=texas)), rules=texas)
    # Britain asks for more than Texas did, but statistics run there by what was granted.
    before = look_up(engine, header(engine, before.record), rules=rules_of("GB"))

    narrowed = engine.narrow(choose(engine, Action.ACCEPT_ALL, before=before), before=before)

    assert (narrowed.regime, narrowed.choices["stats"]) == (Regime.OPT_OUT, Choice.GRANTED)
    assert opened(look_up(engine, header(engine, narrowed), rules=france)) == EXEMPT


def test_narrowed_record_opens_nothing_for_a_stranger(engine):
    stranger = look_up(engine, "")
    narrowed = engine.narrow(choose(engine, Action.ACCEPT_ALL), before=stranger)

    assert opened(look_up(engine, header(engine, narrowed))) == EXEMPT


def test_narrowed_record_without_a_grant_lasts_like_a_refusal(policy, clock):
    engine = make_engine(dataclasses.replace(policy, accept_months=12, refuse_months=1), clock)

    narrowed = engine.narrow(choose(engine, Action.ACCEPT_ALL), before=look_up(engine, ""))

    assert narrowed.valid_until == datetime(2026, 9, 30, 12, tzinfo=UTC)


def test_objection_survives_a_grant_that_could_not_be_recorded(engine):
    # Left out of the record, marketing would run again: where the law is opt-out, it runs until objected.
    california = rules_of("US", "CA")
    before = look_up(engine, header(engine, choose(engine, Action.REJECT_ALL, rules=california)), rules=california)
    posted = choose(engine, Action.ACCEPT_ALL, before=before)

    narrowed = engine.narrow(posted, before=before)

    assert opened(look_up(engine, header(engine, narrowed), rules=california)) == EXEMPT


def test_narrowed_record_lengthens_no_grant_where_choices_hold_longer(engine):
    text = header(engine, choose(engine, Action.SAVE, "analytics"))
    before = look_up(engine, text, rules=rules_of("US", "CA"))

    narrowed = engine.narrow(choose(engine, Action.ACCEPT_ALL, before=before), before=before)

    assert narrowed.valid_until == before.record.valid_until


# -- cookies to go


def test_standing_knows_the_cookies_to_go_and_finds_them_in_a_header(engine):
    standing = look_up(engine, header(engine, choose(engine, Action.SAVE, "stats")))

    assert {each.name for each in standing.outcome.cookies.unwanted} == {"pl_id", "_px"}
    assert {each.name for each in standing.outcome.cookies.kept} == {"_st", "_st_*"}
    assert standing.outcome.unwanted_names is not None
    assert standing.outcome.unwanted_names.search("a=b; pl_id=1")
    assert not standing.outcome.unwanted_names.search("a=b; _st=1")


def test_stranger_has_no_cookies_to_go(engine):
    assert look_up(engine, "").outcome.unwanted_names is None


# -- the rest


def test_policy_too_large_for_a_cookie_is_an_error_at_start(clock):
    services = tuple(Service(f"service-{number}", name="S", purposes=("analytics",)) for number in range(1000))

    with pytest.raises(ConfigError, match="browsers ignore more than 4096"):
        make_engine(Policy(controller="Example", services=services), clock)


def test_page_keys_are_random_and_hold_128_bits(engine):
    keys = {engine.new_page_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", key) for key in keys)


def test_engine_reads_the_true_clock_by_default(policy):
    engine = Engine(policy, keys_oldest_first=[KEY])

    assert abs(datetime.now(UTC) - choose(engine, Action.SAVE).decided_at) < timedelta(minutes=1)


def test_cookie_names_by_scheme(engine):
    assert (engine.cookie_name(is_secure=True), engine.cookie_name(is_secure=False)) == ("__Host-consent", "consent")


def test_cookie_that_subdomains_share_has_a_name_of_its_own(policy, clock, accepted):
    shared = make_engine(policy, clock, is_shared=True)

    assert (shared.cookie_name(is_secure=True), shared.cookie_name(is_secure=False)) == ("__Secure-consent", "consent")
    assert look_up(shared, accepted).record is None


def test_max_age_of_every_lifetime_is_what_browsers_keep(policy, clock):
    for day in range(366):
        clock.instant = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day)
        record = choose(make_engine(dataclasses.replace(policy, accept_months=13), clock), Action.ACCEPT_ALL)
        assert (record.valid_until - record.decided_at).total_seconds() <= 34_560_000
