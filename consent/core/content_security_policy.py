"""The Content-Security-Policy of a page: the hosts that it may load from.

It stands beside the policy of the app, and browsers heed both, so it can only tighten. It speaks of hosts alone: inline
code, `eval`, nonces and hashes are the business of the app's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from consent.core.declaration import HostUse, Service
from consent.core.host_table import ANY_USE, HostRow, list_rows

_SELF = ("'self'", "data:", "blob:")
_CODE = ("'unsafe-inline'", "'unsafe-eval'")
_KEYWORDS: Mapping[str, tuple[str, ...]] = {"script-src": _CODE, "worker-src": _CODE, "style-src": _CODE[:1]}

# Where browsers look for a directive that a policy does not have (CSP level 3, section 6.8.3).
_FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "default-src": (),
    **dict.fromkeys(("script-src", "style-src", "img-src", "font-src", "media-src", "connect-src"), ("default-src",)),
    "frame-src": ("child-src", "default-src"),
    "object-src": ("default-src",),
    "worker-src": ("child-src", "script-src", "default-src"),
    "manifest-src": ("default-src",),
}
# Hosts of these count for the directive that they are a part of.
_PARTS: Mapping[str, str] = {"script-src": "script-src-elem", "style-src": "style-src-elem"}

USES: Mapping[str, str] = {
    "script-src": HostUse.SCRIPT,
    "worker-src": HostUse.SCRIPT,
    "style-src": HostUse.STYLE,
    "img-src": HostUse.IMAGE,
    "font-src": HostUse.FONT,
    "media-src": HostUse.MEDIA,
    "connect-src": HostUse.CONNECT,
    "frame-src": HostUse.FRAME,
}
"""Use of a host by directive; what a service says nothing of, it may load under every directive."""

DIRECTIVES = frozenset(_FALLBACKS) | frozenset(_PARTS.values()) | {"child-src"}
"""The directives on what a page loads."""

# A host that everything may come from (`*`, `https:`) would undo the policy, and is none of the app's own.
_HOST_SOURCE = re.compile(
    r"(?:(?:https?|wss?)://)?((?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(?:[0-9]+|\*))?(?:/[!-~]*)?", re.IGNORECASE
)
# ASCII whitespace as browsers split at it, which is less than Python does.
_WORD = re.compile(r"[^\t\n\f\r ]+")

Sources = Mapping[str, tuple[str, ...]]
"""Sources by directive, such as `{"img-src": ("cdn.example.com",)}`."""


def read_sources(header: str) -> Sources:
    """Return the hosts that the policies in a header name, as browsers read them.

    Args:
        header: One header or several joined by commas, as wrong as it may be.
    """
    found: dict[str, dict[str, None]] = {directive: {} for directive in _FALLBACKS}
    for policy in header.split(","):
        directives = _parse(policy)
        for directive, sources in found.items():
            sources.update(dict.fromkeys(filter(_HOST_SOURCE.fullmatch, _find_sources(directives, directive))))
    return {directive: tuple(sources) for directive, sources in found.items()}


def write_policy(
    opened: Iterable[Service],
    shut: Iterable[Service],
    *,
    own_hosts: Iterable[str],
    app_sources: Sources,
    shared_hosts: AbstractSet[str] = frozenset(),
    report_uri: str,
) -> str:
    """Return the policy of a page.

    Args:
        opened: Services that may load in it.
        shut: The others: a source of the app's that could mean a host of theirs is not taken over.
        own_hosts: Hosts of the site itself.
        app_sources: What the app allows.
        shared_hosts: Hosts of anybody's files, which the app may allow whoever else has some there.
        report_uri: Path that browsers report to.
    """
    rows, own = list_rows(opened), tuple(own_hosts)
    closed_hosts = {row.host for row in list_rows(shut)} - shared_hosts
    lists: dict[str, tuple[str, ...]] = {}
    for directive in _FALLBACKS:
        hosts = dict.fromkeys((*own, *_list_hosts(rows, USES.get(directive, ANY_USE))))
        asked = ((source, _find_name(source)) for source in app_sources.get(directive, ()))
        taken = (source for source, name in asked if name in shared_hosts or not _means_any(name, closed_hosts))
        sources = (*_SELF, *_KEYWORDS.get(directive, ()), *_format_hosts(hosts, directive), *taken)
        lists[directive] = tuple(dict.fromkeys(sources))
    written = (f"{name} {' '.join(lists[name])}" for name in lists if not _is_implied(name, lists))
    # What ends a directive or a policy stands in no path of ours.
    path = report_uri.replace(";", "%3B").replace(",", "%2C")
    return "; ".join((*written, f"report-uri {path}"))


def overlap(one: str, other: str) -> bool:
    """Whether two patterns of hosts, such as `*.example.com`, have a host in common."""
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:])
    return one == other or (other.startswith("*.") and one.endswith(other[1:]))


def _parse(policy: str) -> dict[str, list[str]]:
    """Return the sources of each directive: the first of a name counts, and what is not ASCII does not."""
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        words = _WORD.findall(part) if part.isascii() else []
        if words:
            directives.setdefault(words[0].lower(), words[1:])
    return directives


def _find_sources(directives: Mapping[str, list[str]], name: str) -> list[str]:
    asked = next((each for each in (name, *_FALLBACKS[name]) if each in directives), "")
    return directives.get(asked, []) + directives.get(_PARTS.get(name, ""), [])


def _list_hosts(rows: Iterable[HostRow], use: str) -> list[str]:
    return [row.host for row in rows if row.use in (use, ANY_USE)]


def _format_hosts(hosts: Iterable[str], directive: str) -> list[str]:
    # A declared host has no port, and stands for all of them.
    written = [f"{host}:*" for host in hosts]
    # A host without a scheme allows no WebSocket, and `ws` allows `wss` too.
    return written + ([f"ws://{each}" for each in written] if directive == "connect-src" else [])


def _find_name(source: str) -> str:
    found = _HOST_SOURCE.fullmatch(source)
    return found[1].lower() if found else ""


def _means_any(name: str, hosts: Iterable[str]) -> bool:
    return any(overlap(name, host) for host in hosts)


def _is_implied(name: str, lists: Sources) -> bool:
    """Whether a directive says what browsers take for it anyway."""
    fallback = next((each for each in _FALLBACKS[name] if each in lists), "")
    return bool(fallback) and set(lists[fallback]) == set(lists[name])
