"""Signals by the cases that the browser runtime is tested with too: `tests/vectors/signals.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consent.core.record import Choice
from consent.core.regime import Regime
from consent.core.signal_adapter import SignalAdapter, SignalMap
from consent.core.signal_call import Call, Situation, fill_calls

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signals.json").read_text())
ADAPTER = SignalAdapter(
    "vectors",
    name="Vectors",
    types=dict.fromkeys(VECTORS["rules"], "other"),
    change=tuple(Call(**each) for each in VECTORS["change"]),
)


def find_states(state):
    verdicts = {**state["choices"], **state["services"]}
    found = SignalMap(adapter=ADAPTER, rules=VECTORS["rules"])
    return found.find_states(lambda keys: bool(keys) and all(verdicts[key] == "granted" for key in keys))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_provider_is_told_the_same_states_as_in_the_browser(case):
    assert find_states(VECTORS["states"][case["state"]]) == case["told"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_provider_is_told_by_the_same_calls_as_in_the_browser(case):
    state = VECTORS["states"][case["state"]]
    choices = {key: Choice(verdict) for key, verdict in state["choices"].items()}
    situation = Situation(states=find_states(state), choices=choices, regime=Regime.OPT_IN, is_asking=False)

    assert [list(call) for call in fill_calls(ADAPTER.change, situation)] == case["calls"]
