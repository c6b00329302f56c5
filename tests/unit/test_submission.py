"""A posted choice, read strictly: anything doubtful is an error of 400, 413 or 415, and never of 500."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

import pytest

from consent.core.choice import Action
from consent.core.declaration import Purpose, Service
from consent.core.policy import Policy
from consent.errors import SubmissionError
from consent.wire.submission import Submission, collect, limit_bytes, parse_body, parse_submission

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ACTIONS = "'accept_all', 'reject_all', 'save', 'allow', 'once', 'withdraw', 'acknowledge'"


def read(policy, body, content_type=FORM):
    return parse_submission(parse_body(body, content_type=content_type), policy)


def read_json(policy, value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read(policy, body, JSON)


def refuse(policy, body, content_type=FORM):
    with pytest.raises(SubmissionError) as error:
        read(policy, body, content_type)
    return error.value


def refuse_json(policy, value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return refuse(policy, body, JSON)


# -- what is read


@pytest.mark.parametrize("action", [action for action in Action if action not in (Action.ALLOW, Action.ONCE)])
def test_form_of_an_action_alone_is_read(policy, action):
    assert read(policy, f"action={action.value}".encode()) == Submission(action=action)


def test_form_with_everything_is_read(policy):
    body = b"action=save&granted=analytics&granted=player&next=%2Fnews%3Fpage%3D2%26a%3Db"

    assert read(policy, body) == Submission(
        action=Action.SAVE, granted=("analytics", "player"), next_path="/news?page=2&a=b"
    )


def test_json_with_everything_is_read(policy):
    submission = read_json(policy, {"action": "save", "granted": ["analytics", "player"], "next": "/news?page=2"})

    assert submission == Submission(action=Action.SAVE, granted=("analytics", "player"), next_path="/news?page=2")


def test_json_takes_one_key_without_a_list(policy):
    assert read_json(policy, {"action": "allow", "granted": "player"}).granted == ("player",)


def test_json_takes_an_empty_list(policy):
    assert read_json(policy, {"action": "save", "granted": []}).granted == ()


def test_embed_to_load_once_is_read(policy):
    submission = read(policy, b"action=once&service=player&id=abc-123&next=%2F")

    assert (submission.action, submission.service_key, submission.embed_id) == (Action.ONCE, "player", "abc-123")


@pytest.mark.parametrize(
    "content_type",
    [FORM, FORM.upper(), f"{FORM}; charset=utf-8", f" {FORM} ;charset=utf-8", f"{FORM};boundary=x"],
)
def test_form_type_is_known_in_any_spelling(policy, content_type):
    assert read(policy, b"action=save", content_type).action is Action.SAVE


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON", f"{JSON};charset=utf-8", f"{JSON} ; charset=UTF-8"])
def test_json_type_is_known_in_any_spelling(policy, content_type):
    assert read(policy, b'{"action": "save"}', content_type).action is Action.SAVE


def test_fields_of_others_are_left_out(policy):
    body = b"csrf_token=abc&csrf_token=def&action=save&_method=DELETE&utf8=%E2%9C%93"

    assert read(policy, body) == Submission(action=Action.SAVE)


def test_client_cannot_say_who_or_when_it_is(policy):
    value = {
        "action": "save",
        "granted": ["stats"],
        "record_id": "00000000-0000-4000-8000-000000000000",
        "subject_id": "someone",
        "decided_at": "1999-01-01T00:00:00Z",
        "valid_until": "2999-01-01T00:00:00Z",
        "ip": "127.0.0.1",
        "revision": 99,
        "signals": {"gpc": True},
    }

    assert read_json(policy, value) == Submission(action=Action.SAVE, granted=("stats",))


def test_collect_keeps_the_order_and_drops_what_is_not_ours():
    assert collect([("granted", "b"), ("x", "y"), ("granted", "a"), ("action", "save")]) == {
        "granted": ["b", "a"],
        "action": ["save"],
    }


@pytest.mark.parametrize(
    ("body", "content_type", "has_gpc"),
    [
        (b"action=save&gpc=1", FORM, True),
        (b"action=save&GPC=1&gpc_=1", FORM, False),
        (b'{"action": "save", "gpc": "1"}', JSON, True),
        (b'{"action": "save"}', JSON, False),
    ],
)
def test_signal_that_the_page_saw_is_read(policy, body, content_type, has_gpc):
    assert read(policy, body, content_type) == Submission(action=Action.SAVE, has_gpc=has_gpc)


@pytest.mark.parametrize("action", [Action.ACCEPT_ALL, Action.REJECT_ALL, Action.ACKNOWLEDGE])
def test_answer_to_what_changed_is_read(policy, action):
    expected = Submission(action=action, is_partial=True)

    assert read(policy, f"action={action.value}&asked=changed".encode()) == expected
    assert read_json(policy, {"action": action.value, "asked": "changed"}) == expected


@pytest.mark.parametrize("value", ["", "all", "Changed", "changed ", "1"])
def test_answer_to_anything_else_is_400(policy, value):
    error = refuse(policy, urlencode({"action": "save", "asked": value}).encode())

    assert str(error) == "Field 'asked' must be 'changed', or be left out."


@pytest.mark.parametrize("form", [b"action=acknowledge", b"action=acknowledge&granted=analytics"])
def test_acknowledgement_needs_proof_since_what_was_noted_is_not_told_again(policy, form):
    assert read(policy, form).needs_proof


@pytest.mark.parametrize("value", ["", "0", "true", "on", "11", " 1", "1,1", "１"], ids=ascii)
def test_signal_of_another_value_is_400(policy, value):
    error = refuse(policy, urlencode({"action": "save", "gpc": value}).encode())

    assert str(error) == "Field 'gpc' must be '1', or be left out."
    assert (error.status, error.code) == (400, "malformed")


@pytest.mark.parametrize("value", [1, True, False, None, ["1"], [], {"gpc": "1"}, "0", ""], ids=repr)
def test_signal_of_another_type_in_json_is_400(policy, value):
    error = refuse_json(policy, {"action": "save", "gpc": value})

    assert (error.status, error.code) == (400, "malformed")


# -- content types


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "application/ld+json",
        "text/json",
        "application/json, text/plain",
        "x/application/json",
        "application/x-www-form-urlencoded2",
    ],
)
def test_other_content_type_is_415(policy, content_type):
    error = refuse(policy, b'{"action": "accept_all"}', content_type)

    kind = content_type.partition(";")[0]
    assert str(error) == (
        f"Content type {kind!r} is not accepted. Send 'application/x-www-form-urlencoded' or 'application/json'."
    )
    assert (error.status, error.code) == (415, "unsupported_media_type")


def test_content_type_in_the_error_is_cut_and_quoted(policy):
    error = refuse(policy, b"", "text/\x1b[31m\r\nevil" + "x" * 9999)

    assert len(str(error)) < 250
    assert str(error).isprintable()


# -- actions


@pytest.mark.parametrize(
    "action",
    [
        "",
        "acceptall",
        "Accept_All",
        "ACCEPT_ALL",
        "accept_all ",
        "accept",
        "acknowledged",
        "__class__",
        "save\x00",
        "сave",
    ],
)
def test_unknown_action_is_400(policy, action):
    error = refuse(policy, urlencode({"action": action}).encode())

    assert str(error) == f"Unknown action {action!r}. Known actions: {ACTIONS}."
    assert (error.status, error.code) == (400, "unknown_action")


@pytest.mark.parametrize("body", [b"", b"&", b"granted=analytics", b"accept_all", b"action"])
def test_missing_action_is_400(policy, body):
    assert str(refuse(policy, body)) == f"Unknown action ''. Known actions: {ACTIONS}."


@pytest.mark.parametrize("field", ["action", "next", "service", "id", "gpc", "asked"])
def test_field_given_twice_is_400(policy, field):
    body = f"action=once&service=player&id=abc&next=%2F&gpc=1&asked=changed&{field}=accept_all".encode()

    error = refuse(policy, body)

    assert str(error) == f"Field {field!r} was given 2 times; give it once."
    assert (error.status, error.code) == (400, "malformed")


def test_same_action_twice_is_400_too(policy):
    assert str(refuse(policy, b"action=save&action=save")) == "Field 'action' was given 2 times; give it once."


# -- keys


@pytest.mark.parametrize("action", ["accept_all", "reject_all", "save", "allow", "withdraw"])
def test_unknown_key_is_400_under_any_action(policy, action):
    error = refuse(policy, f"action={action}&granted=analitycs".encode())

    assert str(error) == (
        "Unknown key 'analitycs' in 'granted'. Known keys: "
        "'analytics', 'marketing', 'pixel', 'player', 'preferences', 'stats'."
    )
    assert (error.status, error.code) == (400, "unknown_key")


@pytest.mark.parametrize("key", ["", "Analytics", "analytics ", " analytics", "*", "analytics,marketing", "__proto__"])
def test_key_must_be_exact(policy, key):
    assert refuse_json(policy, {"action": "save", "granted": [key]}).code == "unknown_key"


def test_one_unknown_key_spoils_the_whole(policy):
    assert refuse(policy, b"action=save&granted=analytics&granted=nobody").code == "unknown_key"


def test_repeated_key_is_400(policy):
    error = refuse(policy, b"action=save&granted=stats&granted=analytics&granted=stats")

    assert str(error) == "A key in 'granted' is repeated."
    assert (error.status, error.code) == (400, "malformed")


@pytest.mark.parametrize("body", [b"action=allow", b'{"action": "allow", "granted": []}'])
def test_allow_of_nothing_is_400(policy, body):
    error = refuse(policy, body, JSON if body.startswith(b"{") else FORM)

    assert str(error) == "Action 'allow' needs 'granted': what to allow."


def test_key_in_the_error_is_cut_and_quoted(policy):
    error = refuse(policy, b"action=save&granted=%1B%5B31m%0D%0Aevil%C2%85%E2%80%A8" + b"x" * 3000)

    assert len(str(error)) < 300
    assert str(error).isprintable()


def test_action_in_the_error_is_cut_and_quoted(policy):
    error = refuse(policy, b"action=%0A%0D%1B%00" + b"x" * 3000)

    assert len(str(error)) < 200
    assert str(error).isprintable()


def test_ten_thousand_keys_are_400_quickly(policy):
    fields = {"action": ["save"], "granted": [f"key-{number}" for number in range(10_000)]}

    begun = time.perf_counter()
    with pytest.raises(SubmissionError):
        parse_submission(fields, policy)
    assert time.perf_counter() - begun < 0.1


# -- embeds


@pytest.mark.parametrize("service", ["", "nobody", "stats", "marketing", "necessary", "login", "Player"])
def test_load_once_of_what_is_no_embed_is_400(policy, service):
    error = refuse(policy, f"action=once&service={service}&id=abc".encode())

    assert str(error) == f"Unknown embed service {service!r}."
    assert (error.status, error.code) == (400, "unknown_key")


def test_load_once_with_an_overlong_id_is_400(policy):
    assert read(policy, b"action=once&service=player&id=" + b"x" * 512).embed_id == "x" * 512

    error = refuse(policy, b"action=once&service=player&id=" + b"x" * 513)
    assert str(error) == "The embed's id is too long."


# -- limits


def test_limit_is_4096_bytes_without_anything_to_choose():
    policy = Policy(controller="Example", purposes=(Purpose("necessary"),))

    assert limit_bytes(policy) == 4096


def test_limit_leaves_room_for_every_key_in_any_spelling():
    keys = [f"service-with-a-rather-long-name-{number:03}" for number in range(100)]
    policy = Policy(
        controller="Example", services=tuple(Service(key, name="S", purposes=("analytics",)) for key in keys)
    )
    granted = [*policy.fingerprints]
    form = "action=save&next=%2F" + "".join(f"&granted={key}" for key in granted)
    escaped = ",".join('"' + "".join(f"\\u{ord(character):04x}" for character in key) + '"' for key in granted)
    body = f'{{"action": "save", "granted": [{escaped}]}}'.encode()

    assert len(form) <= limit_bytes(policy)
    assert len(body) <= limit_bytes(policy)
    assert read(policy, body, JSON).granted == tuple(granted)


# -- what needs proof


@pytest.mark.parametrize(
    ("submission", "needs_proof"),
    [
        (Submission(action=Action.ACCEPT_ALL), True),
        (Submission(action=Action.ALLOW, granted=("player",)), True),
        (Submission(action=Action.ONCE, service_key="player", embed_id="abc"), True),
        (Submission(action=Action.SAVE, granted=("stats",)), True),
        (Submission(action=Action.SAVE), False),
        (Submission(action=Action.REJECT_ALL), False),
        (Submission(action=Action.WITHDRAW), False),
        (Submission(action=Action.REJECT_ALL, granted=("stats",)), False),
        (Submission(action=Action.WITHDRAW, granted=("stats",)), False),
    ],
)
def test_opening_needs_proof_and_closing_does_not(submission, needs_proof):
    assert submission.needs_proof is needs_proof
