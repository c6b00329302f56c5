"""`guard()`: what the server does itself is done only where it is granted, in a request and in a job."""

from __future__ import annotations

import asyncio
from functools import cache, wraps
from typing import Any

import pytest
from flask import Blueprint

from consent import current_consent, guard, requires_consent
from consent.errors import SetupError, UnknownKeyError
from consent.testing import AskedGuard, assert_guarded, grant, recorded_guards, refuse


def send():
    """Return what a call to a provider would: something that is no None."""
    return "sent"


@pytest.fixture
def ask(app):
    """Return a function that asks a guard in a request of a client, and says what it answered."""
    app.add_url_rule("/ask/<path:keys>", "ask", lambda keys: "sent" if guard(*keys.split("/")) else "not sent")

    def in_request(client, *keys):
        return client.get(f"/ask/{'/'.join(keys)}")

    return in_request


# -- in a request ------------------------------------------------------------------------------------------------------------------


def test_call_is_made_only_after_a_grant(client, ask):
    before = ask(client, "analytics").text
    refuse(client)
    refused = ask(client, "analytics").text
    grant(client, "analytics")

    assert [before, refused, ask(client, "analytics").text] == ["not sent", "not sent", "sent"]


def test_every_key_must_be_granted(client, ask):
    grant(client, "analytics")

    assert ask(client, "analytics", "youtube").text == "not sent"
    assert ask(client, "analytics", "google-analytics").text == "sent"


def test_answer_depends_on_the_visitor(client, ask):
    answer = ask(client, "analytics")

    assert answer.headers["Vary"] == "Cookie, Sec-GPC"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("key", ["analytics", "necessary"], ids=["shut", "open"])
def test_with_is_refused_and_its_block_does_not_run(app, key):
    sent = []
    guarded: Any = guard(key, "necessary")  # Any: a type checker refuses `with`, too
    with app.test_request_context("/"), pytest.raises(SetupError) as raised, guarded:
        sent.append("event")

    assert str(raised.value) == (
        f"'with' cannot leave its block out, granted or not. Write instead: if guard('{key}', 'necessary'):"
    )
    assert sent == []


def test_function_is_not_called_without_a_grant(app):
    guarded = guard("analytics")(send)
    needed = guard("necessary")(send)
    with app.test_request_context("/"):
        assert guarded() is None
        assert needed() == "sent"
        assert needed.__name__ == "send"


def test_async_function_is_not_called_without_a_grant(app):
    async def send_later(what):
        await asyncio.sleep(0)
        return what

    with app.test_request_context("/"):
        assert asyncio.run(guard("analytics")(send_later)("event")) is None
        assert asyncio.run(guard("necessary")(send_later)("event")) == "event"


def test_function_is_judged_at_each_call(app, client):
    guarded = guard("analytics")(send)
    app.add_url_rule("/send", "send", lambda: str(guarded()))
    before = client.get("/send").text
    grant(client)

    assert [before, client.get("/send").text] == ["None", "sent"]


def test_what_loads_before_the_choice_is_not_sent(make_app):
    app = make_app(CONSENT_SIGNALS={"google": {}}, CONSENT_ADVANCED=["google-analytics"])
    with app.test_request_context("/"):
        assert not guard("google-analytics")


def test_signal_of_the_browser_is_heeded(make_app):
    app = make_app(jurisdiction=lambda: "US-CA")
    with app.test_request_context("/", headers={"Sec-GPC": "1"}):
        assert not guard("marketing")
    with app.test_request_context("/"):
        # It runs until objected, and yet waits for the browser's own word on the signal.
        assert current_consent.allows("marketing")
        assert not guard("marketing")
        assert guard("analytics")


@pytest.mark.parametrize("keys", [(), (send,)], ids=["none", "function"])
def test_guard_without_a_key_is_refused(keys):
    with pytest.raises(SetupError, match=r"guard\(\) needs at least one key, such as guard\('analytics'\)\."):
        guard(*keys)


def test_unknown_key_is_named_with_the_known_ones(app):
    with (
        app.test_request_context("/"),
        pytest.raises(UnknownKeyError, match=r"'analitics' \(guard\(\)\).* 'analytics'"),
    ):
        bool(guard("analitics"))


def yielding():
    yield 1


async def yielding_later():
    yield 1


@pytest.mark.parametrize("function", [yielding, yielding_later, "send"], ids=["generator", "async", "text"])
def test_what_cannot_be_guarded_is_refused(function):
    with pytest.raises(SetupError, match="@guard cannot guard"):
        guard("analytics")(function)


# -- in the right order --------------------------------------------------------------------------------------------------------------


class Task:
    """Stands for Celery's: an object that is called, or put into a queue by a method of its class."""

    def __call__(self):
        return "sent"

    def delay(self):
        return self()


def queued():
    """Stands for a job of RQ: a function with a way into the queue."""


queued.delay = send  # type: ignore[attr-defined]  # as such decorators do


@pytest.mark.parametrize(
    ("function", "name"),
    [(queued, "queued"), (wraps(queued)(lambda: None), "queued"), (Task(), repr(Task)[8:-2])],
    ids=["attribute", "wrapped", "method"],
)
def test_function_with_another_way_in_is_refused(function, name):
    with pytest.raises(SetupError) as raised:
        guard("analytics")(function)

    assert name in str(raised.value)
    assert str(raised.value).endswith(
        ": another decorator gave it 'delay', which would get around the guard. "
        "Put @guard right above 'def', below every other decorator."
    )


def test_guard_below_a_queue_shuts_its_way_in(app):
    def job(function):
        function.delay = function
        return function

    task = job(guard("analytics")(send))
    with app.test_request_context("/"):
        assert task() is task.delay() is None


def test_function_that_other_decorators_wrap_can_be_guarded(app):
    guarded = guard("necessary")(cache(requires_consent("necessary")(send)))
    with app.test_request_context("/"):
        assert guarded() == "sent"


def test_class_is_refused():
    with pytest.raises(SetupError, match="only a function that returns"):
        guard("analytics")(Task)


@pytest.mark.parametrize("is_blueprint", [False, True], ids=["app", "blueprint"])
def test_view_that_is_registered_below_its_guard_does_not_run(app, client, caplog, is_blueprint):
    scaffold = Blueprint("shop", __name__) if is_blueprint else app
    sent = []

    @guard("analytics")
    @scaffold.get("/buy")
    def buy():
        sent.append("event")
        return "bought"

    if is_blueprint:
        app.register_blueprint(scaffold)
    grant(client)
    answer = client.get("/buy")

    assert (answer.status_code, sent, client.get("/").status_code) == (500, [], 200)
    assert "The view 'buy' was registered below its @guard, so the guard is never asked" in caplog.text


def test_view_of_debug_mode_that_is_registered_below_its_guard_raises(app, client):
    app.testing = True
    app.add_url_rule("/send", view_func=send_first)
    guard("analytics")(send_first)

    with pytest.raises(SetupError, match=r"@requires_consent\(…\) between its route and 'def'"):
        client.get("/send")


def send_first():
    """Return nothing that is ever sent."""


# -- in the tests of a site ----------------------------------------------------------------------------------------------------------


def test_recorded_guards_say_who_asked_for_what(app, client):
    @guard("analytics", "youtube")
    def send_purchase():
        return None

    def view():
        send_purchase()
        return "yes" if guard("marketing") or guard("necessary") else "no"

    app.add_url_rule("/buy", "buy", view)
    with recorded_guards() as asked:
        client.get("/buy")
    client.get("/buy")

    assert asked == [
        AskedGuard(keys=("analytics", "youtube"), is_open=False, function="send_purchase"),
        AskedGuard(keys=("marketing",), is_open=False, function="view"),
        AskedGuard(keys=("necessary",), is_open=True, function="view"),
    ]


def test_recorded_guards_end_after_an_exception_and_nest(app):
    with recorded_guards() as outer:
        with pytest.raises(ZeroDivisionError), recorded_guards():
            _ = 1 / 0
        with recorded_guards() as inner, app.test_request_context("/"):
            bool(guard("analytics"))

    assert outer == inner != []


RECORDED = (
    AskedGuard(keys=("analytics", "youtube"), is_open=False, function="send_purchase"),
    AskedGuard(keys=("marketing",), is_open=True, function="view"),
)


@pytest.mark.parametrize(
    ("keys", "by"),
    [(("youtube",), ""), (("youtube", "analytics"), "send_purchase"), (("marketing",), "view")],
    ids=["part", "both", "open"],
)
def test_guard_that_was_asked_is_found(keys, by):
    assert_guarded(RECORDED, *keys, by=by)


@pytest.mark.parametrize(
    ("keys", "by", "missed"),
    [
        (("necessary",), "", "'necessary'"),
        (("analytics",), "view", "'analytics' by 'view'"),
        (("analytics", "marketing"), "", "'analytics', 'marketing'"),
    ],
    ids=["key", "function", "apart"],
)
def test_guard_that_was_not_asked_is_told_with_those_that_were(keys, by, missed):
    with pytest.raises(AssertionError) as raised:
        assert_guarded(RECORDED, *keys, by=by)

    assert str(raised.value) == (
        f"No guard was asked for {missed}. Asked were: guard('analytics', 'youtube') by 'send_purchase', shut; "
        "guard('marketing') by 'view', open."
    )


def test_assertion_fails_where_nothing_was_asked():
    with pytest.raises(AssertionError, match="Asked were: none"):
        assert_guarded([], "analytics")


def test_assertion_without_a_key_is_refused():
    with pytest.raises(SetupError, match="needs at least one key"):
        assert_guarded(RECORDED)
