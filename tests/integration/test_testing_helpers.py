"""`consent.testing`: a choice for the test client of a site."""

from __future__ import annotations

import pytest
from flask_wtf import CSRFProtect

from consent import Policy, Purpose
from consent.errors import SetupError, UnknownKeyError
from consent.testing import grant, refuse

STATE = "/privacy-choices/state"


def granted(client, **options):
    state = client.get(STATE, **options).json
    return {key for key, choice in {**state["choices"], **state["services"]}.items() if choice == "granted"}


def test_grant_without_keys_grants_everything(client):
    grant(client)

    assert granted(client) == {"necessary", "preferences", "analytics", "marketing", "google-analytics", "youtube"}


def test_grant_denies_what_is_not_named(client):
    grant(client)
    grant(client, "analytics")

    assert granted(client) == {"necessary", "analytics", "google-analytics"}


def test_refuse_denies_everything_and_ends_the_prompt(client):
    grant(client)
    refuse(client)

    assert granted(client) == {"necessary"}
    assert client.get(STATE).json["needs_prompt"] is False


def test_unknown_key_is_refused(client):
    with pytest.raises(UnknownKeyError, match="'analitics'"):
        grant(client, "analitics")


def test_app_without_the_extension_is_refused(bare_app):
    with pytest.raises(SetupError, match="This app has no Consent extension"):
        grant(bare_app().test_client())


def test_own_prefix_and_policy_are_found(make_app):
    policy = Policy(
        controller="Example", purposes=(Purpose("necessary"), Purpose("social", title="Social", description="Share."))
    )
    client = make_app(policy=policy, CONSENT_URL_PREFIX="/legal").test_client()
    grant(client, "social")

    assert client.get("/legal/state").json["choices"] == {"necessary": "granted", "social": "granted"}


@pytest.mark.parametrize(
    "config", [{"APPLICATION_ROOT": "/app"}, {"SERVER_NAME": "news.example"}], ids=["root", "name"]
)
def test_site_of_another_address_is_served(make_app, config):
    client = make_app(**config).test_client()
    grant(client, "analytics")

    assert "analytics" in granted(client)


def test_site_with_csrf_protection_is_served(make_app):
    app = make_app()
    CSRFProtect(app)
    client = app.test_client()
    refuse(client)

    assert granted(client) == {"necessary"}


def test_refused_post_is_an_assertion(app, client):
    app.before_request(lambda: ("closed", 503))

    with pytest.raises(AssertionError, match="The choice was answered with 503: closed"):
        refuse(client)
