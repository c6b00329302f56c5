"""What a choice does while the site cannot say what the user who is logged in has chosen."""

from __future__ import annotations

import pytest
from flask import request

from consent import Consent, consent_recorded

STATE = "/privacy-choices/state"


@pytest.fixture
def site(bare_app):
    """Return an app and the set of what fails: `load` while it is in there."""
    app, fails = bare_app(), {"load"}
    privacy = Consent(services=["youtube"], jurisdiction=lambda: request.headers.get("X-Place", "FR"))

    @privacy.load_choice
    def load():
        if fails:
            raise RuntimeError("the users are down")

    privacy.save_choice(lambda _text: None)
    privacy.init_app(app)
    return app, fails


@pytest.mark.parametrize("act", [("accept_all",), ("allow", "youtube"), ("acknowledge",)])
def test_what_needs_a_record_is_told_that_there_is_none(site, choose, act):
    app, fails = site
    client = app.test_client()
    answer = choose(client, *act)
    fails.clear()

    assert (answer.status_code, client.get(STATE).json["needs_prompt"]) == (503, True)
    assert "Set-Cookie" not in answer.headers


def test_refusal_takes_effect_all_the_same(site, choose):
    app, fails = site
    client = app.test_client()
    choose(client, "reject_all")
    fails.clear()

    assert not client.get(STATE).json["needs_prompt"]


def test_choice_before_is_told_as_the_browser_has_it(site, choose):
    app, fails = site
    client, told = app.test_client(), []
    fails.clear()
    choose(client, "accept_all")
    fails.add("load")
    with consent_recorded.connected_to(lambda _app, previous, **_: told.append(previous), app):
        choose(client, "reject_all")

    assert [previous.is_grant for previous in told] == [True]
