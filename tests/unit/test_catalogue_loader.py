from __future__ import annotations

from pathlib import Path

import pytest

from consent.catalogue import load_service, service_keys
from consent.core.declaration import Service
from consent.errors import ConfigError


def write(folder: Path, text: str, *, key: str = "stats") -> None:
    (folder / f"{key}.toml").write_text(text, encoding="utf-8")


def refusal(folder: Path, key: str = "stats") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_service(key, folder=folder)
    return caught.value


def test_load_service_names_the_closest_keys_first() -> None:
    with pytest.raises(ConfigError) as caught:
        load_service("google-analitics")

    assert str(caught.value) == (
        "The catalogue has no service 'google-analitics'. Its services, the closest first: 'google-analytics', "
        "'google-maps', 'google-tag-manager', 'matomo', 'meta-pixel', 'plausible', 'vimeo', 'youtube'. "
        "Use one of them, or declare your own with Service(…)."
    )
    assert (caught.value.key, caught.value.value) == ("services", "google-analitics")


@pytest.mark.parametrize("key", ["../services/youtube", "youtube.toml", "YouTube", "", 7, None])
def test_load_service_refuses_what_is_not_a_listed_key(key: str) -> None:
    with pytest.raises(ConfigError, match="The catalogue has no service"):
        load_service(key)


def test_load_service_in_an_empty_folder_says_there_is_none(tmp_path: Path) -> None:
    assert service_keys(folder=tmp_path) == ()
    assert str(refusal(tmp_path)) == (
        "The catalogue has no service 'stats'. Its services, the closest first: none. "
        "Use one of them, or declare your own with Service(…)."
    )


def test_service_keys_pass_over_other_files(tmp_path: Path) -> None:
    write(tmp_path, "", key="b")
    write(tmp_path, "", key="a")
    (tmp_path / "README.md").touch()
    (tmp_path / "c.toml").mkdir()

    assert service_keys(folder=tmp_path) == ("a", "b")


def test_load_service_reads_another_folder(tmp_path: Path) -> None:
    write(tmp_path, 'name = "Stats"\npurposes = ["analytics"]\n[[cookies]]\nname = "_st"\ndays = 3\n')
    service = load_service("stats", folder=tmp_path)

    assert (service.key, service.name, service.purposes, service.embed) == ("stats", "Stats", ("analytics",), None)
    assert [(cookie.name, cookie.days) for cookie in service.cookies] == [("_st", 3)]


def test_load_service_leaves_notes_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        'name = "Stats"\npurposes = ["analytics"]\nsources = ["their docs"]\nchecked = 2026-11-22\nnot_known = "much"\n',
    )

    assert load_service("stats", folder=tmp_path) == Service("stats", name="Stats", purposes=("analytics",))


HEAD = 'name = "Stats"\npurposes = ["analytics"]\n'


@pytest.mark.parametrize(
    ("text", "message", "key"),
    [
        (
            "nam = 1",
            (
                "Catalogue file 'stats.toml' has an unknown field 'nam'. Allowed here, the closest first: 'name', "
                "'checked', 'cookies', 'description', 'embed', 'hosts', 'justification', 'not_known', 'parameters', "
                "'privacy_url', 'provider', 'provider_country', 'purposes', 'revision', 'snippet', 'sources', "
                "'third_party_use'. "
                "Correct or remove it."
            ),
            "nam",
        ),
        (
            HEAD + '[[parameters]]\nname = "a"\n[[parameters]]\npatern = "b"',
            "Catalogue file 'stats.toml' lacks 'parameters[0].pattern'. Add it: text.",
            "parameters[0].pattern",
        ),
        (
            HEAD + '[[cookies]]\nname = "_a"\nsession = true\n[[cookies]]\nname = "_b"\nmonth = 2',
            (
                "Catalogue file 'stats.toml' has an unknown field 'cookies[1].month'. Allowed here, the closest first: "
                "'months', 'minutes', 'checked', 'days', 'description', 'domain', 'kind', 'name', 'path', 'session', "
                "'source', 'third_party'. Correct or remove it."
            ),
            "cookies[1].month",
        ),
        ("", "Catalogue file 'stats.toml' lacks 'name'. Add it: text.", "name"),
        ('name = "Stats"', "Catalogue file 'stats.toml' lacks 'purposes'. Add it: a list of texts.", "purposes"),
        (
            'name = "Stats"\npurposes = "analytics"',
            "Catalogue file 'stats.toml': 'purposes' must be a list of texts, got 'analytics'.",
            "purposes",
        ),
        (
            HEAD + "revision = true",
            "Catalogue file 'stats.toml': 'revision' must be a whole number, got True.",
            "revision",
        ),
        (
            HEAD + "checked = 2026-11-22T10:00:00Z",
            (
                "Catalogue file 'stats.toml': 'checked' must be a date such as 2026-11-22, got "
                "datetime.datetime(2026, 11, 22, 10, 0, tzinfo=datetime.timezone.utc)."
            ),
            "checked",
        ),
        (
            HEAD + "[description]\nen = 1",
            "Catalogue file 'stats.toml': 'description' must be text, or a table of texts by language, got {'en': 1}.",
            "description",
        ),
        (
            HEAD + '[[cookies]]\nname = "_st"\nmonths = "3"',
            "Catalogue file 'stats.toml': 'cookies[0].months' must be a whole number, got '3'.",
            "cookies[0].months",
        ),
        (
            HEAD + 'cookies = ["_st"]',
            "Catalogue file 'stats.toml': 'cookies' must be a list of tables, got ['_st'].",
            "cookies",
        ),
        (HEAD + 'embed = "x"', "Catalogue file 'stats.toml': 'embed' must be a table, got 'x'.", "embed"),
        (
            HEAD + '[embed]\nurl = "https://a.example/{id}"',
            "Catalogue file 'stats.toml' lacks 'embed.source_url'. Add it: text.",
            "embed.source_url",
        ),
        (
            HEAD + '[[cookies]]\nname = "_st"\nsession = "yes"',
            "Catalogue file 'stats.toml': 'cookies[0].session' must be true or false, got 'yes'.",
            "cookies[0].session",
        ),
        (
            HEAD + '[[cookies]]\nname = "_st"',
            (
                "Catalogue file 'stats.toml': Cookie '_st' needs exactly one of 'months', 'days', 'minutes' and "
                "'session=True', got 0."
            ),
            "_st",
        ),
    ],
)
def test_load_service_explains_a_malformed_file(tmp_path: Path, text: str, message: str, key: str) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)

    assert str(error) == message
    assert error.key == key


def test_load_service_explains_broken_toml_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, 'name = "Stats"\npurposes = [analytics]\n')
    error = refusal(tmp_path)

    assert str(error) == f"Catalogue file 'stats.toml' is not valid TOML: {error.__cause__}. Correct it."
    assert "line 2" in str(error)
    assert error.key == "stats.toml"


def test_load_service_explains_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "stats.toml").write_bytes('name = "Zähler"'.encode("latin-1"))

    assert str(refusal(tmp_path)) == "Catalogue file 'stats.toml' is not UTF-8 text. Save it as UTF-8."


def test_load_service_refuses_a_file_whose_name_is_no_key(tmp_path: Path) -> None:
    write(tmp_path, HEAD, key="My Stats")

    assert str(refusal(tmp_path, "My Stats")) == (
        "Catalogue file 'My Stats.toml': Service key 'My Stats' is malformed. Use lower-case letters, digits, '-' and "
        "'_', beginning and ending with a letter or digit."
    )
