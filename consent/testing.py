"""Helpers for the tests of sites: make a choice for a test client, and see what the code asked before it sent something.

Needs no knowledge of cookies or forms:

    consent.testing.grant(client, "analytics")
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from flask.testing import FlaskClient

from consent.errors import SetupError, quote_all
from consent.web.guard import AskedGuard, listen_to_guards
from consent.web.visit import get_site

__all__ = ["AskedGuard", "assert_guarded", "grant", "recorded_guards", "refuse"]


def grant(client: FlaskClient, *keys: str, base_url: str | None = None) -> None:
    """Grant purposes or services for a client; without keys, everything.

    What is not named is denied, as if the visitor had saved these switches.

    Args:
        base_url: Such as `https://localhost`, for apps that only answer there; None for the client's own.

    Raises:
        UnknownKeyError: If the app's policy does not declare a key.
        AssertionError: If the app refused the choice.
    """
    policy = get_site(client.application).engine.policy
    for key in keys:
        policy.check_key(key)
    _post(client, {"action": "save", "granted": list(keys)} if keys else {"action": "accept_all"}, base_url)


def refuse(client: FlaskClient, *, base_url: str | None = None) -> None:
    """Refuse everything for a client.

    Args:
        base_url: As for `grant`.

    Raises:
        AssertionError: If the app refused the choice.
    """
    _post(client, {"action": "reject_all"}, base_url)


def recorded_guards() -> AbstractContextManager[list[AskedGuard]]:
    """Record, within a `with` block, what every `guard()` is asked: keys, answer, and the function that asks.

    Returns:
        The list, which fills in the order of the questions.
    """
    return listen_to_guards()


def assert_guarded(asked: Sequence[AskedGuard], *keys: str, by: str = "") -> None:
    """Assert that a guard was asked, whatever it answered.

    What is sent without asking anybody, no guard knows of: assert of the provider's stand-in that it got nothing.

    Args:
        asked: What `recorded_guards` recorded.
        keys: Purposes and services; one guard must have been asked for all of them, and may have been for more.
        by: Name of the function that `@guard` guards, or that asked; empty for any.

    Raises:
        AssertionError: If none was; it lists those that were.
        SetupError: If no key is given: every guard was asked for nothing.
    """
    if not keys:
        raise SetupError("assert_guarded() needs at least one key, such as assert_guarded(asked, 'analytics').")
    if not any(set(keys) <= set(each.keys) and by in ("", each.function) for each in asked):
        by_whom = f" by {by!r}" if by else ""
        told = [
            f"guard({quote_all(each.keys)}) by {each.function!r}, {'open' if each.is_open else 'shut'}"
            for each in asked
        ]
        raise AssertionError(
            f"No guard was asked for {quote_all(keys)}{by_whom}. Asked were: {'; '.join(told) or 'none'}."
        )


def _post(client: FlaskClient, body: dict[str, object], base_url: str | None) -> None:
    prefix = get_site(client.application).settings.url_prefix
    answer = client.post(f"{prefix}/", json=body, base_url=base_url, headers={"Sec-Fetch-Site": "same-origin"})
    if answer.status_code != 200:
        raise AssertionError(f"The choice was answered with {answer.status_code}: {answer.get_data(as_text=True)}")
