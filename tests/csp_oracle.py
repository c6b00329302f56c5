"""What browsers make of a Content-Security-Policy, to hold against the policies that the library writes.

Written from the standard, and apart from how the library reads sources: Content Security Policy level 3, sections 2.3.1 (what a
source is) and 6.7.2.8 to 6.7.2.12 (what it matches). Where browsers differ, it is as lenient as the most lenient of them.
"""

from __future__ import annotations

import string
from urllib.parse import urlsplit

KEYWORDS = ("'self'", "'unsafe-inline'", "'unsafe-eval'")
"""Those that the library may write; none of them means another host."""

_HOST_CHARACTERS = frozenset(f"{string.ascii_letters}{string.digits}-_")
_SCHEME_CHARACTERS = frozenset(f"{string.ascii_letters}{string.digits}+-.")
_NETWORK = ("http", "https", "ws", "wss")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# A source for the first means the others as well.
_UPGRADES = {"http": _NETWORK, "ws": ("ws", "wss", "http", "https"), "https": ("https", "wss"), "wss": ("wss", "https")}


def is_allowed(header: str, directive: str, url: str) -> bool:
    """Whether a policy with a `default-src` lets a page of another site load a URL under a directive."""
    directives: dict[str, list[str]] = {}
    for part in header.split(";"):
        name, *sources = part.split() or [""]
        directives.setdefault(name.lower(), sources)
    asked = directive if directive in directives else "default-src"
    return any(matches(source, url) for source in directives[asked])


def matches(source: str, url: str) -> bool:
    """Whether a source means a URL; what is no source at all is a fault of whoever wrote it."""
    if source in KEYWORDS:
        return False
    scheme = urlsplit(url).scheme
    if source == "*":
        return scheme in _NETWORK
    if source.endswith(":") and _SCHEME_CHARACTERS.issuperset(source[:-1]):
        return scheme in _UPGRADES.get(source[:-1].lower(), (source[:-1].lower(),))
    return _matches_host(source, url)


def _matches_host(source: str, url: str) -> bool:
    wanted, separator, rest = source.partition("://")
    wanted, rest = (wanted.lower(), rest) if separator else ("", source)
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    labels = host.removesuffix(".").removeprefix("*.").split(".")
    is_host = host == "*" or all(label and _HOST_CHARACTERS.issuperset(label) for label in labels)
    assert is_host, f"{source!r} is no source"
    assert port in ("", "*") or port.isdecimal(), f"{source!r} has no port in it"
    asked = urlsplit(url)
    return (
        (not wanted or asked.scheme in _UPGRADES.get(wanted, (wanted,)))
        and _is_host(host, asked.hostname or "")
        and (port == "*" or (asked.port or _PORTS[asked.scheme]) in (int(port or 443), int(port or 80)))
        and (not slash or path in ("", asked.path[1:]) or (path.endswith("/") and asked.path[1:].startswith(path)))
    )


def _is_host(pattern: str, host: str) -> bool:
    pattern, host = pattern.removesuffix(".").lower(), host.removesuffix(".").lower()
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))
