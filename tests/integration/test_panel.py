"""The developer's panel: what got past a page's templates, at its corner, in debug mode alone."""

from __future__ import annotations

import re

import pytest
from flask import Response
from flask_talisman import Talisman
from werkzeug.test import run_wsgi_app

from consent import Consent
from consent.core.leak import Leak, LeakKind
from consent.testing import grant
from consent.web.panel import Panel
from consent.web.visit import get_site

MARK = '<aside class="pvc-audit"'
LEAK = Leak(kind=LeakKind.MARKUP_HELD, subject="<b>.example", services=("youtube",), element="iframe")


@pytest.fixture
def make_site(bare_app):
    """Return a function that makes an app with the panel."""

    def make(templates=None, *, debug=True, **config):
        app = bare_app(templates, CONSENT_PANEL=True, **config)
        app.debug = debug
        Consent(app, services=["google-analytics", "youtube"])
        return app

    return make


@pytest.fixture
def site(make_site):
    return make_site()


def panel_of(page):
    found = re.search(r'<link [^>]*panel[^>]*>\s*<aside class="pvc-audit".*?</aside>', page, re.DOTALL)
    return found[0] if found else ""


def words_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", panel_of(page)).split())


def test_panel_stands_at_the_end_of_the_page(site):
    answer = site.test_client().get("/")

    assert answer.text.count(MARK) == 1
    assert answer.text.rstrip().endswith("</aside>\n</body></html>")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"


def test_panel_is_closed_and_counts(site):
    page = site.test_client().get("/").text

    assert "<details>" in panel_of(page)
    assert words_of(page).startswith("Consent 0 Nothing got past the templates What the visitor allows")


def test_panel_lists_what_was_noted_during_the_request(site, page):
    def view():
        get_site(site).leaks.note(LEAK)
        get_site(site).leaks.note(LEAK)
        return page

    site.add_url_rule("/leaky", "leaky", view)
    client = site.test_client()
    told = [words_of(client.get("/leaky").text) for _ in range(2)]

    # Told in the log once a process, and here on each page.
    assert all(
        "Consent 1 What got past the templates &lt;iframe&gt; from &#39;&lt;b&gt;.example&#39; was held" in each
        for each in told
    )


def test_panel_tells_the_decision(site):
    client = site.test_client()
    before = words_of(client.get("/").text)
    grant(client, "analytics")
    after = words_of(client.get("/").text)

    assert "Regime opt_in , place unknown; the banner asks (choice, no_record)" in before
    assert "analytics off undecided" in before
    assert "no banner" in after
    assert "analytics on granted" in after
    assert "youtube off refused" in after


def test_session_cookie_set_last_is_told_of(site, page):
    """A cookie that another extension sets as the response leaves is on the page that it came with."""

    @site.after_request
    def track(response):
        response.set_cookie("_ga", "1")
        return response

    assert "Consent 1 What got past the templates The cookie &#39;_ga&#39;" in words_of(
        site.test_client().get("/").text
    )


def test_nothing_is_shown_out_of_debug_mode(make_site):
    site = make_site(debug=False)
    answer = site.test_client().get("/")

    assert MARK not in answer.text
    assert not isinstance(site.wsgi_app, Panel)


def test_there_is_no_layer_without_the_setting(make_app):
    app = make_app()
    app.debug = True

    assert not isinstance(app.wsgi_app, Panel)
    assert MARK not in app.test_client().get("/").text


def test_layer_within_others_passes_on_out_of_debug_mode(make_site):
    site = make_site(debug=False)
    inner = site.wsgi_app

    def outer(environ, start_response):
        return inner(environ, start_response)

    site.wsgi_app = outer

    assert MARK not in site.test_client().get("/").text
    assert site.test_client().get("/").status_code == 200


def test_own_pages_have_no_panel(site):
    assert MARK not in site.test_client().get("/privacy-choices/").text


@pytest.mark.parametrize(
    ("make", "headers"),
    [
        (lambda page: Response((page[:50], page[50:])[part] for part in (0, 1)), {}),
        (lambda page: Response(page, mimetype="text/plain"), {}),
        (lambda _: Response("<p>A part of a page</p></body>"), {}),
        (lambda page: Response(page.replace("</body>", "")), {}),
        (lambda page: Response(page, headers={"Content-Disposition": "attachment"}), {}),
        (lambda page: Response(page.encode("utf-16"), content_type="text/html; charset=utf-16"), {}),
        (lambda _: Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), {}),
        (lambda _: Response(status=204), {}),
        (lambda page: page, {"HX-Request": "true"}),
    ],
    ids=["stream", "text", "fragment", "no end", "download", "utf-16", "gzip", "no content", "htmx"],
)
def test_what_is_no_whole_page_is_left_alone(site, page, make, headers):
    site.add_url_rule("/other", "other", lambda: make(page))
    answer = site.test_client().get("/other", headers=headers)

    assert answer.status_code < 300
    assert b"pvc-audit" not in answer.data


def test_head_is_answered_without_a_page(site):
    answer = site.test_client().head("/")

    assert (answer.status_code, answer.data) == (200, b"")


def test_page_of_another_encoding_stays_readable(site, page):
    """The panel is ASCII, whatever the names in it."""
    greek = page.replace("Hello", "Γειά")
    site.add_url_rule(
        "/greek", "greek", lambda: Response(greek.encode("iso-8859-7"), content_type="text/html; charset=iso-8859-7")
    )
    data = site.test_client().get("/greek").data

    assert "Γειά" in data.decode("iso-8859-7")
    assert b"pvc-audit" in data


def test_error_page_has_a_panel_and_its_exception_passes(site):
    def fail():
        raise ZeroDivisionError

    site.add_url_rule("/fail", "fail", fail)
    site.register_error_handler(404, lambda _: ("<!doctype html><html><body><p>None</p></body></html>", 404))
    client = site.test_client()

    assert MARK in client.get("/none").text
    with pytest.raises(ZeroDivisionError):
        client.get("/fail")


def test_fault_of_the_panel_costs_nothing_but_the_panel(make_site, caplog):
    answer = make_site({"consent/panel.html": "{{ 1 / 0 }}"}).test_client().get("/")

    assert answer.status_code == 200
    assert MARK not in answer.text
    assert "The panel could not be put into a page." in caplog.text


def test_stylesheet_has_the_nonce_of_the_page(make_site):
    site = make_site()
    Talisman(
        site,
        force_https=False,
        content_security_policy={"default-src": "'none'", "style-src": ""},
        content_security_policy_nonce_in=["style-src"],
    )
    answer = site.test_client().get("/")
    (nonce,) = re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])

    assert f'nonce="{nonce}"' in panel_of(answer.text)
    assert "style=" not in panel_of(answer.text)


def test_app_that_starts_late_or_writes_is_served(site):
    """Middleware of the site's own may answer in any way that WSGI allows."""

    def late(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", "4")])
        yield b"late"

    def writing(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", "7")])
        write(b"written")
        return [b""]

    consent_site = get_site(site)
    for inner, body in ((late, b"late"), (writing, b"written")):
        with site.test_request_context("/") as context:
            chunks, status, headers = run_wsgi_app(Panel(site, inner, consent_site), context.request.environ)
            assert (b"".join(chunks), status, headers["Content-Length"]) == (body, "200 OK", str(len(body)))
