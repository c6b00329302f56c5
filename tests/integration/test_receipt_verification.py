"""`flask consent receipt verify`: a receipt that the site issued, told from any other."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from flask.cli import ScriptInfo

from consent.cli import group
from consent.core.receipt import encode_receipt
from consent.web.visit import get_site
from consent.wire.signature import SignedKind
from tests.command_runner import make_runner
from tests.unreadable_ledger import UnreadableLedger

RECEIPT = "/privacy-choices/receipt"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def ledger():
    return UnreadableLedger()


@pytest.fixture
def app(make_app, ledger):
    """A site with a ledger."""
    return make_app(ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36)


@pytest.fixture
def download(client):
    def get(visitor=client):
        return visitor.get(f"{RECEIPT}?format=json").json

    return get


@pytest.fixture
def verify(app, tmp_path):
    """Return a function that runs the command on a file with this content."""

    def run(content, *options, app=app):
        path = tmp_path / "receipt.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return make_runner().invoke(
            group, ["receipt", "verify", str(path), *options], obj=ScriptInfo(create_app=lambda: app)
        )

    return run


def test_a_genuine_receipt_is_told_so(client, choose, verify):
    choose(client, "accept_all")
    result = verify(client.get(f"{RECEIPT}?format=json").data)

    assert result.exit_code == 0, result.output
    assert "genuine: this site has issued it" in result.stdout
    assert "has the same record" in result.stdout


def test_a_receipt_is_genuine_under_an_older_key_and_not_under_a_foreign_one(client, choose, make_app, verify):
    choose(client, "accept_all")
    receipt = client.get(f"{RECEIPT}?format=json").data
    rotated = make_app(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["k" * 32])
    foreign = make_app(SECRET_KEY="n" * 32)

    assert verify(receipt, app=rotated).exit_code == 0
    assert verify(receipt, app=foreign).exit_code == 1


@pytest.mark.parametrize(
    "path",
    [
        ("record", "decisions", "analytics", "state"),
        ("record", "event_time"),
        ("controller",),
        ("issued_at",),
        ("copied_from",),
    ],
)
def test_a_receipt_that_was_changed_is_not_genuine(client, choose, verify, download, path):
    choose(client, "reject_all")
    receipt = download()
    holder = receipt
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = "granted"

    result = verify(receipt, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"is_genuine": False, "ledger": None}


def test_another_signature_of_the_site_does_not_pass_for_that_of_a_receipt(app, client, choose, verify, download):
    choose(client, "reject_all")
    receipt = download()
    signature = receipt.pop("signature")
    sealed = get_site(app).engine.sign(SignedKind.SEAL, encode_receipt(receipt))

    assert verify(receipt | {"signature": signature}).exit_code == 0
    assert verify(receipt | {"signature": {**signature, "value": sealed}}).exit_code == 1
    assert verify(receipt | {"signature": {**signature, "value": "é" * 43}}).exit_code == 1


def erase(ledger, record):
    ledger.erase(record["subject_id"], reason="asked", at=AT)


def drop(ledger, record):
    ledger.database.write(
        lambda transaction: transaction.execute(f"DELETE FROM consent_events WHERE event_id = '{record['record_id']}'")
    )


def edit(ledger, record):
    ledger.database.write(
        lambda transaction: transaction.execute(
            "UPDATE consent_events SET payload = replace(payload, 'granted', 'refused')"
        )
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [(erase, ("erased", 0)), (drop, ("unknown", 1)), (edit, ("differs", 1))],
    ids=["erased", "gone", "edited"],
)
def test_what_the_ledger_has_of_it_is_told(client, choose, verify, download, change, told):
    choose(client, "accept_all")
    receipt = download()
    change(get_site(client.application).ledger, receipt["record"])

    result = verify(receipt, "--json")

    assert (json.loads(result.stdout)["ledger"], result.exit_code) == told


def test_a_receipt_of_a_cookie_is_not_expected_in_the_ledger(make_app, choose, verify, download):
    client = make_app().test_client()
    choose(client, "accept_all")
    result = verify(download(client))

    assert result.exit_code == 0, result.output
    assert "does not have it; the receipt says so itself" in result.stdout


def test_a_receipt_that_was_made_while_the_ledger_was_away_is_found_there_later(
    client, choose, verify, download, ledger
):
    choose(client, "save", "analytics")
    ledger.is_away = True
    receipt = download()
    ledger.is_away = False

    result = verify(receipt, "--json")

    assert receipt["copied_from"] == "cookie"
    assert json.loads(result.stdout)["ledger"] == "same"


def test_without_a_ledger_the_signature_is_all(make_app, choose, verify, download):
    app = make_app()
    client = app.test_client()
    choose(client, "accept_all")

    result = verify(download(client), app=app)

    assert result.exit_code == 0
    assert "no ledger is configured" in result.stdout


def test_a_ledger_that_is_away_is_told(client, choose, verify, download, ledger):
    choose(client, "accept_all")
    receipt = download()
    ledger.is_away = True

    result = verify(receipt)

    assert (result.exit_code, result.stderr.strip()) == (1, "Error: The ledger's database does not answer.")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x1b[31m", b'{"schema": "consent-receipt/1", "record": NaN}', b"[" * 100_000],
    ids=["empty", "binary", "nan", "deep"],
)
def test_a_file_that_is_no_receipt_is_refused(verify, content):
    result = verify(content)

    assert result.exit_code == 2
    assert "receipt.json: " in result.stderr
    assert "downloaded" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_file_that_is_not_there_is_refused(app):
    result = make_runner().invoke(group, ["receipt", "verify", "/no/such/file"], obj=ScriptInfo(create_app=lambda: app))

    assert result.exit_code == 2
    assert "No such file" in result.stderr
