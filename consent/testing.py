"""Helpers for the tests of sites: make a choice for a test client.

Needs no knowledge of cookies or forms:

    consent.testing.grant(client, "analytics")
"""

from __future__ import annotations

from flask.testing import FlaskClient

from consent.web.visit import get_site

__all__ = ["grant", "refuse"]


def grant(client: FlaskClient, *keys: str) -> None:
    """Grant purposes or services for a client; without keys, everything.

    What is not named is denied, as if the visitor had saved these switches.

    Raises:
        UnknownKeyError: If the app's policy does not declare a key.
        AssertionError: If the app refused the choice.
    """
    policy = get_site(client.application).engine.policy
    for key in keys:
        policy.check_key(key)
    _post(client, {"action": "save", "granted": list(keys)} if keys else {"action": "accept_all"})


def refuse(client: FlaskClient) -> None:
    """Refuse everything for a client.

    Raises:
        AssertionError: If the app refused the choice.
    """
    _post(client, {"action": "reject_all"})


def _post(client: FlaskClient, body: dict[str, object]) -> None:
    prefix = get_site(client.application).settings.url_prefix
    answer = client.post(f"{prefix}/", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    if answer.status_code != 200:
        raise AssertionError(f"The choice was answered with {answer.status_code}: {answer.get_data(as_text=True)}")
