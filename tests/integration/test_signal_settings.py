"""Settings of signals: what can be changed, what is refused when the app starts, and what is warned of."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
from flask import render_template_string

from consent import Purpose, Service, current_consent
from consent.catalogue import load_service
from consent.errors import ConfigError, UnknownKeyError
from consent.testing import grant
from tests.signal_site import HEAD, MACROS, ONLY_STATISTICS, SHOP, STATS, find_calls, make_client


def test_type_can_follow_another_purpose(make_app):
    client = make_client(make_app, CONSENT_SIGNALS={"google": {"types": {"ad_storage": ["shop"]}}})
    grant(client, "shop", "stats")

    assert find_calls(client.get("/").text)[0][2] == ONLY_STATISTICS | {"ad_storage": "granted"}


def test_provider_that_is_switched_off_is_told_nothing_and_its_tag_still_has_its_queue(make_app):
    client = make_client(make_app, CONSENT_SIGNALS={"google": False})
    grant(client, "analytics")

    text = client.get("/").text

    assert find_calls(text) == []
    assert text.index("window.gtag = window.gtag ||") < text.index("stats.example")
    assert "google" not in client.get("/privacy-choices/state").text


def test_url_passthrough_is_off_unless_asked_for_and_then_warned_of(make_app, caplog):
    client = make_client(make_app, CONSENT_SIGNALS={"google": {"url_passthrough": True}})
    grant(client, "analytics")

    assert ["set", "url_passthrough", True] in find_calls(client.get("/").text)
    assert "Option 'url_passthrough' of signal adapter 'google' is on." in caplog.text


def test_options_that_do_nothing_are_warned_of(make_app, caplog):
    with caplog.at_level(logging.WARNING):
        make_app(services=[STATS], CONSENT_SIGNALS={"meta": {}})

    assert "'CONSENT_SIGNALS' has options for 'meta', but no declared service is told by it" in caplog.text


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        ({"gogle": {}}, "names signal adapter 'gogle', which does not exist. There are, the closest first: 'google'"),
        ({"google": True}, "must be a mapping of options, or False"),
        (
            {"google": {"url_pasthrough": True}},
            "unknown option 'url_pasthrough'. Its options, the closest first: 'url_passthrough'",
        ),
        ({"google": {"url_passthrough": 1}}, "must be True or False, got 1"),
        ({"google": {"types": {"ad_storage": "marketing"}}}, "must give the purposes of a type, such as"),
        ({"google": {"types": {"ad_storage": []}}}, "must give the purposes of a type, such as"),
        ({"google": {"types": {"ad_storage": ["analytics"]}}}, "would be granted to visitors who refused that"),
        (["google"], "must be options by signal adapter"),
    ],
)
def test_wrong_option_is_an_error_at_start_up(make_app, signals, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        make_app(services=[STATS], CONSENT_SIGNALS=signals)


def test_advanced_mode_needs_a_provider_that_can_be_told(make_app):
    with pytest.raises(ConfigError, match="'shop', which has no consent API that could be told"):
        make_app(services=[STATS, SHOP], CONSENT_ADVANCED=["shop"])


def test_frame_cannot_be_told(make_app):
    frame = replace(load_service("youtube"), signals=("google",))

    with pytest.raises(ConfigError, match="'youtube' is a frame and names 'signals'"):
        make_app(services=[frame])


@pytest.mark.parametrize(
    ("key", "kinds"),
    [("google-analytics", "'advertising', 'appearance', 'statistics'"), ("zendesk", "'appearance', 'statistics'")],
)
def test_service_whose_provider_would_hear_of_refusals_alone_is_warned_of(make_app, caplog, key, kinds):
    own = Purpose("own", title="Own", description="Own.")
    make_app(services=[replace(load_service(key), purposes=("own",))], purposes=[own])

    assert f"Service {key!r} is told by signal adapter" in caplog.text
    assert f"whose types follow purposes of kind {kinds}, and it serves none of these" in caplog.text


def test_only_type_of_a_provider_follows_its_service_whatever_that_is_for(make_app):
    matomo = replace(load_service("matomo"), purposes=("marketing",))
    app = make_app(services=[matomo])
    app.add_url_rule("/matomo", "matomo", lambda: dict(current_consent.signals("matomo")))
    client = app.test_client()
    grant(client, "analytics")
    before = client.get("/matomo").json
    grant(client, "marketing")

    assert (before, client.get("/matomo").json) == ({"consent": "denied"}, {"consent": "granted"})


def test_service_that_is_necessary_is_not_told_of_choices(make_app):
    zendesk = replace(load_service("zendesk"), purposes=("necessary",), justification="Support is what we sell.")
    app = make_app(services=[zendesk])
    app.view_functions["index"] = lambda: render_template_string(
        HEAD + MACROS + '{{ script("zendesk", key="94db1cb1-74f4-4a40-ad6c-962362670409") }}</body></html>'
    )

    assert 'tellZendesk("none")' not in app.test_client().get("/").text


def test_advanced_mode_needs_a_declared_service(make_app):
    with pytest.raises(UnknownKeyError, match=r"'stat'.*the closest first: 'stats'"):
        make_app(services=[STATS], CONSENT_ADVANCED=["stat"])


def test_service_with_an_unknown_adapter_names_the_closest(make_app):
    service = Service("x", name="X", purposes=("analytics",), signals=("gogle",))

    with pytest.raises(
        ConfigError,
        match=r"names signal adapter 'gogle', which does not exist. There are, the closest first: 'google', 'gpp'",
    ):
        make_app(services=[service])


def test_part_of_a_page_tells_only_who_has_heard_nothing(make_app):
    client = make_client(make_app, MACROS + '{{ script("stats") }}')
    grant(client, "analytics")

    text = client.get("/", headers={"HX-Request": "true"}).text

    assert text.startswith(
        '<script data-consent-told="google">\nif ([...document.querySelectorAll("script[data-consent-told=\\"google\\"]")].filter('
    )
