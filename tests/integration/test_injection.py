"""What is put into a page, and what is left alone byte for byte."""

from __future__ import annotations

import gzip
from io import BytesIO

import pytest
from flask import Response, abort, make_response, render_template_string, send_file

import consent.testing
from tests.runtime_tag import count_tags, without_tag

BANNER = 'data-consent-ui="banner"'
LINK = '<a class="pvc-settings-link" href="/privacy-choices/" data-consent-action="settings" data-turbo="false" data-hx-boost="false" data-hx-history="false">Privacy choices</a>'
INJECTED = f'<nav aria-label="Privacy choices">{LINK}</nav>'
DOCUMENT = "<!doctype html><html><head><title>T</title></head><body><p>Hello</p></body></html>"
MACROS = '{% from "consent/macros.html" import banner, head, settings_link, gate %}'


@pytest.fixture
def get(app, add_page):
    """Return a function that serves one answer as a page and fetches it."""

    def fetch(answer, *, headers=None, client=None, **answer_headers):
        path = f"/page{len(app.view_functions)}"
        add_page(app, path, answer, **answer_headers)
        return (client or app.test_client()).get(path, headers=headers or {})

    return fetch


def test_banner_is_first_in_the_body_and_styles_follow_the_charset(client, page):
    text = client.get("/").text
    head, _, rest = text.partition("<body>")

    assert head.startswith(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="stylesheet" href="/privacy-choices/assets/banner.'
    )
    assert rest.startswith('<section class="pvc-banner"')
    assert rest.endswith(f"</section><p>Hello</p>{INJECTED}</body></html>")


def test_what_is_not_ours_stays_byte_for_byte(client, page):
    text = client.get("/").text
    start, end = text.index('<link rel="stylesheet"'), text.index("<title>")
    without_styles = text[:start] + text[end:]
    start, end = without_styles.index("<section"), without_styles.index("</section>") + len("</section>")

    assert (without_styles[:start] + without_styles[end:]).replace(INJECTED, "") == page


@pytest.mark.parametrize(
    "body",
    [
        "<p>Hello</p>",
        "Hello <html>",
        "",
        " \n",
        "<div><body>",
        "<!-- <!doctype html> --><p>",
        "{}",
    ],
    ids=repr,
)
def test_fragment_is_left_alone(get, body):
    response = get(body)

    assert response.text == body
    assert "Vary" not in response.headers
    assert "Cache-Control" not in response.headers


def test_fragment_keeps_its_validators_for_shared_caches(get, caplog):
    response = get("<p>Hello</p>", ETag='"1"', Cache_Control="public, max-age=60")

    assert (response.headers["ETag"], response.headers["Cache-Control"]) == ('"1"', "public, max-age=60")
    assert caplog.records == []


@pytest.mark.parametrize(
    "content_type",
    ["application/xhtml+xml", "application/json", "text/plain", "application/pdf", "image/svg+xml", "text/xml", ""],
    ids=repr,
)
def test_other_content_type_is_left_alone(get, content_type):
    response = get(DOCUMENT, Content_Type=content_type)

    assert response.text == DOCUMENT
    assert "Vary" not in response.headers


@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=UTF-8", "text/html;charset=utf-8"])
def test_html_is_recognised_in_any_spelling(get, content_type):
    assert BANNER in get(DOCUMENT, Content_Type=content_type).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Disposition": "attachment"},
        {"Content_Disposition": 'Attachment; filename="page.html"'},
        {"Cache_Control": "no-transform"},
        {"Cache_Control": "public, NO-TRANSFORM, max-age=60"},
    ],
    ids=["attachment", "attachment-named", "no-transform", "no-transform-among-others"],
)
def test_response_that_forbids_changes_is_left_alone(get, headers):
    response = get(DOCUMENT, **headers)

    assert response.text == DOCUMENT
    assert "Vary" not in response.headers


def test_inline_disposition_is_injected(get):
    assert BANNER in get(DOCUMENT, Content_Disposition='inline; filename="attachment.html"').text


@pytest.mark.parametrize("status", [204, 206, 304])
def test_status_without_a_whole_body_is_left_alone(get, status):
    response = get(lambda: (DOCUMENT, status))

    assert response.status_code == status
    assert BANNER not in response.text
    assert "Vary" not in response.headers


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 410, 418, 500, 503])
def test_document_of_any_other_status_is_injected(get, status):
    assert get(lambda: (DOCUMENT, status)).text.count(BANNER) == 1


def test_encoded_body_is_left_alone_and_warned_of_once(app, add_page, caplog):
    body = gzip.compress(DOCUMENT.encode())
    add_page(app, "/packed", lambda: make_response(body), Content_Encoding="gzip")
    client = app.test_client()

    assert [client.get("/packed").data for _ in range(2)] == [body, body]
    assert [record.getMessage() for record in caplog.records] == [
        (
            "The page at '/packed' was compressed inside its view, so no banner could be inserted and nothing in it be held. Place "
            "banner() and head() in the template, and compress later."
        )
    ]


def test_file_is_left_alone(get):
    response = get(lambda: send_file(BytesIO(DOCUMENT.encode()), mimetype="text/html"))

    assert response.text == DOCUMENT
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    ("headers", "vary"),
    [
        ({"HX-Request": "true"}, "HX-Request"),
        ({"Turbo-Frame": "main"}, "Turbo-Frame"),
        ({"Sec-Fetch-Dest": "iframe"}, "Sec-Fetch-Dest"),
        ({"Sec-Fetch-Dest": "frame"}, "Sec-Fetch-Dest"),
        ({"Sec-Fetch-Dest": "embed"}, "Sec-Fetch-Dest"),
        ({"Sec-Fetch-Dest": "object"}, "Sec-Fetch-Dest"),
    ],
    ids=str,
)
def test_request_for_a_part_is_left_alone_and_varies_with_what_said_so(get, headers, vary):
    response = get(DOCUMENT, headers=headers)

    assert response.text == DOCUMENT
    assert response.headers["Vary"] == vary
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Boosted": "true"},
        {"HX-Request": "true", "HX-History-Restore-Request": "true"},
        {"Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Dest": "empty"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Requested-With": "XMLHttpRequest"},
    ],
    ids=str,
)
def test_request_for_a_page_is_injected(get, headers):
    assert get(DOCUMENT, headers=headers).text.count(BANNER) == 1


@pytest.mark.parametrize("pattern", ["index", "in*", "*", "i?dex"])
def test_excluded_endpoint_is_left_alone(make_app, page, pattern):
    response = make_app(CONSENT_EXCLUDED_ENDPOINTS=["nothing", pattern]).test_client().get("/")

    assert response.text == page
    assert "Vary" not in response.headers


@pytest.mark.parametrize("pattern", ["Index", "ndex", "index.*", "in"])
def test_other_endpoint_is_injected(make_app, pattern):
    assert BANNER in make_app(CONSENT_EXCLUDED_ENDPOINTS=[pattern]).test_client().get("/").text


def test_error_pages_are_injected(app):
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)
    app.add_url_rule("/gone", "gone", lambda: abort(410))
    client = app.test_client()
    answers = [client.get("/missing"), client.get("/gone"), client.get("/broken"), client.post("/")]

    assert [answer.status_code for answer in answers] == [404, 410, 500, 405]
    assert [answer.text.count(BANNER) for answer in answers] == [1, 1, 1, 1]


def test_page_of_a_post_leads_to_the_root_for_it_cannot_be_fetched_again(app):
    app.add_url_rule("/search", "search", lambda: DOCUMENT, methods=["POST"])

    assert 'name="next"' not in app.test_client().post("/search").text


def test_path_and_query_of_the_page_are_escaped(client):
    text = client.get('/missing"><b>x?a="><i>&b=\'').text

    assert "<b>" not in text
    assert "<i>" not in text
    assert '<input type="hidden" name="next" value="/missing%22%3E%3Cb%3Ex?a=' in text


def test_path_that_would_lead_away_is_not_offered(client):
    text = client.get("//evil.example/%5Cx", base_url="http://localhost").text

    assert 'value="//evil' not in text


def test_own_pages_are_not_injected(client):
    for path in ("/privacy-choices/", "/privacy-choices/policy"):
        assert BANNER not in client.get(path).text


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", "{{ banner() }}"),
        ("", "{{ banner() }}{{ banner() }}"),
        ("{{ head() }}", ""),
        ("{{ head() }}", "{{ banner() }}"),
    ],
)
def test_macro_and_injection_make_one_banner(get, head, body):
    source = f"{MACROS}<!doctype html><html><head>{head}</head><body>{body}<p>x</p></body></html>"
    text = get(lambda: render_template_string(source)).text

    assert text.count('<section class="pvc-banner"') == 1
    assert text.count('rel="stylesheet"') == count_tags(text) == 1
    assert text.index('rel="stylesheet"') < text.index("<script") < text.index("<section")


def test_banner_of_a_failed_rendering_is_made_up_for_on_the_error_page(app):
    app.jinja_loader.mapping["error.html"] = (
        f"<!doctype html><head></head><body>{MACROS}{{{{ banner() }}}}<h1>Sorry</h1>"
    )

    @app.errorhandler(500)
    def sorry(_error):
        return render_template_string('{% include "error.html" %}'), 500

    @app.get("/broken")
    def broken():
        return render_template_string(f"<!doctype html><body>{MACROS}{{{{ head() }}}}{{{{ banner() }}}}{{{{ 1 / 0 }}}}")

    text = app.test_client().get("/broken").text

    assert text.count('<section class="pvc-banner"') == 1
    assert text.count('rel="stylesheet"') == count_tags(text) == 1


def test_decided_page_gets_one_plain_link_of_at_most_300_bytes(client, choose, page):
    choose(client, "reject_all")
    text = client.get("/").text

    assert text == page.replace("</body>", f"{INJECTED}</body>")
    assert len(INJECTED.encode()) <= 300


def test_decided_page_that_placed_its_link_carries_nothing_else_of_ours(app, choose):
    source = f"<!doctype html><body>{MACROS}<p>{{{{ settings_link() }}}}</p></body>"
    app.add_url_rule("/page", "page", lambda: render_template_string(source))
    client = app.test_client()
    choose(client, "reject_all")

    assert client.get("/page").text == f"<!doctype html><body><p>{LINK}</p></body>"


def test_decided_visitor_finds_the_link_on_error_pages_too(client, choose):
    choose(client, "reject_all")

    assert client.get("/missing").text.count(INJECTED) == 1


def test_link_is_injected_in_every_shipped_language_within_300_bytes(make_app):
    for language in ("ar", "de", "en", "es", "fr", "zh-Hans"):
        client = make_app(CONSENT_LANGUAGE=language).test_client()
        consent.testing.refuse(client)
        text = client.get("/").text
        link = text[text.index("<nav ") : text.index("</body>")]

        assert len(link.encode()) <= 300


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("iso-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-8", "utf-8"),
        ("gb18030", "gb18030"),
        ("shift_jis", "shift_jis"),
    ],
)
def test_banner_fits_the_charset_of_the_page(make_app, add_page, charset, encoding):
    app = make_app(CONSENT_LANGUAGE="zh-Hans")
    add_page(app, "/page", lambda: Response(DOCUMENT.encode(encoding), content_type=f"text/html; charset={charset}"))
    text = app.test_client().get("/page").data.decode(encoding)

    assert text.count(BANNER) == 1
    assert text.endswith("</body></html>")


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-32", "utf-7", "iso-2022-jp", "unknown"])
def test_page_of_an_unsafe_charset_is_left_alone(get, charset):
    body = DOCUMENT.encode("utf-16") if charset == "utf-16" else DOCUMENT.encode()

    assert get(lambda: Response(body, content_type=f"text/html; charset={charset}")).data == body


def test_page_without_a_charset_gets_ascii_alone(make_app, add_page):
    app = make_app(CONSENT_LANGUAGE="ar")
    add_page(app, "/page", lambda: Response(DOCUMENT.encode(), content_type="text/html"))
    body = app.test_client().get("/page").data

    assert BANNER.encode() in body
    assert body.isascii()


def test_byte_order_mark_stays_first(get):
    body = get(lambda: Response(b"\xef\xbb\xbf" + DOCUMENT.encode(), content_type="text/html; charset=utf-8")).data

    assert body.startswith(b"\xef\xbb\xbf<!doctype html><html><head><link ")


@pytest.mark.parametrize(
    "body",
    [
        "<!doctype html><!-- <body> --><title>T</title><p>x",
        "<!doctype html><head><script>var a = '<body>';</script></head><BODY CLASS=x><p>x</p></BODY>",
        "<html><head><title><body></title></head><body><p>x</p></body></html>",
        "<!doctype html><head><style>/*<body>*/</style><body><textarea></body></textarea>",
        '<!doctype html><body data-x="</body>"><p>x</p></body>',
        "<!doctype html><body><p>x</p></body></body>",
        '<!doctype html><body><iframe srcdoc="<body>"></iframe>',
        "<!DOCTYPE HTML>",
        "<!doctype html><p>no tags",
    ],
)
def test_page_parses_to_the_same_tree_and_our_parts(get, structure, body):
    text = get(body).text
    without_ours = without_tag(text)
    for opening, closing in (("<section", "</section>"), ('<link rel="stylesheet"', ">"), ("<nav", "</nav>")):
        start = without_ours.find(opening)
        if start >= 0:
            without_ours = without_ours[:start] + without_ours[without_ours.index(closing, start) + len(closing) :]
    tags = [tag for tag, _ in structure(text)]

    assert without_ours == body
    assert tags.count("section") == 1
    assert tags[tags.index("body") + 1] == "section"
