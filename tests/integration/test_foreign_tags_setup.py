"""What an app may say of the tags of other consent managers, and what it is told of what is left of them."""

from __future__ import annotations

import logging

import pytest

from consent import Policy, Purpose
from consent.errors import ConfigError, UnknownKeyError
from tests.foreign_site import STATS, ForeignSite


@pytest.fixture
def visit(make_app, add_page):
    """Return a function that gives a page around some markup, as a visitor gets it."""
    return ForeignSite(make_app, add_page).visit


@pytest.fixture
def told(caplog):
    """What the developer is told of tags that stay as they are, and of what is left of other managers."""
    caplog.set_level(logging.WARNING, logger="consent")
    return lambda: [record.getMessage() for record in caplog.records]


# -- what is left of the other manager


@pytest.mark.parametrize(
    ("source", "manager"),
    [
        ("https://consent.cookiebot.com/uc.js", "cookiebot"),
        ("//cdn.cookielaw.org/scripttemplates/otSDKStub.js", "onetrust"),
        ("https://cdn.kiprotect.com/klaro/v0.7/klaro.js", "klaro"),
        ("/static/klaro-no-css.js?v=1", "klaro"),
        (
            "https://cdn.jsdelivr.net/gh/orestbida/cookieconsent@3.1.0/dist/cookieconsent.umd.js",
            "vanilla-cookieconsent",
        ),
        ("tarteaucitron.min.js", "tarteaucitron"),
    ],
)
def test_own_script_of_a_manager_is_named_and_left(visit, told, source, manager):
    markup = f'<script src="{source}"></script>'

    assert visit(markup, is_whole=False).text == markup
    assert any(f"{source!r} still loads {manager}" in line and "Remove it" in line for line in told())


@pytest.mark.parametrize(
    ("job", "advice"),
    [
        ("gtag", "script('google-analytics', …)"),
        ("youtube", "gate('youtube')"),
        ("aduptech_ads", "Put its own tag into a gate"),
    ],
)
def test_job_for_tarteaucitron_is_named_with_what_to_write(visit, told, job, advice):
    visit(f"<script>(tarteaucitron.job = tarteaucitron.job || []).push('{job}');</script>")

    assert any(f"hands {job!r} to tarteaucitron" in line and advice in line for line in told())


# -- the setting


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"cookybot": {}},
            "names the consent manager 'cookybot', whose tags are not understood. Understood are, the closest first: 'cookiebot'",
        ),
        ({3: {}}, "names the consent manager 3"),
        ({"klaro": {"": "analytics"}}, r"must have categories or services of klaro as its keys, got ''"),
        ({"klaro": {1: "analytics"}}, r"as its keys, got 1"),
        ({"klaro": "analytics"}, "must be purposes by consent manager and category"),
        (["klaro"], "must be purposes by consent manager and category"),
    ],
)
def test_setting_that_means_nothing_keeps_the_app_from_starting(make_app, value, message):
    with pytest.raises(ConfigError, match=message):
        make_app(CONSENT_FOREIGN_TAGS=value)


@pytest.mark.parametrize("key", ["analitics", "", None, 3])
def test_key_that_nobody_declares_keeps_the_app_from_starting(make_app, key):
    with pytest.raises(UnknownKeyError, match=r"CONSENT_FOREIGN_TAGS\['klaro'\]\['x'\]"):
        make_app(CONSENT_FOREIGN_TAGS={"klaro": {"x": key}})


def test_own_names_come_before_those_that_are_known(visit):
    own = {"cookiebot": {" Statistics": "marketing"}}

    assert 'data-consent-gate="marketing"' in visit(STATS, CONSENT_FOREIGN_TAGS=own).text


def test_known_name_of_a_purpose_that_the_policy_does_not_have_means_nothing(visit):
    policy = Policy(
        controller="Example News Ltd",
        purposes=(
            Purpose("necessary", title="Necessary", description="Needed."),
            Purpose("ads", title="Ads", description="Ads."),
        ),
    )

    assert STATS in visit(STATS, everything=True, policy=policy).data


def test_two_apps_read_two_kinds_of_tags(visit):
    onetrust = '<script type="text/plain" class="optanon-category-C0002" src="/stats.js"></script>'

    assert 'data-consent-gate="analytics"' in visit(onetrust, CONSENT_FOREIGN_TAGS={"onetrust": {}}).text
    assert onetrust in visit(onetrust, CONSENT_FOREIGN_TAGS={"cookiebot": {}}).text
