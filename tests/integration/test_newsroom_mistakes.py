"""Evidence 4: the newsroom makes three mistakes on purpose. None leaks, and the audit tells of all, as its guide shows."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.core.leak import LeakKind
from consent.testing import grant
from examples.newsroom.app import create_app
from tests.command_runner import make_runner

GUIDE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
PATHS = ("/", "/article/electric-ferry")
KINDS = {"cookie_suppressed": 1, "cookie_undeclared": 1, "markup_held": 1, "hint_removed": 2}


@pytest.fixture
def newsroom(monkeypatch):
    monkeypatch.setenv("NEWSROOM_MISTAKES", "1")
    return create_app()


def audit(app, *options, code=0):
    result = make_runner().invoke(group, ["audit", *options], obj=ScriptInfo(create_app=lambda: app))
    assert result.exit_code == code, result.output
    return result.stdout


def test_audit_prints_what_its_guide_shows(newsroom):
    printed = audit(newsroom, *(word for path in PATHS for word in ("--visit", path)))

    assert f"```text\n{printed}```" in GUIDE


def test_audit_of_the_log_finds_the_same(newsroom, tmp_path):
    path = tmp_path / "newsroom.log"
    handler = logging.FileHandler(path)
    logging.getLogger("consent").addHandler(handler)
    try:
        for each in PATHS * 2:
            newsroom.test_client().get(each)
    finally:
        logging.getLogger("consent").removeHandler(handler)
        handler.close()
    found = json.loads(audit(newsroom, str(path), "--json", "--fail-on", "any", code=1))

    assert found["kinds"] == KINDS
    assert {each["count"] for each in found["leaks"]} == {1}


def test_no_mistake_leaks(newsroom):
    answer = newsroom.test_client().get(PATHS[1])

    assert [value for value in answer.headers.getlist("Set-Cookie") if value.startswith("hs_id")] == []
    assert '<script async src="http://social.localhost' not in answer.text
    assert '<link rel="preconnect"' not in answer.text


def test_mistakes_are_none_once_they_are_granted(newsroom):
    client = newsroom.test_client()
    grant(client)
    answer = client.get(PATHS[1])

    assert any(value.startswith("hs_id") for value in answer.headers.getlist("Set-Cookie"))
    assert '<script async src="http://social.localhost' in answer.text
    assert '<link rel="preconnect"' in answer.text


def test_newsroom_makes_no_mistake_by_itself():
    printed = audit(create_app(), "--visit-all", "--visit", PATHS[1], "--fail-on", "any")

    assert printed.endswith("12 pages (2 not seen): nothing got past the templates.\n")


@pytest.mark.parametrize("kind", LeakKind)
def test_every_kind_is_in_the_guide(kind):
    assert len(re.findall(rf"^\| `{kind}` \|", GUIDE, re.MULTILINE)) == 1
