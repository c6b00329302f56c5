"""The hints of `Link:` headers: addresses that a browser connects to or loads before the page asks for them.

Source: RFC 8288, section 3; HTML Standard, 4.6.7 (link types). What is malformed is read as leniently as the most lenient browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

HINTS = frozenset(
    {
        *("preconnect", "dns-prefetch", "preload", "prefetch", "modulepreload", "prerender", "subresource"),
        # RFC 9842: fetched when the browser is idle.
        "compression-dictionary",
    }
)
"""Link types, of headers and of `<link>`, at which browsers contact a host by themselves."""

# One link of a header, up to its comma: no comma within `<…>` or quotation marks ends it.
_LINK = re.compile(r'(?:<[^<>]*+>|"(?:[^"\\]|\\.)*+"|[^,<"])*+', re.DOTALL)
_TARGET = re.compile(r"\s*+<([^>]*+)>?")
# Wherever it stands, also in another parameter's text: a hint too many is gone, not one too few.
_REL = re.compile(
    r""";\s*+rel\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|'([^']*+)'?|([^;]*+))""",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hint:
    """Hold one hint of a header."""

    url: str
    rels: frozenset[str]
    """Link types of it, in lower case."""


def remove_hints(value: str, is_unwanted: Callable[[Hint], bool]) -> str:
    """Return the value of a `Link:` header without the hints that are unwanted; every other character stays as it is.

    Returns:
        Nothing if no link is left.
    """
    links = _split(value)
    kept = [link for link in links if not _is_unwanted(link, is_unwanted)]
    if len(kept) == len(links):
        return value
    return ",".join(kept).strip() if any(link.strip() for link in kept) else ""


def _split(value: str) -> list[str]:
    links: list[str] = []
    at = 0
    while at <= len(value):
        found = _LINK.match(value, at)
        end = found.end() if found else at
        if value[end : end + 1] not in ("", ","):
            # A bracket or quotation mark that nothing closes: a browser may take any comma behind it for the end of a link.
            return [*links, *value[at:].split(",")]
        links.append(value[at:end])
        at = end + 1
    return links


def _is_unwanted(link: str, is_unwanted: Callable[[Hint], bool]) -> bool:
    target = _TARGET.match(link)
    if target is None:
        return False
    rels: set[str] = set()
    for quoted, single, bare in _REL.findall(link, target.end()):
        rels.update(_QUOTED_PAIR.sub(r"\1", quoted or single or bare).lower().split())
    return not HINTS.isdisjoint(rels) and is_unwanted(Hint(target[1], frozenset(rels)))
