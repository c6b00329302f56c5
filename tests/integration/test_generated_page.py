"""The commands that write pages of docs/: one command line for all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.generated_page import CHECKOUT, run


@pytest.mark.parametrize("name", ["list_hosts", "list_jurisdictions", "list_requirements", "list_services"])
@pytest.mark.parametrize(("arguments", "status", "words"), [(["--check"], 0, ""), (["--write"], 2, "Usage: ")])
def test_command_checks_its_page_and_takes_nothing_else(name, arguments, status, words):
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *arguments], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )

    assert done.returncode == status
    assert done.stderr == (words and f"{words}python -m tools.{name} [--check]\n")


def test_page_that_is_out_of_date_is_told_and_left_alone(tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text("old", "utf-8")

    assert run(["--check"], name="list_pages", path=path, build=lambda: "new") == 1
    assert capsys.readouterr().err == "page.md is out of date. Run: python -m tools.list_pages\n"
    assert path.read_text("utf-8") == "old"


def test_page_is_written_and_then_up_to_date(tmp_path):
    path = tmp_path / "page.md"

    assert run([], name="list_pages", path=path, build=lambda: "new") == 0
    assert run(["--check"], name="list_pages", path=path, build=lambda: "new") == 0


def test_source_that_is_wrong_is_told_and_nothing_is_written(tmp_path, capsys):
    path = tmp_path / "page.md"

    assert run([], name="list_pages", path=path, build=lambda: str(int("x"))) == 1
    assert "'x'" in capsys.readouterr().err
    assert not path.exists()
