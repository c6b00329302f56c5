"""What an element makes a browser load: its URLs, and what for.

Source: HTML Living Standard, 4.2 to 4.12; attributes of old elements in section 16.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE
from consent.wire.link_header import HINTS
from consent.wire.markup import Attribute, Element
from consent.wire.script_reading import find_script_uses
from consent.wire.url_reading import (
    find_urls_in_script,
    find_urls_in_srcset,
    find_urls_in_style,
    read_data_url,
    read_refresh,
)

TEXT = ""
"""Stands, as the name of an attribute, for what is between the tags of a script or style."""

_ICONS = frozenset({"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "fluid-icon"})
# JavaScript under any of its names (HTML Standard, "JavaScript MIME type"), and what else browsers act on.
_RUNS = re.compile(
    r"(?:(?:text|application)/(?:x-)?(?:java|ecma)script|text/(?:javascript1\.[0-5]|jscript|livescript))?"
)
_ACTED_ON = frozenset({"module", "importmap", "speculationrules", "webbundle"})

_IMAGE, _FRAME, _MEDIA, _SCRIPT = HostUse.IMAGE, HostUse.FRAME, HostUse.MEDIA, HostUse.SCRIPT
# `*` stands for elements that are not named. Where nobody can tell what is loaded, it may be anything.
_USES: Mapping[str, Mapping[str, str]] = {
    "script": {"src": _SCRIPT, "href": _SCRIPT, "xlink:href": _SCRIPT},
    "iframe": {"src": _FRAME},
    "frame": {"src": _FRAME},
    "fencedframe": {"src": _FRAME},
    "embed": {"src": _FRAME},
    "object": {"data": _FRAME, "codebase": ANY_USE, "archive": ANY_USE, "classid": ANY_USE},
    "applet": {"codebase": ANY_USE, "archive": ANY_USE, "code": ANY_USE},
    "img": {"src": _IMAGE, "lowsrc": _IMAGE, "dynsrc": _IMAGE},
    "image": {"src": _IMAGE, "href": _IMAGE, "xlink:href": _IMAGE},
    "input": {"src": _IMAGE},
    "video": {"src": _MEDIA, "poster": _IMAGE},
    "audio": {"src": _MEDIA},
    "source": {"src": _MEDIA},
    "track": {"src": _MEDIA},
    "bgsound": {"src": _MEDIA},
    "base": {"href": ANY_USE},
    "html": {"manifest": ANY_USE},
    "feimage": {"href": _IMAGE, "xlink:href": _IMAGE},
    "use": {"href": _IMAGE, "xlink:href": _IMAGE},
    "*": {"background": _IMAGE, "ping": ANY_USE, "attributionsrc": ANY_USE},
}
# What animations set in svg, and what refers to filters, masks and the like there; elsewhere these mean nothing.
_ANIMATED = frozenset({"to", "from", "by", "values"})
_STYLED = frozenset(
    {
        *("fill", "stroke", "filter", "mask", "clip-path", "cursor"),
        *("marker", "marker-start", "marker-mid", "marker-end"),
    }
)
_SRCSETS = frozenset({"srcset", "imagesrcset"})


@dataclass(frozen=True, slots=True)
class ElementUrl:
    """Hold one URL of an element."""

    url: str
    use: str
    """A value of `HostUse`; `ANY_USE` where it may be for anything."""

    attribute: str
    """Name of the attribute that holds it, in lower case; `TEXT` for what is between the tags."""

    is_text: bool = False
    """Whether it was found in a script, which may never load it. Its use is a guess then: `SCRIPT` where nothing tells more."""


def list_urls(element: Element, text: str) -> tuple[ElementUrl, ...]:
    """Return what an element loads by itself. Attributes that browsers ignore, as they come twice, count as well, the first few.

    Args:
        text: What is between the tags of a script or style; empty for other elements.
    """
    is_idle = element.name in ("script", "style") and not is_acted_on(element)
    uses = _find_uses(element)
    found: list[ElementUrl] = []
    for attribute in _list_first(element.attributes):
        # One that does nothing may still be shown, with a background.
        if not (is_idle and attribute.name in _USES["script"]):
            found += _read_attribute(element, attribute, uses)
    if is_idle:
        return tuple(found)
    if element.name == "script":
        found += _list_script_urls(element, text)
    elif element.name == "style":
        found += (ElementUrl(url, ANY_USE, TEXT) for url in find_urls_in_style(text))
    return tuple(found)


def list_with_inner(url: str, use: str, attribute: str) -> Iterator[ElementUrl]:
    """Return a URL, and those in the document that it may be itself."""
    yield ElementUrl(url, use, attribute)
    # Pictures load nothing by themselves, and are what most such URLs are.
    if use not in (_IMAGE, _MEDIA):
        yield from (ElementUrl(inner, ANY_USE, attribute) for inner in find_urls_in_script(read_data_url(url)))


def is_acted_on(element: Element) -> bool:
    """Whether browsers do anything with a script or style of that type."""
    kind = _read_kind(element)
    if element.name == "style":
        return not kind or "css" in kind
    return _RUNS.fullmatch(kind) is not None or kind in _ACTED_ON


def is_hint(element: Element) -> bool:
    """Whether an element is a hint, and nothing but one.

    A `preconnect` that is a stylesheet as well is none; nor is a `preload` that a handler makes a stylesheet of.
    """
    if element.name != "link" or element.find("onload") is not None:
        return False
    rels = read_rels(element)
    return bool(rels) and rels <= HINTS


def is_import_map(element: Element) -> bool:
    """Whether an element says where modules are loaded from. Modules that come before it, or fail without it, do not try again."""
    return element.name == "script" and _read_kind(element) == "importmap"


def read_rels(element: Element) -> frozenset[str]:
    """Return the link types of a `link`, in lower case."""
    return frozenset((element.find("rel") or "").lower().split())


# Browsers heed the first attribute of a name. A second one is heard only if that is renamed, and then so is it.
_SAME_NAME_LIMIT = 8


def _list_first(attributes: tuple[Attribute, ...]) -> Iterable[Attribute]:
    if len(attributes) <= _SAME_NAME_LIMIT:
        return attributes
    first: list[Attribute] = []
    counts: Counter[str] = Counter()
    for each in attributes:
        counts[each.name] += 1
        if counts[each.name] <= _SAME_NAME_LIMIT:
            first.append(each)
    return first


def _list_script_urls(element: Element, text: str) -> Iterator[ElementUrl]:
    # What stands between the tags of an external script never runs; in svg, `src` means nothing.
    if element.is_certain and element.find("src") is not None:
        return
    kind = _read_kind(element)
    if kind == "speculationrules":
        yield from (ElementUrl(url, ANY_USE, TEXT) for url in find_urls_in_script(text))
    elif kind == "importmap":
        yield from (ElementUrl(url, _SCRIPT, TEXT, is_text=True) for url in find_urls_in_script(text))
    else:
        uses = find_script_uses(text, is_whole=element.is_closed)
        yield from (ElementUrl(url, use, TEXT, is_text=True) for url, use in uses)


def _read_kind(element: Element) -> str:
    return (element.find("type") or "").strip().lower()


def _read_attribute(element: Element, attribute: Attribute, uses: Mapping[str, str]) -> Iterator[ElementUrl]:
    name, value = attribute.name, attribute.value
    reader = _find_reader(element, name)
    if reader:
        use = _IMAGE if name in _SRCSETS else ANY_USE
        found: Iterable[str] = reader(value)
    elif name in uses or name in _USES["*"]:
        use = uses.get(name) or _USES["*"].get(name, ANY_USE)
        found = (value,) if element.name != "meta" or name != "content" else filter(None, (read_refresh(value),))
    else:
        return
    for url in found:
        yield from list_with_inner(url, use, name)


_READERS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "srcset": find_urls_in_srcset,
    "imagesrcset": find_urls_in_srcset,
    "style": find_urls_in_style,
    "ping": str.split,
    "archive": find_urls_in_srcset,
    "attributionsrc": str.split,
}


def _find_reader(element: Element, name: str) -> Callable[[str], Iterable[str]] | None:
    if not element.is_certain and name in _STYLED:
        return find_urls_in_style
    if not element.is_certain and name in _ANIMATED:
        return _read_animated
    return _READERS.get(name)


def _read_animated(text: str) -> list[str]:
    # Of a URL as such, or of `fill` and the like.
    return [*text.split(";"), *find_urls_in_style(text)]


def _find_uses(element: Element) -> Mapping[str, str]:
    """Return what the attributes of an element are for, beside those of all."""
    if element.name == "link":
        use = _find_link_use(read_rels(element))
        return {} if use is None else {"href": use}
    if element.name == "meta":
        is_refresh = (element.find("http-equiv") or "").strip().lower() == "refresh"
        return {"content": ANY_USE} if is_refresh else {}
    return _USES.get(element.name, {})


def _find_link_use(rels: frozenset[str]) -> str | None:
    if rels & HINTS:
        return ANY_USE
    if "stylesheet" in rels:
        return HostUse.STYLE
    if rels & _ICONS:
        return HostUse.IMAGE
    return ANY_USE if rels & {"manifest", "import", "serviceworker", "webmention"} else None
