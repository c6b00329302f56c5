"""Finding the consent cookie in a `Cookie` header: by its exact name, and in no time."""

from __future__ import annotations

import time

import pytest

from consent.wire.cookie import PLAIN_NAME, find_values


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("", []),
        ("consent=A", ["A"]),
        ("consent=A; other=B", ["A"]),
        ("other=B; consent=A", ["A"]),
        ("other=B;consent=A", ["A"]),
        ("other=B; \t consent \t= \tA\t ; x=y", ["A"]),
        (";;; consent=A;;;", ["A"]),
        ("consent=", [""]),
        ("consent=A=B.C==", ["A=B.C=="]),
        ("consent=A; consent=A", ["A"]),
        ("consent=A; consent=B", ["A", "B"]),
        ("consent=A; x=y; consent=B; consent=A", ["A", "B"]),
        # Two are enough to believe none.
        ("consent=A; consent=B; consent=C", ["A", "B"]),
        ("consent=; consent=A", ["", "A"]),
        ("x=consent; consent=A", ["A"]),
        ("x=consent=A; consent=B", ["B"]),
        ("__Host-consent=A; consent=B", ["B"]),
        ("__Host-consent=A", []),
        ("consent", []),
        ("consent;", []),
        ("x; consent=A", ["A"]),
        ("consent; consent=A", ["A"]),
        ("consent2=A", []),
        ("xconsent=A", []),
        ("x=consent=A", []),
        ("=consent=A", []),
        ("Consent=A", []),
        ("CONSENT=A", []),
        ("x=y, consent=A", []),
        ("$Version=1, consent=A", []),
        ("$consent=A", []),
        ('"consent"=A', []),
        ("consent[]=A", []),
        ("consent%3DA", []),
        ("%63onsent=A", []),
    ],
)
def test_value_is_found_by_its_exact_name(header, values):
    assert find_values(header, PLAIN_NAME) == values


@pytest.mark.parametrize(
    "odd", ["\x85", "\xa0", "\x0b", "\x0c", "\x1c", "\x1f", "\x00", "\u2000", "\u3000", "\ufeff", "\r", "\n", "_", "."]
)
@pytest.mark.parametrize(
    "place", ["{}consent=A", "consent{}=A", "x=y; {}consent=A", 'q=""; {}consent=A', 'x=y; consent{}=A; q=""']
)
def test_name_beside_an_odd_character_is_another_name(odd, place):
    # A browser guards `__Host-consent`, not the same name behind a character that some server trims.
    assert find_values(place.format(odd), PLAIN_NAME) == []


@pytest.mark.parametrize(
    "header",
    [
        'x="1; consent=A; y=2"',
        '$Version=1; x="1; consent=A; y=2"',
        '="1; consent=A; y=2"',
    ],
)
def test_name_within_a_quoted_value_is_not_taken(header):
    # Readers that let quotes run on and readers that do not would see different cookies; the doubtful one counts for none.
    assert find_values(header, PLAIN_NAME) == []


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ('x="1"; consent=A', ["A"]),
        ('x="1; y=2"; consent=A', ["A"]),
        ('x=a"b; consent=A', ["A"]),
        ('x={"a":"b"}; consent=A', ["A"]),
        ('consent=A; x="1', ["A"]),
        ('x=""; consent=A', ["A"]),
        # A quote that nothing closes is a character like any other: some sites set such cookies.
        ('x="1; consent=A', ["A"]),
        ('x= "1; consent=A', ["A"]),
        ('x="; consent=A; consent=A', ["A"]),
        ('x="a"b; consent=A', ["A"]),
        ('x="1; consent=A; y=2\\"', ["A"]),
        ('consent="A"', ['"A"']),
        ('consent="A; consent=B"', ['"A']),
    ],
)
def test_quotes_elsewhere_do_not_hide_the_cookie(header, values):
    assert find_values(header, PLAIN_NAME) == values


@pytest.mark.parametrize(
    "header",
    [
        "; ".join(f"a{number}=b" for number in range(5000)),
        ";" * 65_536,
        "; ".join(f"consent={number}" for number in range(5000)),
        "consent" * 9_000,
        "consent=" * 8_000,
        'consent="; ' * 6_000,
        '"' * 65_536,
        " " * 65_536 + "consent=A",
        "consent" + " " * 65_536,
    ],
    ids=[
        "cookies",
        "semicolons",
        "namesakes",
        "names",
        "nested",
        "quotes",
        "only quotes",
        "space before",
        "space after",
    ],
)
def test_long_header_is_read_quickly(header):
    begun = time.perf_counter()
    find_values(header, PLAIN_NAME)

    assert time.perf_counter() - begun < 0.1
