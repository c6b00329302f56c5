"""`flask consent services`: look up what is shipped and what the site adds, and begin a file of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask.cli import ScriptInfo

from consent import Consent
from consent.catalogue import load_service, read_shipped, service_keys
from consent.cli import group
from consent.core.declaration import Purpose, ServiceKind, default_purposes
from tests.command_runner import make_runner

OWN = """name = "Own stats"
kind = "analytics"
provider = "Own Ltd"
purposes = ["analytics"]
third_party_use = true
not_known = "Much."
hosts.script = ["stats.own.example"]
sources = ["their docs", "their code"]
checked = 2026-11-20
[[parameters]]
name = "site"
pattern = "[a-z]{1,9}"
example = "news"
required = false
[[cookies]]
name = "_own_*"
kind = "local_storage"
use = "visitor"
[[cookies]]
name = "_px"
days = 1
domain = "own.example"
third_party = true
use = "advertising"
source = "their docs"
checked = 2026-11-19
"""


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs `flask consent services` where no app is to be found."""
    monkeypatch.chdir(tmp_path)

    def invoke(*options, info=None):
        return make_runner().invoke(group, ["services", *map(str, options)], obj=info or ScriptInfo())

    return invoke


@pytest.fixture
def own_folder(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own-stats.toml").write_text(OWN, encoding="utf-8")
    return folder


@pytest.fixture
def run_in_app(bare_app, run):
    """Return a function that runs the command in an app with these services and settings."""

    def invoke(*options, services=("vimeo",), purposes=None, **config):
        def create(*_):
            app = bare_app(**config)
            Consent(app, services=services, **({"purposes": purposes} if purposes else {}))
            return app

        return run(*options, info=ScriptInfo(create_app=create))

    return invoke


def keys_of(result):
    assert result.exit_code == 0, result.output
    return [row["key"] for row in json.loads(result.stdout)]


# list


def test_list_names_every_shipped_service_without_an_app(run):
    result = run("list", "--json")

    assert keys_of(result) == list(service_keys())
    assert "used" not in json.loads(result.stdout)[0]
    assert result.stderr.startswith("Only the shipped services are known, since there is no app: Could not locate ")


def test_list_is_a_table_for_people(run):
    head, *lines = run("list", "--kind", "map").stdout.splitlines()

    assert head.split() == ["key", "name", "kind", "purposes", "signals", "cookies"]
    assert any(line.startswith("google-maps ") for line in lines)


@pytest.mark.parametrize("kind", ["video", "map", "other"])
def test_list_by_kind_names_that_kind_alone(run, kind):
    found = keys_of(run("list", "--kind", kind, "--json"))

    assert found == [key for key in service_keys() if load_service(key).kind == kind]


def test_list_by_purpose_names_those_that_serve_it(run):
    assert "google-tag-manager" in keys_of(run("list", "--purpose", "analytics", "--json"))


def test_list_by_a_purpose_of_the_app_without_a_service_is_empty(run_in_app):
    purposes = (*default_purposes(), Purpose("surveys", title="Surveys", description="Asks what you think."))

    assert keys_of(run_in_app("list", "--purpose", "surveys", "--json", purposes=purposes)) == []


def test_list_of_an_app_has_its_folders_and_says_what_it_uses(run_in_app, own_folder):
    result = run_in_app("list", "--json", services=["vimeo", "own-stats"], CONSENT_CATALOGUE=own_folder)
    rows = json.loads(result.stdout)

    assert [row["key"] for row in rows if row["used"]] == ["own-stats", "vimeo"]
    assert result.stderr == ""


@pytest.mark.parametrize("error", [KeyError("DATABASE"), RuntimeError(), SystemError("first\nlast")])
def test_list_does_without_an_app_that_does_not_start(run, error):
    def create(*_):
        raise error

    result = run("list", "--json", info=ScriptInfo(create_app=create))

    assert keys_of(result) == list(service_keys())
    assert result.stderr.startswith("Only the shipped services are known, since there is no app: ")
    assert len(result.stderr.splitlines()) == 1


def test_list_does_without_the_extension(run):
    result = run("list", "--json", info=ScriptInfo(create_app=lambda *_: Flask("bare")))

    assert "used" not in json.loads(result.stdout)[0]


# show


# Every file is read and described by other tests; here it is printed.
@pytest.mark.parametrize("key", service_keys()[::8])
def test_show_tells_everything_of_a_shipped_service(run, key):
    found = json.loads(run("show", key, "--json").stdout)

    assert (found["key"], found["file"]) == (key, None)
    assert run("show", key).stdout.splitlines()[0].split() == ["key", key]


def test_show_for_people(run_in_app, own_folder):
    result = run_in_app("show", "own-stats", CONSENT_CATALOGUE=own_folder)

    assert result.stdout.splitlines() == [
        "key           own-stats",
        "name          Own stats",
        "kind          analytics",
        "purposes      analytics",
        "used here     no",
        f"file          {own_folder}/own-stats.toml",
        "provider      Own Ltd",
        "its own ends  the provider uses the data for ends of its own",
        "hosts         script: stats.own.example",
        "parameters    site, such as news, optional (pattern [a-z]{1,9})",
        "cookies       _own_*: until cleared, visitor, local storage (no source)",
        "              _px: 1 day, advertising, on own.example (their docs, 2026-11-19)",
        "not known     Much.",
        "sources       their docs",
        "              their code",
        "read on       2026-11-20",
        "",
        'Consent(app, services=["own-stats"])',
        '{% from "consent/macros.html" import gate %}',
        '{% call gate("own-stats") %}…{% endcall %}',
    ]


def test_show_as_json_has_the_source_of_each_cookie(run_in_app, own_folder):
    found = json.loads(run_in_app("show", "own-stats", "--json", CONSENT_CATALOGUE=own_folder).stdout)

    assert [(cookie["name"], cookie["source"], cookie["checked"]) for cookie in found["cookies"]] == [
        ("_own_*", "", None),
        ("_px", "their docs", "2026-11-19"),
    ]
    assert (found["hosts"], found["used"], found["checked"]) == ({"script": ["stats.own.example"]}, False, "2026-11-20")


def test_show_of_an_unknown_key_offers_the_closest(run):
    result = run("show", "google-analitics")

    assert result.exit_code == 1
    assert "The catalogue has no service 'google-analitics'. The closest: 'google-analytics', " in result.stderr


@pytest.mark.parametrize("key", service_keys())
def test_line_for_the_template_can_be_pasted(run, make_app, key):
    markup = run("show", key).stdout.partition("\n\n")[2].partition("\n")[2]
    app = make_app(services=[key])
    app.add_url_rule("/page", "page", lambda: render_template_string(markup))

    assert app.test_client().get("/page").status_code == 200


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("stripe", 'Then, on your own word: load_necessary("stripe") of consent.catalogue, in place of the key.'),
        (
            "sentry",
            'Then, on your own word: load_necessary("sentry", justification="…") of consent.catalogue, in place of the key.',
        ),
    ],
)
def test_show_says_how_a_candidate_is_called_necessary(run, key, line):
    lines = run("show", key).stdout.splitlines()
    (at,) = [at for at, each in enumerate(lines) if each.startswith("could be necessary  ")]

    assert lines[at + 1].strip() == line


def test_show_of_what_is_no_candidate_says_nothing_of_it(run):
    assert "necessary" not in run("show", "vimeo").stdout


# search


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["connect.facebook.net"], "meta-pixel"),
        (["https://connect.facebook.net/en_US/fbevents.js"], "meta-pixel"),
        (["region1.google-analytics.com"], "google-analytics"),
        (["google", "maps"], "google-maps"),
        (["_pk_id.1.1fff"], "matomo"),
    ],
)
def test_search_finds_a_service(run, words, key):
    assert key in keys_of(run("search", *words, "--json"))


def test_search_for_people_says_what_matched(run):
    head, *lines = run("search", "connect.facebook.net").stdout.splitlines()

    assert head.split()[-1] == "matched"
    assert any(line.startswith("meta-pixel ") and line.endswith("connect.facebook.net") for line in lines)


def test_search_looks_into_the_folders_of_the_app(run_in_app, own_folder):
    result = run_in_app("search", "stats.own.example", "--json", CONSENT_CATALOGUE=own_folder)

    assert keys_of(result) == ["own-stats"]


def test_search_without_a_hit_fails_and_offers_the_closest(run):
    result = run("search", "vimeoo")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "No service matches 'vimeoo'. The closest keys: 'vimeo'" in result.stderr


# new


@pytest.mark.parametrize("kind", ServiceKind)
def test_new_service_of_every_kind_works_as_it_is(run, make_app, tmp_path, kind):
    options = ("--kind", kind, "--name", "My “own”", "--host", "https://s.example.org/x.js", "--folder", tmp_path)
    markup = run("new", "my-stats", *options).stdout.splitlines()[3]
    page = f'{{% from "consent/macros.html" import embed, script %}}{markup}'
    app = make_app(services=["my-stats"], CONSENT_CATALOGUE=tmp_path)
    app.add_url_rule("/page", "page", lambda: render_template_string(page))

    assert app.test_client().get("/page").status_code == 200
    assert "My “own”" in app.test_client().get("/privacy-choices/").text


def test_new_says_what_was_written_and_what_to_write_next(run, tmp_path):
    result = run("new", "my-stats", "--folder", tmp_path / "a" / "b")
    path = tmp_path / "a" / "b" / "my-stats.toml"

    assert result.stdout == (
        f'Wrote {path}. Complete it, then:\n\nConsent(app, services=["my-stats"])\n'
        '{{ script("my-stats", site_id="example-1") }}\n\n'
        f"The app reads it once its settings say so: app.config[\"CONSENT_CATALOGUE\"] = '{path.parent}'\n"
    )
    assert path.is_file()
    assert result.stderr == ""


def test_new_goes_to_the_first_folder_of_the_app(run_in_app, own_folder):
    result = run_in_app("new", "my-stats", CONSENT_CATALOGUE=[own_folder])

    assert result.exit_code == 0
    assert (own_folder / "my-stats.toml").is_file()
    assert "once its settings say so" not in result.stdout


def test_new_makes_the_folder_that_keeps_the_app_from_starting(run_in_app, tmp_path):
    result = run_in_app("new", "my-stats", CONSENT_CATALOGUE=tmp_path / "not-yet")

    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "not-yet" / "my-stats.toml").is_file()
    assert run_in_app("show", "my-stats", CONSENT_CATALOGUE=tmp_path / "not-yet").exit_code == 0


def test_new_does_not_take_a_folder_that_is_named_twice_for_a_missing_one(run_in_app, own_folder, tmp_path):
    # `own` is relative to the app, and was once taken as relative to wherever the command runs.
    result = run_in_app("new", "my-stats", CONSENT_CATALOGUE=[own_folder, own_folder])

    assert result.exit_code == 2
    assert "' twice. Name it once." in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.rglob("*.toml")] == ["own-stats.toml"]


def test_new_without_a_folder_says_why_there_is_no_app(run_in_app, own_folder):
    (own_folder / "broken.toml").write_text("name", encoding="utf-8")
    result = run_in_app("new", "my-stats", CONSENT_CATALOGUE=own_folder)

    assert result.exit_code == 2
    assert f"There is no app: Catalogue file '{own_folder}/broken.toml' is not valid TOML" in result.stderr


def test_new_without_a_folder_says_how_to_set_one(run, run_in_app):
    for result in (run("new", "my-stats"), run_in_app("new", "my-stats")):
        assert result.exit_code == 2
        assert "There is no folder for services of your own. Name one with --folder, " in result.stderr
        assert 'app.config["CONSENT_CATALOGUE"] = ' in result.stderr


def test_new_never_overwrites(run, own_folder):
    result = run("new", "own-stats", "--folder", own_folder)

    assert result.exit_code == 1
    assert f"{own_folder}/own-stats.toml exists already. Nothing was written." in result.stderr
    assert (own_folder / "own-stats.toml").read_text("utf-8") == OWN


def test_new_for_a_shipped_key_is_a_copy(run, tmp_path, make_app):
    result = run("new", "matomo", "--folder", tmp_path)

    assert result.exit_code == 0
    assert (tmp_path / "matomo.toml").read_text("utf-8").endswith(read_shipped("matomo"))
    assert make_app(services=["matomo"], CONSENT_CATALOGUE=tmp_path)


def test_new_for_a_shipped_key_takes_nothing_else(run, tmp_path):
    result = run("new", "matomo", "--name", "Ours", "--folder", tmp_path)

    assert result.exit_code == 2
    assert not (tmp_path / "matomo.toml").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["My Stats"], "Service key 'My Stats' is malformed."),
        (["../up"], "Service key '../up' is malformed."),
        (["marketing"], "'marketing' is the key of a purpose."),
        (["my-stats", "--name", "a\nb"], "The name must be printable text."),
        (["my-stats", "--name", "\x7f"], "The name must be printable text."),
        (["my-stats", "--host", "no host"], "'no host' names no host."),
        (["my-stats", "--host", "*.example.com"], "'*.example.com' names no host."),
        (["my-stats", "--host", ""], "'' names no host."),
        (["my-stats", "--kind", "nonsense"], "'nonsense' is not one of"),
    ],
)
def test_new_refuses_what_would_not_load(run, tmp_path, options, words):
    result = run("new", *options, "--folder", tmp_path)

    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert list(Path(tmp_path).rglob("*.toml")) == []


def test_new_says_why_a_folder_cannot_be_written(run, tmp_path):
    (tmp_path / "file").touch()
    result = run("new", "my-stats", "--folder", tmp_path / "file" / "own")

    assert result.exit_code == 1
    assert "my-stats.toml cannot be written: Not a directory." in result.stderr
