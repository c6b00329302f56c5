"""`Permissions-Policy` on the pages of an app: shut until advertising is granted, beside what the app says."""

from __future__ import annotations

import pytest

import consent.testing
from consent import Purpose

NAME = "Permissions-Policy"


@pytest.fixture
def get(make_app, add_page, page):
    """Return a function that fetches a page with headers of the app, and answers those of the name."""

    def fetch(*values, granted=(), answer=page, **options):
        app = make_app(**({"CONSENT_PERMISSIONS_POLICY": True} | options))

        def view():
            response = app.make_response(answer)
            for value in values:
                response.headers.add(NAME, value)
            return response

        add_page(app, "/page", view)
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        return client.get("/page").headers.getlist(NAME)

    return fetch


def test_header_is_off_unless_it_is_asked_for(get):
    assert get(CONSENT_PERMISSIONS_POLICY=False) == []


def test_advertising_features_are_shut_until_advertising_is_granted(get):
    assert get() == ["browsing-topics=()"]
    assert get(granted=["analytics"]) == ["browsing-topics=()"]
    assert get(granted=["marketing"]) == []


def test_every_purpose_for_advertising_must_be_granted(get):
    ads = Purpose("ads", title="Ads", description="Ads", kind="advertising")

    assert get(granted=["marketing"], purposes=[ads]) == ["browsing-topics=()"]
    assert get(granted=["marketing", "ads"], purposes=[ads]) == []


def test_header_of_the_app_stays_as_it_is(get):
    assert get("camera=(),  geolocation=(self)") == ["camera=(),  geolocation=(self)", "browsing-topics=()"]
    assert get("camera=()", "usb=()") == ["camera=()", "usb=()", "browsing-topics=()"]


def test_feature_that_the_app_names_is_left_to_it(get):
    assert get("browsing-topics=(self)") == ["browsing-topics=(self)"]


def test_empty_header_of_the_app_is_replaced(get):
    """Joined to it, ours would be malformed."""
    assert get("") == ["browsing-topics=()"]


def test_malformed_header_of_the_app_is_left_alone_and_told_of(get, caplog):
    assert get("camera 'none'") == ["camera 'none'"]

    assert "The app's header 'Permissions-Policy' is malformed: \"camera 'none'\"." in caplog.text


def test_retired_name_is_told_of(get, caplog):
    assert get("interest-cohort=()") == ["interest-cohort=()", "browsing-topics=()"]

    assert "names 'interest-cohort', which browsers no longer know. Leave it out." in caplog.text


def test_response_that_is_no_page_has_no_header(get):
    assert get(answer={"a": 1}) == []
