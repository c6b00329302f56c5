"""`GET /receipt`: the visitor's own choice and nobody else's, as a page and as files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import html5lib
import pytest

from consent import Document
from consent.core.record import Event
from consent.messages import load_shipped
from tests.unreadable_ledger import UnreadableLedger

RECEIPT = "/privacy-choices/receipt"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LANGUAGES = sorted(load_shipped())


@pytest.fixture
def ledger():
    return UnreadableLedger()


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


def test_the_page_says_of_which_version_of_the_list_its_number_is(client, choose, download):
    choose(client, "accept_all")

    version = download()["record"]["notice"]["version"]
    assert f"Version of the cookie list {version}" in texts_of(client.get(RECEIPT).text)


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


def test_the_receipt_of_an_older_cookie_is_of_that_choice(client, choose, download):
    """The history tells of the withdrawal, and nobody is shown as their choice what they did not hold."""
    choose(client, "accept_all")
    held, cookie = download()["record"], client.get_cookie("consent").value
    choose(client, "withdraw")
    client.set_cookie("consent", cookie)

    receipt = download()
    assert receipt["record"] == held
    assert [each["event"] for each in receipt["history"]] == ["withdrawal"]


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_site_that_saves_choices_of_its_users_is_not_said_to_keep_no_copy(make_app, choose, language):
    app = make_app(CONSENT_LANGUAGE=language)
    app.extensions["consent"].users.set_loader(lambda: "")
    app.extensions["consent"].users.set_saver(lambda _: None)
    client, texts = app.test_client(), load_shipped()[language]
    choose(client, "accept_all")
    page = texts_of(client.get(RECEIPT).text)

    assert texts["receipt.account"] in page
    assert texts["receipt.unrecorded"].format(controller="Example News Ltd") not in page


def test_while_the_ledger_is_away_the_receipt_is_of_the_cookie_and_says_so(client, choose, download, ledger, caplog):
    choose(client, "accept_all")
    ledger.is_away = True
    answer = client.get(RECEIPT)

    assert answer.status_code == 200
    assert "cannot be reached just now" in texts_of(answer.text)
    assert download()["copied_from"] == "cookie"
    assert "The ledger's database does not answer." in caplog.text


def test_a_source_without_words_is_not_told(client, choose, ledger):
    choose(client, "accept_all")
    ledger.database.write(
        lambda transaction: transaction.execute("UPDATE consent_events SET payload = replace(payload, 'banner', 'app')")
    )

    assert "Where" not in texts_of(client.get(RECEIPT).text)


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
