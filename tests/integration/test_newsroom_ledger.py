"""The newsroom's ledger: one for both versions of the paper, in a file of its own while the demonstration runs."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.testing import refuse
from examples.newsroom.app import create_app, create_development_site
from examples.newsroom.ledger_file import KEY_VARIABLE, LEDGER_VARIABLE
from examples.newsroom.serving import main
from tests.command_runner import make_runner

# A port on which nothing answers.
CLOSED_PORT = 9
ROOT = Path(__file__).resolve().parents[2]
KEY = "a key that is long enough for every check"
DASHBOARD = "/privacy-choices/dashboard"


@pytest.fixture(scope="module")
def site():
    return create_development_site(tracker_port=CLOSED_PORT)


@pytest.fixture
def variables(monkeypatch):
    """Return a function that sets the two variables of the demonstration, as an operator's second terminal has them."""

    def set_both(ledger, key=KEY):
        for name, value in ((LEDGER_VARIABLE, ledger), (KEY_VARIABLE, key)):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)

    set_both(None, None)
    return set_both


@pytest.fixture
def run_demonstration(tmp_path):
    """Return a function that starts `python -m examples.newsroom` and gives its process and what it says first."""
    started = []

    def start(**environment):
        # The checkout is importable as it is for this process; its folder does not come before the installed library.
        folders = os.pathsep.join(str(Path(folder).resolve()) for folder in sys.path if folder)
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": folders, "PYTHONSAFEPATH": "1", "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "examples.newsroom", "--port", "0", "--tracker-port", "0"],
            cwd=ROOT,
            env=variables | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        said: list[str] = []
        while "Ctrl-C stops both servers" not in "".join(said[-1:]) and process.poll() is None:
            said.append(process.stdout.readline())  # type: ignore[union-attr]  # a pipe, as asked for
        return process, "".join(said)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    return process.returncode


def accept(said):
    """Accept everything at the address that the demonstration has printed."""
    (port,) = re.findall(r"http://news\.localhost:(\d+)/\n", said)
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    with closing(HTTPConnection("127.0.0.1", int(port), timeout=20)) as connection:
        connection.request("POST", "/privacy-choices/", body="action=accept_all", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def run(*words):
    """Run a command of the library on the newsroom, as `flask --app examples.newsroom consent …` makes it."""
    return make_runner().invoke(group, words, obj=ScriptInfo(create_app=lambda _info=None: create_app()))


def bar_of(page):
    return page[page.index('id="development"') :]


def test_choices_under_both_versions_of_the_policy_are_one_history(site):
    before, after = site.earlier.test_client(), site.revised.test_client()
    refuse(before)
    after.set_cookie("consent", before.get_cookie("consent").value)
    refuse(after)
    ledger = site.revised.extensions["consent"].ledger
    event = ledger.scan()[-1].event

    assert site.earlier.extensions["consent"].ledger.database is ledger.database
    history = [json.loads(each.payload) for each in ledger.history(event.subject_id)]
    assert [record["revision"] for record in history] == [2, 1]
    newer, older = (record["documents"]["privacy"]["version"] for record in history)
    assert newer > older


@pytest.mark.parametrize("language", ["en", "ar"])
def test_frame_around_the_preferences_speaks_their_language_shown_and_kept(language):
    app = create_app(tracker_port=CLOSED_PORT)
    reader = app.test_client()
    page = reader.get(f"/privacy-choices/?lang={language}").text
    shown = re.findall(r'name="shown" value="(\w+)"', page)
    reader.post(
        f"/privacy-choices/?lang={language}",
        data={"action": "save", "shown": shown, "next": "/privacy-choices/"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    ledger = app.extensions["consent"].ledger
    (row,) = ledger.scan()

    assert f'<html lang="{language}"' in page
    assert f'<html lang="{language}"' in ledger.notices.read(row.event.ui_sha256).body
    assert json.loads(row.event.payload)["notice"]["is_as_shown"] is True


def test_apps_that_are_no_twins_share_no_ledger():
    first, second = (create_app().extensions["consent"].ledger for _ in range(2))

    assert first.database is not second.database


def test_ledger_is_the_object_that_is_given(site):
    ledger = site.revised.extensions["consent"].ledger

    assert create_app(ledger=ledger).extensions["consent"].ledger.database is ledger.database


@pytest.mark.parametrize(
    ("path", "links"),
    [
        ("/", [("/privacy-choices/receipt", "", "Receipt"), (DASHBOARD, "", "Numbers")]),
        ("/ar/", [("/privacy-choices/receipt?lang=ar", "", "الإيصال"), (DASHBOARD, ' hreflang="en"', "الأرقام")]),
    ],
)
def test_bar_links_receipt_and_numbers(site, path, links):
    developer = site.revised.test_client()
    refuse(developer)
    found = re.findall(
        r'<a href="(/privacy-choices/[^"]*)"( hreflang="\w+")?>(\w+)</a>', bar_of(developer.get(path).text)
    )

    assert found == links
    assert [developer.get(address).status_code for address, _, _ in found] == [200, 200]


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("", 403)])
def test_numbers_are_for_this_machine_alone(site, address, status):
    answer = site.revised.test_client().get(DASHBOARD, environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == status


def test_reader_gets_no_numbers():
    assert create_app(tracker_port=CLOSED_PORT).test_client().get(DASHBOARD).status_code == 404


def test_commands_find_the_ledger_by_the_two_variables(variables, tmp_path):
    variables(f"sqlite:///{tmp_path}/kept.db")
    reader = create_app(tracker_port=CLOSED_PORT).test_client()
    refuse(reader)
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(reader.get("/privacy-choices/receipt?format=json").data)

    assert json.loads(run("ledger", "status", "--json").stdout)["details"]["events"] == 1
    assert run("receipt", "verify", str(receipt)).exit_code == 0
    variables(f"sqlite:///{tmp_path}/kept.db", "another key, of which nobody knows anything")
    assert run("receipt", "verify", str(receipt)).exit_code == 1


def test_demonstration_has_a_file_until_it_ends(run_demonstration, variables, tmp_path):
    process, said = run_demonstration()
    assert accept(said) == 303
    ((ledger, key),) = re.findall(rf"export {LEDGER_VARIABLE}=(\S+) {KEY_VARIABLE}=(\S+)\n", said)
    variables(ledger, key)
    path = Path(ledger.removeprefix("sqlite:///"))
    assert path.is_relative_to(tmp_path)
    # What the terminal is told to type.
    for words in re.findall(r"--app examples\.newsroom consent (ledger \w+)\n", said):
        result = run(*words.split())
        assert result.exit_code == 0, result.output
    details = json.loads(run("ledger", "status", "--json").stdout)["details"]
    assert (details["events"], details["unsealed"]) == (1, 0)

    assert stop(process) == 0
    assert list(tmp_path.iterdir()) == []


def test_demonstration_keeps_a_ledger_that_is_named_and_prints_no_secret(run_demonstration, variables, tmp_path):
    ledger = f"sqlite:///{tmp_path}/kept.db"
    for _ in range(2):
        process, said = run_demonstration(**{LEDGER_VARIABLE: ledger, KEY_VARIABLE: KEY})
        assert accept(said) == 303
        assert stop(process) == 0
        assert ledger not in said
        assert KEY not in said

    with closing(sqlite3.connect(tmp_path / "kept.db")) as database:
        assert database.execute("SELECT count(*) FROM consent_events").fetchall() == [(2,)]


def test_demonstration_keeps_no_ledger_without_its_key(variables, capsys):
    variables("memory:", None)

    assert main(["--port", "0", "--tracker-port", "0"]) == 1
    assert f"{LEDGER_VARIABLE} is set and {KEY_VARIABLE} is not." in capsys.readouterr().err


def test_demonstration_says_what_is_wrong_with_an_address(variables, capsys):
    variables("nonsense")

    assert main(["--port", "0", "--tracker-port", "0"]) == 1
    assert capsys.readouterr().err.startswith("'CONSENT_LEDGER' names no ledger.")
