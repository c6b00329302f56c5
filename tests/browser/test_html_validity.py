"""The Nu HTML checker finds no error in our own pages, nor in a page we put something into."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent.testing import grant, refuse
from examples.newsroom.app import create_app, create_development_site
from examples.newsroom.development import PLACE_COOKIE, PLACES, VersionSwitch
from tests.browser.newsroom import FILM_ARTICLE
from tests.browser.plain_site import make_plain_site
from tests.browser.receipt_site import RECEIPT, make_receipt_site

CHECKER: Final = Path(__file__).parents[2] / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
_TIMEOUT_SECONDS: Final = 180

_PREFERENCES: Final = "/privacy-choices/"
_POLICY: Final = "/privacy-choices/policy"
_FROM_OUR_PAGE: Final = {"Sec-Fetch-Site": "same-origin"}


class Document(NamedTuple):
    """A page, and what its visitor did before."""

    site: str
    path: str
    choice: str = "none"
    form: Mapping[str, str] = {}
    """What is posted to the path; nothing for a GET."""


_ONCE: Final = {"action": "once", "service": "youtube", "id": "aqz-KE-bpKQ"}
DOCUMENTS: Final = [
    *(
        Document(site, path, choice)
        for site in ("en", "ar")
        for path in (*("/links", "/embed", "/cookies", "/bare", "/members"), _PREFERENCES, _POLICY, RECEIPT)
        for choice in ("none", "rejected", "mixed", "accepted")
    ),
    *(
        Document("newsroom", edition + path, choice)
        for edition in ("", "/ar")
        for path in ("/", FILM_ARTICLE, "/search?q=ferry", "/newsletter", "/nowhere", "/reading-list")
        for choice in ("none", "rejected", "accepted")
    ),
    *(Document("newsroom", f"{edition}/{key}") for edition in ("", "/ar") for key in ("privacy", "cookies", "terms")),
    *(
        Document(place, path, choice)
        for place in ("FR", "GB", "US-CA", "JP")
        for path in ("/", "/ar/", _PREFERENCES)
        for choice in ("none", "noted before", "rejected")
    ),
    Document("newsroom", "/what-the-trackers-saw"),
    Document("newsroom", _PREFERENCES),
    Document("newsroom", _POLICY),
    *(Document("receipts", RECEIPT, choice) for choice in ("none", "rejected", "mixed")),
    Document("en", f"{_PREFERENCES}?saved=1&back=/links", "rejected"),
    *(
        Document(site, _PREFERENCES, "none", form)
        for site in ("en", "ar")
        for form in (_ONCE, {"action": "unheard-of"}, {"action": "accept_all", "next": "x" * 6000})
    ),
]


def _name(document: Document) -> str:
    return " ".join((document.site, document.path, document.choice, document.form.get("action", "")))


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Document's name to what the checker finds wrong; all are checked at once, as Java starts slowly."""
    folder = tmp_path_factory.mktemp("documents")
    switch = create_development_site(tracker_port=9)
    sites: dict[str, Flask | VersionSwitch] = {
        "en": make_plain_site("en"),
        "ar": make_plain_site("ar"),
        "newsroom": create_app(tracker_port=9),
        "receipts": make_receipt_site("en"),
        **dict.fromkeys(PLACES, switch),
    }
    for number, document in enumerate(DOCUMENTS):
        (folder / f"{number}.html").write_bytes(_fetch(sites[document.site], document))
    command = ["java", "-jar", str(CHECKER), "--format", "json", "--stdout", "--exit-zero-always", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_SECONDS).stdout
    found: dict[str, list[str]] = {_name(document): [] for document in DOCUMENTS}
    for message in json.loads(output)["messages"]:
        name = _name(DOCUMENTS[int(Path(message["url"]).stem)])
        if message["type"] != "info":
            found[name].append(f"{message['message']} … {message.get('extract', '')}")
    return found


def _fetch(site: Flask | VersionSwitch, document: Document) -> bytes:
    if isinstance(site, VersionSwitch):
        return _fetch_from_place(site, document)
    client = site.test_client()
    _choose(client, document.choice)
    if document.form:
        return client.post(document.path, data=document.form, headers=_FROM_OUR_PAGE).get_data()
    return client.get(document.path).get_data()


def _fetch_from_place(site: VersionSwitch, document: Document) -> bytes:
    earlier, client = site.earlier.test_client(), site.revised.test_client()
    if document.choice == "noted before":
        refuse(earlier)
        noted = earlier.get_cookie("consent")
        client.set_cookie("consent", noted.value if noted else "")
    client.set_cookie(PLACE_COOKIE, document.site)
    _choose(client, document.choice)
    return client.get(document.path).get_data()


def _choose(client: FlaskClient, choice: str) -> None:
    if choice == "rejected":
        refuse(client)
    elif choice == "mixed":
        grant(client, "analytics", "youtube")
    elif choice == "accepted":
        grant(client)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_document_is_valid(messages: Mapping[str, list[str]], document: Document) -> None:
    assert messages[_name(document)] == []


def test_checker_would_find_an_error(tmp_path: Path) -> None:
    """Prove that the tests above could fail."""
    (tmp_path / "wrong.html").write_text("<!doctype html><html lang=en><title>W</title><p><div id=a id=b></p>")
    command = ["java", "-jar", str(CHECKER), "--format", "json", "--stdout", "--exit-zero-always", str(tmp_path)]

    output = subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_SECONDS).stdout

    assert any(message["type"] == "error" for message in json.loads(output)["messages"])
