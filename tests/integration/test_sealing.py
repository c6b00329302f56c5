"""Every event gets one seal, whoever else seals, dies or comes late (T108, T109)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from consent.core.merkle import Frontier
from consent.core.seal import NO_SEAL_HASH
from consent.errors import LedgerError
from consent.ledger.sealing import seal
from tests.conftest import NOW
from tests.ledger_events import make_event, number_id
from tests.sealed_log import Key, open_memory_log, open_sqlite_log


@pytest.fixture(params=["memory", "sqlite"])
def log(request, tmp_path):
    log = open_memory_log() if request.param == "memory" else open_sqlite_log(tmp_path / "consent.db")
    yield log
    log.ledger.close()


def list_sealed(log):
    return [row.position for row in log.ledger.scan_sealed()]


def test_seals_chain_and_cover_the_log_in_order_of_arrival(log):
    log.append(*range(1, 8))

    assert log.seal(limit=3) == 7
    seals = log.ledger.seals.list()
    assert [seal.number for seal in seals] == [1, 2, 3]
    assert [seal.tree_size for seal in seals] == [3, 6, 7]
    assert [seal.previous_hash for seal in seals] == [NO_SEAL_HASH, seals[0].seal_hash, seals[1].seal_hash]
    assert all(seal.is_intact and log.key.is_signed(seal.seal_hash, seal.signature) for seal in seals)
    assert list_sealed(log) == [1, 2, 3, 4, 5, 6, 7]


def test_root_is_over_all_digests_so_far(log):
    log.append(1, 2, 3)
    log.seal()
    log.append(4)
    log.seal()
    frontier = Frontier()
    for row in log.ledger.scan():
        frontier.append(row.digest)

    assert log.ledger.seals.last().root == frontier.root()
    assert log.ledger.seals.last().unfold().hashes == frontier.hashes


def test_nothing_to_seal_makes_no_seal(log):
    log.append(1)
    log.seal()

    assert log.seal() == 0
    assert len(log.ledger.seals.list()) == 1


def test_full_last_seal_is_not_followed_by_an_empty_one(log):
    log.append(1, 2, 3, 4)

    assert log.seal(limit=2) == 4
    assert [seal.tree_size for seal in log.ledger.seals.list()] == [2, 4]


def test_seal_has_whole_seconds_and_comes_back_as_it_was(log):
    log.append(1)
    log.seal(now=NOW + timedelta(microseconds=999))

    assert log.ledger.seals.last().sealed_at == NOW
    assert log.ledger.seals.last().is_intact


def test_clock_that_goes_back_breaks_nothing(log):
    log.append(1)
    log.seal()
    log.append(2)
    log.seal(now=NOW - timedelta(days=1))

    assert log.verify().is_intact


def test_event_that_comes_late_is_sealed_once_behind_the_others(log):
    """T108: a transaction that took its position early and is committed after a seal."""
    log.append(1, 2, 3, 4)
    log.edit("UPDATE consent_events SET position = 200 WHERE position = 4")
    log.seal()
    log.append(5)
    log.edit("UPDATE consent_events SET position = 100 WHERE leaf_index IS NULL")

    assert log.seal() == 1
    assert log.seal() == 0
    assert list_sealed(log) == [1, 2, 3, 200, 100]
    assert log.verify().is_intact


def test_sealers_at_once_make_one_seal_for_each_range(log):
    """T109: whoever is slower finds the number taken and begins anew."""
    log.append(*range(1, 201))
    with ThreadPoolExecutor(4) as pool:
        counts = [*pool.map(lambda _: log.seal(limit=7), range(4))]

    seals = log.ledger.seals.list()
    assert sum(counts) == 200
    assert [seal.number for seal in seals] == [*range(1, len(seals) + 1)]
    assert list_sealed(log) == [*range(1, 201)]
    assert log.verify().is_intact


def test_sealer_overtaken_at_its_first_seal_goes_on_behind_the_other(log):
    log.append(1, 2, 3)
    is_first = iter([True])

    def sign(data):
        if next(is_first, False):
            # The other one seals all of it, and more comes in.
            log.seal()
            log.append(4)
        return log.key.sign(data)

    assert seal(log.ledger, sign=sign, is_signed=log.key.is_signed, now=NOW) == 1
    assert [seal.tree_size for seal in log.ledger.seals.list()] == [3, 4]
    assert log.verify().is_intact


def test_sealer_killed_before_it_wrote_leaves_nothing_behind(log):
    log.append(1, 2, 3)

    def die(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal(log.ledger, sign=die, is_signed=log.key.is_signed, now=NOW)

    assert log.ledger.seals.last() is None
    assert log.seal() == 3
    assert log.verify().is_intact


def test_sealer_killed_within_its_transaction_leaves_nothing_behind(log, monkeypatch):
    log.append(1, 2, 3)
    write = log.ledger.database.write

    def write_and_die(work, **options):
        def die(transaction):
            work(transaction)
            raise RuntimeError("killed")

        return write(die, **options)

    monkeypatch.setattr(log.ledger.database, "write", write_and_die)
    with pytest.raises(RuntimeError):
        log.seal()
    monkeypatch.undo()

    assert log.ledger.seals.last() is None
    assert list_sealed(log) == []
    assert log.seal() == 3


def test_progress_tells_of_every_event(log):
    log.append(*range(1, 8))
    told: list[int] = []
    seal(log.ledger, sign=log.key.sign, is_signed=log.key.is_signed, now=NOW, limit=3, on_progress=told.append)

    assert told == [3, 3, 1]


@pytest.mark.parametrize("frontier", ["", "zz", "00" * 32, "00" * 96])
def test_sealer_reads_the_log_where_what_the_last_one_kept_is_lost(log, frontier):
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_seals SET frontier = :it", it=frontier)
    log.append(4)

    assert log.seal() == 1
    assert log.verify().is_intact


def test_sealer_goes_on_over_a_changed_log_for_the_sake_of_what_is_new(log):
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_events SET payload = '{}' WHERE position = 2")
    log.append(4)

    assert log.seal() == 1
    assert log.verify().problem.first_position == 2


def find_refusal(log, key=None):
    with pytest.raises(LedgerError) as caught:
        log.seal(key=key)
    assert caught.value.reason == "corrupt"
    return str(caught.value)


def test_seal_of_an_unknown_key_is_not_vouched_for(log):
    log.append(1)
    log.seal()
    log.append(2)

    assert find_refusal(log, key=Key(secret=b"new")).startswith(
        "No key of this app has signed seal 1. If SECRET_KEY was changed since, add the key before it to SECRET_KEY_FALLBACKS"
    )


def test_seal_of_a_lost_key_is_adopted_on_request(log):
    log.append(1)
    log.seal()
    log.append(2)
    new = Key(secret=b"new")

    assert seal(log.ledger, sign=new.sign, is_signed=None, now=NOW) == 1
    assert log.verify(key=new).is_intact


def test_edited_last_seal_is_not_gone_on_from(log):
    log.append(1)
    log.seal()
    log.edit("UPDATE consent_seals SET sealed_at = 0")

    assert find_refusal(log) == ("Seal 1 was changed after it was made. Run: flask consent ledger verify")


def test_log_that_does_not_fit_its_last_seal_is_not_gone_on_from(log):
    log.append(1, 2)
    log.seal()
    log.edit("UPDATE consent_seals SET frontier = ''")
    log.edit("UPDATE consent_events SET digest = :it WHERE position = 1", it=bytes(32))

    assert find_refusal(log).startswith("Events under seal 1 or one before it were changed, removed or put in.")


def test_log_with_a_gap_is_not_gone_on_from(log):
    log.append(1, 2, 3)
    log.seal()
    log.edit("UPDATE consent_seals SET frontier = ''")
    log.edit("DELETE FROM consent_events WHERE position = 2")

    assert find_refusal(log) == ("The log has no event at place 1, and 3 are sealed. Run: flask consent ledger verify")


@pytest.mark.parametrize("seals", ["DELETE FROM consent_seals", "SELECT 1"])
def test_place_that_no_seal_covers_ends_sealing_instead_of_repeating_it(log, seals):
    log.append(1, 2)
    log.seal()
    log.append(3, 4)
    log.edit("UPDATE consent_events SET leaf_index = 2 WHERE position = 3")
    log.edit(seals)

    assert find_refusal(log).startswith("An event has a place in the log that no seal covers.")


def test_events_of_a_batch_and_single_ones_are_sealed_alike(log):
    log.append(1, 2)
    log.ledger.append([make_event(3, text_sha256=None)])
    log.seal()

    assert [row.event_id for row in log.ledger.scan_sealed()] == [number_id(number) for number in (1, 2, 3)]
