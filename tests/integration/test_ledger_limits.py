"""A client that posts without end: the site's own limit is asked, grants wait, refusals do not, and nothing grows."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import fields
from uuid import UUID

import pytest

from consent.ledger import MemoryLedger
from consent.messages import load_shipped
from consent.web.visit import get_site
from tests.faulty_ledger import FaultyLedger
from tests.ledger_site import make_ledger_site

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
ALLOWED = 10


class _Limiter:
    """Let each client post ten times, and then wait for half a minute."""

    def __init__(self, allowed=ALLOWED):
        self.allowed = allowed
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return 30 if self.calls > self.allowed else None


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def make_client(ledger):
    """Return a function that makes a client of a site with a limit."""

    def make(limit=None, **config):
        limits = {"CONSENT_LEDGER_RATE_LIMIT": limit} if limit else {}
        return make_ledger_site(ledger, **limits, **config).test_client()

    return make


def post(client, action="accept_all", **options):
    return client.post("/privacy-choices/", json={"action": action, "granted": []}, headers=SAME_ORIGIN, **options)


def count_held(client):
    """Count what the process holds between requests for this site."""
    site = get_site(client.application)
    parts = {name: getattr(site, name) for name in (field.name for field in fields(site))}
    parts |= {f"engine.{name}": part for name, part in vars(site.engine).items()}
    parts |= {f"notices.{field.name}": getattr(site.notices, field.name) for field in fields(site.notices)}
    return {name: len(part) for name, part in parts.items() if isinstance(part, Mapping | set | list)}


def test_thousand_posts_of_one_client_are_limited(make_client, ledger):
    limiter = _Limiter()
    client = make_client(limiter)

    answers = [post(client) for _ in range(1000)]

    assert limiter.calls == 1000
    assert [answer.status_code for answer in answers] == [200] * ALLOWED + [429] * (1000 - ALLOWED)
    assert {answer.headers.get("Retry-After") for answer in answers[ALLOWED:]} == {"30"}
    assert len(ledger.scan()) == ALLOWED


def test_limited_grant_opens_nothing_and_says_when_to_come_back(make_client):
    client = make_client(_Limiter(allowed=0))

    answer = post(client)

    assert answer.json == {"error": "too_many", "message": "Too many choices came from here; nothing was granted."}
    assert "Set-Cookie" not in answer.headers
    assert client.get("/privacy-choices/state").json["choices"]["marketing"] == "denied"


@pytest.mark.parametrize("action", ["reject_all", "withdraw"])
def test_limited_refusal_closes_all_the_same_and_says_that_it_was_not_recorded(make_client, ledger, action):
    client = make_client(_Limiter(allowed=1))
    post(client)

    answer = post(client, action)

    assert (answer.status_code, answer.json["recorded"]) == (200, False)
    assert answer.json["choices"]["marketing"] == "denied"
    assert client.get("/privacy-choices/state").json["choices"]["marketing"] == "denied"
    assert len(ledger.scan()) == 1


def test_choice_after_the_wait_is_recorded_again(make_client, ledger):
    limiter = _Limiter(allowed=0)
    client = make_client(limiter)
    post(client)
    limiter.allowed = 9

    assert post(client).json["recorded"] is True
    assert len(ledger.scan()) == 1


@pytest.mark.parametrize("language", sorted(load_shipped()))
def test_form_of_a_limited_client_gets_a_page_that_says_to_wait(make_client, language):
    answer = make_client(_Limiter(allowed=0)).post(
        f"/privacy-choices/?lang={language}", data={"action": "accept_all"}, headers=SAME_ORIGIN
    )
    texts = load_shipped()[language]

    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (429, "text/html", "30")
    assert texts["error.429.title"] in answer.text
    assert texts["error.429.text"] in answer.text


@pytest.mark.parametrize(
    ("wait", "status"), [(None, 200), (0, 200), (-5, 200), ("soon", 200), (float("nan"), 200), (1, 429), (10**9, 429)]
)
def test_limit_that_is_no_number_limits_nobody(make_client, wait, status):
    answer = post(make_client(lambda: wait))

    assert answer.status_code == status
    assert int(answer.headers.get("Retry-After", 0)) <= 86400


def test_limit_that_fails_limits_nobody_and_is_logged(make_client, caplog):
    def fail():
        raise RuntimeError("no connection to the counter")

    with caplog.at_level(logging.ERROR, "consent"):
        answer = post(make_client(fail))

    assert answer.status_code == 200
    assert "The function given as 'CONSENT_LEDGER_RATE_LIMIT' failed: nobody is limited." in caplog.text


def test_pages_are_not_limited(make_client):
    limiter = _Limiter(allowed=0)
    client = make_client(limiter)

    assert client.get("/privacy-choices/").status_code == 200
    assert client.get("/privacy-choices/state").status_code == 200
    assert limiter.calls == 0


def test_bot_with_made_up_ids_fills_nothing_but_one_row_for_each_post(make_client, ledger):
    client = make_client(CONSENT_LEDGER_STRICT_REVOCATION=True)
    post(client)
    post(client, "reject_all")
    held: list[dict[str, int]] = []

    for number in range(200):
        client.delete_cookie("consent")
        client.set_cookie("consent", f"{UUID(int=number).hex}.{number}")
        answer = client.post(
            "/privacy-choices/",
            data={
                "action": "reject_all" if number % 2 else "accept_all",
                "attempt": str(number),
                "shown": f"{number:016x}",
                "subject_id": str(UUID(int=number, version=4)),
                "record_id": str(UUID(int=number, version=4)),
            },
            headers=SAME_ORIGIN | {"Accept-Language": f"x-{number}", "User-Agent": f"bot/{number}"},
        )
        assert answer.status_code == 303
        held.append(count_held(client))

    assert held[-1] == held[9]
    rows = ledger.scan()
    assert len(rows) == 202
    assert not {row.event.subject_id for row in rows} & {str(UUID(int=number, version=4)) for number in range(200)}


class _SlowBody(io.RawIOBase):
    """A body that comes byte by byte, and notes what the ledger was asked meanwhile."""

    def __init__(self, body, ledger):
        self._rest = body
        self._ledger = ledger
        self.asked_meanwhile: list[str] = []

    def readable(self):
        return True

    def readinto(self, buffer):
        self.asked_meanwhile += self._ledger.asked
        chunk, self._rest = self._rest[:1], self._rest[1:]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def test_slow_client_keeps_nothing_of_the_ledger_waiting():
    """The body is read to its end before the ledger is asked for anything (T83)."""
    ledger = FaultyLedger()
    client = make_ledger_site(ledger).test_client()
    post(client)
    ledger.asked.clear()
    body = b'{"action": "reject_all"}'
    slow = _SlowBody(body, ledger)
    answer = client.post(
        "/privacy-choices/",
        content_type="application/json",
        headers=SAME_ORIGIN,
        environ_overrides={"wsgi.input": slow, "CONTENT_LENGTH": str(len(body))},
    )

    assert (answer.status_code, answer.get_json()["recorded"], slow.asked_meanwhile) == (200, True, [])
    assert ledger.asked
