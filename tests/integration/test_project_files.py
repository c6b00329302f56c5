"""The project's own files agree with each other, and with what was built and installed."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import files, metadata
from pathlib import Path

import pytest

import consent
from tools.run_tests import SUITES, Suite

CHECKOUT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
PACKAGE = json.loads((CHECKOUT / "package.json").read_text("utf-8"))
SCRIPT_FOLDERS = ("consent/static/src/js", "tests/js", "tools")
MAX_LINES = 400
EMPTY_NAMES = {"base", "common", "helpers", "misc", "utils"}


def find_sources(*folders):
    return sorted(path for folder in folders for path in (CHECKOUT / folder).rglob("*.py"))


def test_tests_run_against_the_built_wheel():
    assert "site-packages" in Path(str(consent.__file__)).parts


def test_wheel_holds_every_file_of_the_package():
    source = CHECKOUT / "consent"
    kept = {f"consent/{path.relative_to(source).as_posix()}" for path in source.rglob("*") if path.is_file()}
    installed = {str(path) for path in files("flask-cookie-consent") or () if path.parts[0] == "consent"}

    assert {path for path in kept if "__pycache__" not in path} == {
        path for path in installed if "__pycache__" not in path
    }


def test_wheel_asks_for_the_contracted_packages_alone():
    listed = metadata("flask-cookie-consent").get_all("Requires-Dist") or []
    requirements = [requirement for requirement in listed if "extra ==" not in requirement]

    assert sorted(re.split(r"[^\w-]", requirement)[0] for requirement in requirements) == [
        "flask",
        "itsdangerous",
        "jinja2",
    ]


def test_wheel_declares_inline_types():
    assert (Path(str(consent.__file__)).parent / "py.typed").read_text("utf-8") == ""


@pytest.mark.parametrize("path", PYPROJECT["tool"]["ruff"]["lint"]["per-file-ignores"])
def test_path_in_lint_settings_exists(path):
    assert (CHECKOUT / path.removesuffix("/**")).exists()


@pytest.mark.parametrize(
    "suite", [each for each in SUITES.values() if isinstance(each, Suite)], ids=lambda each: each.name
)
def test_file_that_a_suite_runs_or_leaves_out_exists(suite):
    named = [argument.removeprefix("--ignore=") for argument in suite.arguments]

    assert [path for path in named if path.startswith("tests/") and not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize(
    "contract", PYPROJECT["tool"]["importlinter"]["contracts"], ids=lambda contract: contract["name"]
)
def test_module_in_import_contract_exists(contract):
    named = [*contract.get("layers", ()), *contract.get("source_modules", ())]
    modules = [module for entry in named for module in entry.split(" | ")]

    for module in modules:
        path = CHECKOUT.joinpath(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), module


@pytest.mark.parametrize(
    "path", find_sources("consent", "examples", "tests", "tools"), ids=lambda path: str(path.relative_to(CHECKOUT))
)
def test_source_file_is_short_and_named_for_its_concept(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize(
    "path",
    [path for folder in SCRIPT_FOLDERS for path in sorted((CHECKOUT / folder).glob("*.*js"))],
    ids=lambda path: str(path.relative_to(CHECKOUT)),
)
def test_script_is_short_and_named_for_its_concept(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize(
    "option", ["allowJs", "checkJs", "strict", "noUncheckedIndexedAccess", "exactOptionalPropertyTypes", "noEmit"]
)
def test_types_of_scripts_are_checked_with(option):
    assert f'"{option}": true' in (CHECKOUT / "tsconfig.json").read_text("utf-8")


@pytest.mark.parametrize("name", PACKAGE["devDependencies"])
def test_npm_tool_has_one_exact_version(name):
    # An alias is written `npm:name@version`.
    version = PACKAGE["devDependencies"][name].rpartition("@")[2]
    locked = json.loads((CHECKOUT / "package-lock.json").read_text("utf-8"))["packages"]

    assert re.fullmatch(r"\d+\.\d+\.\d+", version), "another bundler writes other bytes"
    assert locked[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize("path", PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
def test_path_in_source_distribution_exists(path):
    assert (CHECKOUT / path.removeprefix("/")).exists()


def test_changelog_opens_with_unreleased():
    headings = re.findall(r"^## (.+)$", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert headings[0] == "[Unreleased]"
    assert len(headings) == len(set(headings))


def test_ci_runs_what_a_developer_runs():
    script = (CHECKOUT / ".ci" / "run").read_text("utf-8")

    assert "make lint" in script
    assert "make test" in script


def test_lint_finds_stale_served_files():
    recipes = (CHECKOUT / "Makefile").read_text("utf-8")

    assert re.search(r"^lint:.* check-assets\b", recipes, re.MULTILINE)
