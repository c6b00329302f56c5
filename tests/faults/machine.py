"""Visitors who choose, refuse, withdraw, retry and replay, over a ledger that crashes, erases, purges and seals.

    python -m tests.faults.machine_run --examples 200 --steps 50

Every step is compared with `tests/faults/model.py`: L1 to L7 of docs/ledger.md hold after each of them.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import ClassVar, cast
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consent.core.choice import Action
from consent.core.declaration import Service
from consent.core.ledger import AppendResult, ConsentEvent, make_event
from consent.core.policy import Policy
from consent.core.record import ConsentRecord
from consent.engine import Engine, Standing
from consent.errors import LedgerError
from consent.ledger.sealing import seal as put_seals
from consent.ledger.verification import verify
from consent.web.revocation import heed_ledger
from consent.web.site import Site
from consent.wire.signature import SignedKind
from tests.conftest import Clock
from tests.engine_steps import choose, header, look_up, make_engine, opened
from tests.faults.model import Model
from tests.faults.storage import Storage

POLICY = Policy(
    controller="Example News Ltd",
    services=(Service("stats", name="Stats", purposes=("analytics",), hosts=("stats.example",)),),
)
VISITORS = st.integers(0, 2)
PICKS = st.integers(0, 10**6)
ACTIONS = st.sampled_from(
    [(Action.ACCEPT_ALL,), (Action.REJECT_ALL,), (Action.WITHDRAW,), (Action.SAVE, "analytics"), (Action.SAVE,)]
)
GRANTING = {Action.ACCEPT_ALL, Action.SAVE}


class LedgerMachine(RuleBasedStateMachine):
    """Do anything, in any order, that visitors, operators and machines do; be right after each step."""

    storage: ClassVar[Storage]
    steps: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begin(self) -> None:
        """Start with an empty ledger and three visitors who have not chosen."""
        self.clock = Clock(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
        self.ids = (str(UUID(int=number, version=4)) for number in count(1))
        self.keys = [b"the first key of the site"]
        self.sealing_key = self.keys[0]
        self.engine = self._make_engine()
        self.ledger = self.storage.start()
        self.model = Model()
        self.waiting: list[ConsentEvent] = []
        self.evidence: set[str] = set()
        """Ids of records whose grants the ledger was told of, or that carry over such grants."""

        self.cookies: list[list[str]] = [[""], [""], [""]]
        """What each visitor's browser was given, the newest last: somebody may have kept the older ones."""

    @rule(who=VISITORS, act=ACTIONS, is_away=st.sampled_from([False, False, False, True]))
    def choose(self, who: int, act: tuple[Action, str], *, is_away: bool) -> None:
        """Post a choice; what cannot be recorded, as the ledger is away, opens nothing and closes all the same (L3, L5)."""
        before = self._stand(who)
        record = self._make_record(before, *act, is_stale=is_away)
        if not is_away:
            self._append([make_event(record)])
            assert self.ledger.current(record.subject_id or "") == make_event(record), (
                "what was chosen last is what counts"
            )
            self.evidence.add(record.record_id)
        else:
            record = self.engine.narrow(record, before=before)
            # What it grants, it carries over.
            if before.record and before.record.record_id in self.evidence:
                self.evidence.add(record.record_id)
        self.cookies[who].append(header(self.engine, record))
        after = opened(self._stand(who))
        assert after <= opened(before) or not is_away
        assert after == self._always_open or act[0] in GRANTING, "a refusal must close, whatever the ledger says"

    @rule(who=VISITORS, act=ACTIONS)
    def lose_the_answer(self, who: int, act: tuple[Action, str]) -> None:
        """Post a choice that is recorded, and whose answer never arrives: the browser keeps its cookie."""
        self._append([make_event(self._make_record(self._stand(who), *act, is_stale=True))])

    @rule(who=VISITORS, act=ACTIONS)
    def delay(self, who: int, act: tuple[Action, str]) -> None:
        """Make an event that will arrive later than others."""
        self.waiting.append(make_event(self._make_record(self._stand(who), *act, is_stale=True)))

    @rule(order=st.randoms(use_true_random=False), number=st.integers(1, 4))
    @precondition(lambda self: self.waiting)
    def reorder(self, order, number: int) -> None:
        """Deliver some of what waits as one batch, in any order, some of it twice."""
        order.shuffle(self.waiting)
        batch, self.waiting = self.waiting[:number], self.waiting[number:]
        self._append([*batch, *batch[:1]])

    @rule(pick=PICKS)
    @precondition(lambda self: self.model.rows)
    def retry(self, pick: int) -> None:
        """Send an event again, as clients do that got no answer."""
        event = self._pick(pick)
        assert self._append([event]).known == {event.event_id}

    @rule(pick=PICKS)
    @precondition(lambda self: self.model.rows)
    def duplicate(self, pick: int) -> None:
        """Send other content under an id that is taken."""
        event = replace(self._pick(pick), payload='{"forged":true}', revision=10**6)
        assert not self._append([event]).stored

    @rule()
    def crash(self) -> None:
        """Kill the process and start another: what was acknowledged is there."""
        self.ledger = self.storage.crash(self.ledger)

    @rule()
    def restart(self) -> None:
        """Stop the process in peace and start another."""
        self.ledger = self.storage.restart(self.ledger)

    @rule(pick=PICKS)
    @precondition(lambda self: self.model.rows)
    def erase(self, pick: int) -> None:
        """Erase somebody on request."""
        subject_id = self._pick(pick).subject_id
        at = self.clock()
        found = self.ledger.erase(subject_id, reason="request", at=at)
        assert found == self.model.erase(subject_id, reason="request", at=at)

    @rule(days=st.sampled_from([-1, 0, 30, 190]), limit=st.integers(1, 5))
    def purge(self, days: int, limit: int) -> None:
        """Erase some of what is too old."""
        now, before = self.clock(), self.clock() - timedelta(days=days)
        assert self.ledger.count_purgeable(before=before, now=now) == len(self.model.purgeable(before, now))
        assert self.ledger.purge(before=before, now=now, limit=limit) == self.model.purge(before, now, limit)

    @rule(limit=st.integers(1, 4))
    def seal(self, limit: int) -> None:
        """Seal what has no seal; where the key of the last seal is not believed any more, only on request."""
        make = partial(put_seals, self.ledger, sign=self._sign, now=self.clock(), limit=limit)
        is_believed = self._is_last_seal_believed
        if not is_believed:
            with pytest.raises(LedgerError, match="SECRET_KEY_FALLBACKS"):
                make(is_signed=self._is_signed)
        sealed = make(is_signed=self._is_signed if is_believed else None)
        assert sealed == self.model.seal()
        self.sealing_key = self.keys[-1] if sealed else self.sealing_key

    @rule()
    def verify(self) -> None:
        """Find out whether all is as it was sealed; it is, unless the last seal's key is not believed any more (L7)."""
        verdict = verify(self.ledger, is_signed=self._is_signed)
        assert verdict.is_intact == self._is_last_seal_believed, verdict.problem
        if verdict.is_intact:
            rows = self.model.rows.values()
            assert (verdict.sealed, verdict.unsealed) == (len(self.model.sealed), len(rows) - len(self.model.sealed))
            assert verdict.erased == sum(kept.is_erased for kept in rows)
            assert sum(each.events for each in verdict.erasures) == verdict.erased

    @rule(drop=st.booleans())
    def rotate_key(self, drop: bool) -> None:
        """Sign with a new key from now on; perhaps believe the oldest no more."""
        self.keys = [*self.keys[drop and len(self.keys) > 1 :], f"the key {next(self.ids)}".encode()]
        self.engine = self._make_engine()

    @rule(who=VISITORS, pick=PICKS)
    def replay(self, who: int, pick: int) -> None:
        """Go back to an older cookie."""
        self.cookies[who].append(self.cookies[who][pick % len(self.cookies[who])])

    @rule(who=VISITORS, pick=PICKS)
    def tamper(self, who: int, pick: int) -> None:
        """Change one character of a cookie's value, or send it under the other scheme: it grants nothing (L6)."""
        text = self.cookies[who][-1]
        start = text.find("=") + 1
        # Of the last character, two bits mean nothing: it is left as it is.
        for at in (start + pick % max(1, len(text) - start - 1), max(start, len(text) - 2)):
            forged = text[:at] + ("B" if text[at : at + 1] == "A" else "A") + text[at + 1 :]
            assert opened(look_up(self.engine, forged)) == self._always_open
        assert opened(look_up(self.engine, text, is_secure=False)) == self._always_open

    @rule(days=st.sampled_from([0.01, 1, 40, 200]))
    def wait(self, days: float) -> None:
        """Let time pass."""
        self.clock.advance(days=days)

    @rule(hours=st.integers(1, 30))
    def set_clock_back(self, hours: int) -> None:
        """Set the clock back, as administrators and drifting machines do."""
        self.clock.advance(hours=-hours)

    @invariant()
    def check_rows(self) -> None:
        """Every acknowledged event is there once, unchanged or erased (L1, L2), and sealed in order (L7)."""
        type(self).steps[self.storage.name] += 1
        self.model.check(self.ledger.scan(limit=10**6))
        assert [each.event_id for each in self.ledger.scan_sealed(limit=10**6)] == self.model.sealed

    @invariant()
    def check_subjects(self) -> None:
        """The highest revision wins, whatever order events arrived in (L4)."""
        for subject_id in {"", *(kept.event.subject_id for kept in self.model.rows.values())}:
            expected = self.model.history(subject_id)
            assert list(self.ledger.history(subject_id)) == expected[:100]
            assert self.ledger.current(subject_id) == (expected[0] if expected else None)

    @invariant()
    def check_grants(self) -> None:
        """No cookie opens what the ledger was never told of (L3)."""
        for who in range(len(self.cookies)):
            standing = self._stand(who)
            if opened(standing) != self._always_open:
                assert standing.record
                assert standing.record.record_id in self.evidence

    @invariant()
    def check_strictness(self) -> None:
        """With `CONSENT_LEDGER_STRICT_REVOCATION`, no cookie opens what the ledger's last word on its visitor does not grant."""
        strict = SimpleNamespace(ledger_strict_revocation=True)
        site = cast("Site", SimpleNamespace(ledger=self.ledger, settings=strict, engine=self.engine))
        for who in range(len(self.cookies)):
            standing = self._stand(who)
            if opened(heed_ledger(site, standing)) != self._always_open:
                assert standing.record
                last_word, *_ = self.model.history(standing.record.subject_id or "")
                assert json.loads(last_word.payload)["decisions"]["analytics"]["state"] == "granted"

    def teardown(self) -> None:
        """Let go of the ledger; what it holds proves itself to the end."""
        if hasattr(self, "ledger"):
            self.storage.finish(self.ledger)

    def _make_engine(self) -> Engine:
        engine: Engine = make_engine(POLICY, self.clock, keys=self.keys, new_id=lambda: next(self.ids))
        self._always_open = opened(look_up(engine, ""))
        return engine

    def _stand(self, who: int) -> Standing:
        standing: Standing = look_up(self.engine, self.cookies[who][-1])
        return standing

    def _make_record(self, before: Standing, action: Action, *granted: str, is_stale: bool = False) -> ConsentRecord:
        record: ConsentRecord = choose(self.engine, action, *granted, before=before)
        last = before.last_record
        if last is None or last.subject_id is None:
            return replace(record, subject_id=next(self.ids), revision=1)
        current = None if is_stale else self.ledger.current(last.subject_id)
        revision = max(last.revision, current.revision if current else 0) + 1
        return replace(record, subject_id=last.subject_id, revision=revision)

    def _append(self, events: list[ConsentEvent]) -> AppendResult:
        result = self.ledger.append(events)
        assert result == self.model.append(events)
        return result

    @property
    def _is_last_seal_believed(self) -> bool:
        return not self.model.sealed or self.sealing_key in self.keys

    def _sign(self, data: bytes) -> str:
        return self.engine.sign(SignedKind.SEAL, data)

    def _is_signed(self, data: bytes, signature: str) -> bool:
        return self.engine.is_signed(SignedKind.SEAL, data, signature)

    def _pick(self, pick: int) -> ConsentEvent:
        kept = [each for each in self.model.rows.values() if each.event.subject_id]
        return kept[pick % len(kept)].event


def make_machine(storage: Storage) -> type[LedgerMachine]:
    """Return the machine over one kind of ledger."""
    return type("Machine", (LedgerMachine,), {"storage": storage})
