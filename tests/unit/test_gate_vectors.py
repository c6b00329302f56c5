"""Gates by the cases that the browser runtime is tested with too: `tests/vectors/gate.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consent.core.decision import Decision, Reason
from consent.core.gate import find_closed, is_open
from consent.core.record import Choice
from consent.core.regime import Regime

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "gate.json").read_text())


def make_decision(name):
    state = VECTORS["states"][name]
    verdicts = {**state["choices"], **state["services"]}
    return Decision(
        choices={key: Choice(verdict) for key, verdict in state["choices"].items()},
        services={key: Choice(verdict) for key, verdict in state["services"].items()},
        reasons={key: Reason.GRANTED if verdict == "granted" else Reason.REFUSED for key, verdict in verdicts.items()},
        regime=Regime.OPT_IN,
    )


@pytest.mark.parametrize("case", VECTORS["gates"], ids=lambda case: case["name"])
def test_gate_opens_as_in_the_browser(case):
    assert is_open(make_decision(case["state"]), case["keys"]) is case["is_open"]


@pytest.mark.parametrize("case", VECTORS["changes"], ids=lambda case: case["name"])
def test_change_closes_as_in_the_browser(case):
    closed = find_closed(make_decision(case["before"]), make_decision(case["after"]))

    assert bool(closed) is case["has_closed"]
