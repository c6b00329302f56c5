"""The catalogue's loader: what it reads, and what it says of a file that is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consent.catalogue import load_entry, load_necessary, load_service, read_shipped, service_keys
from consent.catalogue.entry import CookieSource
from consent.core.declaration import Service
from consent.errors import ConfigError

HEAD = 'name = "Stats"\npurposes = ["analytics"]\nhosts.script = ["stats.example"]\n'
# What a file needs for visitors to be told what it does.
WHOLE = f'{HEAD}kind = "analytics"\n'
STATS = Service(
    "stats",
    name="Stats",
    kind="analytics",
    purposes=("analytics",),
    hosts_by_use={"script": ("stats.example",)},
    has_unknown_storage=True,
)


def write(folder: Path, text: str, *, key: str = "stats") -> None:
    (folder / f"{key}.toml").write_text(text, encoding="utf-8")


def refusal(folder: Path, key: str = "stats") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_service(key, folders=(folder,))
    return caught.value


# Keys


def test_load_service_names_the_closest_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        load_service("google-analitics")

    assert str(caught.value).startswith(
        "The catalogue has no service 'google-analitics'. The closest: 'google-analytics', "
    )
    assert str(caught.value).endswith(
        ". `flask consent services list` names them all. Use one of them, or declare your own."
    )
    assert (caught.value.key, caught.value.value) == ("services", "google-analitics")


def test_load_service_names_keys_of_the_sites_own_folders(tmp_path: Path) -> None:
    write(tmp_path, HEAD, key="zebra-zeitung")

    assert "The closest: 'zebra-zeitung'" in str(refusal(tmp_path, "zebra-zeitnug"))


@pytest.mark.parametrize("key", ["../services/youtube", "youtube.toml", "YouTube", "", 7, None, ["youtube"], {}])
def test_load_service_refuses_what_is_not_a_listed_key(key: str) -> None:
    with pytest.raises(ConfigError, match="The catalogue has no service"):
        load_service(key)


def test_service_keys_are_by_alphabet_and_pass_over_other_files(tmp_path: Path) -> None:
    write(tmp_path, "", key="zz")
    write(tmp_path, "", key="zy")
    for name in ("README.md", ".#zx.toml", "._zy.toml"):
        (tmp_path / name).touch()
    (tmp_path / "zw.toml").mkdir()

    assert service_keys(folders=(tmp_path,)) == (*service_keys(), "zy", "zz")


# What is read


def test_load_service_reads_another_folder(tmp_path: Path) -> None:
    write(tmp_path, WHOLE + '[[cookies]]\nname = "_st"\ndays = 3\nuse = "visitor"\n')
    service = load_service("stats", folders=(tmp_path,))

    assert (service.key, service.name, service.purposes, service.embed) == ("stats", "Stats", ("analytics",), None)
    assert [(cookie.name, cookie.days) for cookie in service.cookies] == [("_st", 3)]


def test_load_service_leaves_notes_out(tmp_path: Path) -> None:
    write(tmp_path, WHOLE + 'sources = ["their docs"]\nchecked = 2026-11-22\nnot_known = "much"\n')

    assert load_service("stats", folders=(tmp_path,)) == STATS


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [
        ("", True),
        ("cookies = []", True),
        ('cookieless = "https://stats.example/docs"', False),
        ('[[cookies]]\nname = "_a"\ndays = 1\nuse = "visitor"', False),
    ],
)
def test_load_service_knows_whether_storage_is_known(tmp_path: Path, text: str, is_unknown: bool) -> None:
    write(tmp_path, WHOLE + text)

    assert load_service("stats", folders=(tmp_path,)).has_unknown_storage is is_unknown


def test_load_entry_keeps_notes(tmp_path: Path) -> None:
    notes = (
        'sources = ["their docs"]\nchecked = 2026-11-22\nnot_known = "much"\ncookieless = "x"\nnecessary_when = "y"\n'
    )
    write(tmp_path, WHOLE + notes)
    entry = load_entry("stats", folders=(tmp_path,))

    assert (entry.sources, entry.checked, entry.not_known) == (("their docs",), date(2026, 11, 22), "much")
    assert (entry.cookieless, entry.necessary_when, entry.path) == ("x", "y", tmp_path / "stats.toml")


def test_load_entry_keeps_the_source_of_each_cookie(tmp_path: Path) -> None:
    sourced = '[[cookies]]\nname = "_a"\ndays = 1\nuse = "visitor"\nsource = "docs"\nchecked = 2026-11-22\n'
    write(tmp_path, WHOLE + sourced, key="stats")
    write(tmp_path, WHOLE + sourced + '[[cookies]]\nname = "_b"\ndays = 1\nuse = "visit"\n', key="partly")
    stats, partly = (load_entry(key, folders=(tmp_path,)) for key in ("stats", "partly"))

    assert stats.cookie_sources == (CookieSource(source="docs", checked=date(2026, 11, 22)),)
    assert partly.cookie_sources == (*stats.cookie_sources, CookieSource())
    assert (stats.has_sourced_cookies, partly.has_sourced_cookies) == (True, False)


def test_read_shipped_gives_the_file_as_it_is() -> None:
    assert read_shipped("matomo").startswith("#")
    assert load_entry("matomo").path is None


# What is refused

COOKIE = '[[cookies]]\nname = "_st"\n'
PARAMETER = "[[parameters]]\nname = 'site'\n"
EMBED = '[embed]\nurl = "https://stats.example/{id}"\n'


@pytest.mark.parametrize(
    ("text", "line", "message", "key"),
    [
        ("\nnam = 1", 2, " has an unknown field 'nam'. Allowed here, the closest first: 'name', ", "nam"),
        (
            HEAD + PARAMETER + "[[parameters]]\npatern = 'b'",
            4,
            " lacks 'parameters[0].pattern'. Add it: text.",
            "parameters[0].pattern",
        ),
        (
            HEAD + '[[cookies]]\nname = "_a"\nsession = true\n[[cookies]]\nname = "_b"\nmonth = 2',
            9,
            " has an unknown field 'cookies[1].month'. Allowed here, the closest first: 'months', ",
            "cookies[1].month",
        ),
        (HEAD + "revision = true", 4, ": 'revision' must be a whole number, got True.", "revision"),
        (
            HEAD + "checked = 2026-11-22T10:00:00Z",
            4,
            ": 'checked' must be a date such as 2026-11-22, got datetime",
            "checked",
        ),
        (
            HEAD + "[description]\nen = 1",
            4,
            ": 'description' must be text, or a table of texts by language, got {'en': 1}.",
            "description",
        ),
        (
            HEAD + COOKIE + 'months = "3"',
            6,
            ": 'cookies[0].months' must be a whole number, got '3'.",
            "cookies[0].months",
        ),
        (HEAD + 'cookies = ["_st"]', 4, ": 'cookies' must be a list of tables, got ['_st'].", "cookies"),
        (HEAD + 'embed = "x"', 4, ": 'embed' must be a table, got 'x'.", "embed"),
        (HEAD + EMBED, 4, " lacks 'embed.source_url'. Add it: text.", "embed.source_url"),
        (
            HEAD.replace("hosts.script", "hosts.scripts"),
            3,
            " has an unknown field 'hosts.scripts'. Allowed here, the closest first: 'script', ",
            "hosts.scripts",
        ),
        (
            HEAD.replace("hosts.script", "hosts"),
            3,
            ": 'hosts' must be a table, got ['stats.example'].",
            "hosts",
        ),
    ],
)
def test_file_against_the_schema_is_refused_with_the_line(
    tmp_path: Path, text: str, line: int, message: str, key: str
) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)

    assert str(error).startswith(f"Line {line} of catalogue file '{tmp_path / 'stats.toml'}'{message}")
    assert error.key == key


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            HEAD.replace('["stats.example"]', "[]"),
            3,
            "'hosts' names no host. Give at least one, by what it serves: 'script', ",
        ),
        (
            HEAD.replace('["stats.example"]', '[\n"a.example",\n"https://b.example"]'),
            5,
            "Service 'stats' names host 'https",
        ),
        (HEAD.replace('["analytics"]', '["a", "a"]'), 2, "Service 'stats' must name each purpose once, "),
        (HEAD + 'kind = "analitics"', 4, "'kind' of service 'stats' must be one of 'analytics', "),
        (HEAD + 'privacy_url = "javascript:x"', 4, "'privacy_url' of service 'stats' holds the URL 'javascript:x'."),
        (
            HEAD + COOKIE,
            4,
            "Cookie '_st' needs exactly one of 'months', 'days', 'minutes', 'session=True' and 'unpublished=True', got 0.",
        ),
        (
            HEAD + 'cookieless = " "',
            4,
            "'cookieless' is empty. Name the source that says that it stores nothing, or leave it out.",
        ),
        (
            HEAD + 'cookieless = "x"\n' + COOKIE + 'days = 1\nuse = "visit"',
            4,
            "'cookieless' says that it stores nothing, and 'cookies' what it stores. Leave out the wrong one.",
        ),
        (
            HEAD + 'kind = "other"',
            4,
            "service 'stats' is of kind 'other', which has no words for visitors, and has no 'description'. Give another 'kind'",
        ),
        (
            WHOLE + COOKIE + "days = 1",
            5,
            "cookie '_st' is of use 'other', which has no words for visitors, and has no 'description'. Give another 'use'",
        ),
        (
            WHOLE + COOKIE + "days = 1\nuse = 'visit'\n" + COOKIE + "days = 2\nuse = 'visit'",
            6,
            "'cookies' of service 'stats' holds '_st' twice. Declare it once.",
        ),
        (WHOLE + 'provider_country = "de"', 5, "'provider_country' of service 'stats' must be two capital letters"),
        (WHOLE + 'privacy_url = "https://["', 5, "'privacy_url' of service 'stats' holds the URL 'https://['."),
        (HEAD + COOKIE + "days = 0", 6, "The lifetime of cookie '_st' must be at least 1, got 0."),
        (HEAD + COOKIE + "days = 1\n" + COOKIE + "days = 1\nkind = 'jar'", 10, "Cookie '_st' is of kind 'jar'."),
        (HEAD + COOKIE.replace("_st", "_*") + "days = 1", 5, "Cookie name '_*' matches almost every cookie"),
        (HEAD + COOKIE.replace("_st", "*") + "days = 1", 5, "Cookie name '*' matches almost every cookie"),
        (
            HEAD + PARAMETER + "pattern = '[0-9]+'\nexample = 'x'",
            7,
            "The pattern '[0-9]+' of parameter 'site' refuses its own example 'x'.",
        ),
        (
            HEAD + PARAMETER + "pattern = '['\nexample = 'x'",
            6,
            "The pattern '[' of parameter 'site' does not compile: ",
        ),
        (
            HEAD
            + EMBED.replace("stats.example", "x.example")
            + 'source_url = "https://stats.example/{id}"\nid_pattern = "[a-z]"\nid_example = "a"',
            5,
            "Service 'stats' embeds from 'x.example', which is not among its hosts.",
        ),
        (
            HEAD + EMBED + 'source_url = "https://stats.example/"\nid_pattern = "[a-z]"\nid_example = "a"',
            6,
            "The embed URL 'https://stats.example/' must hold '{id}'.",
        ),
    ],
)
def test_declaration_that_is_refused_names_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    write(tmp_path, text)

    assert str(refusal(tmp_path)).startswith(f"Line {line} of catalogue file '{tmp_path / 'stats.toml'}': {message}")


@pytest.mark.parametrize(
    ("text", "name"), [("", "name"), ('name = "Stats"', "purposes"), (HEAD.partition("hosts")[0], "hosts")]
)
def test_field_that_is_missing_altogether_has_no_line(tmp_path: Path, text: str, name: str) -> None:
    write(tmp_path, text)

    assert str(refusal(tmp_path)).startswith(f"Catalogue file '{tmp_path / 'stats.toml'}' lacks {name!r}. Add it: ")


@pytest.mark.parametrize("text", ['name = "Stats"\npurposes = [analytics]\n', 'name = "Stats"\nname = "Stats"\n'])
def test_broken_toml_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)

    assert str(error) == f"Catalogue file '{tmp_path / 'stats.toml'}' is not valid TOML: {error.__cause__}. Correct it."
    assert "line 2" in str(error)


def test_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "stats.toml").write_bytes('\nname = "Zähler"'.encode("latin-1"))

    assert str(refusal(tmp_path)) == (
        f"Line 2 of catalogue file '{tmp_path / 'stats.toml'}' is not UTF-8 text. Save it as UTF-8."
    )


@pytest.mark.parametrize("name", ["Stats", "My Stats", "stats!", "-"])
def test_file_whose_name_is_no_key_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, HEAD, key=name)

    assert str(refusal(tmp_path, name)) == (
        f"Catalogue file '{tmp_path / name}.toml': Service key {name!r} is malformed. Use lower-case letters, digits, '-' "
        "and '_', beginning and ending with a letter or digit."
    )


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stats.toml").symlink_to(tmp_path / "nowhere")

    assert str(refusal(tmp_path)) == (
        f"Catalogue file '{tmp_path / 'stats.toml'}' cannot be read: No such file or directory. Correct its permissions, or "
        "remove it."
    )


@pytest.mark.parametrize("text", ['description = "Counts."', 'description.en = "Counts."'])
def test_kind_other_takes_a_description(tmp_path: Path, text: str) -> None:
    write(tmp_path, HEAD + text)

    assert load_service("stats", folders=(tmp_path,)).kind == "other"


# What a site calls necessary

CANDIDATE = f'{WHOLE}necessary_when = "On the pages of the shop."\n'


def test_load_necessary_files_a_candidate_under_necessary_with_its_own_words() -> None:
    stripe = load_necessary("stripe")

    assert load_service("stripe").purposes == ("preferences",)
    assert stripe == replace(load_service("stripe"), purposes=("necessary",))
    assert stripe.justification


def test_load_necessary_takes_the_words_of_the_site() -> None:
    words = {"en": "Orders are paid here.", "de": "Hier werden Bestellungen bezahlt."}

    assert load_necessary("stripe", justification=words).justification == words


def test_load_necessary_looks_into_the_folders_of_the_site(tmp_path: Path) -> None:
    write(tmp_path, CANDIDATE)
    service = load_necessary("stats", justification="It is asked for.", folders=(tmp_path,))

    assert (service.purposes, service.justification) == (("necessary",), "It is asked for.")


def test_load_necessary_refuses_what_is_no_candidate() -> None:
    with pytest.raises(ConfigError) as caught:
        load_necessary("matomo", justification="We like numbers.")

    assert str(caught.value) == (
        "Service 'matomo' is no candidate for 'necessary': its file has no 'necessary_when'. Load it with load_service(), and "
        "hold it until it is granted."
    )


@pytest.mark.parametrize("words", ["", " ", {}, {"en": " "}])
def test_load_necessary_refuses_to_give_no_reason(words: str | dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_necessary("sentry", justification=words)

    assert str(caught.value) == (
        "Service 'sentry' has no words on why a site cannot do without it. Give 'justification': why visitors cannot get what "
        "they ask for without it."
    )


def test_load_necessary_refuses_an_unknown_key() -> None:
    with pytest.raises(ConfigError, match="The catalogue has no service 'strype'"):
        load_necessary("strype")
