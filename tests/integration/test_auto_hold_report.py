"""`CONSENT_AUTO_HOLD="report"`: what would be held is told, and every response leaves as it was made."""

from __future__ import annotations

import json

import pytest
from flask import Response

from consent.errors import ConfigError
from tests.held_markup import END, HEAD, PIXEL, SCRIPT, SERVICES, VIDEO, ask_for

HINT = "https://www.googletagmanager.com"
HOTJAR = '<script src="https://static.hotjar.com/c/hotjar-1.js"></script>'


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD="report", CONSENT_INJECT=False)


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a page of this markup, as a visitor who granted these keys."""

    def ask(markup, *granted, app=None, **how):
        return ask_for(app or site, add_page, markup, *granted, **how)

    return ask


@pytest.fixture
def told(caplog):
    """Return a function that lists what was logged: kind, host and element of each."""

    def read():
        lines = [record.getMessage().partition("consent-audit ")[2] for record in caplog.records]
        leaks = [json.loads(line) for line in lines if line]
        return [(leak["kind"], leak["subject"], leak["element"]) for leak in leaks]

    return read


MARKUP = [
    (SCRIPT, "www.googletagmanager.com", "script"),
    (VIDEO, "www.youtube.com", "iframe"),
    (PIXEL, "www.facebook.com", "img"),
    (HOTJAR, "static.hotjar.com", "script"),
    (f'<link rel=preconnect href="{HINT}">', "www.googletagmanager.com", "link"),
    ('<video poster="//i.ytimg.com/a.jpg">', "*.ytimg.com", "video"),
    ("<svg><image href='//i.ytimg.com/a'/></svg>", "*.ytimg.com", "image"),
]


@pytest.mark.parametrize(("markup", "host", "element"), MARKUP)
def test_page_stays_as_it_is_and_its_markup_is_told(get, told, markup, host, element):
    assert get(HEAD + markup + END).text == HEAD + markup + END
    assert told() == [("markup_sent", host, element)]


def test_stream_stays_as_it_is_and_is_told_of(get, told):
    page = HEAD + SCRIPT + VIDEO + END
    pieces = [page[at : at + 7] for at in range(0, len(page), 7)]
    response = get(lambda: Response(iter(pieces), mimetype="text/html", headers={"Content-Length": str(len(page))}))

    assert response.text == page
    assert response.headers["Content-Length"] == str(len(page))
    assert [kind for kind, *_ in told()] == ["markup_sent", "markup_sent"]


def test_what_is_granted_is_not_told(get, told):
    assert get(HEAD + SCRIPT + PIXEL + END, *SERVICES).status_code == 200
    assert told() == []


def test_headers_stay_and_are_told_of(get, caplog, told):
    link, refresh = f"<{HINT}>; rel=preconnect", f"0; url={HINT}/x"
    response = get(HEAD + END, Link=link, Refresh=refresh)

    assert (response.headers["Link"], response.headers["Refresh"]) == (link, refresh)
    assert told() == [
        ("markup_sent", "www.googletagmanager.com", "Link"),
        ("markup_sent", "www.googletagmanager.com", "Refresh"),
    ]
    assert (
        "A 'Link' header leads to 'www.googletagmanager.com' although 'google-analytics' is not granted" in caplog.text
    )


def test_fault_takes_nothing_away(get, monkeypatch):
    import consent.web.markup_judge

    monkeypatch.setattr(consent.web.markup_judge, "list_loaded", lambda *_: 1 / 0)

    assert get(HEAD + PIXEL + END).text == HEAD + PIXEL + END


def test_headers_that_cannot_be_judged_stay(get, monkeypatch):
    import consent.web.hints

    monkeypatch.setattr(consent.web.hints, "is_live", lambda *_: 1 / 0)
    response = get(HEAD + END, Link=f"<{HINT}>; rel=preconnect", Refresh=f"0; url={HINT}/x")

    assert {"Link", "Refresh"} <= {name for name, _ in response.headers}


def test_tag_for_another_manager_stays_as_it_is(make_app, get):
    tag = '<script type="text/plain" data-cookieconsent="statistics">a()</script>'
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="report", CONSENT_FOREIGN_TAGS={"cookiebot": {}})

    assert tag in get(HEAD + tag + END, *SERVICES, app=app).text


def test_filter_holds_all_the_same(make_app):
    app = make_app({"page.html": "{{ body|hold }}"}, services=SERVICES, CONSENT_AUTO_HOLD="report")
    app.add_url_rule("/page", "page", lambda: app.jinja_env.get_template("page.html").render(body=PIXEL))

    assert "<img" not in app.test_client().get("/page").text


@pytest.mark.parametrize("value", [True, False, None, "on"])
def test_setting_names_its_modes(make_app, value):
    with pytest.raises(ConfigError) as caught:
        make_app(CONSENT_AUTO_HOLD=value)

    assert str(caught.value) == f"'CONSENT_AUTO_HOLD' must be one of 'report', 'enforce', 'off', got {value!r}."
