"""Pages of docs/ that a command writes: one command line for all of them.

`python -m tools.<name> [--check]` exits with 0 if the page is as it should be, with 1 if it is not or its source is
wrong, with 2 for other arguments. Only the standard library is used, so that any Python can start it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def run(arguments: list[str], *, name: str, path: Path, build: Callable[[], str]) -> int:
    """Write a page, or check it; return the exit status.

    Args:
        arguments: None, or `--check`: write nothing, and fail when the page is out of date.
        name: The module's, in `tools`.
        build: Returns the page; raises ValueError, with words for people, if what it is made of is wrong.
    """
    command = f"python -m tools.{name}"
    if arguments not in ([], ["--check"]):
        return _fail(f"Usage: {command} [--check]", status=2)
    try:
        page = build()
    except ValueError as error:
        return _fail(str(error), status=1)
    if save_page(page, path, is_check=bool(arguments)):
        return 0
    return _fail(f"{path.name} is out of date. Run: {command}", status=1)


def save_page(page: str, path: Path, *, is_check: bool) -> bool:
    """Write the page, unless it is to be checked only; tell whether the file then holds it."""
    if not is_check:
        path.write_text(page, encoding="utf-8")
    return path.is_file() and path.read_text("utf-8") == page


def _fail(message: str, *, status: int) -> int:
    print(message, file=sys.stderr)
    return status
