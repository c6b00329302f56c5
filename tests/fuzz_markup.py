"""Hold the markup scan against html5lib for as long as you like, and say how often they differ.

    python -m tests.fuzz_markup --examples 20000 --seed 0

Half of the pages are soups of tokens, half are article pages that were damaged. Each is also fed in chunks.
"""

from __future__ import annotations

import argparse
import sys
from random import Random

from consent.wire.markup import Element
from consent.wire.markup_scan import MarkupScanner, scan
from tests.markup_oracle import find_by_scan, find_difference
from tests.markup_soup import make_damaged_page, make_soup


def main() -> int:
    parser = argparse.ArgumentParser(description="Hold the markup scan against html5lib.")
    parser.add_argument("--examples", type=int, default=2000, help="pages of each kind (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first page (default 0)")
    options = parser.parse_args()
    is_wrong = False
    for make in (make_soup, make_damaged_page):
        different = cut = found = certain = 0
        for seed in range(options.seed, options.seed + options.examples):
            random = Random(seed)
            page = make(random)
            difference = find_difference(page)
            all_found, all_certain = find_by_scan(page)
            found, certain = found + len(all_found), certain + len(all_certain)
            if difference:
                different += 1
                print(f"seed {seed}: {difference}\n  {page!r}")
            if not _is_same_in_chunks(page, random):
                cut += 1
                print(f"seed {seed}: differs in chunks\n  {page!r}")
        print(
            f"{make.__name__}: {options.examples} pages, {found} URLs found, {certain} of them certain; "
            f"{different} pages differ from html5lib, {cut} in chunks"
        )
        is_wrong = is_wrong or bool(different or cut)
    return int(is_wrong)


def _is_same_in_chunks(page: bytes, random: Random) -> bool:
    scanner = MarkupScanner()
    elements: list[Element] = []
    at = 0
    while at < len(page):
        size = random.choice((1, 2, 5, 30, 200))
        elements += scanner.feed(page[at : at + size]).elements
        at += size
    return [*elements, *scanner.finish().elements] == list(scan(page))


if __name__ == "__main__":
    sys.exit(main())
