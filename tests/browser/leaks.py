"""Print the table of ways to leak, as it stands in `docs/leaks.md`: `python -m tests.browser.leaks [--write]`.

With `--write`, put it into that file. It shows what is claimed of each way; that it is so is what `test_leak_ways.py` finds
out, in both browsers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.browser.leak_site import Setup
from tests.browser.leak_visit import is_to_leak
from tests.browser.leak_way import Moment, Way
from tests.browser.leak_ways import WAYS
from tests.browser.watched_tab import ENGINES

FILE: Final = Path(__file__).parents[2] / "docs" / "leaks.md"

_HEADS: Final = (
    *("way", "what stops it", "before", "rejected", "withdrawn", "accepted"),
    *(engine.title() for engine in ENGINES),
    "test",
)
_MARK: Final = "<!-- The table is written by `python -m tests.browser.leaks --write`. -->\n"


def make_table() -> str:
    """Return the table, and a sentence that counts."""
    rows = [_HEADS, ("---",) * len(_HEADS), *map(_make_row, WAYS)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    ways = [way for way in WAYS if way.engines]
    stopped = sum(bool(way.stops) and not _connects(way) for way in ways)
    connecting = sum(map(_connects, ways))
    return (
        f"{len(ways)} ways: {stopped} are stopped, of {connecting} a bare connection is left in one browser, "
        f"{len(ways) - stopped - connecting} are not stopped.\n\n{table}"
    )


def replace_table(text: str) -> str:
    """Return the page with the table of today; it is the last thing of the page."""
    return text.partition(_MARK)[0] + _MARK + make_table()


def _make_row(way: Way) -> Sequence[str]:
    return (
        way.name.replace("|", "\\|"),
        _tell_stops(way),
        *(_tell(way, moment) for moment in (Moment.BEFORE, Moment.REJECTED, Moment.WITHDRAWN)),
        "works" if way.comes_back else "shut",
        *("yes" if engine in way.engines else "–" for engine in ENGINES),
        f"`{way.key}`",
    )


def _connects(way: Way) -> bool:
    """Whether all that is left of a way is a connection."""
    return bool(way.stops) and any(is_to_leak(way, engine, Setup.ALL) for engine in ENGINES)


def _tell_stops(way: Way) -> str:
    return "; ".join(_list_words(way))


def _list_words(way: Way) -> Iterator[str]:
    if not way.engines:
        yield "nothing has to: neither browser does it"
        return
    yield ", ".join(way.stops) or "**nothing**"
    if way.note:
        yield way.note


def _tell(way: Way, moment: Moment) -> str:
    leaking = [engine for engine in ENGINES if is_to_leak(way, engine, Setup.ALL, moment)]
    if not leaking:
        return "nothing"
    if set(leaking) <= set(way.connects_in):
        return f"a connection in {' and '.join(engine.title() for engine in leaking)}"
    return "**leaks**"


def main() -> None:
    """Print or write."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.leaks", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write it into {FILE.name}")
    if not parser.parse_args().write:
        print(make_table(), end="")
        return
    FILE.write_text(replace_table(FILE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
