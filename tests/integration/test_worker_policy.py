"""The library's own Content-Security-Policy on files that browsers run as workers."""

from __future__ import annotations

import re

import pytest
from flask import redirect

import consent.testing
from consent import Service

POLICY = "Content-Security-Policy"
SCRIPT = "postMessage('ready')"
TRACKER = "www.googletagmanager.com:*"
PAY = Service("pay", name="Pay", purposes=("necessary",), justification="Payment", hosts=("pay.example",))


@pytest.fixture
def start(make_app, tmp_path):
    """Return a function that makes a site with a static file, and one that fetches it for a use."""
    (tmp_path / "worker.js").write_text(SCRIPT, encoding="utf-8")

    def begin(**config):
        app = make_app(services=["google-analytics", PAY], **({"CONSENT_CSP": "enforce"} | config))
        app.static_folder = str(tmp_path)
        app.add_url_rule("/static/<path:filename>", "static", app.send_static_file)
        app.add_url_rule("/moved.js", "moved", lambda: redirect("/static/worker.js"))
        client = app.test_client()

        def fetch(use, path="/static/worker.js", **headers):
            return client.get(path, headers={"Sec-Fetch-Dest": use} | headers, buffered=True)

        return client, fetch

    return begin


@pytest.mark.parametrize("use", ["worker", "sharedworker"])
def test_worker_may_load_from_what_is_granted(start, use):
    client, fetch = start()

    before = fetch(use)
    consent.testing.grant(client, "analytics")
    granted = fetch(use)
    consent.testing.refuse(client)
    refused = fetch(use)

    assert TRACKER not in before.headers[POLICY]
    assert TRACKER in granted.headers[POLICY]
    assert refused.headers[POLICY] == before.headers[POLICY]
    assert "pay.example" in before.headers[POLICY]
    assert granted.text == SCRIPT


@pytest.mark.parametrize("choice", [(), ("analytics",)])
def test_service_worker_may_load_what_is_necessary_whatever_is_granted(start, choice):
    client, fetch = start(CONSENT_OWN_HOSTS=["cdn.example.com"], CONSENT_ADVANCED=["google-analytics"])
    if choice:
        consent.testing.grant(client, *choice)

    policy = fetch("serviceworker").headers[POLICY]

    assert TRACKER not in policy
    assert "cdn.example.com:* pay.example:*" in policy


def test_caches_are_told_what_a_workers_policy_depends_on(start):
    _, fetch = start()

    worker, service_worker = fetch("worker"), fetch("serviceworker")

    assert worker.headers["Vary"] == "Cookie, Sec-GPC, Sec-Fetch-Dest"
    assert worker.headers["Cache-Control"] == "no-cache, private"
    # The same for everyone: only the use counts.
    assert service_worker.headers["Vary"] == "Sec-Fetch-Dest"
    assert service_worker.headers["Cache-Control"] == "no-cache"


def test_public_file_is_private_as_a_worker_alone(start, caplog):
    _, fetch = start(SEND_FILE_MAX_AGE_DEFAULT=3600)

    script, worker = fetch("script"), fetch("worker")

    assert script.headers["Cache-Control"] == "public, max-age=3600"
    assert "private" in worker.headers["Cache-Control"]
    assert "public" not in worker.headers["Cache-Control"]
    assert "allows shared caches" in caplog.text


@pytest.mark.parametrize("use", ["script", "empty", "audioworklet", "document", "WORKER", ""])
def test_file_for_another_use_stays_as_it_is(start, use):
    _, fetch = start()
    _, fetch_without = start(CONSENT_CSP="off")

    found, plain = fetch(use), fetch_without(use)

    names = {"Vary", POLICY, "Cache-Control", "ETag"}
    assert {name: found.headers.get(name) for name in names} == {name: plain.headers.get(name) for name in names}
    assert POLICY not in found.headers
    assert "Vary" not in found.headers


def test_file_that_was_not_modified_gets_the_policy_of_today(start):
    """Browsers put the headers of a 304 to what they have kept."""
    client, fetch = start()
    tag = fetch("script").headers["ETag"]
    consent.testing.grant(client, "analytics")

    response = fetch("worker", **{"If-None-Match": tag})

    assert response.status_code == 304
    assert TRACKER in response.headers[POLICY]


def test_redirect_to_a_worker_has_no_policy(start):
    _, fetch = start()

    response = fetch("worker", "/moved.js")

    assert response.status_code == 302
    assert POLICY not in response.headers


def test_file_of_the_librarys_own_is_no_worker(start):
    client, fetch = start()
    path = re.findall(r"/privacy-choices/assets/[^\"']+\.js", client.get("/").text)[0]

    response = fetch("worker", path)

    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert {POLICY, "Vary"}.isdisjoint(response.headers.keys())


def test_worker_is_reported_where_the_policy_only_reports(start):
    _, fetch = start(CONSENT_CSP="report")

    assert "report-uri" in fetch("worker").headers[f"{POLICY}-Report-Only"]
    assert POLICY not in fetch("worker").headers
