"""Global Privacy Control as the page's script saw it, where no header came: a field of the choice that can only close."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from consent import CookieDeclaration, Service, consent_recorded, consent_withdrawn

STATE = "/privacy-choices/state"
HEADER = {"Sec-GPC": "1"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@contextmanager
def listening(*, fails=False):
    heard = []

    def note_recorded(_app, record, previous):
        heard.append(("recorded", record))
        if fails:
            raise RuntimeError("the ledger is down")

    def note_withdrawn(_app, record, previous):
        heard.append(("withdrawn", record))

    with consent_recorded.connected_to(note_recorded), consent_withdrawn.connected_to(note_withdrawn):
        yield heard


def services_of(client, **headers):
    return client.get(STATE, headers=headers).json["services"]


@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("fields", [{}, {"gpc": "1"}], ids=["quiet", "told"])
def test_record_says_that_the_signal_was_present(client, choose, json, fields):
    with listening() as heard:
        choose(client, "save", "analytics", json=json, **fields)

    assert [record.signals.gpc for _, record in heard] == [bool(fields)]


@pytest.mark.parametrize(("headers", "sec_gpc"), [(HEADER, True), ({}, False)], ids=["header", "no-header"])
@pytest.mark.parametrize(("fields", "dom_gpc"), [({"gpc": "1"}, True), ({}, False)], ids=["told", "quiet"])
def test_record_keeps_apart_what_header_and_script_have_said(client, choose, headers, sec_gpc, fields, dom_gpc):
    with listening() as heard:
        choose(client, "save", "analytics", headers=SAME_ORIGIN | headers, **fields)
    ((_, record),) = heard
    signals = record.as_dict()["signals"]

    assert signals == {"gpc": sec_gpc or dom_gpc, "dnt": False, "sec_gpc": sec_gpc, "dom_gpc": dom_gpc}


def test_grant_made_while_the_signal_is_present_stays_a_grant(client, choose):
    answer = choose(client, "accept_all", json=True, gpc="1").json

    assert answer["choices"]["marketing"] == "granted"
    assert client.get(STATE, headers=HEADER).json["choices"]["marketing"] == "granted"


def test_grant_made_without_it_is_closed_by_the_header_later(client, choose):
    choose(client, "accept_all")

    assert client.get(STATE, headers=HEADER).json["choices"]["marketing"] == "denied"


def test_allowing_one_thing_does_not_renew_what_the_signal_closes(make_app, choose):
    services = ["youtube", Service("chat", name="Chat", purposes=("preferences",))]
    client = make_app(services=services).test_client()
    choose(client, "save", "marketing", "analytics")
    with listening() as heard:
        response = choose(client, "allow", "chat", gpc="1")

    assert services_of(client) == {"youtube": "denied", "chat": "granted"}
    assert client.get(STATE).json["choices"]["analytics"] == "granted"
    assert [name for name, _ in heard] == ["recorded", "withdrawn"]
    assert response.headers["Clear-Site-Data"] == '"cache"'


def test_what_the_signal_closes_takes_its_cookies_with_it(make_app, choose, set_cookies):
    advert = Service("advert", name="Advert", purposes=("marketing",), cookies=(CookieDeclaration("_ad", months=1),))
    client = make_app(services=[advert]).test_client()
    choose(client, "accept_all")
    client.set_cookie("_ad", "1")
    response = choose(client, "allow", "analytics", gpc="1")

    assert any(cookie.startswith("_ad=; Expires=Thu, 01 Jan 1970") for cookie in set_cookies(response))


@pytest.mark.parametrize("headers", [HEADER, {}], ids=["header", "no-header"])
@pytest.mark.parametrize("action", ["accept_all", "reject_all", "withdraw", "save", "allow"])
def test_field_adds_nothing_to_the_header(make_app, choose, action, headers):
    """With a header of its own the request says the same with and without the field; the field alone says as much."""

    def answer(*, told, **more):
        client = make_app().test_client()
        choose(client, "save", "marketing")
        body = choose(client, action, "analytics", json=True, headers=SAME_ORIGIN | more, **told).json
        return {name: value for name, value in body.items() if name != "decided_at"}

    assert answer(told={"gpc": "1"}, **headers) == answer(told={}, **HEADER)


@pytest.mark.parametrize("value", ["", "0", "true", "2"])
@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
def test_other_value_is_malformed_and_changes_nothing(client, choose, set_cookies, value, json):
    before = client.get(STATE).json
    response = choose(client, "accept_all", json=json, gpc=value)

    assert (response.status_code, set_cookies(response)) == (400, [])
    assert client.get(STATE).json == before


def test_refusal_with_the_field_passes_without_proof_and_a_grant_does_not(client, choose):
    answers = [choose(client, action, headers={}, gpc="1") for action in ("reject_all", "accept_all")]

    assert [answer.status_code for answer in answers] == [303, 403]


def test_field_says_nothing_of_later_requests(client, choose):
    choose(client, "accept_all")
    choose(client, "once", service="youtube", id="aqz-KE-bpKQ", gpc="1")

    assert client.get(STATE).json["choices"]["marketing"] == "granted"


def test_grant_that_could_not_be_recorded_closes_what_it_leaves_out(client, choose):
    choose(client, "accept_all")
    with listening(fails=True):
        response = choose(client, "save", "analytics", "preferences", gpc="1")

    assert response.status_code == 503
    assert client.get(STATE).json["choices"] == {
        "necessary": "granted",
        "preferences": "granted",
        "analytics": "granted",
        "marketing": "denied",
    }


def test_grant_in_spite_of_the_signal_that_could_not_be_recorded_opens_nothing(client, choose):
    choose(client, "reject_all")
    with listening(fails=True):
        response = choose(client, "save", "marketing", gpc="1")

    assert response.status_code == 503
    assert client.get(STATE, headers=HEADER).json["choices"]["marketing"] == "denied"
    assert client.get(STATE).json["choices"]["analytics"] == "denied"
