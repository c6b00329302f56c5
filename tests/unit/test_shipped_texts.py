"""The shipped texts: complete in every language, with the same placeholders, as plain words."""

from __future__ import annotations

import re
import unicodedata

import pytest

from consent.messages import fill, load_messages, load_shipped, placeholders_of
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

# Chinese has no spaces to count words by.
SPACED = sorted(set(SHIPPED) - {"zh-Hans"})
_PURPOSES = [
    f"purpose.{key}.{part}" for key in ("preferences", "analytics", "marketing") for part in ("title", "description")
]
_DOCUMENTS = ["document.privacy.title", "document.cookies.title", "document.terms.title"]
_REVISED = ["document.revised", "document.effective"]
_LINKS = ["banner.settings", "banner.policy"]
# What the template banner.html shows of each kind on a first visit, on a site with three documents.
FIRST_LAYERS = {
    "choice": [
        *("banner.title", "banner.text", *_PURPOSES, "banner.third_parties", "banner.months.other", "banner.change"),
        *("banner.accept_all", "banner.reject_all", *_LINKS, *_DOCUMENTS),
    ],
    # Global Privacy Control keeps marketing off, and the list names those that run.
    "objection": [
        *("banner.title", "objection.gpc", "objection.text", *_PURPOSES[:-2], "notice.change"),
        *("objection.reject", "objection.acknowledge", *_LINKS, *_DOCUMENTS),
    ],
    # The documents are the title, and are listed under the text.
    "notice": [
        *(*_DOCUMENTS, "notice.text_with_documents", *_DOCUMENTS, *_REVISED, "notice.change"),
        *("notice.acknowledge", *_LINKS),
    ],
    "announcement": ["announcement.title", *_DOCUMENTS, *_REVISED, "announcement.acknowledge", *_LINKS],
}


def count_words(language, kind, *, more=(), less=()):
    """Return the number of words on the first layer of a banner, filled as on a site."""
    texts = SHIPPED[language]
    values = {
        "controller": "Example News",
        "count": "6",
        "date": "1 January 2026",
        "documents": texts["document.privacy.title"],
        "link": texts["settings.opt_out_link" if kind == "objection" else "settings.link"],
        "purposes": texts["purpose.marketing.title"],
    }
    keys = [key for key in FIRST_LAYERS[kind] if key not in less]
    return sum(len(fill(texts[key], values).split(" ")) for key in [*keys, *more])


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


@pytest.mark.parametrize("kind", FIRST_LAYERS)
@pytest.mark.parametrize("language", SPACED)
def test_banner_and_purposes_stay_below_120_words(language, kind):
    assert count_words(language, kind) <= 120


@pytest.mark.parametrize("kind", ["choice", "objection", "notice"])
@pytest.mark.parametrize("reason", ["expired", "policy_changed", "place_changed", "document_revised"])
def test_banner_that_is_back_stays_below_120_words(kind, reason):
    assert count_words("en", kind, more=[f"prompt.{reason}"]) <= 120


def test_choice_of_which_some_runs_unasked_stays_below_120_words():
    # The United Kingdom: two of the purposes run until the visitor objects.
    assert count_words("en", "choice", more=["prompt.place_changed", "banner.runs", "banner.runs"]) <= 120


def test_choice_that_lasts_longer_than_a_refusal_stays_below_120_words():
    more = ["banner.accept_months.other", "banner.refuse_months.other", "prompt.place_changed"]
    assert count_words("en", "choice", more=more, less=["banner.months.other"]) <= 120


@pytest.mark.parametrize("kind", sorted(set(FIRST_LAYERS) - {"choice"}))
@each_language
def test_button_that_only_notes_does_not_read_like_accepting(language, kind):
    texts = SHIPPED[language]

    assert texts[f"{kind}.acknowledge"] not in (texts["banner.accept_all"], texts["banner.reject_all"])


@each_language
def test_objecting_and_noting_are_told_apart(language):
    assert SHIPPED[language]["objection.reject"] != SHIPPED[language]["objection.acknowledge"]
