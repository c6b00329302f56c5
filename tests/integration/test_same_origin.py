"""The same-origin rule, through HTTP: who may open, who may only close, who may do nothing."""

from __future__ import annotations

import itertools

import pytest
from flask import Request
from werkzeug.middleware.proxy_fix import ProxyFix

STATE = "/privacy-choices/state"
BASE = "https://news.example"
SITES = ("same-origin", "none", "same-site", "cross-site", "garbage", "", None)
ORIGINS = {
    "match": "https://news.example",
    "default-port": "https://news.example:443",
    "upper-case": "HTTPS://NEWS.EXAMPLE",
    "other-host": "https://evil.example",
    "sibling": "https://shop.news.example",
    "parent": "https://example",
    "other-port": "https://news.example:8443",
    "trailing-dot": "https://news.example.",
    "suffix": "https://news.example.evil.example",
    "user": "https://news.example@evil.example",
    "garbage": "]]",
    "null": "null",
    "absent": None,
}
OPENING = {"accept_all", "save", "allow", "once"}
ACTIONS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "accept_all": ("accept_all", (), {}),
    "save": ("save", ("analytics",), {}),
    "allow": ("allow", ("analytics",), {}),
    "once": ("once", (), {"service": "youtube", "id": "aqz-KE-bpKQ"}),
    "reject_all": ("reject_all", (), {}),
    "withdraw": ("withdraw", (), {}),
    "empty save": ("save", (), {}),
}
PROVING = {"match", "default-port", "upper-case"}


def expected(site, origin, *, is_opening):
    if site is not None:
        return site in {"same-origin", "none"}
    return origin in PROVING or (origin in {"null", "absent"} and not is_opening)


def build_headers(**fields):
    return {name.replace("_", "-"): value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize(("site", "origin"), list(itertools.product(SITES, ORIGINS)))
def test_origin_table(client, choose, site, origin):
    headers = build_headers(Sec_Fetch_Site=site, Origin=ORIGINS[origin])
    answers = {
        name: choose(client, action, *granted, headers=headers, base_url=BASE, **fields)
        for name, (action, granted, fields) in ACTIONS.items()
    }

    assert {name: answer.status_code in {200, 303} for name, answer in answers.items()} == {
        name: expected(site, origin, is_opening=name in OPENING) for name in ACTIONS
    }
    assert {answer.status_code for answer in answers.values()} <= {200, 303, 403}
    assert all(("Set-Cookie" in answer.headers) is (answer.status_code == 303) for answer in answers.values())


@pytest.mark.parametrize(
    ("referer", "can_open", "can_close"),
    [
        ("https://news.example/article?a=b", True, True),
        ("https://news.example:443/", True, True),
        ("https://NEWS.example/", True, True),
        ("https://evil.example/", False, False),
        ("https://shop.news.example/", False, False),
        ("https://news.example.evil.example/", False, False),
        ("https://evil.example/?https://news.example/", False, False),
        ("", False, True),
    ],
)
def test_referer_stands_in_for_a_missing_origin(client, choose, referer, can_open, can_close):
    opening = choose(client, "accept_all", headers={"Referer": referer}, base_url=BASE)
    closing = choose(client, "reject_all", headers={"Referer": referer}, base_url=BASE)

    assert (opening.status_code, closing.status_code) == (303 if can_open else 403, 303 if can_close else 403)


def test_origin_counts_before_the_referer(client, choose):
    headers = {"Origin": "https://evil.example", "Referer": "https://news.example/"}

    assert choose(client, "reject_all", headers=headers, base_url=BASE).status_code == 403


def test_cross_site_request_is_refused_in_both_types(client, choose):
    page = choose(client, "reject_all", headers={"Sec-Fetch-Site": "cross-site"})
    data = choose(client, "reject_all", headers={"Sec-Fetch-Site": "cross-site"}, json=True)

    assert "<h1>This did not come from our site</h1>" in page.text
    assert data.json == {"error": "cross_site", "message": "The request came from another site."}


def test_unproven_grant_is_refused_and_says_why(client, choose):
    response = choose(client, "accept_all", headers={}, json=True)

    assert response.status_code == 403
    assert response.json == {
        "error": "unproven_origin",
        "message": "Nothing shows that this site's page sent the request.",
    }
    assert client.get(STATE).json["needs_prompt"] is True


def test_unproven_withdrawal_closes(client, choose):
    choose(client, "accept_all")
    choose(client, "withdraw", headers={})

    assert client.get(STATE).json["choices"]["analytics"] == "denied"


def test_forwarded_host_is_not_believed_without_proxy_fix(client, choose):
    headers = {
        "Origin": "https://public.example",
        "X-Forwarded-Host": "public.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=public.example;proto=https",
    }

    assert choose(client, "accept_all", headers=headers, base_url="http://inner.example").status_code == 403


def test_forwarded_host_is_believed_with_proxy_fix(app, choose):
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)
    headers = {
        "Origin": "https://public.example",
        "X-Forwarded-Host": "public.example",
        "X-Forwarded-Proto": "https",
    }
    response = choose(app.test_client(), "accept_all", headers=headers, base_url="http://inner.example")

    assert response.status_code == 303
    assert response.headers["Set-Cookie"].startswith("__Host-consent=")


def test_forwarded_prefix_leads_back_to_the_public_root(app, choose):
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-Prefix": "/news"}

    assert choose(app.test_client(), "accept_all", headers=headers).headers["Location"] == "/news/"


def test_redirect_does_not_name_a_host(client, choose):
    response = choose(client, "accept_all", headers={"Sec-Fetch-Site": "same-origin", "Host": "evil.example"})

    assert response.headers["Location"] == "/"
    assert "evil.example" not in response.text


def test_host_outside_the_trusted_ones_is_refused(make_app, choose):
    app = make_app()
    # Flask 3.1 fills the attribute from `TRUSTED_HOSTS`; Flask 3.0 knows it alone.
    app.request_class = type("NewsRequest", (Request,), {"trusted_hosts": ["news.example"]})
    client = app.test_client()

    assert choose(client, "accept_all", base_url="http://evil.example").status_code == 400
    assert choose(client, "accept_all", base_url="http://news.example").status_code == 303


@pytest.mark.parametrize(
    "host", ["[::1]:8000", "127.0.0.1:8000", "localhost:8000", "news.example:8000", "xn--nw-xja.example"]
)
def test_own_origin_with_a_port_or_address_is_proof(client, choose, host):
    response = choose(client, "accept_all", headers={"Origin": f"http://{host}"}, base_url=f"http://{host}")

    assert response.status_code == 303


@pytest.mark.parametrize("debug", [False, True])
def test_forwarded_scheme_without_proxy_fix_is_warned_of_once(make_app, caplog, debug):
    app = make_app()
    app.debug = debug
    client = app.test_client()
    for _ in range(2):
        client.get("/", headers={"X-Forwarded-Proto": "https"})

    assert len([record for record in caplog.records if "ProxyFix" in record.getMessage()]) == (0 if debug else 1)
