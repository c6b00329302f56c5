"""The shipped texts: complete in every language, with the same placeholders, as plain words."""

from __future__ import annotations

import re
import unicodedata

import pytest

from consent.messages import load_messages, load_shipped, placeholders_of
from consent.messages.plural import plural_category

SHIPPED = load_shipped()
ENGLISH = SHIPPED["en"]
CATEGORIES = ("zero", "one", "two", "few", "many", "other")
# Every number of days, months or services that can come up, and then some.
NUMBERS = range(1001)

each_language = pytest.mark.parametrize("language", sorted(SHIPPED))


def family_of(key):
    """Return the plural family a key belongs to, or None: `banner.months.few` is of `banner.months`."""
    family, _, category = key.rpartition(".")
    return family if category in CATEGORIES and f"{family}.other" in ENGLISH else None


FAMILIES = sorted({family for key in ENGLISH if (family := family_of(key))})
SINGLES = sorted(key for key in ENGLISH if family_of(key) is None)


@pytest.fixture(scope="module")
def messages():
    return load_messages(overrides={}, fallback="en")


def test_english_is_shipped_and_has_plurals():
    assert len(ENGLISH) > 80
    assert "banner.months" in FAMILIES
    assert "banner.title" in SINGLES
    assert "error.other.title" in SINGLES


@each_language
def test_language_has_every_text_and_no_other(language):
    assert sorted(key for key in SHIPPED[language] if family_of(key) is None) == SINGLES


@each_language
def test_language_has_the_plural_forms_it_needs_and_no_others(language):
    needed = {plural_category(language, count) for count in NUMBERS} | {"other"}

    for family in FAMILIES:
        given = {key.rpartition(".")[2] for key in SHIPPED[language] if family_of(key) == family}
        assert given == needed, family


@each_language
def test_texts_have_the_placeholders_of_english(language):
    for key in SINGLES:
        assert placeholders_of(SHIPPED[language][key]) == placeholders_of(ENGLISH[key]), key


@each_language
def test_plural_forms_have_the_placeholders_of_english(language):
    for key, text in SHIPPED[language].items():
        family = family_of(key)
        if family is None:
            continue
        expected = placeholders_of(ENGLISH[f"{family}.other"])
        # "One month" and "two months" may be said without the number.
        optional = {"count"} if key.rpartition(".")[2] in ("zero", "one", "two") else set()
        assert expected - optional <= placeholders_of(text) <= expected, key


@each_language
def test_texts_are_plain_words(language):
    for key, text in SHIPPED[language].items():
        assert text == text.strip(), key
        assert text, key
        assert not re.search(r"[<>]|&[a-z#]|\{\{|%\(|\x00", text), key
        assert not re.search(r"[{}]", re.sub(r"\{[a-z_]+\}", "", text)), key
        # No controls, surrogates or line separators; no-break spaces and direction marks are part of some languages.
        assert not {unicodedata.category(each) for each in text} & {"Cc", "Cs", "Cn", "Co", "Zl", "Zp"}, key


@each_language
def test_buttons_of_equal_weight_are_told_apart(language):
    texts = SHIPPED[language]

    assert texts["banner.accept_all"] != texts["banner.reject_all"]
    assert texts["banner.accept_all"] == texts["preferences.accept_all"]
    assert texts["banner.reject_all"] == texts["preferences.reject_all"]
    lengths = [len(texts[f"banner.{action}_all"]) for action in ("accept", "reject")]
    assert max(lengths) <= 2 * min(lengths)


@each_language
def test_months_have_twelve_names(language):
    names = [SHIPPED[language][f"date.month.{month}"] for month in range(1, 13)]

    assert len(set(names)) == 12


@pytest.mark.parametrize("language", sorted(set(SHIPPED) - {"en"}))
def test_language_is_translated(language):
    same = [key for key, text in SHIPPED[language].items() if len(text) > 25 and text == ENGLISH.get(key)]

    assert same == []


@each_language
def test_every_plural_can_be_said_of_every_number(language, messages):
    for family in FAMILIES:
        for count in (0, 1, 2, 3, 6, 11, 13, 100, 365):
            said = messages.count_text(language, family, count, purposes="P")
            assert "{" not in said, (family, count)


def test_banner_and_purposes_stay_below_120_words():
    keys = [key for key in ENGLISH if key.startswith("purpose.")] + [
        *("banner.title", "banner.text", "banner.third_parties", "banner.accept_months.other"),
        *("banner.refuse_months.other", "banner.change", "banner.accept_all", "banner.reject_all"),
        *("banner.settings", "banner.policy", "banner.privacy_policy"),
    ]

    assert sum(len(ENGLISH[key].split()) for key in keys) <= 120
