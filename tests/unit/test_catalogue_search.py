"""Finding a service by what a developer knows of it."""

from __future__ import annotations

import pytest

from consent.catalogue.entry import Entry
from consent.catalogue.search import find_closest, find_entries, read_host
from consent.core.cookie_declaration import CookieDeclaration
from consent.core.declaration import Service

PIXEL = Service(
    "pixel",
    name="Social Pixel",
    provider="Social Ltd",
    purposes=("marketing",),
    hosts=("connect.social.example", "*.cdn.example"),
    cookies=(CookieDeclaration("_px", days=1), CookieDeclaration("_px_*", days=1)),
)
STATS = Service(
    "stats-pixel",
    name="Stats",
    provider="Stats GmbH",
    purposes=("analytics",),
    hosts=("stats.example",),
    cookies=(CookieDeclaration("s[1]?", kind="local_storage"),),
)
ENTRIES = tuple(Entry(service=service) for service in (STATS, PIXEL))


def search(*words):
    return [(entry.service.key, *matched) for entry, matched in find_entries(words, ENTRIES)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("social",), [("pixel", "connect.social.example")]),
        (("Social", "LTD"), [("pixel", "connect.social.example")]),
        (("gmbh",), [("stats-pixel",)]),
        (("pixel",), [("pixel",), ("stats-pixel",)]),
        (("social", "gmbh"), []),
        (("nothing",), []),
    ],
)
def test_words_are_found_in_key_name_provider_and_hosts(words, found):
    assert search(*words) == found


@pytest.mark.parametrize(
    "word",
    [
        "connect.social.example",
        "CONNECT.social.example.",
        "https://connect.social.example/en_US/events.js?v=1",
        "//connect.social.example/events.js",
        "connect.social.example/events.js",
        "connect.social.example:443",
    ],
)
def test_host_or_address_finds_its_service(word):
    assert search(word) == [("pixel", "connect.social.example")]


@pytest.mark.parametrize("word", ["a.cdn.example", "https://b.a.cdn.example/x.js", "cdn.example"])
def test_subdomain_finds_the_service_of_the_wildcard(word):
    assert search(word) == [("pixel", "*.cdn.example")]


@pytest.mark.parametrize("word", ["https://social.example/", "https://evilcdn.example/", "https://[bad/", "https://"])
def test_address_on_another_host_finds_nothing(word):
    assert search(word) == []


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("_px", [("pixel", "_px")]),
        ("_px_A1B2", [("pixel", "_px_*")]),
        ("_PX", []),
        ("s[1]?", [("stats-pixel", "s[1]?")]),
        ("s1x", []),
    ],
)
def test_cookie_finds_the_service_that_sets_it(word, found):
    assert search(word) == found


@pytest.mark.parametrize(
    ("word", "closest"),
    [
        ("google-analitics", "google-analytics"),
        ("Google", "google-maps"),
        ("matomi", "matomo"),
        ("maps", "google-maps"),
    ],
)
def test_closest_key_shares_a_part_or_is_spelt_alike(word, closest):
    assert find_closest(word, ["matomo", "google-maps", "google-analytics", "vimeo"])[0] == closest


def test_closest_keys_are_few():
    assert find_closest("zzz", ["matomo", "vimeo"]) == ()
    assert len(find_closest("a", [f"a-{number}" for number in range(50)])) == 5


@pytest.mark.parametrize(
    ("word", "host"), [("a.example", "a.example"), ("https://A.example:8/x", "a.example"), ("", "")]
)
def test_host_of_a_word(word, host):
    assert read_host(word) == host
