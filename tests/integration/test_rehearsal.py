"""What looks at pages before visitors do: it sees what they would, and leaves no trace for them or for the site."""

from __future__ import annotations

import json
import logging

import pytest
from click.testing import CliRunner
from flask import request
from flask.cli import ScriptInfo
from jinja2 import DictLoader

from consent import Consent, Document
from consent.cli import group

DOMAIN = "shop.example.com"
PRIVACY = Document("privacy", url="/privacy", version="1")
OWN_BANNER = '{% extends "consent/default/banner.html" %}'
# In one kind of place, the site leaves the button away that refuses.
BY_REGIME = (
    OWN_BANNER + '{% block actions %}{% if current_consent.regime == "REGIME" %}'
    '<button name="action" value="acknowledge">OK</button>{% else %}{{ super() }}{% endif %}{% endblock %}'
)
COMMANDS = [("check", "--json"), ("explain", "--country", "FR", "--json")]


@pytest.fixture
def make_site(bare_app):
    """Return a function that makes a site with a banner of its own, whose functions are noted as they are called."""

    def make(banner=OWN_BANNER, **config):
        app = bare_app(**config)
        app.jinja_loader = DictLoader({"consent/banner.html": banner})
        app.called = []
        privacy = Consent(
            services=["google-analytics"], documents=[PRIVACY], jurisdiction=lambda: app.called.append("place")
        )
        privacy.load_choice(lambda: app.called.append("load"))
        privacy.save_choice(app.called.append)
        privacy.init_app(app)
        return app

    return make


def run(app, *arguments):
    return CliRunner().invoke(group, arguments, obj=ScriptInfo(create_app=lambda *_: app))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_command_asks_the_site_about_nobody(make_site, caplog, command):
    app = make_site(CONSENT_COOKIE_DOMAIN=DOMAIN)
    result = run(app, *command)

    assert (result.exit_code, app.called, caplog.messages) == (0, [], [])


def test_first_request_asks_the_site_only_about_its_own_visitor(make_site, caplog):
    app = make_site(CONSENT_COOKIE_DOMAIN=DOMAIN)
    app.test_client().get("/", base_url=f"https://{DOMAIN}")

    assert (app.called, caplog.messages) == (["place", "load"], [])


def test_host_beyond_the_domain_is_still_warned_of_after_a_rehearsal(make_site, caplog):
    app = make_site(CONSENT_COOKIE_DOMAIN=DOMAIN)
    app.test_client().get("/", base_url="https://blog.example.org")

    assert [DOMAIN in message for message in caplog.messages] == [True]


@pytest.mark.parametrize("regime", ["opt_in", "opt_out"])
def test_check_sees_a_template_of_the_site_under_each_regime(make_site, regime):
    result = run(make_site(BY_REGIME.replace("REGIME", regime)), "check", "--json")
    found = [(each["rule"], each["key"]) for each in json.loads(result.stdout)]

    assert found == [("D13", "choice banner" if regime == "opt_in" else "objection banner")]


@pytest.mark.parametrize("regime", ["opt_in", "opt_out"])
def test_first_request_looks_at_a_template_of_the_site_under_each_regime(make_site, caplog, regime):
    make_site(BY_REGIME.replace("REGIME", regime)).test_client().get("/")

    assert [(record.levelno, "(D13)" in record.getMessage()) for record in caplog.records] == [(logging.ERROR, True)]


def test_hook_of_the_site_that_fails_while_templates_are_looked_at_costs_no_page(make_site, caplog):
    app = make_site()
    # A browser says what it is; nobody is there to say it while a template is looked at.
    app.teardown_request(lambda _: request.headers["User-Agent"])
    client = app.test_client()

    assert [client.get("/").status_code for _ in range(2)] == [200, 200]
    assert caplog.messages == ["The templates of the site's own could not be looked at."]


def test_template_of_the_site_that_fails_costs_no_page_elsewhere(make_site, add_page):
    app = make_site(f"{OWN_BANNER}{{% block actions %}}{{{{ nothing.at.all }}}}{{% endblock %}}")
    add_page(app, "/plain", lambda: "plain")

    assert app.test_client().get("/plain").status_code == 200
