"""What docs/catalogue.md says is true: its code runs, and it names all that a file may hold."""

from __future__ import annotations

import re
import tomllib

import pytest
from flask import Flask

from consent import Consent
from consent.catalogue import load_entry, load_service, open_folders
from consent.catalogue._schema import SERVICE
from consent.cli import group
from consent.core.cookie_declaration import CookieUse
from consent.core.declaration import HostUse, ServiceKind
from consent.errors import ConfigError
from tools.generated_page import CHECKOUT

GUIDE = (CHECKOUT / "docs" / "catalogue.md").read_text("utf-8")
COMMANDS = group.commands["services"].commands  # type: ignore[attr-defined]  # a group, though click says a command
COOKIE = SERVICE.tables["cookies"]
WORDS = sorted({*map(str, (*ServiceKind, *CookieUse, *HostUse)), *SERVICE.notes, *COOKIE.fields, *COOKIE.notes})


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def app(bare_app, tmp_path):
    app = bare_app()
    app.root_path = str(tmp_path)
    (tmp_path / "services").mkdir()
    return app


@pytest.mark.parametrize("block", blocks("python"))
def test_python_of_the_guide_runs(app, block):
    names = {"app": app, "Consent": Consent}
    exec(compile(block, "catalogue.md", "exec"), names)

    if "consent" not in app.extensions:
        Consent(app)
    assert app.test_client().get("/").status_code == 200


def test_service_of_the_guide_has_the_hosts_that_it_names():
    (block,) = [block for block in blocks("python") if "load_service(" in block]
    names: dict[str, object] = {"Consent": lambda *_, services: services, "app": None}
    exec(compile(block, "catalogue.md", "exec"), names)

    assert names["matomo"].hosts == ("stats.example.com",)  # type: ignore[attr-defined]  # a service


def test_file_of_the_guide_changes_the_shipped_one(tmp_path):
    (block,) = blocks("toml")
    changed = tomllib.loads(block)
    (tmp_path / "matomo.toml").write_text(
        f'name = "Matomo"\nkind = "analytics"\npurposes = ["analytics"]\n{block}', encoding="utf-8"
    )
    service = load_service("matomo", folders=open_folders([tmp_path], root="/"))

    assert (service.provider, service.hosts) == (changed["provider"], ("stats.example.com",))


def test_error_of_the_guide_is_what_is_said(tmp_path):
    (block,) = blocks("text")
    head = 'name = "Our stats"\npurposes = ["analytics"]\n[hosts]\nscript = ["stats.example.com"]\n'
    (tmp_path / "our-stats.toml").write_text(f'{head}[[cookies]]\nname = "_st"\nmonth = 2\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_entry("our-stats", folders=[tmp_path])

    assert str(caught.value).startswith(block.replace("/srv/news/services", str(tmp_path)).partition("…")[0])


@pytest.mark.parametrize("word", WORDS)
def test_word_of_a_file_is_in_the_guide(word):
    assert re.search(rf"`{word}\b", GUIDE)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_in_the_guide_with_its_options(name):
    assert f"`flask consent services {name}" in GUIDE
    assert [
        option
        for each in COMMANDS[name].params
        for option in each.opts
        if option not in GUIDE and option.startswith("-")
    ] == []


def test_setting_of_the_guide_starts_from_the_root_of_the_app(tmp_path):
    app = Flask("news", root_path=str(tmp_path))
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd", CONSENT_CATALOGUE="services")

    with pytest.raises(
        ConfigError, match=re.escape(f"'CONSENT_CATALOGUE' names '{tmp_path}/services', which does not exist.")
    ):
        Consent(app)
