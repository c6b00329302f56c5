"""GPP strings against the IAB's own package, over random states: what either writes, the other reads alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from consent.wire.gpp import decode_gpp, describe_section, encode_gpp
from tests.gpp_states import draw_sections

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "node_modules" / "@iabgpp" / "cmpapi"
SCRIPT = CHECKOUT / "tests" / "js" / "gpp_reference.mjs"

STATES = [draw_sections(seed) for seed in range(5000)]
TEXTS = [encode_gpp(state) for state in STATES]


def flatten(section):
    """Write a section in the names of the package, which has no segments and calls their type otherwise."""
    core, *others = describe_section(section)
    values = core | {"Gpc": bool(section.gpc)}
    return values | ({"GpcSegmentType": others[0]["SubsectionType"]} if others else {})


def make_settings(section):
    """Say what the package is to set: all but what it gives on its own."""
    values = {name: value for name, value in flatten(section).items() if name not in ("Version", "GpcSegmentType")}
    return values | {"GpcSegmentIncluded": section.gpc is not None}


@pytest.fixture(scope="module")
def answers():
    if shutil.which("node") is None or not PACKAGE.is_dir():
        pytest.fail("The comparison needs Node.js and the packages of package.json. Run: make node_modules/.stamp")
    lines = [
        json.dumps({"sections": {each.prefix: make_settings(each) for each in state.values()}, "text": text})
        for state, text in zip(STATES, TEXTS, strict=True)
    ]
    run = subprocess.run(
        ["node", str(SCRIPT)], input="\n".join(lines), capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_package_writes_the_same_bytes(answers):
    assert [answer["text"] for answer in answers] == TEXTS


def test_what_the_package_writes_is_read(answers):
    assert [decode_gpp(answer["text"]) for answer in answers] == STATES


def test_package_reads_what_was_meant(answers):
    for state, answer in zip(STATES, answers, strict=True):
        for section in state.values():
            expected = flatten(section)
            found = answer["sections"][section.prefix]
            assert {name: found[name] for name in expected} == expected


def test_states_cover_every_value_of_every_field():
    seen = {
        (section.prefix, name, value)
        for state in STATES
        for section in state.values()
        for name, values in describe_section(section)[0].items()
        for value in (values if isinstance(values, list) else [values])
        if name != "Version"
    }

    # Three values each; the transaction has two.
    assert len(seen) == (15 * 3 - 1) + (11 * 3 - 1)
    assert {section.gpc for state in STATES for section in state.values()} == {True, False, None}
