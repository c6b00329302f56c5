"""A site's own folders of services: which file counts, and what keeps an app from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.catalogue import list_entries, load_entry, load_service, open_folders, service_keys
from consent.errors import ConfigError

STATS = 'name = "{name}"\nkind = "analytics"\npurposes = ["analytics"]\nhosts.script = ["stats.example"]\n'


def write(folder: Path, key: str, name: str = "Stats") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{key}.toml").write_text(STATS.format(name=name), encoding="utf-8")


def refusal(*paths: str | Path, root: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        open_folders(paths, root=root)
    assert caught.value.key == "CONSENT_CATALOGUE"
    return caught.value


# Which file counts


def test_relative_folder_starts_from_the_root(tmp_path: Path) -> None:
    write(tmp_path / "own", "stats")

    assert open_folders(["own"], root=tmp_path) == (tmp_path / "own",)


def test_absolute_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert open_folders([tmp_path], root="/somewhere/else") == (tmp_path,)


def test_no_folder_is_nothing(tmp_path: Path) -> None:
    assert open_folders([], root=tmp_path) == ()


def test_services_of_a_folder_are_added_to_those_shipped(tmp_path: Path) -> None:
    write(tmp_path, "our-own")
    folders = open_folders([tmp_path], root=tmp_path)

    assert service_keys(folders=folders) == tuple(sorted([*service_keys(), "our-own"]))
    assert "our-own" in [entry.service.key for entry in list_entries(folders=folders)]


def test_service_of_a_folder_comes_before_the_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "matomo", "Matomo of our own")

    assert load_service("matomo", folders=(tmp_path,)).name == "Matomo of our own"
    assert load_service("matomo").name == "Matomo"
    assert service_keys(folders=(tmp_path,)) == service_keys()


def test_later_folder_comes_before_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path / "a", "stats", "Earlier")
    write(tmp_path / "b", "stats", "Later")
    folders = open_folders(["a", "b"], root=tmp_path)

    assert load_entry("stats", folders=folders).service.name == "Later"
    assert load_entry("stats", folders=folders).path == tmp_path / "b" / "stats.toml"


def test_earlier_folder_counts_where_the_later_one_has_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a", "stats", "Earlier")
    write(tmp_path / "b", "other")

    assert load_service("stats", folders=open_folders(["a", "b"], root=tmp_path)).name == "Earlier"


# What keeps an app from starting


def test_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    error = refusal("own", root=tmp_path)

    assert str(error) == (
        f"'CONSENT_CATALOGUE' names '{tmp_path / 'own'}', which does not exist. Correct it, create the folder, or let "
        "`flask consent services new` do so."
    )
    assert error.value == tmp_path / "own"


def test_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "own").touch()

    assert str(refusal("own", root=tmp_path)) == (
        f"'CONSENT_CATALOGUE' names '{tmp_path / 'own'}', which cannot be listed as a folder: Not a directory. Name the "
        "folder that holds your files, and let the site read it."
    )


@pytest.mark.parametrize("other", ["own", "./own", "own/../own"])
def test_folder_that_is_named_twice_is_refused(tmp_path: Path, other: str) -> None:
    write(tmp_path / "own", "stats")

    assert str(refusal("own", other, root=tmp_path)) == (
        f"'CONSENT_CATALOGUE' names '{tmp_path / other}' twice. Name it once."
    )


@pytest.mark.parametrize("name", ["stats.TOML", "stats.Toml"])
def test_file_that_would_be_passed_over_for_its_ending_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    assert str(refusal(tmp_path, root=tmp_path)) == (
        f"'{tmp_path / name}' is not read, because its name does not end in '.toml'. Rename it."
    )


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("stats", "name = ", "Catalogue file '{path}' is not valid TOML: "),
        ("stats", "nam = 1", "Line 1 of catalogue file '{path}' has an unknown field 'nam'. "),
        ("Stats", STATS, "Catalogue file '{path}': Service key 'Stats' is malformed. "),
    ],
)
def test_mistake_in_a_file_shows_though_nobody_uses_it(tmp_path: Path, key: str, text: str, message: str) -> None:
    path = tmp_path / f"{key}.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        open_folders([tmp_path], root=tmp_path)

    assert str(caught.value).startswith(message.format(path=path))


def test_same_key_in_capitals_cannot_hide_beside_the_other(tmp_path: Path) -> None:
    write(tmp_path, "stats")
    write(tmp_path, "STATS")

    with pytest.raises(ConfigError, match="Service key 'STATS' is malformed"):
        open_folders([tmp_path], root=tmp_path)
