"""Write docs/requirements.md: every requirement with the tests that cover it, or the reason why none does.

Usage: python -m tools.list_requirements [--check]   (--check writes nothing and fails when the page is out of date)

What it lists stands in tests/requirements.toml. A table that is malformed, or names a test that does not exist, is an
error either way. Only the standard library is used, so that any Python can start it.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.generated_page import CHECKOUT, run

SOURCE = CHECKOUT / "tests" / "requirements.toml"
PAGE = CHECKOUT / "docs" / "requirements.md"

MAX_TESTS = 5
MAX_TITLE_WORDS = 12
_FIELDS = ("title", "tests", "partly", "left_out")
# `test("name", …)` of Node's test runner; a name with a placeholder is written between backticks.
_NODE_TEST = re.compile(r"""^\s*test\((["'`])(.+?)\1,""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Family:
    """Requirements whose ids begin with one letter; they are numbered from 1."""

    letter: str
    title: str
    count: int

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id, in order."""
        return tuple(f"{self.letter}{number}" for number in range(1, self.count + 1))


FAMILIES = (
    Family("L", "Law", 52),
    Family("S", "Signals, cookies and HTTP", 56),
    Family("R", "Records", 22),
    Family("A", "Accessibility", 23),
    Family("D", "Dark patterns", 28),
)
IDS = tuple(requirement_id for family in FAMILIES for requirement_id in family.ids)


class RequirementsError(ValueError):
    """tests/requirements.toml is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement, and what stands for it."""

    requirement_id: str
    title: str
    tests: tuple[str, ...] = ()
    """Each is `path::name`, from the checkout; none if it is left out."""

    partly: str = ""
    """What the tests do not cover; empty if they cover it all."""

    left_out: str = ""
    """Why there is no test; empty if there is one."""


def read_requirements(text: str, *, ids: Sequence[str] = IDS) -> tuple[Requirement, ...]:
    """Read the table, in the order of `ids`.

    Args:
        text: TOML; one table an id, as the head of tests/requirements.toml says.
        ids: Every id that must be there; no other may.

    Raises:
        RequirementsError: If the text is no TOML (an id that comes twice makes it so), an id is unknown or missing, or
            a table is malformed.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"The table cannot be read: {error}. An id may come once."
        raise RequirementsError(msg) from error
    if unknown := [key for key in tables if key not in ids]:
        raise RequirementsError(f"{_quote(unknown)} is no known id. Known ids: {ids[0]} to {ids[-1]}.")
    if missing := [key for key in ids if key not in tables]:
        raise RequirementsError(f"{_quote(missing)} is missing. Give 'tests', or the reason as 'left_out'.")
    return tuple(_read_one(key, tables[key]) for key in ids)


def find_missing_tests(requirements: Sequence[Requirement], *, has_test: Callable[[str], bool]) -> list[str]:
    """List, as `id: path::name`, the tests that are named and do not exist."""
    return [f"{each.requirement_id}: {name}" for each in requirements for name in each.tests if not has_test(name)]


def has_test(name: str, *, root: Path = CHECKOUT) -> bool:
    """Tell whether a file under `root` holds a test: a function or method of Python, or a test of Node's runner."""
    path, _, test = name.partition("::")
    return path.startswith("tests/") and test in _list_tests(root / path)


def build_page(requirements: Sequence[Requirement]) -> str:
    """Write the whole page, in Markdown."""
    by_id = {each.requirement_id: each for each in requirements}
    parts = [_HEAD, _build_counts(by_id)]
    for family in FAMILIES:
        rows = (_build_row(by_id[key]) for key in family.ids if key in by_id)
        parts.append("\n".join((f"## {family.title}\n", "| id | what | tests |", "|---|---|---|", *rows)))
    return "\n\n".join(parts) + "\n"


_HEAD = """# Requirements and their tests

<!-- Written by `make requirements` from tests/requirements.toml: change that file, not this one. -->

What law, standards and good practice ask of a consent library, one line each, with the tests that speak for it. A test
is listed because it was read and found to check the requirement; others may touch it, too. *Missing* says what no test
checks yet, *left out* why there is none. No table replaces a lawyer: a green test says that the library does what is
written here, not that a site is lawful."""


def _read_one(key: str, table: object) -> Requirement:
    if not isinstance(table, dict):
        raise RequirementsError(f"'{key}' must be a table, got {table!r}.")
    if unknown := [field for field in table if field not in _FIELDS]:
        raise RequirementsError(f"'{key}' has the unknown field {_quote(unknown)}. Allowed: {_quote(_FIELDS)}.")
    texts = {field: _read_text(key, field, table) for field in ("title", "partly", "left_out")}
    if not 0 < len(texts["title"].split()) <= MAX_TITLE_WORDS:
        raise RequirementsError(f"'{key}' needs a title of at most {MAX_TITLE_WORDS} words, got {texts['title']!r}.")
    tests = _read_tests(key, table)
    if bool(tests) is bool(texts["left_out"]):
        raise RequirementsError(f"'{key}' must have 'tests' or 'left_out', and not both.")
    if texts["partly"] and not tests:
        raise RequirementsError(f"'{key}' has 'partly' without 'tests'. Write the reason as 'left_out'.")
    return Requirement(requirement_id=key, tests=tests, **texts)


def _read_text(key: str, field: str, table: Mapping[str, object]) -> str:
    text = table.get(field, "")
    if not isinstance(text, str) or "\n" in text or (field in table and not text.strip()):
        raise RequirementsError(f"'{field}' of '{key}' must be one line of text, got {text!r}.")
    return text.strip()


def _read_tests(key: str, table: Mapping[str, object]) -> tuple[str, ...]:
    tests = table.get("tests")
    if tests is None:
        return ()
    if not isinstance(tests, list) or not 1 <= len(tests) <= MAX_TESTS or len(set(map(str, tests))) < len(tests):
        raise RequirementsError(
            f"'tests' of '{key}' must be a list of 1 to {MAX_TESTS} different tests, got {tests!r}."
        )
    return tuple(map(str, tests))


@cache
def _list_tests(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    source = path.read_text("utf-8")
    if path.suffix == ".mjs":
        return frozenset(match[2] for match in _NODE_TEST.finditer(source))
    tree = ast.parse(source)
    # A contract that several ledgers have to keep is a class.
    scopes: list[ast.Module | ast.ClassDef] = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    functions = (node.name for scope in scopes for node in scope.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in functions if name.startswith("test_"))


def _build_counts(by_id: Mapping[str, Requirement]) -> str:
    rows = [(family.title, [by_id[key] for key in family.ids if key in by_id]) for family in FAMILIES]
    lines = [_build_count_row(title, requirements) for title, requirements in rows]
    total = _build_count_row("**together**", list(by_id.values()))
    head = ("| family | requirements | covered | partly | left out |", "|---|---:|---:|---:|---:|")
    return "\n".join((*head, *lines, total))


def _build_count_row(title: str, requirements: Sequence[Requirement]) -> str:
    left_out = sum(bool(each.left_out) for each in requirements)
    partly = sum(bool(each.partly) for each in requirements)
    covered = len(requirements) - left_out - partly
    return f"| {title} | {len(requirements)} | {covered} | {partly} | {left_out} |"


def _build_row(requirement: Requirement) -> str:
    notes = [_link(name) for name in requirement.tests]
    if requirement.partly:
        notes.append(f"*Missing:* {_escape(requirement.partly)}")
    if requirement.left_out:
        notes.append(f"*Left out:* {_escape(requirement.left_out)}")
    return f"| {requirement.requirement_id} | {_escape(requirement.title)} | {'<br>'.join(notes)} |"


def _link(name: str) -> str:
    path, _, test = name.partition("::")
    return f"[`{Path(path).name}::{_escape(test)}`](../{path})"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _quote(keys: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


def _build_checked_page() -> str:
    where = SOURCE.relative_to(CHECKOUT)
    try:
        requirements = read_requirements(SOURCE.read_text("utf-8"))
    except RequirementsError as error:
        raise RequirementsError(f"{where}: {error}") from error
    if missing := find_missing_tests(requirements, has_test=has_test):
        raise RequirementsError("\n".join((f"{where} names tests that do not exist:", *missing)))
    return build_page(requirements)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    return run(arguments, name="list_requirements", path=PAGE, build=_build_checked_page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
