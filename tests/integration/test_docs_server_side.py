"""The guide to server-side calls is true: its code runs, its test passes, and its jobs follow the visitor's word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consent.errors import SetupError
from consent.testing import grant, refuse

GUIDE = (Path(__file__).parents[2] / "docs" / "server-side.md").read_text(encoding="utf-8")


@pytest.fixture
def names():
    """The names that the guide's blocks leave, run one after the other."""
    found: dict[str, object] = {"__name__": __name__}
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(compile(block, "server-side.md", "exec"), found)
    return found


def test_test_of_the_guide_passes(names):
    names["test_purchase_asks_before_it_sends"]()

    assert names["sent"] == ["purchase of 2"]


def test_job_of_the_guide_follows_the_visitor(names):
    client = names["app"].test_client()
    client.post("/subscribe")
    grant(client, "analytics")
    client.post("/subscribe")
    refuse(client)
    client.post("/subscribe")

    assert names["sent"] == ["subscription"]


def test_job_of_the_guide_that_asks_a_ledger_needs_one(names):
    with pytest.raises(SetupError, match="there is no ledger to ask"):
        names["count_later"]("00000000-0000-4000-8000-000000000000")
