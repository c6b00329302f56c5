"""Plural categories of whole numbers, by the tables of Unicode CLDR."""

from __future__ import annotations

import pytest

from consent.messages.plural import plural_category

# Language → category → numbers, from the "examples" column of CLDR's plural rules.
TABLE = {
    "en": {"one": [1], "other": [0, 2, 3, 10, 11, 21, 100, 101, 1000]},
    "de": {"one": [1], "other": [0, 2, 5, 11, 21, 101]},
    "es": {"one": [1], "other": [0, 2, 5, 11, 21, 101]},
    "fr": {"one": [0, 1], "other": [2, 3, 11, 17, 21, 100, 101]},
    "zh-Hans": {"other": [0, 1, 2, 11, 100, 101]},
    "ar": {
        "zero": [0],
        "one": [1],
        "two": [2],
        "few": [3, 4, 10, 103, 110, 1003],
        "many": [11, 26, 99, 111, 1011],
        "other": [100, 101, 102, 200, 202, 300, 1000, 1002],
    },
    # Not shipped: what is said of most languages is the better guess than an error.
    "xx": {"one": [1], "other": [0, 2]},
}

CASES = [
    (language, count, category)
    for language, categories in TABLE.items()
    for category, counts in categories.items()
    for count in counts
]


@pytest.mark.parametrize(("language", "count", "category"), CASES)
def test_category_of_a_number(language, count, category):
    assert plural_category(language, count) == category


@pytest.mark.parametrize(("tag", "language"), [("de-AT", "de"), ("ar-EG", "ar"), ("zh", "zh-Hans"), ("fr-CA", "fr")])
def test_region_follows_its_language(tag, language):
    assert [plural_category(tag, count) for count in range(120)] == [
        plural_category(language, count) for count in range(120)
    ]
