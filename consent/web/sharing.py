"""Which hosts share a choice."""

from __future__ import annotations

from collections.abc import Mapping

from consent.web.site import Site
from consent.wire.headers import is_within


def find_cookie_domain(site: Site, environ: Mapping[str, object]) -> str:
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
