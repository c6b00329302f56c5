"""Setting an app up: the ways to do it, and the errors of a start that cannot work."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from consent import Consent, CookieDeclaration, Document, Policy, Purpose, Service
from consent.errors import ConfigError, SetupError

PREFERENCES = "/privacy-choices/"
PRIVACY = Document("privacy", url="/privacy", version="1")


def test_three_lines_make_a_page_ask():
    app = Flask(__name__)
    app.config.update(SECRET_KEY="k" * 32, CONSENT_CONTROLLER="Example News Ltd")
    Consent(app, services=["google-analytics", "youtube"])
    app.add_url_rule("/", "index", lambda: "<!doctype html><title>News</title><p>Hello")

    assert '<section class="pvc-banner"' in app.test_client().get("/").text


def test_extension_is_found_under_its_key(app):
    assert app.extensions["consent"].engine.policy.controller == "Example News Ltd"


def test_one_extension_serves_every_app_of_a_factory(bare_app):
    extension = Consent(services=["youtube"])
    apps = [bare_app(CONSENT_CONTROLLER=name) for name in ("First Ltd", "Second Ltd")]
    for app in apps:
        extension.init_app(app)

    pages = [app.test_client().get("/").text for app in apps]

    assert "First Ltd asks to store" in pages[0]
    assert "Second Ltd asks to store" in pages[1]


def test_second_init_app_is_refused(app):
    with pytest.raises(SetupError) as caught:
        Consent(app)

    assert str(caught.value) == (
        "This app already has a Consent extension. Use app.extensions['consent'] instead of calling init_app() twice."
    )


def test_setup_after_the_first_request_is_refused(bare_app):
    app = bare_app()
    app.test_client().get("/")

    with pytest.raises(AssertionError, match="setup method"):
        Consent(app)


@pytest.mark.parametrize("key", [None, "", b""], ids=repr)
def test_missing_secret_key_is_refused(bare_app, key):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(SECRET_KEY=key))

    assert str(caught.value) == (
        "'SECRET_KEY' is not set, so the consent cookie cannot be signed. Set it before Consent(app), for example to the "
        "output of: python -c 'import secrets; print(secrets.token_hex())'"
    )
    assert caught.value.key == "SECRET_KEY"


@pytest.mark.parametrize("config", [{"SECRET_KEY": "k" * 15}, {"SECRET_KEY_FALLBACKS": ["k" * 15]}])
def test_short_key_is_warned_of(bare_app, caplog, config):
    Consent(bare_app(**config), documents=[PRIVACY])

    assert [(record.name, record.levelno, record.getMessage()) for record in caplog.records] == [
        ("consent", logging.WARNING, "'SECRET_KEY' or a fallback of it is shorter than 16 bytes and can be guessed.")
    ]


def test_long_key_is_not_warned_of(bare_app, caplog):
    Consent(bare_app(SECRET_KEY=b"k" * 16), documents=[PRIVACY])

    assert caplog.records == []


@pytest.mark.parametrize(
    "fallbacks", ["old-key-of-the-site", b"old-key-of-the-site", 5, ["k" * 32, None], [7], [""]], ids=repr
)
def test_malformed_fallback_keys_are_refused(bare_app, fallbacks):
    with pytest.raises(ConfigError, match="'SECRET_KEY_FALLBACKS'"):
        Consent(bare_app(SECRET_KEY_FALLBACKS=fallbacks))


def test_choice_signed_with_a_fallback_key_still_counts(make_app, choose):
    old, new = make_app(SECRET_KEY="o" * 32), make_app(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["o" * 32])
    client = old.test_client()
    choose(client, "accept_all")
    cookie = client.get_cookie("consent")
    later = new.test_client()
    later.set_cookie("consent", cookie.value)

    assert later.get(f"{PREFERENCES}state").json["choices"]["analytics"] == "granted"


def test_choice_signed_with_a_dropped_key_is_unknown(make_app, choose):
    client = make_app(SECRET_KEY="o" * 32).test_client()
    choose(client, "accept_all")
    later = make_app(SECRET_KEY="n" * 32).test_client()
    later.set_cookie("consent", client.get_cookie("consent").value)

    assert later.get(f"{PREFERENCES}state").json["needs_prompt"] is True


def test_missing_controller_is_refused(bare_app):
    app = bare_app()
    del app.config["CONSENT_CONTROLLER"]

    with pytest.raises(ConfigError) as caught:
        Consent(app)

    assert str(caught.value) == (
        "'CONSENT_CONTROLLER' is not set. Set it to the name of the company or person who runs the site: a banner "
        "must say who asks (GDPR art. 13(1)(a))."
    )


def test_services_given_as_text_are_refused(bare_app):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(), services="youtube")

    assert str(caught.value) == "'services' must be a list, got the text 'youtube'. Write services=['youtube']."


def test_service_of_another_type_is_refused(bare_app):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(), services=[7])  # type: ignore[list-item]  # the mistake under test

    assert str(caught.value) == "'services' must hold catalogue keys or Service objects, got 7."


def test_service_unknown_to_the_catalogue_is_refused(bare_app):
    with pytest.raises(ConfigError, match=r"The catalogue has no service 'you-tube'\. .* 'youtube'"):
        Consent(bare_app(), services=["you-tube"])


@pytest.mark.parametrize(
    "arguments",
    [
        {"purposes": "social"},
        {"purposes": ["social"]},
        {"purposes": Purpose("social")},
        {"services": Service("chat", name="Chat", purposes=("preferences",))},
        {"policy": {"controller": "Example"}},
    ],
    ids=["text", "texts", "purpose", "service", "dict"],
)
def test_argument_of_another_type_is_refused(bare_app, arguments):
    with pytest.raises(ConfigError, match=f"'{next(iter(arguments))}'"):
        Consent(bare_app(), **arguments)


@pytest.mark.parametrize(
    "parts",
    [{"services": ["youtube"]}, {"purposes": [Purpose("social")]}, {"documents": [PRIVACY]}],
    ids=["services", "purposes", "documents"],
)
def test_policy_beside_its_parts_is_refused(bare_app, parts):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(), policy=Policy(controller="Example News Ltd"), **parts)

    assert str(caught.value) == (
        "Consent() was given 'policy' together with 'services', 'purposes' or 'documents'. Put them into the Policy, "
        "or leave it out."
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"CONSENT_CONTROLLER": "Other Ltd"},
            "'CONSENT_CONTROLLER' is 'Other Ltd', but the given Policy says 'Example News Ltd'. Keep one of the two.",
        ),
        (
            {"CONSENT_ACCEPT_MONTHS": 12},
            "'CONSENT_ACCEPT_MONTHS' is 12, but the given Policy says 6. Keep one of the two.",
        ),
        (
            {"CONSENT_REFUSE_MONTHS": 3},
            "'CONSENT_REFUSE_MONTHS' is 3, but the given Policy says 6. Keep one of the two.",
        ),
    ],
)
def test_setting_that_contradicts_the_policy_is_refused(bare_app, config, message):
    with pytest.raises(ConfigError) as caught:
        Consent(bare_app(**config), policy=Policy(controller="Example News Ltd", accept_months=6, refuse_months=6))

    assert str(caught.value) == message


def test_months_that_the_policy_leaves_open_are_those_of_the_settings(make_app):
    client = make_app(policy=Policy(controller="A", refuse_months=6), CONSENT_ACCEPT_MONTHS=12).test_client()

    assert "If you agree, that lasts 12 months. If you refuse, that lasts 6 months." in client.get("/").text


def test_policy_alone_needs_no_controller_setting(make_app):
    client = make_app(policy=Policy(controller="Policy Ltd")).test_client()

    assert "Policy Ltd asks to store" in client.get("/").text


def test_own_purpose_joins_the_shipped_ones(make_app):
    purpose = Purpose("social", title="Social media", description="Show buttons of networks.")
    text = make_app(purposes=[purpose]).test_client().get("/").text

    assert "<li><strong>Social media</strong> <span>Show buttons of networks.</span></li>" in text
    assert "<strong>Analytics</strong>" in text


def test_own_purpose_replaces_the_shipped_one_of_its_key(make_app):
    app = make_app(purposes=[Purpose("analytics", title="Measuring", description="Count.")])
    text = app.test_client().get("/").text

    assert "<strong>Measuring</strong> <span>Count.</span>" in text
    assert "<strong>Analytics</strong>" not in text


def test_policy_too_large_for_a_cookie_is_refused(bare_app):
    services = [Service(f"service-{number}", name="S", purposes=("analytics",)) for number in range(1000)]

    with pytest.raises(ConfigError, match="browsers ignore more than 4096"):
        Consent(bare_app(), services=services)


def test_policy_with_nothing_to_ask_shows_no_banner(make_app, page):
    client = make_app(policy=Policy(controller="Example", purposes=(Purpose("necessary"),))).test_client()
    response = client.get("/")

    assert response.text == page
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    ("name", "config"), [("sess*", {}), ("session", {}), ("*_token", {}), ("my*", {"SESSION_COOKIE_NAME": "mysite"})]
)
def test_cookie_of_a_service_that_would_take_the_apps_own_along_is_refused(make_app, name, config):
    service = Service("own", name="Own", purposes=("analytics",), cookies=(CookieDeclaration(name, days=1),))

    with pytest.raises(ConfigError, match="the app's own cookie, and refusing the service would log visitors out"):
        make_app(services=[service], **config)
