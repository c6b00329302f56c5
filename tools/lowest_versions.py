"""Print pip constraints that pin every run-time dependency, those of extras included, to the lowest version it may have."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

# What the lowest Flask asks for in its turn, so that it meets the neighbours of its own day.
FLASK_FLOORS = ["blinker==1.6.2", "click==8.1.3", "werkzeug==3.0.0"]


def lowest_versions(pyproject: str) -> list[str]:
    """Turn the lower bounds of the declared dependencies into pins."""
    project = tomllib.loads(pyproject)["project"]
    dependencies: list[str] = [
        *project["dependencies"],
        *chain.from_iterable(project["optional-dependencies"].values()),
    ]
    # Without the names of extras, which pip takes in no constraint.
    return [re.sub(r"\[.*\]", "", dependency).replace(">=", "==") for dependency in dependencies] + FLASK_FLOORS


if __name__ == "__main__":
    checkout = Path(__file__).resolve().parent.parent
    print(*lowest_versions((checkout / "pyproject.toml").read_text("utf-8")), sep="\n")
