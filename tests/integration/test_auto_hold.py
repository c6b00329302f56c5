"""Whole pages in which nothing of a service loads that is not granted, whatever their templates forgot."""

from __future__ import annotations

import gzip
import json
import logging
import re

import pytest
from flask import Response, abort, make_response, redirect

import consent.testing
from tests.held_markup import contacts, list_blocks

HEAD = '<!doctype html><html lang="de"><head><meta charset="utf-8"><title>T</title></head><body>'
SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABCD"></script>'
PIXEL = '<img src="https://www.facebook.com/tr?id=1" width=1 height=1>'
VIDEO = '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ?rel=0" title="Bunny" width=640 height=360></iframe>'
END = "</body></html>"
SERVICES = ("google-analytics", "youtube", "meta-pixel")


@pytest.fixture
def site(make_app):
    return make_app(services=SERVICES, CONSENT_AUTO_HOLD=True)


@pytest.fixture
def get(make_app, add_page):
    """Return a function that asks for a page of this markup, as a visitor who granted these keys."""

    def ask(markup, *granted, method="GET", headers=None, app=None, **response_headers):
        app = app or make_app(services=SERVICES, CONSENT_AUTO_HOLD=True)
        add_page(app, "/page", markup, **response_headers)
        client = app.test_client()
        if granted:
            consent.testing.grant(client, *granted)
        return client.open("/page", method=method, headers=headers)

    return ask


@pytest.mark.parametrize("markup", [SCRIPT, PIXEL, VIDEO])
def test_markup_of_a_service_is_held_until_it_is_granted_and_then_it_is_as_it_was(get, markup):
    shut, opened = get(HEAD + markup + END), get(HEAD + markup + END, *SERVICES)

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
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_INJECT=False)
    page = HEAD + '<img src="https://images.example/a.png"><a href="https://www.youtube.com/watch">Video</a>' + END
    response = get(page, app=app, ETag='"1"')

    assert response.text == page
    assert "Vary" not in response.headers
    assert response.headers["ETag"] == '"1"'


def test_page_that_is_edited_tells_caches_and_clients_the_truth(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_INJECT=False)
    response = get(HEAD + PIXEL + END, app=app, ETag='"1"')

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert "ETag" not in response.headers


def test_runtime_is_in_a_page_that_places_nothing_itself(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_INJECT=False)
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
            '<div data-consent-style="background:url(//i.ytimg.com/a)">x</div>',
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
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_OWN_HOSTS=["*.googletagmanager.com"])

    assert SCRIPT in get(HEAD + SCRIPT + END, app=app).text


def test_what_macros_made_is_left_as_it_is(make_app, add_page):
    from flask import render_template

    template = (
        HEAD + '{% from "consent/macros.html" import gate, embed, script %}{% call gate("marketing") %}'
        f'{PIXEL}{{% endcall %}}{{{{ embed("youtube", "aqz-KE-bpKQ", title="B") }}}}'
        '{{ script("google-analytics", measurement_id="G-AB12") }}' + END
    )
    texts = []
    for is_on in (False, True):
        app = make_app({"page.html": template}, services=SERVICES, CONSENT_AUTO_HOLD=is_on)
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


# --- Which responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["HX-Request", "Turbo-Frame"])
def test_part_of_a_page_is_held_without_a_runtime_of_its_own(get, header):
    text = get(PIXEL, headers={header: "true"}).text

    assert list_blocks(text) == [PIXEL]
    assert "data-consent-page" not in text


def test_framed_document_is_held(get):
    assert contacts(get(HEAD + PIXEL + END, headers={"Sec-Fetch-Dest": "iframe"}).text) == set()


@pytest.mark.parametrize("status", [400, 404, 500])
def test_error_page_is_held(site, status):
    site.register_error_handler(status, lambda _error: (HEAD + PIXEL + END, status))
    site.add_url_rule("/broken", "broken", lambda: abort(status))
    response = site.test_client().get("/broken")

    assert response.status_code == status
    assert list_blocks(response.text) == [PIXEL]


def test_error_page_that_the_view_raises_is_held(site):
    site.add_url_rule("/broken", "broken", lambda: abort(make_response(HEAD + PIXEL + END, 403)))

    assert list_blocks(site.test_client().get("/broken").text) == [PIXEL]


def test_head_is_answered_like_get(get):
    page = HEAD + PIXEL + END
    headers = [dict(get(page, method=method).headers) for method in ("GET", "HEAD")]

    assert headers[0].keys() == headers[1].keys()
    assert abs(int(headers[0]["Content-Length"]) - int(headers[1]["Content-Length"])) < 5


_UNCHANGED = {
    "text": {"mimetype": "text/plain"},
    "JSON": {"mimetype": "application/json"},
    "XHTML": {"mimetype": "application/xhtml+xml"},
    "no-transform": {"headers": {"Cache-Control": "no-transform"}},
    "download": {"headers": {"Content-Disposition": "attachment; filename=a.html"}},
    "range": {"status": 206},
    "file": {"direct_passthrough": True},
}


@pytest.mark.parametrize("kind", _UNCHANGED)
def test_response_that_is_not_to_be_changed_is_not(get, kind):
    assert get(lambda: Response(PIXEL, **{"mimetype": "text/html"} | _UNCHANGED[kind])).text == PIXEL


def test_compressed_body_is_left_alone_and_told_of(get, caplog):
    body = gzip.compress((HEAD + PIXEL + END).encode())

    assert get(lambda: make_response(body), Content_Encoding="gzip").data == body
    assert "compressed inside its view" in caplog.text


def test_page_in_an_encoding_that_could_be_misread_is_left_alone_and_told_of(get, caplog):
    body = (HEAD + PIXEL + END).encode("utf-16")

    assert get(lambda: make_response(body), Content_Type="text/html; charset=utf-16").data == body
    assert "an encoding in which markup cannot be found safely" in caplog.text


def test_page_in_another_encoding_holds_ascii_and_loads_again_for_the_rest(get):
    markup = PIXEL + '<img alt="é" src="https://www.facebook.com/tr?id=2">'
    response = get(
        lambda: make_response((HEAD + markup + END).encode("latin-1")), Content_Type="text/html; charset=iso-8859-1"
    )
    text = response.data.decode("latin-1")

    assert list_blocks(text) == [PIXEL, ""]
    assert contacts(text) == set()


def test_redirect_and_excluded_endpoint_are_left_alone(make_app, add_page):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_EXCLUDED_ENDPOINTS=["admin"])
    add_page(app, "/admin", PIXEL)
    add_page(app, "/away", lambda: redirect("https://www.facebook.com/"))
    client = app.test_client()

    assert client.get("/admin").text == PIXEL
    assert client.get("/away").status_code == 302


def test_own_pages_of_the_library_are_left_alone(site):
    client = site.test_client()
    consent.testing.refuse(client)
    answer = client.post(
        "/privacy-choices/",
        data={"action": "once", "service": "youtube", "id": "aqz-KE-bpKQ"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert "youtube-nocookie.com" in "".join(contacts(answer.text))


# --- A nonce -------------------------------------------------------------------------------------------------------------------


def test_only_a_script_that_has_the_nonce_of_the_page_may_get_it_from_the_runtime(make_app, get):
    app = make_app(services=SERVICES, CONSENT_AUTO_HOLD=True, CONSENT_CSP_NONCE=lambda: "n0nce")
    trusted = SCRIPT.replace("<script", '<script nonce="n0nce"')
    text = get(HEAD + SCRIPT + trusted + END, app=app).text

    assert [block for block in list_blocks(text) if "gtag/js" in block] == [
        block for block in list_blocks(text) if trusted in block
    ]
    assert 'data-consent-gate="google-analytics" data-consent-key="" nonce="n0nce">""</script>' in text


# --- Streams -------------------------------------------------------------------------------------------------------------------


def _cut(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_stream_is_held_however_it_is_cut(get, size):
    page = HEAD + SCRIPT + "<p>é</p>" + VIDEO + f"<svg><image href=//i.ytimg.com/a /></svg>{PIXEL}" + END
    response = get(lambda: Response(iter(_cut(page, size))))

    assert contacts(response.text) == set()
    assert any(PIXEL in block for block in list_blocks(response.text))
    assert "<p>é</p>" in response.text
    assert "data-consent-page=" in response.text
    assert response.headers["Vary"] == "Cookie, Sec-GPC"


def test_stream_of_what_is_granted_is_as_it_was(get):
    page = HEAD + SCRIPT + VIDEO + '<a class="pvc-settings-link" href="/privacy-choices/">x</a>' + END

    assert get(lambda: Response(iter(_cut(page, 10))), *SERVICES).text == page


def test_stream_keeps_flowing_and_tells_the_view_that_it_is_over(site):
    told = []

    class Chunks:
        def __init__(self):
            self.left = iter([HEAD, "<p>1</p>", PIXEL, "<p>2</p>", END])

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.left)

        def close(self):
            told.append("closed")

    site.add_url_rule("/stream", "stream", lambda: Response(Chunks()))
    client = site.test_client()
    consent.testing.refuse(client)
    response = client.get("/stream", buffered=False)
    chunks = list(response.response)
    response.close()

    assert len(chunks) >= 4
    assert b"<p>1</p>" in b"".join(chunks[:2])
    assert told == ["closed"]


def test_fault_in_a_stream_sends_the_rest_as_it_is(get, monkeypatch, caplog):
    from consent.wire.markup_scan import MarkupScanner

    def fail(self, chunk):
        raise RuntimeError("fault")

    monkeypatch.setattr(MarkupScanner, "feed", fail)
    page = HEAD + "<p>x</p>" + END

    assert "<p>x</p>" in get(lambda: Response(iter(_cut(page, 10)))).text
    assert "the rest of the page was sent as it is" in caplog.text


# --- Faults ----------------------------------------------------------------------------------------------------------------------


def test_element_that_cannot_be_judged_loses_its_addresses(get, monkeypatch, caplog):
    from consent.web.markup_judge import MarkupJudge

    def fail(self, element, page):
        raise RuntimeError("fault")

    monkeypatch.setattr(MarkupJudge, "find_shut", fail)
    text = get(HEAD + PIXEL + END).text

    assert contacts(text) == set()
    assert "could not be judged" in caplog.text


def test_placeholder_that_cannot_be_rendered_leaves_the_frame_held(make_app, get, caplog):
    app = make_app({"consent/placeholder.html": "{{ 1 / 0 }}"}, services=SERVICES, CONSENT_AUTO_HOLD=True)
    text = get(HEAD + VIDEO + END, app=app).text

    assert list_blocks(text) == [VIDEO]
    assert "The placeholder of 'youtube' could not be rendered" in caplog.text


def test_page_is_served_when_nothing_can_be_held(get, monkeypatch, caplog):
    import consent.web.auto_hold

    def fail(page):
        raise RuntimeError("fault")

    monkeypatch.setattr(consent.web.auto_hold, "scan", fail)

    assert PIXEL in get(HEAD + PIXEL + END).text
    assert [record.levelno for record in caplog.records if record.levelno > logging.WARNING] == [logging.ERROR]
