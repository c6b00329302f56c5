"""Whole pages in which nothing of a service loads that is not granted, whatever their templates forgot."""

from __future__ import annotations

import json
import re

import pytest

import consent.testing
from tests.held_markup import END, HEAD, PIXEL, SCRIPT, SERVICES, VIDEO, ask_for, contacts, list_blocks


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce")


@pytest.fixture
def get(site, add_page):
    """Return a function that asks for a page of this markup, as a visitor who granted these keys."""

    def ask(markup, *granted, app=None, **how):
        return ask_for(app or site, add_page, markup, *granted, **how)

    return ask


@pytest.mark.parametrize("markup", [SCRIPT, PIXEL, VIDEO])
def test_markup_of_a_service_is_held_until_it_is_granted_and_then_it_is_as_it_was(get, markup):
    shut, opened = get(HEAD + markup + END), get(None, *SERVICES)

    assert contacts(shut.text) == set()
    assert markup in "".join(list_blocks(shut.text))
    assert markup in opened.text
    assert list_blocks(opened.text) == []


def test_every_byte_around_what_is_held_stays(get):
    before, after = "<p title='a>b'>é&amp;\r\n<b>x", "</b><!-- y --></p><?z?>"
    text = get(HEAD + before + PIXEL + after + END).text

    assert f"{before}<script" in text
    assert f"</script>{after}" in text


def test_only_what_was_not_granted_is_held(get):
    text = get(HEAD + SCRIPT + PIXEL + END, "google-analytics").text

    assert SCRIPT in text
    assert list_blocks(text) == [PIXEL]


def test_page_without_a_host_of_anybody_is_the_same_for_everyone(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False)
    page = HEAD + '<img src="https://images.example/a.png"><a href="https://www.youtube.com/watch">Video</a>' + END
    response = get(page, app=app, ETag='"1"')

    assert response.text == page
    assert "Vary" not in response.headers
    assert response.headers["ETag"] == '"1"'


def test_page_that_is_edited_tells_caches_and_clients_the_truth(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False)
    response = get(HEAD + PIXEL + END, app=app, ETag='"1"')

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert "ETag" not in response.headers


def test_runtime_is_in_a_page_that_places_nothing_itself(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_INJECT=False)
    text = get(HEAD + PIXEL + END, app=app).text

    assert text.count("data-consent-page=") == 1
    assert text.index("data-consent-page=") < text.index("data-consent-gate=")


def test_runtime_stands_once_and_speaks_the_language_of_the_page(get):
    text = get(HEAD + PIXEL + VIDEO + END).text

    assert text.count("data-consent-page=") == 1
    assert "Ihre Auswahl ist gespeichert." in text
    assert "Einmal laden" in text


def test_video_becomes_the_placeholder_of_embed(get):
    text = get(HEAD + VIDEO + END).text

    assert '<input type="hidden" name="id" value="aqz-KE-bpKQ">' in text
    assert 'aria-label="Eingebetteter Inhalt: Bunny"' in text
    assert 'width="640" height="360"' in text
    assert 'href="https://www.youtube.com/watch?v=aqz-KE-bpKQ"' in text
    assert list_blocks(text) == [VIDEO]


def test_frame_that_embed_does_not_know_can_be_allowed_but_not_shown_once(get):
    text = get(HEAD + '<iframe src="//www.youtube.com/embed/videoseries?list=P" width="100%"></iframe>' + END).text

    assert 'value="allow"' in text
    assert 'value="once"' not in text
    assert 'href="//www.youtube.com/embed/videoseries?list=P"' in text
    assert 'width="560" height="315"' in text


@pytest.mark.parametrize(
    "frame",
    [
        '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" width=1 height=1></iframe>',
        '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" hidden></iframe>',
        '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ" style="Display : none"></iframe>',
        '<form action=/x><iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ"></iframe></form>',
    ],
)
def test_frame_that_nobody_sees_or_that_stands_in_a_form_has_no_placeholder(get, frame):
    text = get(HEAD + frame + END).text

    assert "data-consent-embed" not in text
    assert contacts(text) == set()
    assert len(list_blocks(text)) == 1


def test_hint_is_taken_out_and_told(get, caplog):
    text = get(HEAD + '<link rel="dns-prefetch preconnect" href="//www.googletagmanager.com"><p>x' + END).text

    assert f"{HEAD.partition('<body>')[2]}<p>x" in text
    assert "dns-prefetch" not in text
    assert '"kind": "hint_removed"' in caplog.text


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        (
            '<video poster="//i.ytimg.com/a.jpg" src="/own.mp4"><p>x</p></video>',
            '<video data-consent-poster="//i.ytimg.com/a.jpg" src="/own.mp4"><p>x</p></video>',
        ),
        (
            '<div style="background:url(//i.ytimg.com/a)">x</div>',
            '<div style="background:url(about:invalid)">x</div>',
        ),
        (
            '<svg><image href="//i.ytimg.com/a" HREF=b /></svg>',
            '<svg><image data-consent-href="//i.ytimg.com/a" data-consent-HREF=b /></svg>',
        ),
        (
            '<template><script src="//www.googletagmanager.com/gtag/js">x</script></template>',
            '<template><script type="text/plain" data-consent-src="//www.googletagmanager.com/gtag/js">x</script></template>',
        ),
        (
            "<svg><style>a{b:url(//i.ytimg.com/a)}</style></svg>",
            '<svg><style type="text/plain">a{b:url(//i.ytimg.com/a)}</style></svg>',
        ),
    ],
)
def test_what_cannot_be_replaced_loses_its_addresses_and_comes_back_with_the_page(get, markup, left):
    text = get(HEAD + markup + END).text

    assert left in text
    assert 'data-consent-key="">""</script>' in text
    assert contacts(text) == set()


def test_pixel_for_browsers_without_scripts_loads_no_page_again(get):
    text = get(HEAD + f"<noscript>{PIXEL}</noscript>" + END).text

    assert '<noscript><img data-consent-src="https://www.facebook.com/tr?id=1"' in text
    assert 'data-consent-key=""' not in text


def test_document_in_an_attribute_is_looked_into(get):
    inner = "&lt;iframe srcdoc='&amp;lt;img src=//www.facebook.com/tr&amp;gt;'&gt;&lt;/iframe&gt;"
    text = get(HEAD + f'<iframe hidden srcdoc="{inner}"></iframe><iframe srcdoc="&lt;p&gt;own"></iframe>' + END).text

    assert [f'<iframe hidden srcdoc="{inner}"></iframe>'] == list_blocks(text)
    assert '<iframe srcdoc="&lt;p&gt;own"></iframe>' in text


def test_service_that_the_site_does_not_declare_stays_shut_whatever_is_granted(get, caplog):
    text = get(HEAD + '<script src="https://static.hotjar.com/c/hotjar-1.js"></script>' + END, *SERVICES).text

    assert '<script type="application/json" data-consent-gate="hotjar" data-consent-key="">""</script>' in text
    assert '"kind": "markup_undeclared", "subject": "static.hotjar.com", "services": ["hotjar"]' in caplog.text


def test_own_host_is_nobodys(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce", CONSENT_OWN_HOSTS=["*.googletagmanager.com"])

    assert SCRIPT in get(HEAD + SCRIPT + END, app=app).text


def test_what_macros_made_is_left_as_it_is(make_app, add_page):
    from flask import render_template

    template = (
        HEAD + '{% from "consent/macros.html" import gate, embed, script %}{% call gate("marketing") %}'
        f'{PIXEL}{{% endcall %}}{{{{ embed("youtube", "aqz-KE-bpKQ", title="B") }}}}'
        '{{ script("google-analytics", measurement_id="G-AB12") }}' + END
    )
    texts = []
    for mode in ("off", "enforce"):
        app = make_app({"page.html": template}, services=SERVICES, CONSENT_AUTO_HOLD=mode)
        add_page(app, "/page", lambda: render_template("page.html"))
        client = app.test_client()
        for has_granted in (False, True):
            if has_granted:
                consent.testing.grant(client)
            texts.append(re.sub('data-consent-key="[^"]*"', "", client.get("/page").text))

    assert texts[:2] == texts[2:]
    assert PIXEL in texts[1]


def test_leak_names_element_page_and_purpose_once(site, add_page, caplog):
    add_page(site, "/page", HEAD + VIDEO + END)
    client = site.test_client()
    for _ in range(2):
        client.get("/page")
    told = [record.getMessage().partition("consent-audit ")[2] for record in caplog.records]

    assert [json.loads(leak) for leak in told if leak] == [
        {
            "kind": "markup_held",
            "subject": "www.youtube.com",
            "services": ["youtube"],
            "purposes": ["marketing"],
            "element": "iframe",
            "page": "/page",
            "endpoint": "page",
        }
    ]
