"""`examples/minimal.py`: short, and it does what it shows."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "minimal.py"


@pytest.fixture
def example_client(monkeypatch):
    app = runpy.run_path(str(EXAMPLE))["app"]
    return app.test_client()


def test_example_is_under_15_lines():
    assert len(EXAMPLE.read_text("utf-8").splitlines()) < 15


def test_example_asks_remembers_and_gates(example_client, choose):
    before = example_client.get("/")
    choose(example_client, "accept_all")
    after = example_client.get("/")

    assert before.text.count('data-consent-ui="banner"') == 1
    assert 'data-consent-ui="banner"' not in after.text


def test_example_refuses_as_easily(example_client, choose):
    assert choose(example_client, "reject_all").status_code == 303
    assert 'data-consent-ui="banner"' not in example_client.get("/").text
