"""Embeds: a placeholder of the same size that can load once, or always."""

from __future__ import annotations

import json
import re

import html5lib
import pytest
from flask import render_template, render_template_string

from consent import Embed, Service
from consent.errors import ConsentError
from tests.runtime_tag import without_tag

IMPORT = '{% from "consent/macros.html" import embed %}'
VIDEO = IMPORT + "{{ embed('youtube', 'aqz-KE-bpKQ', title='Big Buck Bunny') }}"
FRAME = (
    '<iframe class="pvc-embed" src="https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ" title="Big Buck Bunny" width="560" '
    'height="315" loading="lazy" referrerpolicy="strict-origin-when-cross-origin" '
    'allow="fullscreen; encrypted-media; picture-in-picture"></iframe>'
)


def forms(text):
    return [
        dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        for form in re.findall(
            r'<form method="post" action="/privacy-choices/" data-turbo="false" data-hx-boost="false">(.*?)</form>',
            text,
            re.DOTALL,
        )
    ]


def test_granted_embed_is_the_frame(render):
    assert render(VIDEO, granted=["youtube"]).text == FRAME


def test_placeholder_names_no_address_that_a_browser_would_fetch(render):
    text = without_tag(render(VIDEO).text)

    assert not re.search(r"<(iframe|img|object|embed|video)\b", text)
    assert re.findall(r"<script ([^ >]+)", text) == ['type="application/json"']
    assert re.findall(r'(?:src|srcset|data|poster|ping)="', text) == []
    assert re.findall(r'href="(https:[^"]+)"', text) == ["https://www.youtube.com/watch?v=aqz-KE-bpKQ"]


def test_placeholder_keeps_the_size_and_says_what_it_stands_for(render):
    text = render(VIDEO).text

    assert '<svg class="pvc-embed__size" width="560" height="315"' in text
    assert 'role="group" aria-label="Embedded content: Big Buck Bunny" data-consent-embed="youtube"' in text
    assert "Loading this content gives Google Ireland Limited your IP address" in text


def test_size_may_be_given(render):
    source = IMPORT + "{{ embed('youtube', 'aqz-KE-bpKQ', title='T', width=320, height=180) }}"

    assert '<svg class="pvc-embed__size" width="320" height="180"' in render(source).text
    assert 'width="320" height="180"' in render(source, granted=["youtube"]).text


def test_placeholder_offers_both_ways_as_plain_forms(render):
    assert forms(render(VIDEO, path="/page?a=1&b=2").text) == [
        {"service": "youtube", "id": "aqz-KE-bpKQ", "next": "/page?a=1&amp;b=2", "action": "once"},
        {"granted": "youtube", "next": "/page?a=1&amp;b=2", "action": "allow"},
    ]


@pytest.fixture
def held(render):
    """Return a function that renders a template and finds the blocks its placeholders hold, by their attributes and text."""

    def find(source, **options):
        tree = html5lib.parse(render(source, **options).text, treebuilder="etree", namespaceHTMLElements=False)
        blocks = [block for each in tree.findall(".//*[@data-consent-embed]") for block in each.findall("script")]
        return [(dict(block.attrib), json.loads(block.text or "")) for block in blocks]

    return find


def test_placeholder_holds_its_frame_as_its_child(held):
    ((attributes, markup),) = held(VIDEO, CONSENT_CSP_NONCE=lambda: "r4nd0m")

    assert markup == FRAME
    assert attributes.pop("data-consent-key")
    assert attributes == {"type": "application/json", "data-consent-gate": "youtube", "nonce": "r4nd0m"}


def test_held_frame_has_the_size_and_title_that_were_given(held):
    source = IMPORT + "{{ embed('youtube', 'aqz-KE-bpKQ', title='A & B', width=320, height=180) }}"

    assert [markup for _, markup in held(source)] == [
        FRAME.replace("Big Buck Bunny", "A &amp; B").replace('"560"', '"320"').replace('"315"', '"180"')
    ]


def test_each_placeholder_holds_its_own_frame(held):
    sources = [IMPORT + f"{{{{ embed('youtube', '{each}', title='T') }}}}" for each in ("aqz-KE-bpKQ", "bbb-KE-bpKQ")]

    assert [re.findall(r"embed/([\w-]+)", markup) for _, markup in held("".join(sources))] == [
        ["aqz-KE-bpKQ"],
        ["bbb-KE-bpKQ"],
    ]


def test_site_s_own_placeholder_may_hold_the_frame_elsewhere(make_app, render):
    app = make_app(
        {"consent/placeholder.html": '<p data-consent-embed="{{ service.key }}">Ask us.{{ held_frame }}</p>'},
        CONSENT_INJECT=False,
    )

    assert '<p data-consent-embed="youtube">Ask us.<script type=' in render(VIDEO, app=app).text


def test_loading_once_shows_that_embed_and_stores_nothing(client, choose):
    response = choose(client, "once", service="youtube", id="aqz-KE-bpKQ", next="/article?id=7")

    assert response.status_code == 200
    assert response.headers.getlist("Set-Cookie") == []
    assert 'src="https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ"' in response.text
    assert "You loaded this once. Nothing was saved: next time you are asked again." in response.text
    assert '<a class="pvc-link" href="/article?id=7">Back to the page</a>' in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get("/privacy-choices/state").json["services"]["youtube"] == "denied"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/"])
def test_way_back_from_loading_once_never_leads_elsewhere(client, choose, target):
    text = choose(client, "once", service="youtube", id="aqz-KE-bpKQ", next=target).text

    assert "evil.example" not in text
    assert '<a class="pvc-link" href="/">Back to the page</a>' in text


def test_allowing_always_makes_the_page_live(make_app, choose):
    app = make_app()
    app.add_url_rule("/page", "page", lambda: render_template_string("<!doctype html><body>" + VIDEO))
    client = app.test_client()
    answer = choose(client, "allow", "youtube", next="/page")

    assert FRAME in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "title", ['"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</svg><script>", "a\u202eb"], ids=ascii
)
@pytest.mark.parametrize("granted", [(), ("youtube",)], ids=["placeholder", "frame"])
def test_title_is_text(make_app, structure, choose, title, granted):
    app = make_app(CONSENT_INJECT=False)
    source = IMPORT + "{{ embed('youtube', 'aqz-KE-bpKQ', title=title) }}"
    app.add_url_rule(
        "/<kind>", "page", lambda kind: render_template_string(source, title=title if kind == "bad" else "Harmless")
    )
    client = app.test_client()
    choose(client, "save", *granted)

    assert structure(client.get("/bad").text) == structure(client.get("/good").text)


@pytest.mark.parametrize(
    "embed_id",
    [
        "",
        "../../../x",
        "aqz-KE-bpKQ?autoplay=1",
        'aqz-KE-bpK"',
        "aqz-KE-bpKQ\n",
        "ａqz-KE-bpKQ",
        "javascript:a",
        None,
        12345678901234,
    ],
    ids=repr,
)
def test_malformed_id_is_refused_with_its_place(make_app, embed_id):
    app = make_app({"page.html": IMPORT + "\n{{ embed('youtube', embed_id, title='T') }}"})
    app.testing = True
    app.add_url_rule("/page", "page", lambda: render_template("page.html", embed_id=embed_id))

    with pytest.raises(
        ConsentError, match=r"is no id of service 'youtube' in template 'page\.html', line 2\. It must match"
    ):
        app.test_client().get("/page")


def test_embed_without_a_title_is_refused(make_app):
    app = make_app({"page.html": IMPORT + "{{ embed('youtube', 'aqz-KE-bpKQ') }}"})
    app.testing = True
    app.add_url_rule("/page", "page", lambda: render_template("page.html"))

    with pytest.raises(ConsentError) as caught:
        app.test_client().get("/page")

    assert str(caught.value) == (
        "embed() needs a title in template 'page.html', line 1: a frame without one says nothing to a screen reader (WCAG 4.1.2)."
    )


def test_id_of_a_loose_pattern_is_encoded_into_the_address(make_app, choose):
    embed = Embed(
        url="https://player.example/{id}", source_url="https://www.example/{id}", id_pattern="(?s).*", id_example="a"
    )
    service = Service("player", name="Player", purposes=("marketing",), hosts=("player.example",), embed=embed)
    app = make_app(services=[service], CONSENT_INJECT=False)
    source = IMPORT + "{{ embed('player', '../\"><b>?a=#&', title='T') }}"
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    client = app.test_client()

    assert 'href="https://www.example/..%2F%22%3E%3Cb%3E%3Fa%3D%23%26"' in client.get("/page").text
    choose(client, "accept_all")
    assert 'src="https://player.example/..%2F%22%3E%3Cb%3E%3Fa%3D%23%26"' in client.get("/page").text


def test_placeholder_brings_its_styles_once(render):
    text = render(VIDEO.replace(IMPORT, IMPORT, 1) + VIDEO.removeprefix(IMPORT)).text

    assert text.count('rel="stylesheet"') == 1
    assert text.count('data-consent-embed="youtube"') == 2


def test_placeholder_says_once_who_receives_what(make_app):
    app = make_app(services=["spotify"])
    source = IMPORT + "{{ embed('spotify', 'track/4uLU6hMCjMI75M1A2tKUQC', title='T') }}"
    app.add_url_rule("/page", "page", lambda: render_template_string(source))

    assert app.test_client().get("/page").text.count("IP address") == 1
