"""Print what the runtime opens and what it leaves shut: `python -m tests.browser.matrix`.

Two tables: at which place every kind of script runs, by a choice and as the browser itself would have it; and foreign
markup by policy and browser. With `--without-key-check` the runtime takes every block for the site's own, which shows
that the second table would tell.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from tests.browser import activation, chromium, firefox, gadgets
from tests.browser.activation import Awakening, awaken
from tests.browser.gadget_visit import Outcome, tell, visit
from tests.browser.gadgets import BLOCKS, GROUPS, LOOK_ALIKES, POLLUTIONS, PREFERENCES_COPY
from tests.browser.policy_site import POLICIES, Policy, PolicySite
from tests.browser.watched_tab import ENGINES, Engine, OpenTab, watch_chromium, watch_firefox

_COLUMNS: Final[Sequence[tuple[Engine, Policy]]] = [(engine, policy) for engine in ENGINES for policy in POLICIES]
_INERT: Final = {form.key for form in (*BLOCKS, *LOOK_ALIKES, *PREFERENCES_COPY)}


@contextmanager
def _launch() -> Iterator[Mapping[Engine, OpenTab]]:
    with chromium.launch() as browser, firefox.launch() as fox:
        yield {"chromium": partial(watch_chromium, browser), "firefox": partial(watch_firefox, fox)}


def print_order(site: PolicySite, openers: Mapping[Engine, OpenTab]) -> None:
    """Print the place at which each kind of script runs; where the browser's own is another, that too."""
    found: list[Awakening] = []
    for engine, policy in _COLUMNS:
        with openers[engine]() as tab:
            found.append(awaken(tab, site, policy, "kinds"))
    names = max((each.live.ran for each in found), key=len)
    _print_table("kind of script", {name: [_tell_place(name, each) for each in found] for name in names})


def _tell_place(name: str, awakening: Awakening) -> str:
    opened, live = (_find_places(name, scene.ran) for scene in (awakening.opened, awakening.live))
    return opened if opened == live else f"{opened}, live {live}"


def _find_places(name: str, ran: Sequence[str]) -> str:
    return "+".join(str(place) for place, each in enumerate(ran, 1) if each == name) or "-"


def print_forms(site: PolicySite, openers: Mapping[Engine, OpenTab]) -> None:
    """Print what became of each form of foreign markup, and of the site's own gate beside it."""
    rows: dict[str, list[str]] = {}
    for engine, policy in _COLUMNS:
        for name in (*GROUPS, *POLLUTIONS):
            outcome = _visit(openers[engine], site, policy, name)
            for form in GROUPS.get(name, ()):
                if form.key in _INERT:
                    rows.setdefault(form.key, []).append("RAN" if form.key in outcome.attacks else "shut")
            verdict = "works" if outcome == Outcome.harmless(policy) else "BROKEN"
            rows.setdefault(f"the site's own gate, {name}", []).append(verdict)
    _print_table("foreign markup", rows)
    bad = sum(cell in {"RAN", "BROKEN"} for cells in rows.values() for cell in cells)
    print(f"\n{bad} of {len(rows) * len(_COLUMNS)} cells are bad.")


def _visit(open_tab: OpenTab, site: PolicySite, policy: Policy, name: str) -> Outcome:
    with open_tab(POLLUTIONS.get(name, "")) as tab:
        page = name if name in GROUPS else "own"
        try:
            return visit(tab, site, policy, page, is_crippled=name == "array-iterator")
        except TimeoutError:
            return tell(tab, site)


def _print_table(title: str, rows: Mapping[str, Sequence[str]]) -> None:
    heads = [f"{engine} {policy}" for engine, policy in _COLUMNS]
    print(f"\n| {title} | {' | '.join(heads)} |")
    print("|---|" + "---|" * len(heads))
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Print both tables; the first needs a sound runtime."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.matrix", description=__doc__)
    parser.add_argument("--without-key-check", action="store_true", help="show that a fault would be found")
    is_sound = not parser.parse_args().without_key_check
    pages = {**activation.PAGES, **gadgets.PAGES}
    with PolicySite.open(pages, checks_key=is_sound) as site, _launch() as openers:
        if is_sound:
            print_order(site, openers)
        print_forms(site, openers)


if __name__ == "__main__":
    main()
