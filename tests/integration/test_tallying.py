"""What visits add to the numbers, and that no page changes or fails for it."""

from __future__ import annotations

import pytest
from flask import Response

from consent import Consent
from consent.core.tally import Counted, TallyKey
from consent.core.tally_summary import sum_up
from consent.web.visit import get_site
from tests.faulty_ledger import RETENTION, FaultyLedger, post

CALIFORNIA = {"CF-IPCountry": "US", "CF-Region-Code": "CA"}
PLACES = {"CONSENT_JURISDICTION_HEADERS": ["CF-IPCountry", "CF-Region-Code"]}


def flush(app):
    counting = get_site(app).tallying
    assert counting is not None
    counting.flush()


@pytest.fixture
def ledger():
    return FaultyLedger()


@pytest.fixture
def app(bare_app, ledger):
    app = bare_app(**RETENTION, **PLACES)
    Consent(app, services=["google-analytics", "youtube"], ledger=ledger)
    return app


@pytest.fixture
def count(app, ledger):
    """Return a function that gives what was counted so far, as `{Counted: number}`."""

    def read():
        flush(app)
        return dict(sum_up(ledger.tallies.read()).counts)

    return read


# -- pages


def test_page_with_a_banner_counts_as_a_prompt(app, client, ledger, count):
    client.get("/", headers=CALIFORNIA)

    assert count() == {Counted.PROMPT: 1}
    (key,) = ledger.tallies.read()
    assert key == TallyKey(
        day=get_site(app).engine.read_clock().date(),
        counted=Counted.PROMPT,
        jurisdiction="US-CA",
        language="en",
        policy_version=get_site(app).engine.policy.version,
    )


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Sec-Purpose": "prefetch;prerender"}),
        ("/", {"Purpose": "prefetch"}),
        ("/", {"HX-Request": "true"}),
        ("/", {"Sec-Fetch-Dest": "iframe"}),
        ("/favicon.ico", {"Sec-Fetch-Dest": "image"}),
        ("/privacy-choices/", {}),
        ("/privacy-choices/policy", {}),
        ("/privacy-choices/state", {}),
    ],
)
def test_what_shows_nobody_a_banner_is_no_prompt(client, count, path, headers):
    client.get(path, headers=headers)

    assert count() == {}


def test_head_is_no_prompt(client, count):
    client.head("/")

    assert count() == {}


def test_page_after_a_choice_is_no_prompt(client, count):
    post(client, "reject_all")
    client.get("/")

    assert Counted.PROMPT not in count()


def test_error_page_with_a_banner_is_a_prompt(client, count):
    assert client.get("/nowhere").status_code == 404

    assert count() == {Counted.PROMPT: 1}


def test_banner_that_the_page_placed_itself_is_one_prompt(app, count):
    from flask import render_template_string

    source = '{% from "consent/macros.html" import banner %}<!doctype html><html lang="en"><body>{{ banner() }}</body></html>'
    app.add_url_rule("/own", "own", lambda: render_template_string(source))
    app.test_client().get("/own")

    assert count() == {Counted.PROMPT: 1}


@pytest.mark.parametrize(
    ("chunks", "expected"), [(["<!doctype html><html>", "<body><p>"], {Counted.PROMPT: 1}), (["<p>", "part"], {})]
)
def test_streamed_document_counts_once_its_banner_is_sent(app, count, chunks, expected):
    app.add_url_rule("/stream", "stream", lambda: Response(iter(chunks), mimetype="text/html"))

    app.test_client().get("/stream")

    assert count() == expected


def test_honoured_signal_is_counted_on_each_page(client, count, ledger):
    for _ in range(2):
        client.get("/", headers=CALIFORNIA | {"Sec-GPC": "1"})

    assert count() == {Counted.PROMPT: 2, Counted.SIGNAL: 2}
    assert {key.signal for key in ledger.tallies.read()} == {"gpc"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        # Nothing would run there before a choice.
        ("/", {"Sec-GPC": "1"}),
        ("/", CALIFORNIA),
        ("/data", CALIFORNIA | {"Sec-GPC": "1"}),
    ],
)
def test_signal_that_keeps_nothing_shut_on_a_page_is_not_counted(app, client, count, path, headers):
    from consent import current_consent

    app.add_url_rule("/data", "data", lambda: {"allowed": current_consent.allows("marketing")})
    client.get(path, headers=headers)

    assert Counted.SIGNAL not in count()


def test_dnt_is_told_apart_from_gpc(bare_app, ledger):
    app = bare_app(**RETENTION, **PLACES, CONSENT_DNT=True)
    Consent(app, services=["youtube"], ledger=ledger)
    app.test_client().get("/", headers=CALIFORNIA | {"DNT": "1"})
    flush(app)

    assert {key.counted: key.signal for key in ledger.tallies.read()} == {
        Counted.PROMPT: "dnt",
        Counted.SIGNAL: "dnt",
    }


# -- choices


@pytest.mark.parametrize(
    ("action", "granted", "outcome"),
    [
        ("accept_all", (), Counted.ACCEPTED),
        ("reject_all", (), Counted.REFUSED),
        ("save", ("analytics",), Counted.PARTIAL),
    ],
)
def test_choice_counts_by_its_outcome_and_as_an_answer(client, count, ledger, action, granted, outcome):
    post(client, action, *granted)

    assert count() == {outcome: 1, Counted.ANSWERED: 1}
    assert {key.source for key in ledger.tallies.read()} == {"api"}


def test_double_click_counts_once(app, client, count):
    post(client, "accept_all", attempt="of-one-page")
    post(app.test_client(), "accept_all", attempt="of-one-page")

    assert count() == {Counted.ACCEPTED: 1, Counted.ANSWERED: 1}


def test_withdrawal_is_no_answer(client, count):
    post(client, "accept_all")
    post(client, "withdraw")

    assert count() == {Counted.ACCEPTED: 1, Counted.ANSWERED: 1, Counted.WITHDRAWN: 1}


def test_embed_that_leaves_the_banner_is_no_answer(client, count):
    post(client, "allow", "youtube")

    assert count() == {Counted.PARTIAL: 1}


def test_objection_in_california_counts_as_opted_out(client, choose, count, ledger):
    choose(client, "reject_all", next="/", headers={"Sec-Fetch-Site": "same-origin"} | CALIFORNIA)

    assert count() == {Counted.OPTED_OUT: 1, Counted.ANSWERED: 1}
    assert {(key.jurisdiction, key.source) for key in ledger.tallies.read()} == {("US-CA", "banner")}


def test_refusal_that_could_not_be_recorded_says_so(client, count, ledger):
    ledger.is_away = True
    post(client, "reject_all")

    assert count() == {Counted.REFUSED: 1, Counted.ANSWERED: 1, Counted.UNRECORDED: 1}


def test_grant_that_could_not_be_recorded_is_not_counted(client, count, ledger):
    ledger.is_away = True

    assert post(client, "accept_all").status_code == 503
    assert count() == {}


def test_bad_choice_is_not_counted(client, count):
    assert post(client, "save", "nonsense").status_code == 400
    assert count() == {}


def test_what_visitors_write_never_becomes_a_key(client, ledger, count):
    odd = {"Accept-Language": "xx-<b>", "User-Agent": "odd", "Referer": "http://odd/", "CF-IPCountry": "O<"}
    for at in range(20):
        client.get(f"/?lang=odd{at}&odd={at}", headers=odd)
        client.post("/privacy-choices/?lang=odd", json={"action": "reject_all", "odd": at}, headers=odd)

    assert count()[Counted.PROMPT] == 20
    assert "odd" not in repr(ledger.tallies.read())
    assert {(key.jurisdiction, key.language) for key in ledger.tallies.read()} == {("unknown", "en")}


# -- without a ledger, and beside the page


def test_nothing_is_counted_without_a_ledger(make_app):
    app = make_app()
    app.test_client().get("/")

    assert get_site(app).tallying is None


def test_page_says_the_same_with_and_without_counting(make_app, client):
    without = make_app(**PLACES).test_client()

    for headers in ({}, CALIFORNIA | {"Sec-GPC": "1"}):
        counted, plain = (each.get("/", headers=headers) for each in (client, without))
        assert dict(counted.headers) | {"Content-Length": ""} == dict(plain.headers) | {"Content-Length": ""}


def test_counting_that_fails_costs_no_page(app, client, caplog, monkeypatch):
    def fail(_key):
        raise ZeroDivisionError

    monkeypatch.setattr(get_site(app).tallying, "count", fail)

    answer = client.get("/")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private")
    assert "A visit could not be counted." in caplog.text
    assert post(client, "accept_all").status_code == 200
