"""What providers are told, and where in the page: Google Consent Mode stands for all of them, since adapters are data."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import pytest
from flask import render_template_string

from consent import ConsentRecord, Purpose, Service, consent_recorded, current_consent
from consent.catalogue import load_service
from consent.errors import ConfigError, SetupError, UnknownKeyError
from consent.testing import grant, refuse

STATS = Service(
    "stats",
    name="Stats",
    purposes=("analytics",),
    signals=("google",),
    hosts=("stats.example",),
    snippet='<script async src="https://stats.example/s.js"{% if nonce %} nonce="{{ nonce }}"{% endif %}></script>',
)
ADS = Service(
    "ads",
    name="Ads",
    purposes=("marketing",),
    signals=("google",),
    hosts=("ads.example",),
    snippet='<script async src="https://ads.example/a.js"></script>',
)
SHOP = Service("shop", name="Shop", purposes=("marketing",), hosts=("shop.example",))
TYPES = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)
ALL_DENIED = dict.fromkeys(TYPES, "denied") | {"security_storage": "granted"}
ONLY_STATISTICS = ALL_DENIED | {"analytics_storage": "granted"}
HEAD = '<!doctype html><html lang="en"><head><title>News</title></head><body>'
MACROS = '{% from "consent/macros.html" import gate, script, settings_link with context %}'
PAGE = HEAD + MACROS + '{{ script("stats") }}{{ script("ads") }}{{ settings_link() }}</body></html>'


def make_client(make_app, template=PAGE, **config):
    services = config.pop("services", (STATS, ADS, SHOP))
    app = make_app(services=services, **config)
    app.testing = True
    app.view_functions["index"] = lambda: render_template_string(template)
    app.add_url_rule("/signals/<name>", "signals", lambda name: dict(current_consent.signals(name)))
    return app.test_client()


def find_calls(text, name="gtag"):
    """Return the arguments of each call that the page makes unasked."""
    live = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    found = re.findall(rf"^{re.escape(name)}\((.*)\);$", live, flags=re.MULTILINE)
    return [json.loads(f"[{values}]") for values in found]


def find_held(text):
    return [json.loads(held) for held in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)]


def test_nothing_is_told_while_everything_is_held(make_app):
    text = make_client(make_app).get("/").text

    assert find_calls(text) == []
    assert 'data-consent-told="google"' not in re.sub(r'<script type="application/json".*?</script>', "", text)


def test_default_is_already_right_for_a_visitor_who_has_chosen(make_app):
    client = make_client(make_app)
    grant(client, "analytics")

    default, redaction = find_calls(client.get("/").text)

    assert default == ["consent", "default", ONLY_STATISTICS]
    assert redaction == ["set", "ads_data_redaction", True]


def test_default_comes_before_the_tag_and_once_a_page(make_app):
    client = make_client(make_app)
    grant(client, "analytics", "marketing")

    text = client.get("/").text

    assert text.count('"default"') == 1
    assert text.index('"default"') < text.index("stats.example") < text.index("ads.example")


def test_held_tag_brings_what_is_denied_with_it(make_app):
    client = make_client(make_app)
    grant(client, "analytics")

    (held,) = find_held(client.get("/").text)

    assert held.index('"ad_storage": "denied"') < held.index("ads.example")
    assert "wait_for_update" not in held


def test_visitor_who_has_decided_on_everything_loads_nothing_of_the_library(make_app):
    client = make_client(make_app)
    grant(client, "analytics", "marketing")

    text = client.get("/").text

    assert "/assets/" not in text
    assert "data-consent-page" not in text


def test_each_type_follows_the_services_of_its_provider(make_app):
    client = make_client(make_app)
    # The shop's purpose is granted, and yet Google's advertising service is not.
    grant(client, "shop", "stats")

    assert find_calls(client.get("/").text)[0][2] == ONLY_STATISTICS


def test_markup_of_the_sites_own_is_told_of_too_where_its_service_is_named(make_app):
    page = HEAD + MACROS + '{% call gate("stats") %}<p>own</p>{% endcall %}{{ settings_link() }}</body></html>'
    client = make_client(make_app, page)
    grant(client, "analytics")

    text = client.get("/").text

    assert text.index('"default"') < text.index("<p>own</p>")


def test_granted_tag_within_a_held_block_has_told_nothing_yet(make_app):
    inner = '{% call gate("marketing") %}{{ script("stats") }}{% endcall %}{{ script("stats") }}'
    client = make_client(make_app, HEAD + MACROS + inner + "{{ settings_link() }}</body></html>")
    grant(client, "analytics")

    text = client.get("/").text
    (held,) = find_held(text)

    assert 'data-consent-tells="google"' in held
    assert "data-consent-told" not in held
    assert len(find_calls(text)) == 2


def test_signal_carries_the_nonce(make_app):
    client = make_client(make_app, CONSENT_CSP_NONCE=lambda: "n0nce")
    grant(client, "analytics")

    assert '<script nonce="n0nce" data-consent-told="google">' in client.get("/").text


# Calls of the server's own


def read_signals(client, name="google"):
    return client.get(f"/signals/{name}").json


def test_server_tells_the_same_as_the_page(make_app):
    client = make_client(make_app)
    grant(client, "analytics")

    assert read_signals(client) == ONLY_STATISTICS


def test_server_tells_that_all_is_denied_before_a_choice(make_app):
    assert read_signals(make_client(make_app)) == ALL_DENIED


def test_unknown_adapter_names_the_closest(make_app):
    client = make_client(make_app)

    with pytest.raises(SetupError, match=r"signal adapter 'gogle'.*the closest first: 'google'"):
        read_signals(client, "gogle")


def test_record_says_what_each_provider_is_told(make_app):
    client = make_client(make_app)
    records: list[ConsentRecord] = []

    def keep(_app, *, record, previous):
        records.append(record)

    with consent_recorded.connected_to(keep, client.application):
        grant(client, "analytics")
        refuse(client)

    assert [record.as_dict()["signal_map"] for record in records] == [
        {"google": ONLY_STATISTICS},
        {"google": ALL_DENIED},
    ]


# Advanced mode


def test_advanced_tag_loads_before_the_choice_told_that_all_is_denied(make_app):
    text = make_client(make_app, CONSENT_ADVANCED=["stats"]).get("/").text

    assert find_calls(text)[0] == ["consent", "default", ALL_DENIED | {"wait_for_update": 500}]
    assert text.index('"default"') < text.index('<script async src="https://stats.example/s.js">')
    assert all("stats.example" not in held for held in find_held(text))


def test_advanced_tag_is_told_of_a_refusal_without_anything_to_wait_for(make_app):
    client = make_client(make_app, CONSENT_ADVANCED=["stats"])
    refuse(client)

    assert find_calls(client.get("/").text)[0] == ["consent", "default", ALL_DENIED]


def test_advanced_mode_opens_nothing_else(make_app):
    page = HEAD + MACROS + '{% call gate("stats", "ads") %}<p>both</p>{% endcall %}</body></html>'
    client = make_client(make_app, page, CONSENT_ADVANCED=["stats"])

    assert "<p>both</p>" not in client.get("/").text


def test_advanced_mode_is_warned_of(make_app, caplog):
    make_app(services=[STATS], CONSENT_ADVANCED=["stats"])

    assert "The tag of service 'stats' loads before anyone has agreed" in caplog.text


def test_regions_that_differ_are_named_for_a_visitor_whose_place_is_not_known(make_app):
    options = {"google": {"regional_defaults": True}}
    text = make_client(make_app, CONSENT_ADVANCED=["stats"], CONSENT_SIGNALS=options).get("/").text
    unscoped, *regional = [call[2] for call in find_calls(text) if call[1] == "default"]

    assert "region" not in unscoped
    assert {unscoped[name] for name in TYPES[:-1]} == {"denied"}
    assert {"JP", "US"} <= {code for each in regional for code in each["region"]}
    codes = [code for each in regional for code in each["region"]]
    assert all(re.fullmatch("[A-Z]{2}(-[A-Z0-9]{1,3})?", code) for code in codes)
    assert "DE" not in codes


@pytest.mark.parametrize("signal", [{"Sec-GPC": "1"}, {}])
def test_regions_are_not_named_unless_asked_for_nor_under_a_signal(make_app, signal):
    options = {"google": {"regional_defaults": bool(signal)}}
    client = make_client(make_app, CONSENT_ADVANCED=["stats"], CONSENT_SIGNALS=options)

    assert "region" not in client.get("/", headers=signal).text


def test_advanced_tag_whose_service_was_refused_hears_of_no_grant_to_others(make_app):
    other = Service("more-stats", name="More", purposes=("analytics",), signals=("google",), hosts=("more.example",))
    client = make_client(
        make_app,
        HEAD + MACROS + '{{ script("stats") }}</body></html>',
        services=(STATS, other),
        CONSENT_ADVANCED=["stats"],
    )
    grant(client, "more-stats")

    assert find_calls(client.get("/").text)[0] == ["consent", "default", ALL_DENIED]


def test_advanced_tag_is_told_that_all_is_denied_under_global_privacy_control(make_app):
    client = make_client(make_app, jurisdiction=lambda: "US-TX", CONSENT_ADVANCED=["ads"])
    default = find_calls(client.get("/", headers={"Sec-GPC": "1"}).text)[0][2]

    assert default == ALL_DENIED | {"wait_for_update": 500}


def test_frame_does_not_load_before_the_choice(make_app):
    with pytest.raises(ConfigError, match="'youtube', which has no consent API that could be told"):
        make_app(CONSENT_ADVANCED=["youtube"])


# Settings


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
