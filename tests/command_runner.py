"""Run the library's commands as a terminal would, output and errors apart, with any click."""

from __future__ import annotations

import inspect
from typing import Any

from click.testing import CliRunner


def make_runner() -> CliRunner:
    """Return a runner that keeps errors apart from output: click before 8.2 has to be told."""
    is_told = "mix_stderr" in inspect.signature(CliRunner).parameters
    options: dict[str, Any] = {"mix_stderr": False} if is_told else {}
    return CliRunner(**options)
