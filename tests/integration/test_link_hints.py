"""Hints in `Link:` headers of an app, and `Refresh:`, to hosts of what is not granted."""

from __future__ import annotations

import json
import logging
from functools import partial

import pytest

import consent.testing

HINT = "<https://www.googletagmanager.com>; rel=preconnect"
OWN = "</app.css>; rel=preload; as=style"


@pytest.fixture
def get(make_app, add_page, page):
    """Return a function that fetches a page with `Link:` headers, and answers them."""

    def fetch(*links, granted=(), answer=page, **config):
        app = make_app(**({"CONSENT_AUTO_HOLD": "enforce"} | config))

        def view():
            response = app.make_response(answer)
            for link in links:
                response.headers.add("Link", link)
            return response

        add_page(app, "/page", view)
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        response = client.get("/page")
        return response.headers.getlist("Link"), response

    return fetch


def test_hint_goes_until_it_is_granted(get):
    assert get(HINT)[0] == []
    assert get(f"{OWN}, {HINT}", HINT, OWN)[0] == [OWN, OWN]
    assert get(HINT, granted=["analytics"])[0] == [HINT]
    assert get(HINT, granted=["marketing"])[0] == []


def test_hint_stays_where_auto_hold_is_off(get):
    assert get(HINT, CONSENT_AUTO_HOLD="off")[0] == [HINT]


def test_hint_to_a_host_of_the_sites_own_stays(get):
    assert get(HINT, CONSENT_OWN_HOSTS=["www.googletagmanager.com"])[0] == [HINT]


def test_hint_to_what_only_the_catalogue_knows_goes(get):
    links, response = get("<https://connect.facebook.net>; rel=dns-prefetch")

    assert links == []
    assert response.status_code == 200


def test_hint_to_an_unknown_host_stays(get):
    assert get("<https://cdn.example>; rel=preconnect")[0] == ["<https://cdn.example>; rel=preconnect"]


@pytest.mark.parametrize(
    "url",
    ["//www.googletagmanager.com", "HTTPS://WWW.GOOGLETAGMANAGER.COM:443/x", "https:\\\\www.googletagmanager.com"],
)
def test_host_is_found_as_browsers_read_it(get, url):
    assert get(f"<{url}>; rel=preconnect")[0] == []


def test_hint_of_any_response_goes_and_caches_are_told(get):
    links, response = get(HINT, OWN, answer={"a": 1})

    assert links == [OWN]
    assert (response.headers["Vary"], response.headers["Cache-Control"]) == ("Cookie, Sec-GPC", "private")


def test_response_without_hints_to_services_is_left_alone(get):
    _, response = get(OWN, answer={"a": 1})

    assert "Vary" not in response.headers


def test_developer_is_told_of_a_hint(get, caplog):
    caplog.set_level(logging.WARNING, "consent")

    get(HINT)

    line = next(record.getMessage() for record in caplog.records if "consent-audit" in record.getMessage())
    assert line.startswith("A hint to 'www.googletagmanager.com' was taken out: 'google-analytics' is not granted.")
    assert json.loads(line.partition("consent-audit ")[2]) == {
        "kind": "hint_removed",
        "subject": "www.googletagmanager.com",
        "services": ["google-analytics"],
        "purposes": ["analytics"],
        "element": "Link",
        "page": "/page",
        "endpoint": "page",
    }


@pytest.fixture
def send(make_app, add_page, page):
    """Return a function that fetches a page with headers of one name, and answers those that came."""

    def fetch(name, *values, granted=(), **config):
        app = make_app(**({"CONSENT_AUTO_HOLD": "enforce"} | config))

        def view():
            response = app.make_response(page)
            for value in values:
                response.headers.add(name, value)
            return response

        add_page(app, "/page", view)
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        return client.get("/page").headers.getlist(name)

    return fetch


@pytest.fixture
def refresh(send):
    """Return a function that fetches a page with `Refresh:` headers, and answers them."""
    return partial(send, "Refresh")


AWAY = "0; url=https://www.googletagmanager.com/x"


def test_refresh_goes_until_its_host_is_granted(refresh):
    assert refresh(AWAY) == []
    assert refresh(AWAY, granted=["analytics"]) == [AWAY]
    assert refresh(AWAY, granted=["marketing"]) == []


def test_refresh_stays_where_auto_hold_is_off_or_the_host_is_nobodys(refresh):
    elsewhere = "5; url=https://partner.example/"

    assert refresh(AWAY, CONSENT_AUTO_HOLD="off") == [AWAY]
    assert refresh(AWAY, CONSENT_OWN_HOSTS=["www.googletagmanager.com"]) == [AWAY]
    assert refresh(elsewhere) == [elsewhere]
    assert refresh("300") == ["300"]


def test_refresh_to_what_only_the_catalogue_knows_goes(refresh):
    assert refresh("0 'https://connect.facebook.net'") == []


@pytest.mark.parametrize("values", [("5; url=/next", AWAY), (AWAY, "5"), ("0", "'//www.googletagmanager.com'")])
def test_several_refreshes_go_together(refresh, values):
    """Browsers differ on which of them counts, and some read them as one."""
    assert refresh(*values) == []


def test_developer_is_told_of_a_refresh(refresh, caplog):
    caplog.set_level(logging.WARNING, "consent")

    refresh(AWAY)

    line = next(record.getMessage() for record in caplog.records if "consent-audit" in record.getMessage())
    assert line.startswith("A 'Refresh' header to 'www.googletagmanager.com' was taken out: 'google-analytics' is not")
    leak = json.loads(line.partition("consent-audit ")[2])
    assert (leak["kind"], leak["element"], leak["page"]) == ("header_removed", "Refresh", "/page")


_NEXT = "https://www.googletagmanager.com/r"
_MEMBERS = [
    ("Reporting-Endpoints", f'away="{_NEXT}"', 'own="/reports"'),
    (
        "Report-To",
        f'{{"max_age": 9, "endpoints": [{{"url": "{_NEXT}"}}]}}',
        '{"max_age": 9, "endpoints": [{"url": "/r"}]}',
    ),
    ("Speculation-Rules", f'"{_NEXT}"', '"/rules.json"'),
]


@pytest.mark.parametrize(("name", "away", "own"), _MEMBERS)
def test_member_goes_until_its_host_is_granted(send, name, away, own):
    assert send(name, away) == []
    assert send(name, f"{own}, {away}", away) == [own]
    assert send(name, away, granted=["analytics"]) == [away]
    assert send(name, away, CONSENT_AUTO_HOLD="off") == [away]
    assert send(name, away, CONSENT_AUTO_HOLD="report") == [away]
    assert send(name, own) == [own]


def test_developer_is_told_of_a_member(send, caplog):
    caplog.set_level(logging.WARNING, "consent")

    send("Reporting-Endpoints", f'away="{_NEXT}"')

    line = next(record.getMessage() for record in caplog.records if "consent-audit" in record.getMessage())
    assert line.startswith("A 'Reporting-Endpoints' header to 'www.googletagmanager.com' was taken out:")
    leak = json.loads(line.partition("consent-audit ")[2])
    assert (leak["kind"], leak["element"], leak["page"]) == ("header_removed", "Reporting-Endpoints", "/page")
