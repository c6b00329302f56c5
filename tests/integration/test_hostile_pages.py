"""Malformed and hostile pages: nothing in them contacts a service, every byte around it stays, and the page is served."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Response

import consent.testing
from consent.wire.markup_scan import HOLD_LIMIT_BYTES
from tests.held_markup import END, HEAD, PIXEL, SERVICES, VIDEO, contacts, list_blocks

HOST = "www.facebook.com"
TRACKERS = {HOST, "www.googletagmanager.com", "www.youtube.com"}
MEGABYTES = 5 * 1024 * 1024


@pytest.fixture
def get(make_app):
    """Return a function that gives a page as a visitor gets it who granted these keys, whole or in chunks of so many bytes."""
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD="enforce")
    shown: dict[str, Any] = {}

    @app.get("/page")
    def show_page():
        data, size = shown["page"].encode(), shown["chunk_bytes"]
        return Response(iter([data[at : at + size] for at in range(0, len(data), size)]) if size else data)

    def ask(page, *granted, chunk_bytes=0):
        shown.update(page=page, chunk_bytes=chunk_bytes)
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        response = client.get("/page")
        assert response.status_code == 200
        return response.text

    return ask


PAGES = {
    # Unclosed, quotes, line ends, duplicates
    "tag without end": f"{PIXEL}<img src='//{HOST}/tr",
    "end tags of nothing": f"</p></div></svg></script>{PIXEL}</template>",
    "quotes that do not match": f"<img alt='\"' src=\"//{HOST}/tr\" title=''>",
    "attributes without a space": f'<img alt="x"src="//{HOST}/tr">',
    "slashes for spaces": f"<img/src=//{HOST}/tr/>",
    "line ends in an address": f"<img src='/\n/www.face\r\nbook.com/tr'>{PIXEL}",
    "line ends around an attribute": f"<img\nsrc\n=\n'//{HOST}/tr'\n>",
    "duplicates": f"<img src=/a src=//{HOST}/tr><video src=/a src=//{HOST}/v src=/b></video>",
    "equals sign in front": f"<img =src=x src=//{HOST}/tr>",
    # Documents in attributes, templates
    "srcdoc": f"<iframe srcdoc='<img src=//{HOST}/tr>'></iframe>",
    "srcdoc in srcdoc": f"<iframe srcdoc=\"<iframe srcdoc='&lt;img src=//{HOST}/tr>'></iframe>\"></iframe>",
    "nested templates": f"<template><p><template>{PIXEL}</template>{PIXEL}</template>{PIXEL}",
    "templates closed out of order": f"<template><div><template></div>{PIXEL}</template></template></template>{PIXEL}",
    # svg and math
    "svg": f"<svg><image href='//{HOST}/tr'/><foreignObject>{PIXEL}</foreignObject></svg>{PIXEL}",
    "svg script": "<svg><script>s.src='https://connect.facebook.net/en_US/fbevents.js'</script></svg>",
    "svg style": f"<svg><style>@import '//{HOST}/tr'</style></svg>",
    "svg left by a paragraph": f"<svg><desc><p></svg>{PIXEL}</p>{PIXEL}",
    "math": f"<math><mtext>{PIXEL}</mtext><annotation-xml encoding='text/html'>{PIXEL}</annotation-xml></math>{PIXEL}",
    "CDATA": f"<svg><![CDATA[{PIXEL}]]></svg><![CDATA[>{PIXEL}]]>",
    # Raw text
    "script in a comment in a script": f"<script><!--<script></script>{PIXEL}--></script>{PIXEL}",
    "style": f"<style></styles>{PIXEL}</style>{PIXEL}",
    "title and textarea": f"<title>{PIXEL}</title><textarea>{PIXEL}</textarea>{PIXEL}",
    "xmp, noembed and noframes": f"<xmp>{PIXEL}</xmp><noembed>{PIXEL}</noembed><noframes>{PIXEL}</noframes>{PIXEL}",
    "noscript": f"<noscript>{PIXEL}<!--</noscript>{PIXEL}-->{PIXEL}",
    "plain text": f"{PIXEL}<plaintext>{PIXEL}",
    "select": f"<select><option>{PIXEL}<script>var a=1</script></select>{PIXEL}",
    # NUL, references, comments
    "NUL in a name": f"<img s\0rc=x src=//{HOST}/tr><scr\0ipt>{PIXEL}</script><!\0-- {PIXEL}",
    "NUL in a value": f"<img alt='\0' src=//{HOST}/tr\0><img alt=\0>{PIXEL}",
    "references in an address": "<img src='&#x2f;&#47;www.facebook&period;com&sol;tr'>",
    "references without a semicolon": "<img src='&#47&#47www.facebook.com/tr?a=1&copy=2'>",
    "conditional comment": f"<!--[if IE]>{PIXEL}<![endif]--><!--[if !IE]><!-->{PIXEL}<!--<![endif]-->",
    "revealed conditional comment": f"<![if !IE]>{PIXEL}<![endif]>",
    "comments that end early": f"<!-->{PIXEL}--><!--->{PIXEL}--><!-- --!>{PIXEL}",
    "declarations": f"<!x '>{PIXEL}'><?php {PIXEL} ?>{PIXEL}",
    "bytes of nobody's": f"<p>\ufffd\u2028</p>{PIXEL}",
}


# Texts that load something; in others an address leads nowhere.
LOADING_TEXTS = ("svg script", "svg style")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_contacted_whole_or_streamed(get, name):
    page = HEAD + PAGES[name] + END

    for chunk_bytes in (0, 5, 4096):
        assert contacts(get(page, chunk_bytes=chunk_bytes), has_texts=name in LOADING_TEXTS) & TRACKERS == set()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_as_it_was_once_all_is_granted(get, name):
    page = HEAD + PAGES[name] + '<a class="pvc-settings-link" href="/privacy-choices/">x</a>' + END

    # As far as what stands there belongs to a service that was granted.
    assert PAGES[name] in get(page, *SERVICES)


@pytest.mark.parametrize(
    "text",
    [
        f"<style>@import '/<!-- -->/{HOST}/tr';</style>",
        f"<style>@import 'https:/</b>/{HOST}/tr';</style>",
        "<style>@import '//www.face<!-- -->book.com/tr';</style>",
        "<style>@import '//www.face<g>a</g>book.com/tr';</style>",
        f"<style>a{{}}<g><style>@import '//{HOST}/tr'</style></g></style>",
        "<script>s.src='/<!-- -->/connect.facebook.net/en_US/fbevents.js'</script>",
    ],
)
def test_address_in_svg_that_markup_cuts_is_held(get, text):
    page = HEAD + PIXEL + f"<svg>{text}</svg>" + END

    for chunk_bytes in (0, 7):
        held = get(page, chunk_bytes=chunk_bytes)
        assert re.search(r'<(style|script) type="text/plain">(@import|s[.]src)', held)


# --- Five megabytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag",
    [
        f'<img alt="{"x" * MEGABYTES}" src="//{HOST}/tr">',
        f'<img src="//{HOST}/tr?{"x" * MEGABYTES}">',
        f"<img {'a=b ' * (MEGABYTES // 4)}src=//{HOST}/tr>",
        f"<script>{'a += 1; ' * (MEGABYTES // 8)}</script>{PIXEL}",
        f"<script src='//connect.facebook.net/en_US/fbevents.js'>{'a += 1; ' * (MEGABYTES // 8)}</script>",
        f"<!--{'x ' * (MEGABYTES // 2)}-->{PIXEL}",
        f"<svg {'a=b ' * (MEGABYTES // 4)}>{PIXEL}</svg>",
        f"</p {'a=b ' * (MEGABYTES // 4)}>{PIXEL}",
    ],
    ids=["value", "address", "attributes", "script", "script with an address", "comment", "svg", "end tag"],
)
def test_tag_of_five_megabytes_is_held(get, tag):
    page = HEAD + tag + END

    for chunk_bytes in (0, 65536):
        held = get(page, chunk_bytes=chunk_bytes)
        assert not re.search(r"""<[^>]{0,99}\ssrc=["']?(https:)?//""", held)
        assert len(held) > MEGABYTES


# --- What a stream cannot hold ---------------------------------------------------------------------------------------------------

LONG_TEXT = "<p>x</p>" * (HOLD_LIMIT_BYTES // 4)


@pytest.mark.parametrize(
    "tag",
    [
        f"<iframe srcdoc='{LONG_TEXT}{PIXEL}'></iframe>",
        f"<img srcset='{'/a 1x, ' * (HOLD_LIMIT_BYTES // 4)}//{HOST}/tr 2x'>",
        f"<a href='/' ping='{'/a ' * HOLD_LIMIT_BYTES} https://{HOST}/tr'>",
        f"<img src='{' ' * 2 * HOLD_LIMIT_BYTES}//{HOST}/tr'>",
    ],
)
def test_value_that_does_not_fit_a_stream_waits_for_everything(get, tag):
    # A block that loads the page again needs a place where one may stand.
    page = HEAD + tag + PIXEL + END
    shut, half, opened = (get(page, *granted, chunk_bytes=4096) for granted in ((), SERVICES[:1], SERVICES))

    assert contacts(shut) == set()
    assert contacts(half) == set()
    assert 'data-consent-key=""' in shut
    assert tag in opened


def test_value_of_the_site_itself_that_does_not_fit_a_stream_is_left_alone(get):
    tags = f"<img src='data:image/png;base64,{'x' * 2 * HOLD_LIMIT_BYTES}'><a href='{'/a' * HOLD_LIMIT_BYTES}'>"

    assert tags in get(HEAD + tags + END, chunk_bytes=4096)


# --- What is open around an element ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "front",
    [
        '<script>var t="<form>"</script>',
        "<!-- <form> -->",
        "<textarea><form></textarea>",
        "<form></form>",
        "<p title='<form>'>",
    ],
)
def test_frame_behind_what_only_looks_like_a_form_has_a_placeholder(get, front):
    page = HEAD + front + VIDEO + END

    assert 'class="pvc-embed"' in get(page)
    assert 'class="pvc-embed"' in get(page, chunk_bytes=7)


def test_frame_in_a_form_has_none(get):
    page = HEAD + '<form><script>var t="</form>"</script>' + VIDEO + "</form>" + END

    for chunk_bytes in (0, 7):
        held = get(page, chunk_bytes=chunk_bytes)
        assert list_blocks(held) == [VIDEO]
        assert 'class="pvc-embed"' not in held


@pytest.mark.parametrize(
    "front", ['<script>x="<noscript>"</script>', "<!-- <noscript> -->", "<title><noscript></title>"]
)
def test_style_behind_what_only_looks_like_a_noscript_comes_back(get, front):
    page = HEAD + front + f"<p style='background:url(//{HOST}/tr)'>x</p>" + END

    for chunk_bytes in (0, 7):
        assert 'data-consent-gate="meta-pixel" data-consent-key=""' in get(page, chunk_bytes=chunk_bytes)
