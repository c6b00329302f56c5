"""The markup scan against html5lib, and however a page is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consent.wire.element_text import read_text
from consent.wire.element_urls import TEXT, list_urls
from consent.wire.markup import Element
from consent.wire.markup_scan import MarkupScanner, scan
from consent.wire.prefilter import names_listed_host
from consent.wire.url_reading import read_url
from tests.markup_oracle import find_difference
from tests.markup_soup import ENCODED_URLS, TAGS, make_damaged_page, make_soup

# The same pages each time: of about 40,000 one is wrong in three ways at once, which is one reading more than the scan follows.
# Line ends between slashes, and none behind a scheme.
search_split_slashes = re.compile(rb"[/\\][\t\n\r]").search
search_hiding = re.compile(rb"[/\\][\t\n\r]|[pP][sS]?:(?![/\\]{2}[^/\\])").search
is_host = re.compile(r"h[0-9]+\.example").fullmatch
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


def list_hosts(page: bytes) -> Iterator[str]:
    """Give the hosts that a page's elements load from, whatever way each is written in."""
    # A link in a script or style, or in a document in a URL, is none of the page's, and loads nothing either.
    has_links = b"<a" in page.lower()
    for element in scan(page):
        # Nobody cuts an address in two but to hide it.
        is_cut = not element.is_certain and b"<" in page[element.end : element.text_end]
        for found in list_urls(element, "" if is_cut else read_text(element, page)):
            address = read_url(found.url)
            is_within = found.attribute == TEXT or any("data:" in each.value for each in element.attributes)
            if address and is_host(address.host) and not (has_links and is_within):
                yield address.host


@often
@given(page=soups | damaged_pages)
def test_quick_look_misses_no_host_that_is_found(page: bytes) -> None:
    assume(not search_hiding(page))

    for host in {*list_hosts(page)}:
        assert names_listed_host(page, {host}.__contains__)


@pytest.mark.parametrize("url", ENCODED_URLS)
def test_quick_look_misses_no_host_that_is_written_in_another_way(url: str) -> None:
    pages = (make_soup(Random(seed), [url], TAGS) for seed in range(150))
    found = [(page, host) for page in pages if not search_split_slashes(page) for host in list_hosts(page)]

    assert [page for page, host in found if not names_listed_host(page, {host}.__contains__)] == []
    assert len(found) > 10
