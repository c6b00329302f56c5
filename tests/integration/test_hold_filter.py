"""Stored markup in which nothing loads that is not granted: `{{ body|hold }}`."""

from __future__ import annotations

import pytest
from markupsafe import Markup

import consent.testing
from consent.catalogue import list_entries
from consent.errors import SetupError
from consent.web.auto_hold import hold_markup
from consent.web.snippet import compile_snippet
from tests.held_markup import contacts, list_blocks, loads

VIDEO = '<p>Look: <iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" title="Bunny"></iframe></p>'
SERVICES = [entry.service for entry in list_entries() if entry.service.snippet]
SNIPPETS = {
    service.key: compile_snippet(service).render(**{each.name: each.example for each in service.parameters}, nonce="")
    for service in SERVICES
}


@pytest.fixture
def hold(make_app):
    """Return a function that holds markup for a visitor who granted these keys."""

    def ask(markup, *granted, services=("youtube",), **config):
        app = make_app({"page.html": "{{ body|hold }}"}, services=services, CONSENT_INJECT=False, **config)
        app.add_url_rule("/page", "page", lambda: app.jinja_env.get_template("page.html").render(body=markup))
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        return client.get("/page")

    return ask


def test_frame_becomes_a_placeholder_with_the_runtime_in_front(hold):
    text = hold(VIDEO).text

    assert contacts(text) == set()
    assert list_blocks(text) == ['<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" title="Bunny"></iframe>']
    assert text.startswith("<p>Look: <script ")
    assert text.count("data-consent-page=") == 1
    assert 'aria-label="Embedded content: Bunny"' in text


@pytest.mark.parametrize("markup", [VIDEO, Markup(VIDEO)], ids=["text", "markup"])
def test_markup_of_what_is_granted_is_printed_as_it_is(hold, markup):
    response = hold(markup, "youtube")

    assert response.text == VIDEO
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


@pytest.mark.parametrize(
    "markup", ["", None, "<p>é &amp; <b>x", '<a href="https://www.youtube.com/">x</a>', 7, "\ud800"]
)
def test_markup_without_anything_of_anybody_is_printed_as_it_is(hold, app, markup):
    with app.test_request_context():
        held = hold_markup(markup)

    assert held == ("" if markup is None else str(markup))
    assert isinstance(held, Markup)


def test_what_cannot_be_replaced_comes_back_with_the_page(hold):
    text = hold('<svg><image href="//i.ytimg.com/a"/></svg>').text

    assert '<svg><image data-consent-href="//i.ytimg.com/a"/></svg>' in text
    assert text.index("data-consent-page=") < text.index('data-consent-key="">""') < text.index("<svg")


def test_filter_outside_a_request_says_what_to_do():
    with pytest.raises(SetupError, match="outside a request"):
        hold_markup(VIDEO)


@pytest.fixture
def hold_snippets(make_app):
    """Return a function that holds every snippet of the catalogue, on a site with these services."""

    def ask(services, *, has_granted):
        app = make_app({"page.html": "{{ body|hold }}"}, services=services, CONSENT_INJECT=False)
        template = app.jinja_env.get_template("page.html")
        app.add_url_rule("/<key>", "page", lambda key: template.render(body=SNIPPETS[key]))
        client = app.test_client()
        if has_granted:
            consent.testing.grant(client)
        return {key: client.get(f"/{key}").text for key in SNIPPETS}

    return ask


def test_every_snippet_of_the_catalogue_is_held_until_it_is_granted(hold_snippets):
    assert all(loads(snippet) for snippet in SNIPPETS.values())
    assert {key: loads(text) for key, text in hold_snippets(SERVICES, has_granted=False).items() if loads(text)} == {}
    assert hold_snippets(SERVICES, has_granted=True) == SNIPPETS


def test_every_snippet_of_the_catalogue_stays_shut_where_it_is_not_declared(hold_snippets):
    texts = hold_snippets(["youtube"], has_granted=True)

    assert {key: loads(text) for key, text in texts.items() if loads(text)} == {}


LOADERS = {
    "meta-pixel": "!function(f,b,e,v,n,t,s){t=b.createElement(e);t.src=v}(window,document,'script',"
    "'https://connect.facebook.net/en_US/fbevents.js');fbq('init','1')",
    "hotjar": "(function(h,o,t,j,a,r){r.src=t+h._hjSettings.hjid+j})(window,document,'https://static.hotjar.com/c/hotjar-','.js?sv=')",
    "linkedin-insight": 'b.src = "https://snap.licdn.com/li.lms-analytics/insight.min.js";',
    "tiktok-pixel": 'ttq.load=function(e,n){var i="https://analytics.tiktok.com/i18n/pixel/events.js"}',
    "microsoft-clarity": '(function(c,l,a,r,i){t.src="https://www.clarity.ms/tag/"+i})(window,document,"clarity","script","a")',
    "google-tag-manager": "j.src='https://www.googletagmanager.com/gtm.js?id='+i+dl;",
    "pinterest-tag": 'r.src=e;}("https://s.pinimg.com/ct/core.js")',
}


@pytest.mark.parametrize("key", LOADERS)
def test_loader_as_the_provider_lets_people_paste_it(hold, key):
    markup = f"<script>{LOADERS[key]}</script>"
    shut = hold(markup, services=(key,))

    assert [block.endswith(markup) for block in list_blocks(shut.text)] == [True]
    assert hold(markup, key, services=(key,)).text == markup


def test_services_of_one_host_are_told_apart(hold):
    analytics = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-AB12"></script>'
    ads = '<script async src="https://www.googletagmanager.com/gtag/js?id=AW-123456"></script>'
    text = hold(analytics + ads, "google-analytics", services=("google-analytics", "google-ads")).text

    assert text.startswith(analytics)
    assert 'data-consent-gate="google-ads"' in text


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="https://ajax.googleapis.com/ajax/libs/jquery/3.7.1/jquery.min.js"></script>',
        '<script src="https://cdn.jsdelivr.net/npm/bootstrap@5/dist/js/bootstrap.min.js"></script>',
        '<script type="application/ld+json">{"embedUrl":"https://www.youtube.com/embed/aqz-KE-bpKQ"}</script>',
        '<script>share("https://www.facebook.com/sharer")</script>',
    ],
)
def test_what_is_no_tracker_is_left_alone(hold, markup):
    assert hold(markup, services=("youtube", "friendly-captcha", "facebook-post")).text == markup
