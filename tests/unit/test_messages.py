"""The texts of a site: looked up, filled and overridden, never evaluated, matched without trusting the tag."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from consent.errors import ConfigError
from consent.messages import Messages, direction_of, fill, load_messages, load_shipped

SHIPPED = load_shipped()
ENGLISH = SHIPPED["en"]

each_language = pytest.mark.parametrize("language", sorted(SHIPPED))


@pytest.fixture(scope="module")
def messages():
    return load_messages(overrides={}, fallback="en")


def make_messages(*languages, fallback="en"):
    return Messages({language: {"title": language} for language in languages}, fallback=fallback)


# -- looking up


def test_text_without_values_is_returned_as_it_is(messages):
    assert messages.text("en", "banner.accept_all") == "Accept all"
    assert messages.text("en", "banner.text").startswith("{controller} asks")


def test_text_is_filled(messages):
    assert messages.text("en", "page.title", title="Choices", controller="Example") == "Choices – Example"


def test_text_of_an_unknown_language_is_that_of_the_fallback(messages):
    assert messages.text("xx", "banner.accept_all") == "Accept all"


def test_text_of_an_unknown_key_is_an_error(messages):
    with pytest.raises(KeyError):
        messages.text("en", "banner.nonsense")


def test_plural_of_an_unknown_key_is_an_error(messages):
    with pytest.raises(KeyError):
        messages.count_text("en", "banner.nonsense", 1)


def test_missing_text_comes_from_the_fallback_then_from_english():
    messages = Messages(
        {"en": {"a": "A", "b": "B", "c": "C"}, "de": {"a": "Ä", "b": "Bé"}, "fr": {"a": "À"}}, fallback="de"
    )

    assert [messages.text("fr", key) for key in "abc"] == ["À", "Bé", "C"]


def test_missing_plural_takes_the_right_form_of_the_fallback():
    messages = load_messages(overrides={"pt": {"banner.title": "As suas escolhas"}}, fallback="en")

    assert messages.count_text("pt", "banner.months", 1) == "Your choice lasts 1 month."
    assert messages.count_text("pt", "banner.months", 6) == "Your choice lasts 6 months."


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "Your choice lasts 0 months."),
        (1, "Your choice lasts 1 month."),
        (6, "Your choice lasts 6 months."),
        (21, "Your choice lasts 21 months."),
    ],
)
def test_number_chooses_the_form(messages, count, text):
    assert messages.count_text("en", "banner.months", count) == text


@each_language
def test_all_texts_of_a_language_are_those_that_its_visitors_get(messages, language):
    found = messages.texts_of(language)

    assert found == SHIPPED[language]
    assert all(messages.text(language, key) == text for key, text in found.items())


def test_all_texts_of_a_partial_language_are_filled_up_but_for_plurals_of_its_own():
    texts = {
        "en": {"title": "Title", "days.one": "a day", "days.other": "{count} days", "only": "English"},
        "de": {"title": "Titel", "days.one": "ein Tag", "days.other": "{count} Tage"},
        "zh": {"days.other": "{count} 天"},
    }

    found = Messages(texts, fallback="de").texts_of("zh")

    assert found == {"title": "Titel", "days.other": "{count} 天", "only": "English"}


def test_form_that_a_language_left_out_is_the_other_form():
    messages = Messages({"en": {"days.other": "{count} days"}}, fallback="en")

    assert messages.count_text("en", "days", 1) == "1 days"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B and C"),
        (["A", "B", "C", "D"], "A, B, C and D"),
        (["{last}", "{first}", "{x}"], "{last}, {first} and {x}"),
    ],
)
def test_list_is_joined_as_the_language_does(messages, items, text):
    assert messages.list_text("en", items) == text


def test_date_is_written_as_the_language_does(messages):
    assert messages.date_text("en", datetime(2026, 8, 31, tzinfo=UTC)) == "31 August 2026"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain", "plain"),
        ("", ""),
        ({"de": "Werbung", "en": "Ads"}, "Werbung"),
        ({"fr": "Publicité", "en": "Ads"}, "Ads"),
        ({"fr": "Publicité"}, "Publicité"),
        ({}, ""),
    ],
)
def test_declared_words_come_in_the_visitor_s_language_if_they_can(text, words):
    assert make_messages("en", "de").words("de", text) == words


def test_declared_words_fall_back_within_the_language():
    assert make_messages("en", "zh-Hans").words("zh-Hans", {"zh": "广告", "en": "Ads"}) == "广告"


# -- filling


@pytest.mark.parametrize(
    "hostile",
    [
        "{0.__class__}",
        "{controller.__class__}",
        "{controller[0]}",
        "{controller!r}",
        "{controller:>99999999}",
        "{}",
        "{0}",
        "%(x)s",
        "%s",
        "{{7*7}}",
        "${x}",
        "{__class__}",
        "\\1\\g<0>",
        "\u202e",
        "\u2028",
    ],
)
def test_text_is_never_evaluated(hostile):
    assert fill(hostile, {"controller": "Example"}) == hostile
    messages = Messages({"en": {"a": hostile}}, fallback="en")
    assert messages.text("en", "a", controller="Example") == hostile


@pytest.mark.parametrize("value", ["{link}", "{{link}}", "%(link)s", "\\g<1>", "\\", "<b>", "{controller}"])
def test_value_is_never_evaluated(value):
    assert fill("{controller} – {link}", {"controller": value, "link": "L"}) == f"{value} – L"


def test_placeholder_without_a_value_stays():
    assert fill("{controller} – {link}", {"link": "L"}) == "{controller} – L"


def test_text_with_braces_around_a_placeholder_is_filled_once():
    assert fill("{{controller}}", {"controller": "{controller}"}) == "{{controller}}"


def test_filling_a_huge_text_comes_to_an_end():
    assert fill("{" * 100_000 + "{a}" * 10_000, {"a": "b"}) == "{" * 100_000 + "b" * 10_000


# -- overrides


def test_site_overrides_one_text_in_one_language():
    messages = load_messages(overrides={"en": {"banner.accept_all": "Yes, all"}}, fallback="en")

    assert messages.text("en", "banner.accept_all") == "Yes, all"
    assert messages.text("en", "banner.reject_all") == "Reject all"


def test_override_does_not_reach_another_app():
    load_messages(overrides={"en": {"banner.accept_all": "Yes, all"}}, fallback="en")

    assert load_messages(overrides={}, fallback="en").text("en", "banner.accept_all") == "Accept all"


def test_override_is_found_whatever_the_case_of_its_tag():
    # Language tags are case-insensitive (RFC 5646 section 2.1.1): this is the shipped English, not a language of its own.
    messages = load_messages(overrides={"EN": {"banner.accept_all": "Yes, all"}}, fallback="en")

    assert messages.text("en", "banner.accept_all") == "Yes, all"
    assert messages.match("EN") == "en"


def test_language_of_the_site_s_own_is_filled_up_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="consent"):
        messages = load_messages(overrides={"pt": {"banner.accept_all": "Aceitar tudo"}}, fallback="en")

    assert messages.text("pt", "banner.accept_all") == "Aceitar tudo"
    assert messages.text("pt", "banner.reject_all") == "Reject all"
    assert caplog.messages == [
        f"{len(ENGLISH) - 1} texts are missing in 'pt' and are shown in 'en', the first: 'announcement.acknowledge'."
    ]


@each_language
def test_override_in_a_shipped_language_warns_of_nothing(language, caplog):
    # A language without the plural forms of English misses nothing.
    with caplog.at_level(logging.WARNING, logger="consent"):
        load_messages(overrides={language: {"banner.accept_all": "OK"}}, fallback="en")

    assert caplog.messages == []


def test_override_with_a_plural_form_of_its_language_is_accepted():
    texts = {
        "banner.months.one": "{count} měsíc.",
        "banner.months.few": "{count} měsíce.",
        "banner.months.other": "{count} měsíců.",
    }

    assert load_messages(overrides={"cs": texts}, fallback="en").text("cs", "banner.months.few") == "{count} měsíce."


def test_override_of_an_unknown_key_is_an_error():
    with pytest.raises(ConfigError) as error:
        load_messages(overrides={"en": {"banner.titel": "Hello"}}, fallback="en")

    assert str(error.value).startswith(
        "CONSENT_TEXTS['en'] holds the unknown key 'banner.titel'. The closest known keys: 'banner.title', "
    )
    assert (error.value.key, error.value.value) == ("CONSENT_TEXTS['en']", "banner.titel")


@pytest.mark.parametrize(
    "key",
    ["", "banner", "banner.title.other", "banner.months", "banner.months.", "banner.months.ones", "banner.months.One"],
)
def test_override_of_what_only_looks_like_a_key_is_an_error(key):
    with pytest.raises(ConfigError):
        load_messages(overrides={"en": {key: "Hello"}}, fallback="en")


def test_override_with_an_unknown_placeholder_is_an_error():
    with pytest.raises(ConfigError) as error:
        load_messages(overrides={"en": {"banner.text": "{company} and {controller} ask"}}, fallback="en")

    assert str(error.value) == (
        "CONSENT_TEXTS['en']['banner.text'] uses the placeholder 'company'; this text knows 'controller'."
    )


def test_override_with_a_placeholder_where_there_is_none_is_an_error():
    with pytest.raises(ConfigError) as error:
        load_messages(overrides={"en": {"banner.title": "{controller}"}}, fallback="en")

    assert str(error.value) == (
        "CONSENT_TEXTS['en']['banner.title'] uses the placeholder 'controller'; this text knows none."
    )


@pytest.mark.parametrize("hostile", ["{0.__class__}", "%(x)s", "{{7*7}}", "<b>x</b>", '"><img src=x onerror=alert(1)>'])
def test_hostile_override_stays_text(hostile):
    messages = load_messages(overrides={"en": {"banner.title": hostile}}, fallback="en")

    assert messages.text("en", "banner.title") == hostile
    assert messages.text("en", "banner.title", controller="X") == hostile


@pytest.mark.parametrize("tag", ["", "../../x", "e", "english", "en_US.UTF-8", "en ", "en\n", "-en", "en-", "e\x00"])
def test_override_under_what_is_no_language_tag_is_an_error(tag):
    with pytest.raises(ConfigError) as error:
        load_messages(overrides={tag: {"banner.title": "Hello"}}, fallback="en")

    assert str(error.value) == f"CONSENT_TEXTS[{tag!r}] is not a language tag. Use tags such as 'de' or 'pt-BR'."


@pytest.mark.parametrize("fallback", ["tlh", "../../x", "", "english"])
def test_fallback_without_texts_is_an_error(fallback):
    with pytest.raises(ConfigError) as error:
        load_messages(overrides={}, fallback=fallback)

    assert str(error.value).startswith(
        f"'CONSENT_LANGUAGE' is {fallback!r}, for which there are no texts. Known languages"
    )
    assert str(error.value).endswith("Add it to CONSENT_TEXTS to use it.")
    assert error.value.key == "CONSENT_LANGUAGE"


def test_fallback_may_be_a_language_of_the_site_s_own():
    messages = load_messages(overrides={"tlh": {"banner.accept_all": "HIja'"}}, fallback="tlh")

    assert messages.text("xx", "banner.accept_all") == "HIja'"


# -- matching


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-GB", "en"),
        ("en_GB", "en"),
        ("de-AT", "de"),
        ("de-Latn-AT-1996", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt-BR-x-y", "pt-BR"),
        ("pt", None),
        ("pt-PT", None),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh_CN", "zh-Hans"),
        ("zh_Hans_CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans", "zh-Hans"),
        # There is no traditional script here, and CLDR ranks the simplified one before any other language.
        ("zh-TW", "zh-Hans"),
        ("zh-Hant", "zh-Hans"),
        ("xx", None),
        ("den", None),
        ("english", None),
        (None, None),
        ("", None),
        ("*", None),
        ("-", None),
        ("de-", None),
        ("-de", None),
        ("de--AT", None),
        ("de.UTF-8", None),
        ("de\n", None),
        ("de\x00", None),
        (" de", None),
        ("ｄｅ", None),
        ("../../x", None),
        ("de/../../x", None),
        ("en;q=1", None),
        ("__class__", None),
        ("i-klingon", None),
    ],
)
def test_tag_is_matched(tag, language):
    assert make_messages("en", "de", "pt-BR", "zh-Hans").match(tag) == language


@pytest.mark.parametrize("tag", ["zh-Hant", "zh-Hant-TW", "zh-TW", "zh-HK", "zh_TW"])
def test_traditional_chinese_of_the_site_s_own_is_found(tag):
    assert make_messages("en", "zh-Hans", "zh-Hant").match(tag) == "zh-Hant"


def test_chinese_of_the_site_s_own_goes_before_the_shipped():
    assert make_messages("en", "zh-Hans", "zh").match("zh") == "zh"


@pytest.mark.parametrize("tag", ["en" + "-a" * 30_000, "xx" + "-a" * 30_000, "a" * 60_000, "en" + "-" * 60_000])
def test_overlong_tag_is_no_language(tag):
    assert make_messages("en", "de").match(tag) is None


@pytest.mark.parametrize(
    ("language", "direction"),
    [
        ("en", "ltr"),
        ("zh-Hans", "ltr"),
        ("ar", "rtl"),
        ("ar-EG", "rtl"),
        ("AR", "rtl"),
        ("he", "rtl"),
        ("fa", "rtl"),
        ("arn", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_of_a_language(language, direction):
    assert direction_of(language) == direction
