"""Write the table of docs/jurisdictions.md anew, from consent/jurisdictions/rules.toml.

Usage: python -m tools.list_jurisdictions [--check]   (--check writes nothing and fails when the page is out of date)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from consent.core.jurisdiction import Jurisdiction
from consent.jurisdictions import CHECKED_ON, load_table
from tools.generated_page import CHECKOUT, run

PAGE = CHECKOUT / "docs" / "jurisdictions.md"
BEGIN = "<!-- table: written by `make jurisdictions` from consent/jurisdictions/rules.toml -->\n"
END = "<!-- end of the table -->\n"

_HEAD = (
    "| key | place | from | regime | by kind | months: accept, refuse | GPC mandatory from | rules | law |",
    "|---|---|---|---|---|---|---|---|---|",
)


def build_table(rows: Iterable[Jurisdiction]) -> str:
    """Return the rows as a Markdown table, in the order given."""
    return "\n".join((*_HEAD, *map(_build_row, rows))) + "\n"


def build_page(page: str) -> str:
    """Return a page with its table made anew.

    Raises:
        ValueError: If the page does not have both marks, each once and in their order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{PAGE.name} must have the lines {BEGIN.strip()!r} and {END.strip()!r} once, in this order.")
    table = build_table(load_table()[0].rows)
    return f"{before}{BEGIN}\nLast held against its sources on {CHECKED_ON}.\n\n{table}\n{END}{after}"


def _build_row(row: Jurisdiction) -> str:
    kinds = ", ".join(f"{kind} `{regime}`" for kind, regime in row.regime_by_kind.items())
    countries = f": {', '.join(row.countries)}" if row.countries else ""
    no_region = f"; no region: `{row.without_region}`" if row.without_region else ""
    cells = (
        f"`{row.key}`",
        f"{row.name}{countries}{no_region}",
        str(row.effective_from or ""),
        f"`{row.regime}`",
        kinds,
        f"{row.accept_months}, {row.refuse_months}",
        str(row.gpc_mandatory_from or ""),
        ", ".join(f"`{rule}`" for rule in sorted(row.rules)),
        row.basis,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    return run(arguments, name="list_jurisdictions", path=PAGE, build=lambda: build_page(PAGE.read_text("utf-8")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
