"""A site under each of four content security policies, and the vendor whose resources its gates hold."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final, Literal, Self

from flask import Flask, Response, g, redirect, render_template, request
from jinja2 import DictLoader
from markupsafe import Markup
from werkzeug import Response as PlainResponse

from consent import Consent, Embed, Service
from tests.browser.serving import Server, serve
from tests.browser.vendor import Vendor, make_vendor_app

Policy = Literal["none", "self", "nonce", "strict"]
POLICIES: Final[tuple[Policy, ...]] = ("none", "self", "nonce", "strict")

HOST: Final = "site.localhost"
VENDOR_HOST: Final = "vendor.localhost"

_DIRECTIVES: Final[Mapping[Policy, str]] = {
    "none": "",
    "self": "default-src 'self'; object-src 'none'",
    "nonce": ("default-src 'self' {vendor}; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; object-src 'none'"),
    "strict": (
        "default-src 'self' {vendor}; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'nonce-{nonce}'; "
        "require-trusted-types-for 'script'; trusted-types consent; object-src 'none'; base-uri 'none'"
    ),
}

_KEY_CHECK: Final = re.compile(rb"\w+\.dataset\.consentKey==\w+\.key&&\w+\.nonce==\w+\.nonce")

# Before each page: what its markup is made of. `nonced` is the attribute, where the policy has a nonce.
_MACROS: Final = """
{%- from "consent/macros.html" import embed, gate, settings_link -%}
{%- macro external(name, attributes="", query="") -%}
<script{{ nonced }} {{ attributes|safe }} src="{{ vendor }}/run/{{ name|urlencode }}.js{{ query }}"></script>
{%- endmacro -%}
{%- macro inline(name, attributes="") -%}
{% if has_inline %}<script{{ nonced }} {{ attributes|safe }}>console.log("ran {{ name }}")</script>{% endif %}
{%- endmacro -%}
"""
_LAYOUT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Page</title>{head}</head>
<body><main>{main}</main><footer>{{{{ settings_link() }}}}</footer></body>
</html>
"""


def make_page(main: str, *, head: str = "") -> str:
    """Return the template of a page of this site, which holds none of the site's own scripts and styles."""
    return _MACROS + _LAYOUT.format(head=head, main=main)


class PolicySite:
    """Both servers, running."""

    def __init__(self, site: Server, vendor_server: Server, vendor: Vendor, choices: list[str]) -> None:
        self.vendor = vendor
        self.vendor_url = f"http://{VENDOR_HOST}:{vendor_server.port}"
        self.url = f"http://{HOST}:{site.port}"
        self.seen: list[str] = choices
        """`METHOD path` of every request to the site, the vendor's excepted, oldest first."""

    @classmethod
    @contextmanager
    def open(cls, pages: Mapping[str, str], *, checks_key: bool = True) -> Iterator[Self]:
        """Start both servers; stop them when the block ends.

        Args:
            pages: Templates by name, from `make_page()`.
            checks_key: False for a runtime that takes every block for the site's own, to show that this is found.
        """
        vendor, seen = Vendor(), list[str]()
        with ExitStack() as stack:
            vendor_server = stack.enter_context(serve(make_vendor_app(vendor)))
            app = _make_site(pages, vendor, vendor_url=f"http://{VENDOR_HOST}:{vendor_server.port}", seen=seen)
            app.jinja_env.globals["other"] = _read_other(app)
            if not checks_key:
                _sabotage(app)
            yield cls(stack.enter_context(serve(app)), vendor_server, vendor, seen)

    def page_url(self, policy: Policy, name: str) -> str:
        """Address of a page under a policy."""
        return f"{self.url}/{policy}/{name}"

    def forget(self) -> None:
        """Empty what both servers have written down."""
        self.vendor.forget()
        self.seen.clear()


def _make_site(pages: Mapping[str, str], vendor: Vendor, *, vendor_url: str, seen: list[str]) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY="a key that is long enough for every check",
        CONSENT_CONTROLLER="Policy Press Ltd",
        CONSENT_CSP_NONCE=lambda: g.get("nonce", ""),
    )
    app.jinja_loader = DictLoader(
        {f"{name}.html": source for name, source in {"other": make_page(""), **pages}.items()}
    )
    app.register_blueprint(vendor.make_blueprint(), url_prefix="/vendor")
    Consent(app, services=[_film(vendor_url, key="film", cross_origin=True), _film("", key="own-film")])

    @app.before_request
    def look() -> None:
        if not request.path.startswith("/vendor/"):
            seen.append(f"{request.method} {request.path}")

    @app.get("/<any(none, self, nonce, strict):policy>/<name>")
    def show(policy: Policy, name: str) -> Response:
        return _answer(policy, name, vendor_url, app)

    @app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204

    @app.get("/forget")
    def forget() -> PlainResponse:
        # A visitor who has just arrived, without another profile for them.
        answer = redirect(request.args["next"])
        answer.delete_cookie("consent")
        return answer

    return app


def _answer(policy: Policy, name: str, vendor_url: str, app: Flask) -> Response:
    g.nonce = secrets.token_urlsafe(16) if policy in {"nonce", "strict"} else ""
    page = render_template(
        f"{name}.html",
        policy=policy,
        vendor=f"{request.host_url if policy == 'self' else vendor_url + '/'}vendor",
        vendor_origin=vendor_url,
        film="own-film" if policy == "self" else "film",
        nonced=Markup(' nonce="{}"').format(g.nonce) if g.nonce else "",
        has_inline=policy != "self",
    )
    response = app.make_response(page)
    directives = _DIRECTIVES[policy].format(vendor=vendor_url, nonce=g.nonce)
    if directives:
        response.headers["Content-Security-Policy"] = directives
    return response


def _read_other(app: Flask) -> Mapping[str, str]:
    """Return key and nonce of a response that somebody else has got."""
    text = app.test_client().get("/nonce/other").get_data(as_text=True)
    found = re.search(r'nonce="(?P<nonce>[^"]+)" data-consent-key="(?P<key>[^"]+)"', text)
    assert found is not None, text
    return found.groupdict()


def _film(vendor_url: str, *, key: str, cross_origin: bool = False) -> Service:
    base = f"{vendor_url}/vendor" if cross_origin else "/vendor"
    return Service(
        key,
        name="Film",
        purposes=("marketing",),
        hosts=(VENDOR_HOST,),
        provider="Film Ltd",
        provider_country="IE",
        embed=Embed(
            url=f"{base}/frame/{{id}}", source_url=f"{vendor_url}/{{id}}", id_pattern="[a-z]+", id_example="ferry"
        ),
    )


def _sabotage(app: Flask) -> None:
    site = app.extensions["consent"]
    asset = site.assets["consent.js"]
    body, count = _KEY_CHECK.subn(b"true", asset.body)
    assert count == 1, "The built runtime compares keys in another way now."
    changed = replace(asset, body=body)
    site.assets = {**site.assets, "consent.js": changed}
    site.assets_by_file_name = {**site.assets_by_file_name, asset.file_name: changed}
