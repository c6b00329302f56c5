"""Where a posted choice came from: the same-origin rule, without a token.

A token would have to be in the page, which then could not be cached; the headers below are set
by the browser and cannot be forged by another site.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Evidence(StrEnum):
    """Say what shows that a request came from this site's own pages."""

    SEC_FETCH_SITE = "sec-fetch-site"
    ORIGIN = "origin"
    REFERER = "referer"
    NONE = "none"
    """Nothing does, and nothing speaks against it: enough to close, not to open."""


class CrossSiteError(Exception):
    """Say that a request provably came from elsewhere."""


def find_evidence(headers: Mapping[str, str], *, host: str, scheme: str) -> Evidence:
    """Return what proves the request's origin.

    Args:
        headers: The request's header fields; names as in `Sec-Fetch-Site`.
        host: Host and port that the request was sent to.
        scheme: Scheme of the request, to leave out its default port.

    Raises:
        CrossSiteError: If a header shows another site, a sibling subdomain included.

    Source:
        Fetch Metadata Request Headers, `Sec-Fetch-Site`; RFC 6454 section 7, `Origin`.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return _require(site in ("same-origin", "none"), Evidence.SEC_FETCH_SITE)
    # A malformed `Host` field reads as empty; two blanks are no match.
    own_host = _elide_port(host.lower(), scheme) or None
    origin = headers.get("Origin")
    if origin is not None and origin != "null":
        return _require(_host_of(origin) == own_host, Evidence.ORIGIN)
    referer = headers.get("Referer")
    if referer:
        return _require(_host_of(referer) == own_host, Evidence.REFERER)
    return Evidence.NONE


def is_safe_path(path: str) -> bool:
    """Whether a redirect to this text stays on the origin: one path, with or without a query.

    Browsers drop tabs and line breaks and read a backslash as a slash (WHATWG URL Standard), so
    a path with either can lead to another host.
    """
    return (
        path.startswith("/")
        and not path.startswith("//")
        and len(path) <= _PATH_LIMIT
        and "\\" not in path
        and not any(character <= " " or character == "\x7f" for character in path)
    )


# Longer ones are no page of a real site; browsers and proxies refuse lines of about 8 kB.
_PATH_LIMIT = 2048


def _require(is_proven: bool, evidence: Evidence) -> Evidence:
    if not is_proven:
        raise CrossSiteError(evidence.value)
    return evidence


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return _elide_port(parts.netloc.lower(), parts.scheme)


def _elide_port(host: str, scheme: str) -> str:
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))
