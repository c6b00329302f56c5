"""What providers are told, and where in the page: Google Consent Mode stands for all of them, since adapters are data."""

from __future__ import annotations

import re

import pytest

from consent import ConsentRecord, Service, consent_recorded
from consent.errors import ConfigError, SetupError
from consent.testing import grant, refuse
from tests.signal_site import (
    ALL_DENIED,
    HEAD,
    MACROS,
    ONLY_STATISTICS,
    STATS,
    TYPES,
    find_calls,
    find_held,
    make_client,
)


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


def test_advanced_tag_is_told_of_global_privacy_control(make_app):
    client = make_client(make_app, jurisdiction=lambda: "US-TX", CONSENT_ADVANCED=["ads"])
    default = find_calls(client.get("/", headers={"Sec-GPC": "1"}).text)[0][2]

    assert default == ONLY_STATISTICS | {"wait_for_update": 500}


def test_frame_does_not_load_before_the_choice(make_app):
    with pytest.raises(ConfigError, match="'youtube', which has no consent API that could be told"):
        make_app(CONSENT_ADVANCED=["youtube"])
