"""What clients write about themselves: nothing of it is kept or logged as it came, and hardly anything when asked for."""

from __future__ import annotations

import logging
import sqlite3
import unicodedata

import pytest

from consent.ledger import MemoryLedger
from consent.web.visit import get_site
from tests.ledger_site import make_ledger_command, make_ledger_site

MARK = "EVIL"
HOSTILE = {
    "markup": f'"><script>{MARK}</script>',
    "sql": f"{MARK}'); DROP TABLE consent_events; --",
    "crlf": f"{MARK}\r\nSet-Cookie: a={MARK}",
    "nul": f"{MARK}\x00\x1b[31m{MARK}\x85{MARK}\u2028",
    "long": MARK * 16384,
    "bytes": f"\xff\xfe\xc3({MARK}",
    "formula": f'=HYPERLINK("http://{MARK}")',
    "template": f"{{{{ 7*7 }}}}{MARK}%(x)s{{0.__class__}}",
    "address": f"203.0.113.7, {MARK}",
}
NAMES = (
    *("HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_ACCEPT_LANGUAGE", "HTTP_CLIENT_IP", "HTTP_X_FORWARDED_FOR"),
    *("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_SEC_GPC", "HTTP_DNT", "HTTP_CF_IPCOUNTRY", "REMOTE_ADDR"),
)
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@pytest.fixture
def ledger():
    return MemoryLedger()


def post(client, text="", action="accept_all", **environ):
    return client.post(
        "/privacy-choices/",
        data={"action": action},
        environ_overrides={"HTTP_SEC_FETCH_SITE": "same-origin", **dict.fromkeys(NAMES, text), **environ},
    )


def dump(ledger):
    """Return every statement that would make the ledger again, as text."""
    with ledger.database._lock:
        connection: sqlite3.Connection = ledger.database._connection
        return "\n".join(connection.iterdump())


def records_of(ledger):
    return [row.event.payload for row in ledger.scan() if row.event]


@hostile
def test_nothing_of_what_a_client_writes_is_kept(ledger, text):
    client = make_ledger_site(ledger).test_client()

    assert post(client, text).status_code == 303

    assert MARK not in dump(ledger)
    assert '"client":{}' in records_of(ledger)[0]


@hostile
def test_what_is_kept_on_request_has_nothing_of_it_either(ledger, text):
    site = make_ledger_site(ledger, CONSENT_LEDGER_KEEPS=["network", "browser"])
    client = site.test_client()

    post(client, text)

    assert '"client":{"browser":"other","network":""}' in records_of(ledger)[0]
    assert MARK not in dump(ledger)
    assert MARK not in make_ledger_command(site)("export", "--format", "csv").stdout
    assert MARK not in client.get("/privacy-choices/").text


@pytest.mark.parametrize(
    ("keeps", "client"),
    [
        (["network"], '"client":{"network":"203.0.113.0/24"}'),
        (["browser"], '"client":{"browser":"Firefox 153"}'),
        (["network", "browser"], '"client":{"browser":"Firefox 153","network":"203.0.113.0/24"}'),
        ([], '"client":{}'),
    ],
)
def test_minimised_forms_are_kept_where_the_site_asks_for_them(ledger, keeps, client):
    visitor = make_ledger_site(ledger, CONSENT_LEDGER_KEEPS=keeps).test_client()

    post(
        visitor, HTTP_USER_AGENT="Mozilla/5.0 (X11; rv:153.0) Gecko/20100101 Firefox/153.0", REMOTE_ADDR="203.0.113.77"
    )

    assert client in records_of(ledger)[0]
    assert "203.0.113.77" not in dump(ledger)
    assert "Gecko" not in dump(ledger)


@hostile
def test_every_line_of_the_log_is_one_line(ledger, text, caplog):
    site = make_ledger_site(ledger, CONSENT_LEDGER_KEEPS=["network", "browser"])
    client = site.test_client()
    plain = text.replace("\r", "").replace("\n", "")
    short = text.encode("utf-8", "replace").decode("latin-1")

    with caplog.at_level(logging.DEBUG, "consent"):
        client.get("/privacy-choices/", environ_overrides=dict.fromkeys((*NAMES, "HTTP_X_FORWARDED_PROTO"), short))
        post(client, short, HTTP_COOKIE=f"consent={short}")
        post(client, short, action=text)
        client.get("/privacy-choices/", environ_overrides={"HTTP_COOKIE": f"consent={short}; consent=a.b"})
        for name in ("next", "granted", "attempt", "shown", "service", "id", "asked"):
            client.post("/privacy-choices/", json={"action": "save", "granted": [], name: plain})
        get_site(site).engine.read_user(text)

    assert caplog.messages
    assert [
        each for each in caplog.messages if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in each)
    ] == []
