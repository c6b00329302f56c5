"""What commands say of themselves fits a terminal, and the reference has all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from consent.cli import group
from tests.command_runner import make_runner

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference.md").read_text(encoding="utf-8")


def list_commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from list_commands(each, *path, name)


COMMANDS = dict(list_commands(group))
GROUPS = [path for path, each in COMMANDS.items() if isinstance(each, click.Group)]


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_list_of_commands_is_not_cut_off(path):
    page = make_runner().invoke(group, [*path, "--help"], terminal_width=80).stdout
    _, _, listed = page.partition("Commands:\n")

    assert listed
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("path", [path for path in COMMANDS if path], ids=" ".join)
def test_command_is_in_the_reference_with_its_options(path):
    words = re.escape(" ".join(path))
    options = [name for each in COMMANDS[path].params for name in each.opts if name.startswith("--")]

    assert re.search(rf"`(flask consent )?({words}|{path[-1]})[ `]", REFERENCE)
    assert [name for name in options if name not in REFERENCE] == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_does(path):
    assert [each.name for each in COMMANDS[path].params if isinstance(each, click.Option) and not each.help] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_tables_of_the_docs_have_one_head(page):
    tables = re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE)

    for table in tables:
        marks = [number for number, line in enumerate(table.splitlines()) if re.fullmatch(r"\|[-:| ]+\|", line)]
        assert marks == [1], table.splitlines()[0]
