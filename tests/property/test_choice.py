"""What the preferences page shows is what saving it does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consent.core.choice import Action, choose, find_switched_on
from consent.core.decision import decide
from consent.core.gate import is_open
from consent.core.privacy_signal import Signals
from consent.core.record import Choice
from consent.core.regime import Regime
from tests import strategies


@given(data=st.data(), gpc=st.booleans())
def test_saving_what_is_shown_opens_nothing(data, gpc):
    """The page ticks a purpose, or in its absence a service by itself; saving that unchanged must open nothing that is shut."""
    policy, record = data.draw(strategies.policies_with_record())
    now = data.draw(strategies.moments_around(record))
    before = decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)
    shown = find_switched_on(policy, before)
    singly = {
        service.key
        for service in policy.services
        if policy.optional_purposes_of(service)
        and is_open(before, (service.key,))
        and not shown.issuperset(policy.optional_purposes_of(service))
    }

    after = choose(policy, Action.SAVE, granted=shown | singly, before=before)

    assert {key for key, choice in after.items() if choice is Choice.GRANTED and not is_open(before, (key,))} == set()
    assert all(after[service] is Choice.GRANTED for service in singly)
