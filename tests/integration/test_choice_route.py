"""`POST /`: what each action does, and how it is answered."""

from __future__ import annotations

import pytest

from consent import consent_recorded

PREFERENCES = "/privacy-choices/"
STATE = f"{PREFERENCES}state"
OPTIONAL = {"preferences", "analytics", "marketing", "google-analytics", "youtube"}
NOTHING: set[str] = set()


@pytest.fixture
def granted_to():
    """Return a function that lists the keys, `necessary` apart, that a client has granted."""

    def read(client):
        state = client.get(STATE).json
        return {key for key, choice in {**state["choices"], **state["services"]}.items() if choice == "granted"} - {
            "necessary"
        }

    return read


@pytest.mark.parametrize("json", [False, True], ids=["form", "json"])
@pytest.mark.parametrize(
    "case",
    [
        ("accept_all", (), OPTIONAL),
        ("reject_all", (), NOTHING),
        ("withdraw", (), NOTHING),
        ("save", (), NOTHING),
        ("save", ("analytics",), {"analytics", "google-analytics"}),
        ("save", ("google-analytics",), {"google-analytics"}),
        ("save", ("youtube", "preferences"), {"youtube", "preferences"}),
        ("save", ("necessary", "marketing"), {"marketing", "youtube"}),
        ("reject_all", ("analytics", "marketing"), NOTHING),
        ("accept_all", ("analytics",), OPTIONAL),
        ("withdraw", ("analytics",), NOTHING),
        ("allow", ("youtube",), {"youtube"}),
        ("allow", ("marketing",), {"marketing", "youtube"}),
    ],
    ids=str,
)
def test_action_grants_exactly(client, choose, granted_to, json, case):
    action, keys, granted = case
    choose(client, action, *keys, json=json)

    assert granted_to(client) == granted


@pytest.mark.parametrize("action", ["accept_all", "reject_all", "save", "withdraw"])
def test_banner_is_gone_after_a_complete_choice(client, choose, action):
    choose(client, action)

    assert client.get(STATE).json["needs_prompt"] is False
    assert "pvc-banner" not in client.get("/").text


def test_save_replaces_what_was_granted(client, choose, granted_to):
    choose(client, "accept_all")
    choose(client, "save", "preferences")

    assert granted_to(client) == {"preferences"}


def test_allow_before_any_choice_keeps_the_banner(client, choose, granted_to):
    choose(client, "allow", "youtube")

    assert granted_to(client) == {"youtube"}
    assert client.get(STATE).json["needs_prompt"] is True
    assert 'data-consent-ui="banner"' in client.get("/").text


def test_allow_twice_keeps_both_grants_and_the_banner(client, choose, granted_to):
    choose(client, "allow", "youtube")
    choose(client, "allow", "google-analytics")

    assert granted_to(client) == {"youtube", "google-analytics"}
    assert client.get(STATE).json["needs_prompt"] is True


def test_allow_after_a_refusal_adds_one_service_and_no_banner(client, choose, granted_to):
    choose(client, "reject_all")
    choose(client, "allow", "youtube")

    assert granted_to(client) == {"youtube"}
    assert client.get(STATE).json["needs_prompt"] is False


def test_allow_after_a_grant_changes_nothing_else(client, choose, granted_to):
    choose(client, "save", "analytics")
    choose(client, "allow", "youtube")

    assert granted_to(client) == {"analytics", "google-analytics", "youtube"}


def test_answer_to_a_form_leads_to_the_page_it_came_from(client, choose):
    response = choose(client, "accept_all", next="/article?id=7&from=a%20b")

    assert response.status == "303 SEE OTHER"
    assert response.headers["Location"] == "/article?id=7&from=a%20b"


def test_answer_to_json_is_the_state(client, choose):
    response = choose(client, "save", "analytics", json=True)
    body = response.json

    assert response.status_code == 200
    assert list(body) == ["choices", "decided_at", "needs_prompt", "policy_version", "regime", "services"]
    assert body["choices"] == {
        "necessary": "granted",
        "preferences": "denied",
        "analytics": "granted",
        "marketing": "denied",
    }
    assert body["services"] == {"google-analytics": "granted", "youtube": "denied"}
    assert (body["regime"], body["needs_prompt"]) == ("opt_in", False)
    assert body == client.get(STATE).json


def test_state_before_a_choice(client):
    body = client.get(STATE).json

    assert body["choices"] == {
        "necessary": "granted",
        "preferences": "denied",
        "analytics": "denied",
        "marketing": "denied",
    }
    assert body["services"] == {"google-analytics": "denied", "youtube": "denied"}
    assert (body["decided_at"], body["needs_prompt"]) == (None, True)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/json, text/html;q=0.5", 200),
        ("text/html, application/json;q=0.9", 303),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 303),
        ("*/*", 303),
        ("", 303),
        ("text/plain", 303),
        (";;;q=x", 303),
    ],
)
def test_accept_header_chooses_the_answer_to_a_form(client, choose, accept, status):
    response = choose(client, "reject_all", headers={"Sec-Fetch-Site": "same-origin", "Accept": accept})

    assert response.status_code == status
    assert response.is_json is (status == 200)


def test_json_body_is_answered_with_json_whatever_is_accepted(client, choose):
    headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}

    assert choose(client, "reject_all", json=True, headers=headers).is_json


def test_json_may_name_one_key_as_text(client, granted_to):
    client.post(PREFERENCES, json={"action": "save", "granted": "analytics"}, headers={"Sec-Fetch-Site": "same-origin"})

    assert granted_to(client) == {"analytics", "google-analytics"}


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b",
        "/" + "a" * 3000,
        "///evil.example",
        "evil.example",
        "data:text/html,x",
        "",
        "?a=b",
        "#top",
        "/a\x00b",
    ],
    ids=ascii,
)
@pytest.mark.parametrize(("root", "fallback"), [("", "/"), ("/app", "/app/")], ids=["at-root", "mounted"])
def test_unsafe_next_falls_back_and_the_action_still_counts(client, choose, target, root, fallback):
    response = choose(client, "accept_all", next=target, environ_overrides={"SCRIPT_NAME": root})

    assert response.status_code == 303
    assert response.headers["Location"] == fallback
    assert client.get(STATE).json["choices"]["analytics"] == "granted"


@pytest.mark.parametrize("target", ["/%09/evil.example", "/a//b", "/?next=//evil.example", "/a;b=c@d", "/%E2%82%AC"])
def test_safe_next_is_kept_as_it_is(client, choose, target):
    assert choose(client, "accept_all", next=target).headers["Location"] == target


def test_missing_next_leads_to_the_root_of_the_site(client, choose):
    assert choose(client, "accept_all").headers["Location"] == "/"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_safe_method_with_the_same_parameters_changes_nothing(client, set_cookies, method):
    heard: list[object] = []
    with consent_recorded.connected_to(lambda _app, **kept: heard.append(kept)):
        response = getattr(client, method)(f"{PREFERENCES}?action=accept_all&granted=analytics")

    assert response.status_code == 200
    assert set_cookies(response) == []
    assert heard == []
    assert client.get(STATE).json["choices"]["analytics"] == "denied"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_method_is_not_allowed(client, set_cookies, method):
    response = getattr(client, method)(PREFERENCES, data={"action": "accept_all"})

    assert response.status_code == 405
    assert set_cookies(response) == []


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"X-HTTP-Method-Override": "POST"}, ""), ({"X-HTTP-Method": "POST"}, ""), ({}, "?_method=POST")],
    ids=["override", "method", "query"],
)
def test_method_override_is_ignored(client, set_cookies, headers, query):
    response = client.get(f"{PREFERENCES}{query}", data={"action": "accept_all"}, headers=headers)

    assert response.status_code == 200
    assert set_cookies(response) == []


def test_client_cannot_choose_its_record(client):
    heard = []
    body = {
        "action": "accept_all",
        "record_id": "00000000-0000-0000-0000-000000000000",
        "subject_id": "someone-else",
        "decided_at": "1999-01-01T00:00:00Z",
        "policy_version": "0",
    }
    receiver = lambda _app, record, **_: heard.append(record)  # noqa: E731 - kept alive by this name
    with consent_recorded.connected_to(receiver):
        client.post(PREFERENCES, json=body, headers={"Sec-Fetch-Site": "same-origin"})

    (record,) = heard
    assert record.record_id != body["record_id"]
    assert record.subject_id is None
    assert record.decided_at.year > 1999
    assert record.account.notice.policy_version != "0"


def test_answers_are_never_stored_and_never_shared(client, choose):
    for response in (
        choose(client, "accept_all"),
        choose(client, "nonsense"),
        client.get(STATE),
        client.get(PREFERENCES),
    ):
        assert response.headers["Cache-Control"] == "no-store"
        assert not [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118 - werkzeug's
