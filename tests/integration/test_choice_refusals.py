"""`POST /` with what it must not take: the status, both bodies, and that nothing changes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from operator import attrgetter, methodcaller

import pytest
from flask import request

from consent import Service, consent_recorded, consent_withdrawn

PREFERENCES = "/privacy-choices/"
STATE = f"{PREFERENCES}state"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


@contextmanager
def listening():
    heard: list[str] = []

    def note(_app, record, previous):
        heard.append(record.record_id)

    with consent_recorded.connected_to(note), consent_withdrawn.connected_to(note):
        yield heard


@pytest.fixture
def refused(client, set_cookies):
    """Return a function that posts raw bytes and checks that they changed nothing."""

    def post(data, content_type, status, *, headers=SAME_ORIGIN):
        before = client.get(STATE).json
        with listening() as heard:
            response = client.post(PREFERENCES, data=data, content_type=content_type, headers=headers)
        assert (response.status_code, heard, set_cookies(response)) == (status, [], [])
        assert client.get(STATE).json == before
        return response

    return post


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"action=",
        b"granted=analytics",
        b"action=acknowledged",
        b"action=save&asked=all",
        b"action=save&asked=changed&asked=changed",
        b"action=ACCEPT_ALL",
        b"action=accept_all&action=reject_all",
        b"action=save&granted=analitics",
        b"action=save&granted=",
        b"action=save&granted=analytics&granted=analytics",
        b"action=allow",
        b"action=allow&granted=nothing",
        b"action=accept_all&granted=nothing",
        b"action=once",
        b"action=once&service=youtube",
        b"action=once&service=youtube&id=../../etc",
        b"action=once&service=google-analytics&id=1",
        b"action=once&service=nothing&id=aqz-KE-bpKQ",
        b"action=save&granted=%FF%FE",
        b"action=save&granted=\xff",
        b"action=accept_all&next=/a&next=/b",
        b"%00=1",
    ],
    ids=ascii,
)
def test_malformed_form_is_refused(refused, body):
    response = refused(body, FORM, 400)

    assert "<h1>This could not be read</h1>" in response.text
    assert response.mimetype == "text/html"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"accept_all"',
        b"{",
        b'{"action": "accept_all", "action": "accept_all"}',
        b'{"action": ["accept_all"]}',
        b'{"action": "save", "granted": {"analytics": true}}',
        b'{"action": "save", "granted": [true]}',
        b'{"action": "save", "granted": [["analytics"]]}',
        b'{"action": "save", "granted": ["analytics", "analytics"]}',
        b'{"action": "save", "granted": ["__proto__"]}',
        b'{"action": "accept_all", "extra": NaN}',
        b'{"action": "save", "granted": ["\\ud800"]}',
        b'\xff\xfe{"action": "accept_all"}',
        b"[" * 4000,
        b'{"action": ' + b"9" * 4000 + b"}",
    ],
    ids=lambda body: ascii(body[:50]),
)
def test_malformed_json_is_refused(refused, body):
    response = refused(body, "application/json", 400)

    assert response.json.keys() == {"error", "message"}


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (
            {"action": "accept"},
            "unknown_action",
            (
                "Unknown action 'accept'. Known actions: 'accept_all', 'reject_all', 'save', 'allow', 'once', 'withdraw', "
                "'acknowledge'."
            ),
        ),
        (
            {"action": "save", "granted": ["analitics"]},
            "unknown_key",
            (
                "Unknown key 'analitics' in 'granted'. Known keys: 'analytics', 'google-analytics', 'marketing', 'preferences', "
                "'youtube'."
            ),
        ),
    ],
)
def test_refusal_in_json_says_what_was_found_and_what_is_known(refused, body, error, message):
    assert refused(json.dumps(body).encode(), "application/json", 400).json == {"error": error, "message": message}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "text/json",
        "application/xml",
        "",
        "application/jsonx",
        "garbage",
    ],
    ids=repr,
)
def test_other_content_type_is_refused(refused, content_type):
    response = refused(b'{"action": "accept_all"}', content_type, 415)

    assert "<h1>This is not a form</h1>" in response.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=utf-8", b'{"action": "accept_all"}'),
        ("Application/JSON", b'{"action": "accept_all"}'),
        (f"{FORM}; charset=UTF-8", b"action=accept_all"),
        (FORM.upper(), b"action=accept_all"),
    ],
)
def test_documented_content_type_in_another_spelling_is_taken(client, content_type, body):
    response = client.post(PREFERENCES, data=body, content_type=content_type, headers=SAME_ORIGIN)

    assert response.status_code in {200, 303}
    assert client.get(STATE).json["choices"]["analytics"] == "granted"


@pytest.mark.parametrize(
    ("content_type", "prefix"),
    [(FORM, b"action=accept_all&x="), ("application/json", b'{"action": "accept_all", "x": "')],
    ids=["form", "json"],
)
def test_long_body_is_refused(refused, content_type, prefix):
    response = refused(prefix + b"a" * 5000, content_type, 413)

    assert response.is_json is (content_type == "application/json")


def test_body_of_4096_bytes_is_taken_whatever_the_policy(client):
    body = b"action=reject_all&x=".ljust(4096, b"a")

    assert client.post(PREFERENCES, data=body, content_type=FORM, headers=SAME_ORIGIN).status_code == 303


def test_every_key_of_a_large_policy_fits(make_app, choose):
    services = [
        Service(f"a-service-of-long-name-{number:03}", name="S", purposes=("analytics",)) for number in range(300)
    ]
    client = make_app(services=services).test_client()

    assert choose(client, "save", *(service.key for service in services)).status_code == 303


@pytest.mark.parametrize(("status", "data"), [(400, b"action=x"), (413, b"a" * 9000), (415, b"")])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_refusal_is_answered_in_the_accepted_type(client, status, data, accept):
    content_type = "text/plain" if status == 415 else FORM
    response = client.post(PREFERENCES, data=data, content_type=content_type, headers={**SAME_ORIGIN, "Accept": accept})

    assert (response.status_code, response.mimetype) == (status, accept)


def test_refusal_does_not_repeat_what_was_sent(client):
    response = client.post(PREFERENCES, data={"action": "<script>alert(1)</script>"}, headers=SAME_ORIGIN)

    assert "alert(1)" not in response.text


@pytest.mark.parametrize("config", [{"MAX_CONTENT_LENGTH": 10}, {"MAX_FORM_MEMORY_SIZE": 10}], ids=str)
def test_lower_limit_of_the_site_is_answered_in_our_shape(make_app, choose, config):
    response = choose(make_app(**config).test_client(), "accept_all", json=True)

    assert response.status_code in {200, 413}
    assert response.is_json


@pytest.mark.parametrize("setting", ["TRAP_BAD_REQUEST_ERRORS", "TRAP_HTTP_EXCEPTIONS"])
def test_malformed_choice_is_answered_while_errors_are_trapped(make_app, choose, setting):
    assert choose(make_app(**{setting: True}).test_client(), "nonsense").status_code == 400


@pytest.mark.parametrize(
    "read",
    [attrgetter("form"), attrgetter("values"), methodcaller("get_data")],
    ids=["form", "values", "data"],
)
@pytest.mark.parametrize("in_json", [False, True], ids=["form", "json"])
def test_choice_is_taken_although_an_earlier_hook_read_it(app, choose, read, in_json):
    @app.before_request
    def hook():
        read(request)

    client = app.test_client()
    choose(client, "accept_all", json=in_json)

    assert client.get(STATE).json["choices"]["analytics"] == "granted"


def test_multipart_is_refused_although_an_earlier_hook_read_it(app, set_cookies):
    @app.before_request
    def hook():
        assert request.form

    response = app.test_client().post(
        PREFERENCES, data={"action": "accept_all"}, content_type="multipart/form-data", headers=SAME_ORIGIN
    )

    assert response.status_code == 415
    assert set_cookies(response) == []


def test_chunked_choice_is_taken(app, serve, exchange):
    head, _ = exchange(serve(app), chunked(b"action=reject_all"))

    assert head.startswith("HTTP/1.1 303 SEE OTHER")
    assert "Set-Cookie: consent=" in head


def test_long_chunked_body_is_refused(app, serve, exchange):
    head, _ = exchange(serve(app), chunked(b"action=reject_all&x=" + b"a" * 6000))

    assert head.startswith("HTTP/1.1 413 ")
    assert "Set-Cookie" not in head


def chunked(body):
    return (
        b"POST /privacy-choices/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%s\r\n0\r\n\r\n"
        % (len(body), body)
    )
