"""The library's own Content-Security-Policy on the pages of an app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import abort, redirect, render_template_string, stream_with_context
from flask_talisman import Talisman

import consent.testing
from consent import Consent, Service, current_consent
from consent.core.content_security_policy import read_sources

ENFORCED = "Content-Security-Policy"
REPORTED = "Content-Security-Policy-Report-Only"
ANALYTICS_HOST = "www.googletagmanager.com:*"
FILM_HOST = "www.youtube-nocookie.com:*"
GATED = '{% from "consent/macros.html" import gate, embed %}<!doctype html><html><head><title>T</title></head><body>'


def ours(response, name=ENFORCED):
    """Return the directives of our policy."""
    found = [value for value in response.headers.getlist(name) if "csp-reports" in value]
    assert len(found) == 1
    return dict(part.split(" ", 1) for part in found[0].split("; "))


def test_policy_is_off_unless_it_is_asked_for(client):
    assert {ENFORCED, REPORTED}.isdisjoint(client.get("/").headers.keys())
    assert client.post("/privacy-choices/csp-reports").status_code == 404


@pytest.mark.parametrize(("mode", "name", "other"), [("enforce", ENFORCED, REPORTED), ("report", REPORTED, ENFORCED)])
def test_hosts_of_what_is_granted_are_allowed(make_app, mode, name, other):
    client = make_app(CONSENT_CSP=mode).test_client()

    before = client.get("/")
    consent.testing.grant(client, "analytics")
    after = client.get("/")
    consent.testing.refuse(client)
    refused = client.get("/")

    assert ANALYTICS_HOST not in ours(before, name)["script-src"]
    assert ANALYTICS_HOST in ours(after, name)["script-src"]
    assert FILM_HOST not in str(ours(after, name))
    assert ours(refused, name) == ours(before, name)
    assert other not in after.headers
    assert ours(before, name)["report-uri"] == "/privacy-choices/csp-reports"


def test_page_with_a_policy_is_one_visitors(make_app):
    response = make_app(CONSENT_CSP="enforce", CONSENT_INJECT=False).test_client().get("/")

    assert response.headers["Vary"] == "Cookie, Sec-GPC"
    assert response.headers["Cache-Control"] == "private"


def test_necessary_service_is_always_allowed(make_app):
    service = Service("pay", name="Pay", purposes=("necessary",), justification="Payment", hosts=("pay.example",))

    assert (
        "pay.example:*"
        in ours(make_app(services=[service], CONSENT_CSP="enforce").test_client().get("/"))["script-src"]
    )


def test_advanced_service_is_allowed_before_the_choice(make_app):
    app = make_app(CONSENT_CSP="enforce", CONSENT_ADVANCED=["google-analytics"])

    assert ANALYTICS_HOST in ours(app.test_client().get("/"))["script-src"]


def test_own_hosts_are_allowed(make_app):
    app = make_app(CONSENT_CSP="enforce", CONSENT_OWN_HOSTS=["cdn.example.com"])

    assert ours(app.test_client().get("/"))["default-src"].endswith(" cdn.example.com:*")


def test_policy_of_the_app_stays_as_it_is_and_its_hosts_are_allowed(make_app, add_page, page):
    app = make_app(CONSENT_CSP="enforce")
    policy = "img-src 'self' https://img.example; script-src 'nonce-x' https://www.googletagmanager.com;; bad\tone"
    add_page(app, "/own", page, Content_Security_Policy=policy)

    response = app.test_client().get("/own")

    assert response.headers.getlist(ENFORCED)[0] == policy
    assert ours(response)["img-src"].endswith(" https://img.example")
    # Not granted, so the app's word for it does not count.
    assert "googletagmanager" not in str(ours(response))


def test_host_of_anybodys_files_is_allowed_by_the_app_whoever_else_has_some_there(make_app, add_page, page):
    shut = Service("s", name="S", purposes=("analytics",), hosts_by_use={"script": ("cdn.jsdelivr.net", "s.example")})
    app = make_app(services=[shut], CONSENT_CSP="enforce")
    add_page(app, "/own", page, Content_Security_Policy="script-src cdn.jsdelivr.net s.example")

    assert ours(app.test_client().get("/own"))["script-src"].endswith(" 'unsafe-eval' cdn.jsdelivr.net")


def test_report_only_policy_of_the_app_counts_too(make_app, add_page, page):
    app = make_app(CONSENT_CSP="report")
    add_page(app, "/own", page, Content_Security_Policy_Report_Only="font-src https://fonts.example")

    response = app.test_client().get("/own")

    assert response.headers.getlist(REPORTED)[0] == "font-src https://fonts.example"
    assert ours(response, REPORTED)["font-src"].endswith(" https://fonts.example")


@pytest.mark.parametrize("is_first", [True, False])
def test_policy_stands_beside_that_of_talisman(bare_app, is_first):
    app = bare_app(CONSENT_CSP="enforce")
    csp = {"img-src": ["'self'", "img.example"], "script-src": "'self'"}
    setups = [lambda: Talisman(app, content_security_policy=csp, content_security_policy_nonce_in=["script-src"])]
    setups.insert(int(is_first), lambda: Consent(app, services=["google-analytics"]))
    for each in setups:
        each()
    client = app.test_client()

    first, second = (client.get("/", base_url="https://localhost") for _ in range(2))

    assert re.match(r"img-src 'self' img.example; script-src 'self' 'nonce-", first.headers.getlist(ENFORCED)[0])
    assert first.headers.getlist(ENFORCED)[0] != second.headers.getlist(ENFORCED)[0]
    assert ours(first) == ours(second)
    assert ours(first)["img-src"].endswith(" img.example")
    assert "nonce" not in str(ours(first))


@pytest.mark.parametrize(
    "policy", ["", ";", ",,;", "img-src", "\x7f", "img-src " + "a.example " * 5000, "img-src \xff"]
)
def test_strange_policy_of_the_app_costs_nothing(make_app, add_page, page, policy):
    app = make_app(CONSENT_CSP="enforce")
    add_page(app, "/own", page, Content_Security_Policy=policy)

    response = app.test_client().get("/own")

    assert response.headers.getlist(ENFORCED)[0] == policy
    assert ours(response)["default-src"].startswith("'self'")


def test_every_kind_of_page_has_the_policy(make_app, add_page, page):
    app = make_app(CONSENT_CSP="enforce")
    add_page(app, "/streamed", lambda: app.response_class(iter([page]), mimetype="text/html"))
    add_page(app, "/broken", lambda: 1 / 0)
    add_page(app, "/gone", lambda: abort(410))
    client = app.test_client()

    for path in ("/", "/streamed", "/broken", "/gone", "/nowhere", "/privacy-choices/", "/privacy-choices/policy"):
        assert ours(client.get(path))["report-uri"], path
    assert ours(client.head("/"))


def test_what_is_no_page_has_no_policy(make_app, add_page):
    app = make_app(CONSENT_CSP="enforce", CONSENT_INJECT=False)
    add_page(app, "/data", lambda: {"a": 1})
    add_page(app, "/moved", lambda: redirect("/"))
    add_page(app, "/nothing", lambda: ("", 204))
    client = app.test_client()

    for path in ("/data", "/moved", "/nothing"):
        response = client.get(path)
        assert ENFORCED not in response.headers
        assert "Vary" not in response.headers


@pytest.mark.parametrize(
    "content_type", [" text/html", "TEXT/HTML;charset=utf-8", "text/html ; x", "application/xhtml+xml"]
)
def test_page_is_one_however_its_type_is_written(make_app, add_page, page, content_type):
    app = make_app(CONSENT_CSP="enforce", CONSENT_INJECT=False)
    add_page(app, "/own", page, Content_Type=content_type)
    client = app.test_client()
    consent.testing.grant(client, "analytics")

    response = client.get("/own")

    assert ANALYTICS_HOST in ours(response)["script-src"]
    assert response.headers["Cache-Control"] == "private"


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/xml", "application/rss+xml", "*/*", "", None])
def test_document_that_is_no_page_may_load_what_is_necessary_whatever_is_granted(make_app, add_page, content_type):
    """It is the same for everyone, so caches may share it."""
    pay = Service("pay", name="Pay", purposes=("necessary",), justification="Payment", hosts=("pay.example",))
    app = make_app(services=["google-analytics", pay], CONSENT_CSP="enforce")

    def show():
        response = app.response_class("<svg/>", headers={"Cache-Control": "public"})
        del response.headers["Content-Type"]
        if content_type is not None:
            response.headers["Content-Type"] = content_type
        return response

    add_page(app, "/own", show)
    client = app.test_client()
    consent.testing.grant(client, "analytics")

    response = client.get("/own")

    assert ANALYTICS_HOST not in str(ours(response))
    assert "pay.example:*" in ours(response)["script-src"]
    assert response.headers["Cache-Control"] == "public"
    assert "Vary" not in response.headers


def test_redirect_that_leads_nowhere_is_a_page(make_app, add_page, page):
    app = make_app(CONSENT_CSP="enforce")
    add_page(app, "/choices", lambda: (page, 300, {"Location": "/"}))
    add_page(app, "/nowhere-to-go", lambda: (page, 302))
    client = app.test_client()

    for path in ("/choices", "/nowhere-to-go"):
        assert ours(client.get(path))["report-uri"], path


def test_page_in_xml_is_asked_for_anew_after_a_choice(make_app, add_page, page):
    """With a 304, browsers would take the policy that they have kept."""
    app = make_app(CONSENT_CSP="enforce")
    add_page(app, "/own", page, Content_Type="application/xhtml+xml", ETag='"a"')

    assert "ETag" not in app.test_client().get("/own").headers


@pytest.mark.parametrize(
    "policies",
    [
        [f"script-src 'nonce-{n}' 'sha256-{n}' img.example; report-uri /r?token={n}" for n in range(3)],
        [f"img-src   img.example;Report-To group-{n}  ;\tfont-src 'self'" for n in range(3)],
    ],
)
def test_policies_that_differ_in_what_is_not_taken_over_are_read_once(make_app, add_page, page, monkeypatch, policies):
    read = []

    def note(text):
        read.append(text)
        return read_sources(text)

    monkeypatch.setattr("consent.web.csp_header.read_sources", note)
    app = make_app(CONSENT_CSP="enforce", CONSENT_COOKIE_GATE="off")
    left = list(policies)
    add_page(app, "/own", lambda: (page, 200, {"Content-Security-Policy": left.pop()}))
    client = app.test_client()
    read.clear()

    found = {str(ours(client.get("/own"))) for _ in policies}

    assert len(read) == len(found) == 1
    assert "img.example" in found.pop()


@pytest.mark.parametrize("source", ["a'nonce-x'.example", "'self'.example", "x'sha256-y'"])
def test_source_with_quotation_marks_in_it_is_not_made_a_host(make_app, add_page, page, source):
    app = make_app(CONSENT_CSP="enforce")
    add_page(app, "/own", page, Content_Security_Policy=f"img-src {source} b.example")

    assert ours(app.test_client().get("/own"))["img-src"] == "'self' data: blob: b.example"


def test_page_under_a_prefix_reports_to_it(make_app):
    client = make_app(CONSENT_CSP="enforce").test_client()

    response = client.get("/", environ_overrides={"SCRIPT_NAME": "/shop;,x"})

    assert ours(response)["report-uri"] == "/shop%3B%2Cx/privacy-choices/csp-reports"


def test_prefixes_without_end_do_not_fill_memory(make_app):
    app = make_app(CONSENT_CSP="enforce")
    client = app.test_client()

    found = {ours(client.get("/", environ_overrides={"SCRIPT_NAME": f"/{n}"}))["report-uri"] for n in range(130)}

    assert len(found) == 130


def test_policy_that_proxies_may_refuse_is_told_of_once(make_app, caplog):
    hosts = tuple(f"host-{number}.example" for number in range(40))
    service = Service("many", name="Many", purposes=("analytics",), hosts=hosts)
    client = make_app(services=[service], CONSENT_CSP="enforce").test_client()
    client.get("/")
    assert "proxy_buffer_size" not in caplog.text

    consent.testing.grant(client, "analytics")
    for _ in range(2):
        client.get("/")

    assert caplog.text.count("proxy_buffer_size") == 1


def test_embed_that_is_shown_once_is_allowed_on_that_page_alone(make_app, choose):
    client = make_app(CONSENT_CSP="enforce").test_client()

    once = choose(client, "once", service="youtube", id="aqz-KE-bpKQ")
    again = client.get("/")

    assert FILM_HOST in ours(once)["frame-src"]
    assert ANALYTICS_HOST not in str(ours(once))
    assert "youtube" not in str(ours(again))


def read_block_keys(text):
    (page_key,) = re.findall(r'data-consent-key="([^"]*)" data-consent-page', text)
    return page_key, re.findall(r'data-consent-gate="[^"]*" data-consent-key="([^"]*)"', text)


@pytest.mark.parametrize("mode", ["off", "report", "enforce"])
def test_held_block_opens_without_a_page_load_unless_the_policy_is_enforced(render, mode):
    source = GATED + '{% call gate("analytics") %}x{% endcall %}{{ embed("youtube", "aqz-KE-bpKQ", title="Film") }}'

    page_key, keys = read_block_keys(render(source, CONSENT_CSP=mode).text)

    assert (set(keys), len(keys)) == (({""}, 4) if mode == "enforce" else ({page_key}, 2))


def test_what_waits_for_the_browsers_signal_opens_without_a_page_load(make_app):
    """The policy lets it in: nobody would load the page again, since nothing is chosen."""
    app = make_app(CONSENT_CSP="enforce", CONSENT_INJECT=False, jurisdiction=lambda: "US-CA")
    source = GATED + '{{ embed("youtube", "aqz-KE-bpKQ", title="Film") }}'
    app.add_url_rule("/page", "page", lambda: render_template_string(source))

    response = app.test_client().get("/page")

    page_key, keys = read_block_keys(response.text)
    assert keys == [page_key]
    assert FILM_HOST in ours(response)["frame-src"]


def test_stream_that_asks_is_told_to_caches(make_app):
    app = make_app(CONSENT_CSP="enforce")

    @app.get("/stream")
    def stream():
        def parts():
            yield "<!doctype html><title>S</title>"
            yield str(current_consent.allows("analytics"))

        return app.response_class(stream_with_context(parts()), mimetype="text/html")

    response = app.test_client().get("/stream")

    assert "False" in response.text
    assert response.headers["Cache-Control"] == "private"
    assert ours(response)


def test_python_of_the_guide_runs(bare_app):
    guide = (Path(__file__).parents[2] / "docs" / "csp.md").read_text(encoding="utf-8")
    report, enforce = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    app = bare_app()

    exec(compile(report + enforce, "csp.md", "exec"), {"app": app})
    Consent(app)

    assert "cdn.example.com:* *.static.example.com:*" in ours(app.test_client().get("/"))["default-src"]
