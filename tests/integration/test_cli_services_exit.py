"""How `flask consent services` ends: with which exit code, and what it offers for a word that it does not know."""

from __future__ import annotations

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.core.declaration import ServiceKind
from tests.command_runner import make_runner


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs `flask consent services` where no app is to be found."""
    monkeypatch.chdir(tmp_path)
    return lambda *options: make_runner().invoke(group, ["services", *options], obj=ScriptInfo())


def test_list_by_an_unknown_purpose_offers_the_closest(run):
    result = run("list", "--purpose", "analitics")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no purpose 'analitics'. The purposes, the closest first: 'analytics', " in " ".join(
        result.stderr.split()
    )


def test_list_by_an_unknown_kind_names_the_kinds(run):
    result = run("list", "--kind", "vidoe")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "'vidoe' is not one of" in result.stderr
    assert all(f"'{kind}'" in result.stderr for kind in ServiceKind)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["list"], 0),
        (["list", "--json"], 0),
        (["list", "--kind", "other"], 0),
        (["list", "--kind", "nonsense"], 2),
        (["list", "--purpose", "nonsense"], 2),
        (["list", "extra"], 2),
        (["show", "vimeo"], 0),
        (["show", "nonsense"], 1),
        (["show"], 2),
        (["search", "vimeo"], 0),
        (["search", "nothing-is-called-so"], 1),
        (["search"], 2),
        (["new", "my-stats"], 2),
        (["new", "my-stats", "--folder", "."], 0),
        (["new", "matomo", "--folder", "."], 0),
        (["new", "marketing", "--folder", "."], 2),
        (["new"], 2),
        (["nonsense"], 2),
    ],
    ids=str,
)
def test_exit_code(run, options, code):
    assert run(*options).exit_code == code
