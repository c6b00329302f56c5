"""`guard()`: what the server does itself is done only where it is granted, in a request and in a job."""

from __future__ import annotations

import asyncio

import pytest

from consent import current_consent, guard
from consent.errors import SetupError, UnknownKeyError
from consent.testing import AskedGuard, grant, recorded_guards, refuse


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


def test_block_is_told_and_its_exception_passes(app):
    with app.test_request_context("/"):
        with guard("analytics") as is_granted, guard("necessary") as is_needed:
            assert (is_granted, is_needed) == (False, True)
        with pytest.raises(ZeroDivisionError), guard("necessary"):
            _ = 1 / 0


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


# -- in the tests of a site ----------------------------------------------------------------------------------------------------------


def test_recorded_guards_say_who_asked_for_what(app, client):
    @guard("analytics", "youtube")
    def send_purchase():
        return None

    def view():
        send_purchase()
        with guard("marketing"):
            return "yes" if guard("necessary") else "no"

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
