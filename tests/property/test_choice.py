"""What the preferences page shows is what saving it does; a signal that comes with a choice opens nothing."""

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


@given(data=st.data(), action=st.sampled_from([action for action in Action if action is not Action.ONCE]))
def test_signal_that_comes_with_a_choice_opens_nothing(data, action):
    """Of what one and the same choice opens, the signal can only take away; what it leaves is what was granted under it."""
    policy, record = data.draw(strategies.policies_with_record(is_true=True))
    now = data.draw(strategies.moments_around(record))
    granted = (
        data.draw(st.lists(st.sampled_from(sorted(policy.fingerprints)), unique=True)) if policy.fingerprints else []
    )

    def opened(*, gpc):
        before = decide(policy, record, signals=Signals(gpc=gpc), regime=Regime.OPT_IN, now=now)
        choices = choose(policy, action, granted=granted, before=before)
        return {key for key, choice in choices.items() if choice is Choice.GRANTED}

    assert opened(gpc=True) <= opened(gpc=False)
