"""`GET /receipt`, and `flask consent receipt verify`: the visitor's own choice and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import html5lib
import pytest
from flask.cli import ScriptInfo

from consent import Document
from consent.cli import group
from consent.core.record import Event
from consent.errors import LedgerError
from consent.ledger.memory import MemoryLedger
from consent.messages import load_shipped
from consent.web.visit import get_site
from tests.command_runner import make_runner

RECEIPT = "/privacy-choices/receipt"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LANGUAGES = sorted(load_shipped())


class BrokenLedger(MemoryLedger):
    """A ledger that cannot be read while it is told so."""

    is_away = False

    def history(self, subject_id, *, limit=100):
        if self.is_away:
            raise LedgerError("The disk is gone.")
        return super().history(subject_id, limit=limit)

    def find(self, event_id):
        if self.is_away:
            raise LedgerError("The disk is gone.")
        return super().find(event_id)


@pytest.fixture
def ledger():
    return BrokenLedger()


@pytest.fixture
def app(make_app, ledger):
    """A site with a ledger."""
    documents = (Document("privacy", url="/privacy", version="2026-11"),)
    return make_app(documents=documents, ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36)


@pytest.fixture
def download(client):
    def get(visitor=client, **query):
        return json.loads(visitor.get(RECEIPT, query_string={"format": "json", **query}).text)

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


def texts_of(page):
    """Return the words of a page's main part, by line."""
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    main = tree.find(".//main")
    assert main is not None
    return " ".join(" ".join(main.itertext()).split())


def test_before_a_choice_there_is_no_receipt(client):
    page = client.get(RECEIPT)

    assert page.status_code == 404
    assert "No receipt yet" in texts_of(page.text)
    assert 'href="/privacy-choices/" data-consent-action="settings"' in page.text


@pytest.mark.parametrize(
    "asked",
    [
        {"query_string": {"format": "json"}},
        {"headers": {"Accept": "application/json"}},
        {"query_string": {"format": "dpv"}},
    ],
    ids=["json", "header", "dpv"],
)
def test_before_a_choice_programs_are_told_so(client, asked):
    answer = client.get(RECEIPT, **asked)

    assert (answer.status_code, answer.json["error"]) == (404, "no_record")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_says_what_was_chosen(client, choose):
    choose(client, "save", "analytics")

    text = texts_of(client.get(RECEIPT).text)

    assert "This is the record of your choice as Example News Ltd keeps it." in text
    assert "Analytics Agreed Google Analytics Google Ireland Limited Agreed" in text
    assert "Marketing Refused YouTube Google Ireland Limited Refused" in text
    assert "Privacy policy Version 2026-11" in text


def test_the_page_names_the_record_and_the_person_by_their_numbers(client, choose, download):
    choose(client, "accept_all")
    record = download()["record"]

    page = client.get(RECEIPT).text

    assert f'<code dir="ltr">{record["record_id"]}</code>' in page
    assert f'<code dir="ltr">{record["subject_id"]}</code>' in page
    assert f'<code dir="ltr">{record["notice"]["version"]}</code>' in page


def test_a_service_that_was_allowed_alone_is_told_apart_from_its_purpose(client, choose):
    choose(client, "allow", "youtube")

    text = texts_of(client.get(RECEIPT).text)

    assert "Marketing Not decided YouTube Google Ireland Limited Agreed" in text
    assert "Analytics Not decided" in text


def test_the_file_holds_the_record_as_it_was_stored(client, choose, download, ledger):
    choose(client, "save", "analytics")
    receipt = download()

    stored = ledger.find(receipt["record"]["record_id"])

    assert receipt["copied_from"] == "ledger"
    assert (
        json.dumps(receipt["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False) == stored.event.payload
    )
    assert receipt["documents"] == [
        {"key": "privacy", "title": "Privacy policy", "version": "2026-11", "url": "/privacy"}
    ]


def test_earlier_choices_are_listed_newest_first(client, choose, download):
    for action in ("accept_all", "reject_all", "accept_all", "withdraw"):
        choose(client, action)
    receipt = download()

    assert receipt["record"]["event"] == "withdrawal"
    assert [each["revision"] for each in receipt["history"]] == [3, 2, 1]
    assert [each["action"] for each in receipt["history"]] == ["accept_all", "reject_all", "accept_all"]
    text = texts_of(client.get(RECEIPT).text)
    assert text.count("Agreed: ") == 2
    assert text.count("Nothing agreed") == 1


def test_the_history_names_a_service_that_was_granted_without_its_purpose(client, choose):
    choose(client, "allow", "youtube")
    choose(client, "reject_all")

    assert "Agreed: YouTube" in texts_of(client.get(RECEIPT).text)


@pytest.mark.parametrize("name", ["subject_id", "subject", "record_id", "id", "user"])
def test_nobody_gets_the_receipt_of_somebody_else(app, choose, download, name):
    # T24: whose it is follows from the signed cookie alone.
    first, second = app.test_client(), app.test_client()
    choose(first, "accept_all")
    choose(second, "reject_all")
    theirs = download(first)["record"]

    mine = download(second, **{name: theirs["subject_id"]})

    assert mine["record"]["subject_id"] != theirs["subject_id"]
    assert mine["history"] == []
    assert theirs["subject_id"] not in second.get(RECEIPT, query_string={name: theirs["subject_id"]}).text


def test_a_cookie_that_nobody_signed_gets_no_receipt(app, client, choose):
    choose(client, "accept_all")
    value = client.get_cookie("consent").value
    stranger = app.test_client()
    stranger.set_cookie("consent", value[:-2] + "AA")

    assert stranger.get(RECEIPT).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "content_type"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json;q=0.5, text/html", "text/html; charset=utf-8"),
        ("image/png", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
    ],
)
def test_the_kind_follows_what_is_accepted(client, choose, accepted, content_type):
    choose(client, "accept_all")
    answer = client.get(RECEIPT, headers={"Accept": accepted})

    assert answer.content_type == content_type
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept" in answer.headers["Vary"]
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "ending", "content_type"), [("json", "json", "application/json"), ("dpv", "jsonld", "application/ld+json")]
)
def test_the_links_download_a_file(client, choose, download, kind, ending, content_type):
    choose(client, "accept_all")
    record_id = download()["record"]["record_id"]
    assert f'href="{RECEIPT}?format={kind}"' in client.get(RECEIPT).text

    answer = client.get(f"{RECEIPT}?format={kind}")

    assert answer.headers["Content-Disposition"] == f'attachment; filename="consent-receipt-{record_id}.{ending}"'
    assert answer.content_type == content_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("asked", ["", "pdf", "JSON", "json\x00", "x" * 5000])
def test_other_formats_are_refused(client, choose, asked):
    choose(client, "accept_all")
    answer = client.get(RECEIPT, query_string={"format": asked})

    assert (answer.status_code, answer.json["error"]) == (400, "unknown_format")
    assert len(answer.text) < 300


def test_the_standard_format_is_about_the_same_record(client, choose, download):
    choose(client, "save", "analytics")
    record_id = download()["record"]["record_id"]

    described = json.loads(client.get(f"{RECEIPT}?format=dpv").text)

    record = described["dpv:hasRecordOfActivity"][0]
    assert described["@type"] == "dpv:ConsentReceipt"
    assert record["dct:identifier"] == record_id
    assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == {"@id": "http://localhost/privacy-choices/"}


def test_without_a_ledger_the_receipt_is_of_the_cookie_and_says_so(make_app, choose, download):
    client = make_app().test_client()
    choose(client, "save", "analytics")
    receipt = download(client)
    text = texts_of(client.get(RECEIPT).text)

    assert (receipt["copied_from"], receipt["history"]) == ("cookie", [])
    assert receipt["record"]["decisions"]["analytics"]["state"] == "granted"
    assert "as your browser holds it. Example News Ltd keeps no copy of it." in text
    assert "Analytics Agreed Google Analytics Google Ireland Limited Agreed" in text


def test_while_the_ledger_is_away_the_receipt_is_of_the_cookie_and_says_so(client, choose, download, ledger, caplog):
    choose(client, "accept_all")
    ledger.is_away = True
    answer = client.get(RECEIPT)

    assert answer.status_code == 200
    assert "cannot be reached just now" in texts_of(answer.text)
    assert download()["copied_from"] == "cookie"
    assert "The disk is gone." in caplog.text


def test_once_it_is_erased_the_receipt_is_of_the_cookie(client, choose, download, ledger):
    choose(client, "accept_all")
    ledger.erase(download()["record"]["subject_id"], reason="asked", at=AT)

    assert download()["copied_from"] == "cookie"
    assert "keeps no copy of it" in texts_of(client.get(RECEIPT).text)


def test_what_is_not_declared_any_more_goes_by_its_key(make_app, choose, ledger):
    choice = make_app(ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36).test_client()
    choose(choice, "accept_all")
    later = make_app(services=("youtube",), ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36).test_client()
    later.set_cookie("consent", choice.get_cookie("consent").value)

    assert "google-analytics Agreed" in texts_of(later.get(RECEIPT).text)


def test_a_document_is_linked_only_while_its_address_shows_the_version_that_was_noted(make_app, choose, ledger):
    def make(version):
        documents = (Document("privacy", url="/privacy", version=version),)
        return make_app(documents=documents, ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36).test_client()

    then, now = make("1"), make("2")
    choose(then, "accept_all")
    now.set_cookie("consent", then.get_cookie("consent").value)
    page = now.get(RECEIPT).text.partition("<footer")[0]

    assert 'href="/privacy"' not in page
    assert "Privacy policy Version 1" in texts_of(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_page_is_there_in_every_language(make_app, choose, language, ledger):
    app = make_app(CONSENT_LANGUAGE=language, ledger=ledger, CONSENT_LEDGER_RETENTION_MONTHS=36)
    client = app.test_client()
    choose(client, "accept_all")
    choose(client, "withdraw")
    page = client.get(RECEIPT).text

    assert f'lang="{language}"' in page
    assert load_shipped()[language]["receipt.event.choice"] in page
    assert "{" not in texts_of(page)


@pytest.mark.parametrize("event", [each.value for each in Event])
def test_every_kind_of_act_has_words(event):
    assert f"receipt.event.{event}" in load_shipped()["en"]


def test_the_preferences_lead_to_the_receipt_once_there_is_one(client, choose):
    link = f'<a class="pvc-link" href="{RECEIPT}">See and keep your receipt</a>'
    assert link not in client.get("/privacy-choices/").text

    choose(client, "reject_all")

    assert link in client.get("/privacy-choices/").text


def test_the_page_can_be_replaced(make_app, choose):
    own = '{% extends "consent/default/receipt.html" %}{% block numbers %}Call us.{% endblock %}'
    client = make_app({"consent/receipt.html": own}).test_client()
    choose(client, "accept_all")

    text = texts_of(client.get(RECEIPT).text)

    assert "Call us." in text
    assert "Numbers to quote" not in text


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
    from consent.core.receipt import encode_receipt
    from consent.wire.signature import SignedKind

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

    assert (result.exit_code, result.stderr.strip()) == (1, "Error: The disk is gone.")


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
