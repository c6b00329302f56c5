"""What the engine remembers between requests: never longer, never more widely than it is true."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from consent.core.choice import Action
from tests.engine_steps import GPC, KEY, choose, header, look_up, make_engine, opened

EXEMPT = {"necessary", "login"}


@pytest.fixture
def accepted(engine):
    return header(engine, choose(engine, Action.ACCEPT_ALL))


def test_second_look_up_is_a_memory(engine, accepted):
    assert look_up(engine, accepted).outcome is look_up(engine, f"a=b; {accepted}").outcome


def test_visitors_who_chose_alike_share_the_outcome_and_not_the_record(engine):
    first, second = (look_up(engine, header(engine, choose(engine, Action.ACCEPT_ALL))) for _ in range(2))

    assert first.outcome is second.outcome
    assert first.record.record_id != second.record.record_id


@pytest.mark.parametrize("days", [-1, 0, 100, 167, 168, 180, 182, 183, 184, 185, 400])
def test_memory_says_what_a_fresh_engine_says(policy, clock, engine, accepted, days):
    look_up(engine, accepted)
    clock.advance(days=days)

    assert look_up(engine, accepted).decision == look_up(make_engine(policy, clock), accepted).decision


def test_memory_ends_with_the_record(engine, clock, accepted):
    assert "analytics" in opened(look_up(engine, accepted))

    clock.advance(days=200)

    assert opened(look_up(engine, accepted)) == EXEMPT
    assert opened(look_up(engine, accepted)) == EXEMPT


def test_memory_of_a_cookie_from_the_future_ends_when_it_counts(policy, clock):
    ahead = make_engine(policy, lambda: clock.instant + timedelta(hours=1))
    text = header(ahead, choose(ahead, Action.ACCEPT_ALL))
    engine = make_engine(policy, clock)
    assert opened(look_up(engine, text)) == EXEMPT

    clock.advance(minutes=56)

    assert "analytics" in opened(look_up(engine, text))


def test_memory_does_not_mix_the_signal_in(engine, accepted):
    for _ in range(2):
        assert "marketing" in opened(look_up(engine, accepted))
        assert "marketing" not in opened(look_up(engine, accepted, signals=GPC))


def test_memory_does_not_mix_the_schemes(engine):
    value = engine.encode(choose(engine, Action.ACCEPT_ALL), is_secure=True)
    assert look_up(engine, f"__Host-consent={value}").record is not None

    assert look_up(engine, f"consent={value}", is_secure=False).record is None


def test_engine_without_the_old_key_remembers_nothing_of_it(policy, clock, engine, accepted):
    look_up(engine, accepted)
    rotated = make_engine(policy, clock, keys=[b"a newer key for these tests"])

    assert look_up(rotated, accepted).record is None


def test_rotated_keys_read_both_and_sign_with_the_newest(policy, clock, accepted):
    both = make_engine(policy, clock, keys=[KEY, b"a newer key for these tests"])
    only_new = make_engine(policy, clock, keys=[b"a newer key for these tests"])
    standing = look_up(both, accepted)
    assert standing.record is not None

    again = choose(both, Action.REJECT_ALL, before=standing)

    assert look_up(only_new, header(both, again)).record is not None


def test_strangers_cannot_fill_the_memory(engine):
    for number in range(2000):
        look_up(engine, f"__Host-consent=junk{number}")

    assert len(engine._outcomes) == 0
    assert all(codec.open.cache_info().currsize == 0 for codec in engine._codecs.values())


def test_visitors_cannot_grow_the_memory_without_end(engine):
    record = choose(engine, Action.ACCEPT_ALL)
    for number in range(1200):
        each = dataclasses.replace(record, record_id=f"00000000-0000-4000-8000-{number:012}")
        assert look_up(engine, header(engine, each)).record.record_id == each.record_id

    assert len(engine._outcomes) == 1
    assert engine._codecs["__Host-consent"].open.cache_info().currsize == 512


def test_malformed_spellings_of_one_cookie_do_not_fill_the_memory_with_megabytes(engine, accepted):
    for number in range(20):
        look_up(engine, accepted + "!" * (50_000 + number))

    assert engine._codecs["__Host-consent"].open.cache_info().currsize == 0


def test_spellings_of_one_signature_are_one_record(engine, accepted):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters.index(accepted[-1]) // 4 * 4

    ids = {look_up(engine, accepted[:-1] + letters[last + unused]).record.record_id for unused in range(4)}

    assert len(ids) == 1


def test_engine_at_another_instant_shares_no_memory(engine, clock, accepted):
    stranger, visitor = look_up(engine, ""), look_up(engine, accepted)
    later = engine.at(clock.instant + timedelta(days=400))

    assert opened(look_up(later, accepted)) == EXEMPT
    assert look_up(later, "") is not stranger
    assert (look_up(engine, ""), look_up(engine, accepted).outcome) == (stranger, visitor.outcome)
