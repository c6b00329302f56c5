"""The functions that load and save the choices of known users, as a site gives them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from consent import Consent
from consent.errors import SetupError

GUIDE = (Path(__file__).parents[2] / "docs/known-users.md").read_text(encoding="utf-8")


def test_functions_of_the_guide_keep_a_choice(bare_app, choose, monkeypatch):
    user = SimpleNamespace(is_authenticated=True, consent=None)
    commits: list[str] = []
    monkeypatch.setattr("flask_login.current_user", user)
    app = bare_app()
    names = {"privacy": Consent(app), "db": SimpleNamespace(session=SimpleNamespace(commit=lambda: commits.append("")))}
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(compile(block, "known-users.md", "exec"), names)
    choose(app.test_client(), "accept_all")

    assert len(commits) == 1
    assert app.test_client().get("/privacy-choices/state").json["needs_prompt"] is False


def test_functions_count_for_every_app_whenever_they_were_given(bare_app, choose):
    kept: list[str] = []
    apps = [bare_app(), bare_app()]
    privacy = Consent(apps[0])
    privacy.load_choice(lambda: "")
    privacy.init_app(apps[1])
    privacy.save_choice(kept.append)
    for app in apps:
        choose(app.test_client(), "reject_all")

    assert len(kept) == 2


@pytest.mark.parametrize(("given", "missing"), [("load_choice", "save_choice"), ("save_choice", "load_choice")])
def test_half_of_the_two_is_warned_of_once(bare_app, choose, caplog, given, missing):
    app = bare_app()
    privacy = Consent(app)
    getattr(privacy, given)({"load_choice": lambda: "", "save_choice": lambda _text: None}[given])
    for _ in range(2):
        assert choose(app.test_client(), "accept_all").status_code == 303

    assert [f"Give the other one with @consent.{missing}." in text for text in caplog.messages].count(True) == 1


async def load_async(): ...


async def save_async(text): ...


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("load_choice", load_async, "must be a plain one, got the 'async'"),
        ("save_choice", save_async, "must be a plain one, got the 'async'"),
        ("load_choice", lambda _user: "", "must take no arguments"),
        ("save_choice", lambda: None, "must take one argument, the text to keep"),
        ("load_choice", "load", "must be given a function, got 'load'. Write @consent.load_choice above it."),
    ],
)
def test_function_that_cannot_work_is_refused_when_it_is_given(name, function, message):
    with pytest.raises(SetupError, match=message):
        getattr(Consent(), name)(function)


def test_second_function_for_the_same_is_refused():
    privacy = Consent()
    privacy.save_choice(print)

    with pytest.raises(SetupError, match="There is a function for 'save_choice' already"):
        privacy.save_choice(print)
