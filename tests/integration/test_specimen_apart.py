"""What visitors are shown is rendered beside their requests: nothing of a request is in it, and nothing of it in a request."""

from __future__ import annotations

import threading
import warnings

import pytest
from flask import g, render_template_string, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, login_user
from jinja2 import DictLoader

from tests.notice_site import CHOICES, RETENTION, SAME_ORIGIN, Ledger, press, read_form, set_up

OWN_BANNER = '{% extends "consent/default/banner.html" %}'
WITH_WORDS = f"{OWN_BANNER}{{% block actions %}}WORDS{{{{ super() }}}}{{% endblock %}}"
OWN_PREFERENCES = '{% extends "consent/default/preferences.html" %}{% block content %}WORDS{{ super() }}{% endblock %}'
PAGE = '{% from "consent/macros.html" import banner %}<!doctype html><title>News</title>{{ banner() }}'


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def build(bare_app, ledger):
    """Return a function that makes a site with the ledger, and with templates of its own."""

    def make(own=None, **config):
        app = bare_app(**(RETENTION | config))
        if own:
            app.jinja_loader = DictLoader(own)
        return set_up(app, ledger)

    return make


def add_database(app):
    """Give the app a database that is opened before each request and closed after it, as the manuals say; return who closed."""
    closed = []
    held = threading.local()

    @app.before_request
    def open_database():
        g.database = held.session = "open"

    @app.teardown_request
    def close_database(_):
        closed.append(g.pop("database", None))

    @app.teardown_appcontext
    def remove_session(_):
        held.__dict__.clear()

    app.view_functions["index"] = lambda: f"{render_template_string(PAGE)}{g.database}, {held.session}"
    return closed


OWN = [None, {"consent/banner.html": OWN_BANNER, "consent/preferences.html": OWN_PREFERENCES}]


@pytest.mark.parametrize("own", OWN, ids=["ours", "own"])
@pytest.mark.parametrize("config", [{}, {"TEMPLATES_AUTO_RELOAD": True}], ids=["kept", "reloaded"])
def test_request_keeps_what_it_has_opened_while_a_specimen_is_rendered(build, own, config):
    app = build(own, **config)
    add_database(app)
    client = app.test_client()

    answers = [client.get("/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all("open, open" in answer.text and 'name="shown"' in answer.text for answer in answers)


def test_choice_keeps_what_its_request_has_opened(build, ledger):
    app = build(OWN[1])
    add_database(app)
    saved = []
    consent = app.extensions["consent"].users
    consent.load, consent.save = (lambda: ""), lambda _: saved.append(g.database)

    press(app.test_client(), "/", "accept_all")

    assert saved == ["open"]
    assert ledger.records[0]["notice"]["is_as_shown"] is True


def test_rendering_the_librarys_own_templates_begins_and_ends_no_request(build, ledger):
    app, opened = build(TEMPLATES_AUTO_RELOAD=True), []

    class Noting(SecureCookieSessionInterface):
        def open_session(self, app, request):
            opened.append(request.path)
            return super().open_session(app, request)

    app.session_interface = Noting()
    closed = add_database(app)
    press(app.test_client(), "/", "accept_all")

    assert (opened, closed) == (["/", CHOICES], ["open", "open"])
    assert ledger.records[0]["notice"]["is_as_shown"] is True


def test_database_that_a_template_of_the_site_opens_is_closed(build):
    app, log = build({"consent/banner.html": WITH_WORDS.replace("WORDS", "{{ look_up() }}")}), []

    def look_up():
        log.append("opened")
        g.database = "open"
        return "Sections"

    app.jinja_env.globals["look_up"] = look_up
    app.teardown_appcontext(lambda _: log.append("closed") if g.pop("database", None) else None)
    page = app.test_client().get("/").text

    assert "Sections" in page
    assert 'name="shown"' in page
    assert log.count("opened") > log.count("closed") > 1


@pytest.mark.parametrize("words", ["{{ g.user }}", "{{ session.user }}", "{{ current_user.id }}"])
def test_name_of_the_visitor_is_in_no_notice(build, ledger, words):
    app = build({"consent/preferences.html": OWN_PREFERENCES.replace("WORDS", f"<p>Dear {words}</p>")})
    LoginManager(app).user_loader(make_user)

    @app.before_request
    def log_in():
        g.user = session["user"] = request.headers["From"]
        login_user(make_user(g.user))

    for name in ("Alice", "Bob"):
        client, headers = app.test_client(), {"From": name}
        assert f"Dear {name}" in client.get(CHOICES, headers=headers).text
        client.post(CHOICES, data={"action": "save"}, headers=SAME_ORIGIN | headers)

    bodies = [ledger.notices.read(digest).body for digest in ledger.notices.list_hashes()]
    assert any("<p>Dear " in body for body in bodies)
    assert not any(name in body for body in bodies for name in ("Alice", "Bob"))
    assert len({record["notice"]["ui_sha256"] for record in ledger.records}) == 1


def make_user(name):
    user = UserMixin()
    user.id = name
    return user


@pytest.mark.parametrize("own", [None, "{{ url_for('index') }}"], ids=["ours", "own"])
@pytest.mark.parametrize("config", [{"SERVER_NAME": "shop.example"}, {"TRUSTED_HOSTS": [".shop.example"]}])
def test_specimen_is_asked_for_under_a_host_that_the_app_answers_to(build, ledger, own, config):
    app = build(own and {"consent/banner.html": WITH_WORDS.replace("WORDS", own)}, **config)
    app.subdomain_matching = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client, base = app.test_client(), {"base_url": "https://shop.example"}
        fields = read_form(client.get("/", **base).text, "accept_all")
        client.post(CHOICES, data={"action": "accept_all", **fields}, headers=SAME_ORIGIN, **base)

    assert ledger.records[0]["notice"]["is_as_shown"] is True
