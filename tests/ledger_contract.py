"""What every ledger has to do. Subclass it with a fixture `ledger` that gives one with empty tables."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from consent.core.event_digest import digest_event
from consent.core.ledger import AppendResult, ConsentEvent, Ledger
from consent.core.tally import Counted, TallyKey
from tests.conftest import NOW
from tests.ledger_events import ALICE, AWKWARD, BOB, make_event, make_events, make_seal, number_id, run_at_once
from tests.ledger_proof_contract import ProofContract

PROMPTS = TallyKey(day=date(2026, 8, 31), counted=Counted.PROMPT, source="banner", jurisdiction="EEA", language="de")


class LedgerContract(ProofContract):
    """Hold a ledger to its promises: those here, and those of `ProofContract`."""

    # Keeping ----------------------------------------------------------------------------------------------------------

    def test_event_is_kept_as_it_is(self, ledger: Ledger):
        event = make_event(payload=AWKWARD, ui_sha256="2" * 64)

        result = ledger.append([event])
        row = ledger.find(event.event_id)

        assert result.stored == {event.event_id}
        assert row is not None
        assert row.event == event
        assert row.leaf_index is None
        assert row.erased_at is None

    def test_digest_covers_event_and_salt(self, ledger: Ledger):
        events = make_events([1, 2])
        ledger.append(events)

        rows = ledger.scan()

        assert [digest_event(event, row.salt or b"") for event, row in zip(events, rows, strict=True)] == [
            row.digest for row in rows
        ]
        assert rows[0].salt != rows[1].salt
        assert all(len(row.salt or b"") == 32 for row in rows)

    def test_same_event_again_changes_nothing(self, ledger: Ledger):
        ledger.append([make_event()])
        before = ledger.find(number_id(1))

        result = ledger.append([make_event()])

        assert result == AppendResult(known=frozenset({number_id(1)}))
        assert ledger.find(number_id(1)) == before

    def test_same_id_with_other_content_leaves_the_first(self, ledger: Ledger):
        ledger.append([make_event()])
        before = ledger.find(number_id(1))

        result = ledger.append([make_event(payload="{}")])

        assert result == AppendResult(conflicting=frozenset({number_id(1)}))
        assert ledger.find(number_id(1)) == before

    def test_batch_says_what_became_of_each(self, ledger: Ledger):
        ledger.append(make_events([1, 2]))

        result = ledger.append([make_event(1), make_event(2, kind="withdrawal"), make_event(3)])

        assert result.known == {number_id(1)}
        assert result.conflicting == {number_id(2)}
        assert result.stored == {number_id(3)}

    def test_event_twice_in_a_batch_is_kept_once(self, ledger: Ledger):
        result = ledger.append([make_event(1), make_event(1)])

        assert result.stored == {number_id(1)}
        assert result.conflicting == set()
        assert len(ledger.scan()) == 1

    def test_two_contents_in_a_batch_conflict_and_the_first_stays(self, ledger: Ledger):
        result = ledger.append([make_event(1, payload="first"), make_event(1, payload="second")])
        row = ledger.find(number_id(1))

        assert result.conflicting == {number_id(1)}
        assert row is not None
        assert row.event == make_event(1, payload="first")

    def test_empty_batch_keeps_nothing(self, ledger: Ledger):
        assert ledger.append([]).stored == set()
        assert ledger.scan() == ()

    def test_batch_beyond_every_limit_of_parameters_is_kept(self, ledger: Ledger):
        events = make_events(range(1, 1201))

        result = ledger.append(events)

        assert len(result.stored) == 1200
        assert [row.event for row in ledger.scan(limit=2000)] == events

    def test_batch_that_cannot_be_kept_whole_is_not_kept(self, ledger: Ledger):
        unsound = make_event(2, payload="\ud800")  # a lone surrogate has no UTF-8

        with pytest.raises(UnicodeEncodeError):
            ledger.append([make_event(1), unsound])

        assert ledger.scan() == ()

    def test_same_event_in_parallel_is_kept_once(self, ledger: Ledger):
        results = run_at_once(32, lambda _: ledger.append([make_event()]))

        assert sum(len(result.stored) for result in results) == 1
        assert sum(len(result.known) for result in results) == 31
        assert len(ledger.scan()) == 1

    def test_events_in_parallel_are_all_kept(self, ledger: Ledger):
        results = run_at_once(16, lambda number: ledger.append(make_events([2 * number, 2 * number + 1])))

        assert all(len(result.stored) == 2 for result in results)
        assert {row.event_id for row in ledger.scan()} == {number_id(number) for number in range(32)}

    def test_failed_batch_leaves_those_of_others_alone(self, ledger: Ledger):
        def keep(number: int) -> str:
            if number % 2:
                return str(ledger.append([make_event(number)]))
            with pytest.raises(UnicodeEncodeError):
                ledger.append([make_event(number, payload="\ud800")])
            return "refused"

        run_at_once(16, keep)

        assert {row.event_id for row in ledger.scan()} == {number_id(number) for number in range(1, 16, 2)}

    # Reading ----------------------------------------------------------------------------------------------------------

    def test_unknown_event_is_not_found(self, ledger: Ledger):
        assert ledger.find(number_id(1)) is None

    def test_unknown_subject_has_nothing(self, ledger: Ledger):
        ledger.append([make_event()])

        assert ledger.current(BOB) is None
        assert ledger.history(BOB) == ()

    def test_highest_revision_counts_in_whatever_order_events_arrive(self, ledger: Ledger):
        for number, revision in ((1, 2), (2, 3), (3, 1)):
            ledger.append([make_event(number, revision=revision)])

        assert ledger.current(ALICE) == make_event(2, revision=3)
        assert [event.revision for event in ledger.history(ALICE)] == [3, 2, 1]

    def test_last_to_arrive_counts_among_equal_revisions(self, ledger: Ledger):
        for number in (2, 1, 3):
            ledger.append([make_event(number)])

        assert ledger.current(ALICE) == make_event(3)

    def test_clock_that_went_back_does_not_bring_an_older_choice_back(self, ledger: Ledger):
        ledger.append([make_event(1, revision=1, recorded_at=NOW + timedelta(days=365))])
        ledger.append([make_event(2, revision=2, recorded_at=NOW - timedelta(hours=1), kind="withdrawal")])

        current = ledger.current(ALICE)

        assert current is not None
        assert current.kind == "withdrawal"

    def test_history_is_the_subjects_own_and_no_longer_than_asked(self, ledger: Ledger):
        ledger.append([make_event(number, revision=number) for number in range(1, 6)])
        ledger.append([make_event(9, subject_id=BOB, revision=9)])

        assert [event.revision for event in ledger.history(ALICE, limit=2)] == [5, 4]
        assert [event.subject_id for event in ledger.history(BOB)] == [BOB]

    def test_scan_goes_on_where_it_ended(self, ledger: Ledger):
        ledger.append(make_events(range(5)))

        first = ledger.scan(limit=2)
        rest = ledger.scan(after=first[-1].position)

        assert [row.event_id for row in (*first, *rest)] == [number_id(number) for number in range(5)]
        assert [row.position for row in (*first, *rest)] == sorted(row.position for row in (*first, *rest))

    # Tallies ----------------------------------------------------------------------------------------------------------

    def test_tallies_add_up(self, ledger: Ledger):
        other = replace(PROMPTS, counted=Counted.ACCEPTED, policy_version="v2", signal="gpc")

        ledger.tallies.add({PROMPTS: 2, other: 1})
        ledger.tallies.add({PROMPTS: 3})

        assert ledger.tallies.read() == {PROMPTS: 5, other: 1}

    def test_tallies_are_read_by_day(self, ledger: Ledger):
        by_day = {replace(PROMPTS, day=date(2026, 8, day)): day for day in (1, 2, 3)}
        ledger.tallies.add(by_day)

        middle = ledger.tallies.read(since=date(2026, 8, 2), until=date(2026, 8, 2))

        assert list(middle.values()) == [2]
        assert ledger.tallies.read() == by_day

    def test_tallies_in_parallel_lose_nothing(self, ledger: Ledger):
        run_at_once(16, lambda _: ledger.tallies.add({PROMPTS: 1}))

        assert ledger.tallies.read() == {PROMPTS: 16}

    def test_no_tallies_add_nothing(self, ledger: Ledger):
        ledger.tallies.add({})

        assert ledger.tallies.read() == {}

    # Being well -------------------------------------------------------------------------------------------------------

    def test_health_counts_events(self, ledger: Ledger):
        ledger.append([make_event(1), make_event(2, subject_id=BOB)])
        ledger.seals.add(make_seal(1, 1), [ledger.scan()[0].position])
        ledger.erase(BOB, reason="asked to", at=NOW)

        health = ledger.health()

        assert health.is_writable
        assert health.problem == ""
        names = ("events", "erased", "erasures", "unsealed", "schema_version")
        assert {key: health.details[key] for key in names} == {
            "events": 3,
            "erased": 1,
            "erasures": 1,
            "unsealed": 2,
            "schema_version": 1,
        }

    def test_prepared_and_closed_ledger_leaves_no_thread(self, ledger: Ledger):
        before = {*threading.enumerate()}

        ledger.prepare()
        ledger.close()
        left = {*threading.enumerate()} - before
        for thread in left:
            thread.join(60)

        assert not any(thread.is_alive() for thread in left)

    def test_closed_ledger_opens_again_with_what_it_had(self, ledger: Ledger):
        ledger.append([make_event()])
        ledger.close()
        ledger.close()

        assert ledger.current(ALICE) == make_event()
        assert ledger.append([make_event(2)]).stored == {number_id(2)}
        assert _list_events(ledger) == make_events([1, 2])


def _list_events(ledger: Ledger) -> list[ConsentEvent | None]:
    return [row.event for row in ledger.scan()]
