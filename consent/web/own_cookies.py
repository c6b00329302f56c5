"""The library's own cookies in one request: their names, where they count, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from consent.web.addresses import Addresses
from consent.web.site import Site
from consent.wire.cookie import find_values
from consent.wire.headers import is_within

# What the name of the cookie that remembers Global Privacy Control has behind the consent cookie's.
_GPC_ENDING = "-gpc"


class OwnCookies(Addresses):
    """Read what a request says of the library's own cookies."""

    def __init__(self, site: Site, environ: Mapping[str, object]) -> None:
        super().__init__(site, environ)
        self.full_cookie_header: str | None = None
        """The `Cookie` field as it came, where the app does not get to see all of it."""

    @property
    def is_secure(self) -> bool:
        """Whether the request came over HTTPS, as far as the WSGI environment says."""
        return self.environ.get("wsgi.url_scheme") == "https"

    @property
    def cookie_name(self) -> str:
        """Name of the consent cookie under this request's scheme."""
        return self.site.engine.cookie_name(is_secure=self.is_secure)

    @property
    def cookie_domain(self) -> str:
        """Parent domain whose subdomains share what is chosen here; empty for this host alone."""
        return _find_cookie_domain(self.site, self.environ)

    @property
    def gpc_cookie_name(self) -> str:
        """Name of the cookie that remembers a signal which only the browser's scripts can see."""
        return f"{self.cookie_name}{_GPC_ENDING}"

    @property
    def cookie_header(self) -> str:
        """The request's `Cookie` field as it came, unparsed."""
        header = self.full_cookie_header
        return str(self.environ.get("HTTP_COOKIE", "")) if header is None else header

    @property
    def remembers_gpc(self) -> bool:
        """Whether the browser's scripts have told of Global Privacy Control in this session; whoever says so, it can only close."""
        header = self.cookie_header
        return _GPC_ENDING in header and "1" in find_values(header, self.gpc_cookie_name)


def list_app_cookies(app: Flask) -> tuple[str, ...]:
    """Return the names of the cookies by which an app knows who is logged in; no gate touches them."""
    session_name, remember_name = list_login_cookies(app)
    # Flask-Login leaves its manager here; without it, the name says nothing.
    return (session_name, remember_name) if hasattr(app, "login_manager") else (session_name,)


def list_login_cookies(app: Flask) -> tuple[str, str]:
    """Return the names of the session and of what remembers a user, whether or not the app has Flask-Login, or not yet."""
    return (app.session_interface.get_cookie_name(app), app.config.get("REMEMBER_COOKIE_NAME", "remember_token"))


def _find_cookie_domain(site: Site, environ: Mapping[str, object]) -> str:
    """Return the domain to set cookies for: the one that is configured, or empty for the host of the request alone.

    A host beyond that domain has cookies of its own, which browsers would refuse with it.
    """
    domain = site.settings.cookie_domain
    if not domain:
        return ""
    host = str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""))
    if is_within(host, domain):
        return domain
    site.warn_once(
        "cookie domain",
        "'CONSENT_COOKIE_DOMAIN' is %r, but a request came for the host %r, which is neither that nor below it. Browsers "
        "would drop such a cookie, so there a choice counts for that host alone. Correct the setting, or, behind a proxy, "
        "configure ProxyFix with x_host=1.",
        domain,
        host,
    )
    return ""
