"""What every ledger has to do for proof: seals, erasing, and what was shown. Part of `tests/ledger_contract.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from consent.core.erasure import Erasure, read_erasure
from consent.core.event_digest import digest_event
from consent.core.ledger import Ledger
from tests.conftest import NOW
from tests.ledger_events import (
    ALICE,
    AWKWARD,
    BOB,
    list_erasures,
    list_visitors_ids,
    make_event,
    make_events,
    make_notice,
    make_seal,
    number_id,
    run_at_once,
)

LATER = NOW + timedelta(days=400)


class ProofContract:
    """Hold a ledger to what it promises about proof."""

    # Sealing ----------------------------------------------------------------------------------------------------------

    def test_rows_without_a_seal_come_by_position(self, ledger: Ledger):
        ledger.append(make_events(range(3)))
        rows = ledger.scan()

        unsealed = ledger.seals.unsealed(limit=2)

        assert [(each.position, each.digest) for each in unsealed] == [(row.position, row.digest) for row in rows[:2]]

    def test_seal_gives_rows_their_places(self, ledger: Ledger):
        ledger.append(make_events(range(3)))
        first, second, third = (each.position for each in ledger.seals.unsealed(limit=10))

        assert ledger.seals.add(make_seal(1, 2), [first, second])
        assert ledger.seals.add(make_seal(2, 3), [third])

        assert [row.leaf_index for row in ledger.scan_sealed()] == [0, 1, 2]
        assert [row.leaf_index for row in ledger.scan_sealed(after=0, limit=1)] == [1]
        assert ledger.seals.unsealed(limit=10) == ()

    def test_seals_are_kept_as_they_are(self, ledger: Ledger):
        ledger.append([make_event()])
        assert ledger.seals.last() is None

        ledger.seals.add(make_seal(1, 1), [ledger.scan()[0].position])
        ledger.seals.add(make_seal(2, 1), [])

        assert ledger.seals.last() == make_seal(2, 1)
        assert ledger.seals.list() == (make_seal(1, 1), make_seal(2, 1))
        assert ledger.seals.list(after=1) == (make_seal(2, 1),)
        assert ledger.seals.list(limit=1) == (make_seal(1, 1),)

    def test_second_seal_of_a_number_changes_nothing(self, ledger: Ledger):
        ledger.append(make_events(range(2)))
        first, second = (row.position for row in ledger.scan())
        ledger.seals.add(make_seal(1, 1), [first])

        assert not ledger.seals.add(make_seal(1, 2), [second])

        assert ledger.seals.list() == (make_seal(1, 1),)
        assert [each.position for each in ledger.seals.unsealed(limit=10)] == [second]

    def test_seal_over_a_sealed_row_changes_nothing(self, ledger: Ledger):
        ledger.append(make_events(range(2)))
        first, second = (row.position for row in ledger.scan())
        ledger.seals.add(make_seal(1, 1), [first])

        assert not ledger.seals.add(make_seal(2, 3), [second, first])

        assert ledger.seals.last() == make_seal(1, 1)
        assert [each.position for each in ledger.seals.unsealed(limit=10)] == [second]

    def test_sealers_at_once_seal_each_row_once(self, ledger: Ledger):
        ledger.append(make_events(range(4)))
        positions = [row.position for row in ledger.scan()]

        added = run_at_once(8, lambda _: ledger.seals.add(make_seal(1, 4), positions))

        assert added.count(True) == 1
        assert [row.leaf_index for row in ledger.scan_sealed()] == [0, 1, 2, 3]

    # Erasing ----------------------------------------------------------------------------------------------------------

    def test_erased_event_leaves_digest_and_places(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.seals.add(make_seal(1, 1), [ledger.scan()[0].position])
        before = ledger.find(number_id(1))

        assert ledger.erase(ALICE, reason="asked to", at=LATER) == 1

        assert before is not None
        assert ledger.find(number_id(1)) == replace(
            before, event=None, salt=None, erased_at=LATER, erasure_reason="asked to"
        )
        assert [row.event_id for row in ledger.scan_sealed()] == [number_id(1)]

    def test_erasing_a_subject_leaves_the_others(self, ledger: Ledger):
        ledger.append([make_event(1), make_event(2, revision=2), make_event(3, subject_id=BOB)])

        assert ledger.erase(ALICE, reason="asked to", at=LATER) == 2

        assert ledger.current(ALICE) is None
        assert ledger.history(ALICE) == ()
        assert ledger.current(BOB) == make_event(3, subject_id=BOB)

    def test_erasing_again_erases_nothing(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.erase(ALICE, reason="asked to", at=NOW)

        assert ledger.erase(ALICE, reason="asked again", at=LATER) == 0

        row = ledger.find(number_id(1))
        assert row is not None
        assert (row.erased_at, row.erasure_reason) == (NOW, "asked to")

    def test_erased_event_does_not_come_back(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.erase(ALICE, reason="asked to", at=LATER)

        result = ledger.append([make_event()])

        assert result.known == {number_id(1)}
        assert ledger.current(ALICE) is None

    def test_erased_event_can_still_be_sealed(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.erase(ALICE, reason="asked to", at=LATER)
        unsealed = ledger.seals.unsealed(limit=10)

        assert ledger.seals.add(make_seal(1, 1), [unsealed[0].position])
        assert [(row.event, row.digest) for row in ledger.scan_sealed()] == [(None, unsealed[0].digest)]

    def test_purge_leaves_what_is_in_force_and_what_is_young(self, ledger: Ledger):
        old = NOW - timedelta(days=100)
        ledger.append(
            [
                make_event(1, recorded_at=old),
                make_event(2, recorded_at=old, revision=2),  # Alice's current one, in force
                make_event(3, subject_id=BOB, recorded_at=old, valid_until=NOW - timedelta(days=1)),
                make_event(4, subject_id=number_id(4)),  # young
            ]
        )

        assert ledger.count_purgeable(before=NOW, now=NOW) == 2
        assert ledger.purge(before=NOW, now=NOW) == 2

        assert list_visitors_ids(ledger) == [number_id(2), number_id(4)]
        assert ledger.count_purgeable(before=NOW, now=NOW) == 0

    def test_purge_erases_all_but_the_last_of_equal_revisions(self, ledger: Ledger):
        ledger.append(make_events([1, 2], recorded_at=NOW - timedelta(days=100)))

        assert ledger.purge(before=NOW, now=NOW) == 1
        assert ledger.current(ALICE) == make_event(2, recorded_at=NOW - timedelta(days=100))

    def test_purge_in_pieces_begins_with_the_oldest_and_ends(self, ledger: Ledger):
        past = [NOW - timedelta(days=days) for days in (500, 400, 300)]
        ledger.append([make_event(n, recorded_at=at, valid_until=at) for n, at in enumerate(past)])

        erased = [ledger.purge(before=NOW, now=NOW, limit=2)]
        left = list_visitors_ids(ledger)
        erased += [ledger.purge(before=NOW, now=NOW, limit=2), ledger.purge(before=NOW, now=NOW, limit=2)]

        assert erased == [2, 1, 0]
        assert left == [number_id(2)]

    def test_purged_event_says_so(self, ledger: Ledger):
        ledger.append([make_event(valid_until=NOW)])

        ledger.purge(before=LATER, now=LATER)

        row = ledger.find(number_id(1))
        assert row is not None
        assert (row.event, row.salt, row.erased_at, row.erasure_reason) == (None, None, LATER, "retention")

    # Erasures as events ----------------------------------------------------------------------------------------------

    def test_erasing_is_an_event_that_names_what_was_erased_and_nobody(self, ledger: Ledger):
        ledger.append([make_event(1), make_event(2, revision=2), make_event(3, subject_id=BOB)])
        ledger.erase(ALICE, reason="asked to", at=LATER)

        row = ledger.scan()[-1]

        assert row.event is not None
        assert read_erasure(row.event) == Erasure(
            event_ids=(number_id(1), number_id(2)), erased_at=LATER, reason="asked to"
        )
        assert (row.event.kind, row.event.subject_id, row.event.recorded_at) == ("erasure", "", LATER)
        assert row.digest == digest_event(row.event, row.salt or b"")
        assert ALICE not in row.event.payload
        assert ledger.find(row.event_id) == row
        assert row.position in {each.position for each in ledger.seals.unsealed(limit=10)}

    def test_purge_says_what_each_piece_has_erased(self, ledger: Ledger):
        past = NOW - timedelta(days=300)
        ledger.append(make_events(range(3), recorded_at=past, valid_until=past))
        while ledger.purge(before=NOW, now=LATER, limit=2):
            pass

        assert list_erasures(ledger) == [
            Erasure(event_ids=(number_id(0), number_id(1)), erased_at=LATER, reason="retention"),
            Erasure(event_ids=(number_id(2),), erased_at=LATER, reason="retention"),
        ]

    def test_erasing_nothing_says_nothing(self, ledger: Ledger):
        ledger.append([make_event()])

        assert ledger.erase(BOB, reason="asked to", at=NOW) == 0
        assert ledger.purge(before=NOW, now=NOW) == 0
        assert len(ledger.scan()) == 1

    def test_erasing_more_than_one_erasure_names_takes_several(self, ledger: Ledger):
        ledger.append(make_events(range(1, 1202)))

        assert ledger.erase(ALICE, reason="asked to", at=NOW) == 1201
        assert [len(each.event_ids) for each in list_erasures(ledger)] == [1000, 201]

    def test_erasure_is_nobody_s_and_is_neither_erased_nor_purged(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.erase(ALICE, reason="asked to", at=NOW)

        assert ledger.history("") == ()
        assert ledger.current("") is None
        assert ledger.erase("", reason="asked to", at=LATER) == 0
        assert ledger.count_purgeable(before=LATER, now=LATER) == 0
        assert ledger.purge(before=LATER, now=LATER) == 0
        assert len(list_erasures(ledger)) == 1

    def test_erasing_at_once_names_each_event_once(self, ledger: Ledger):
        ledger.append(make_events(range(8)))

        erased = run_at_once(6, lambda number: ledger.erase(ALICE, reason=f"asked {number} times", at=LATER))

        assert sum(erased) == 8
        assert sorted(each for erasure in list_erasures(ledger) for each in erasure.event_ids) == [
            number_id(number) for number in range(8)
        ]

    # Notices ----------------------------------------------------------------------------------------------------------

    def test_notice_is_kept_once_with_what_it_refers_to(self, ledger: Ledger):
        notice, artefacts = make_notice(text=AWKWARD)

        ledger.notices.keep(notice, artefacts, at=NOW)
        ledger.notices.keep(notice, artefacts, at=NOW)

        assert ledger.notices.list() == (notice,)
        assert ledger.notices.find(notice.notice_id) == notice
        assert ledger.notices.find("0" * 64) is None
        assert [ledger.notices.read(each.sha256) for each in artefacts] == list(artefacts)
        assert ledger.notices.list_hashes() == tuple(sorted(each.sha256 for each in artefacts))

    def test_notices_are_listed_by_version(self, ledger: Ledger):
        (first, artefacts), (second, _) = make_notice(), make_notice(policy_version="v2")
        (german, _) = make_notice(language="de")
        for notice in (second, first, german):
            ledger.notices.keep(notice, artefacts, at=NOW)

        assert ledger.notices.list("v1") == (german, first)
        assert ledger.notices.list() == (german, first, second)
        assert ledger.notices.list("v3") == ()

    def test_notice_without_markup_is_kept(self, ledger: Ledger):
        notice, artefacts = make_notice(ui_sha256=None, layer=0, prompt_kind="")

        ledger.notices.keep(notice, artefacts[::2], at=NOW)

        assert ledger.notices.list() == (notice,)

    def test_unknown_artefact_is_not_found(self, ledger: Ledger):
        assert ledger.notices.read("0" * 64) is None

    def test_notices_in_parallel_are_kept_once(self, ledger: Ledger):
        notice, artefacts = make_notice()

        run_at_once(8, lambda _: ledger.notices.keep(notice, artefacts, at=NOW))

        assert ledger.notices.list() == (notice,)
        assert len(ledger.notices.list_hashes()) == 3

    def test_notice_that_was_kept_a_moment_ago_stays_for_the_event_on_its_way(self, ledger: Ledger):
        notice, artefacts = make_notice()
        ledger.notices.keep(notice, artefacts, at=NOW)

        assert ledger.purge_artefacts(kept_before=NOW) == 0
        ledger.notices.keep(notice, artefacts, at=LATER)
        assert ledger.purge_artefacts(kept_before=LATER) == 0
        assert ledger.notices.list() == (notice,)

    def test_artefacts_go_with_the_last_event_that_refers_to_them(self, ledger: Ledger):
        shown, artefacts = make_notice()
        unseen, others = make_notice(text="other words", policy_version="v2")
        ledger.notices.keep(shown, artefacts, at=NOW)
        ledger.notices.keep(unseen, others, at=NOW)
        ledger.append([make_event(text_sha256=shown.text_sha256, ui_sha256=shown.ui_sha256)])

        assert (
            ledger.purge_artefacts(kept_before=LATER) == 1
        )  # the other words: markup and configuration are the first notice's too
        assert ledger.notices.list() == (shown,)
        assert ledger.notices.read(unseen.text_sha256) is None

        ledger.erase(ALICE, reason="asked to", at=NOW)
        assert ledger.purge_artefacts(kept_before=LATER) == 3
        assert ledger.notices.list() == ()
