"""What an element makes a browser load: its URLs, and what for.

Source: HTML Living Standard, 4.2 to 4.12; attributes of old elements in section 16.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from consent.core.declaration import HostUse
from consent.core.host_table import ANY_USE
from consent.wire.link_header import HINTS
from consent.wire.markup import Attribute, Element
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
    """Whether it was found in a script, which may never load it."""


def list_urls(element: Element, text: str) -> tuple[ElementUrl, ...]:
    """Return what an element loads by itself. Attributes that browsers ignore, as they come twice, count as well.

    Args:
        text: What is between the tags of a script or style; empty for other elements.
    """
    is_idle = element.name in ("script", "style") and not is_acted_on(element)
    found: list[ElementUrl] = []
    for attribute in element.attributes:
        # One that does nothing may still be shown, with a background.
        if not (is_idle and attribute.name in _USES["script"]):
            found += _read_attribute(element, attribute)
    if is_idle:
        return tuple(found)
    if element.name == "script":
        found += (ElementUrl(url, _find_script_use(element), TEXT, is_text=True) for url in find_urls_in_script(text))
    elif element.name == "style":
        found += (ElementUrl(url, ANY_USE, TEXT) for url in find_urls_in_style(text))
    return tuple(found)


def is_acted_on(element: Element) -> bool:
    """Whether browsers do anything with a script or style of that type."""
    kind = (element.find("type") or "").strip().lower()
    if element.name == "style":
        return not kind or "css" in kind
    return _RUNS.fullmatch(kind) is not None or kind in _ACTED_ON


def is_hint(element: Element) -> bool:
    """Whether an element is a hint, and nothing but one: a `preconnect` that is a stylesheet as well is none."""
    rels = read_rels(element)
    return element.name == "link" and bool(rels) and rels <= HINTS


def read_rels(element: Element) -> frozenset[str]:
    """Return the link types of a `link`, in lower case."""
    return frozenset((element.find("rel") or "").lower().split())


def _read_attribute(element: Element, attribute: Attribute) -> Iterator[ElementUrl]:
    name, value = attribute.name, attribute.value
    reader = _find_reader(element, name)
    if reader:
        use = _IMAGE if name in _SRCSETS else ANY_USE
        found: Iterable[str] = reader(value)
    elif name == "content" and element.name == "meta":
        use, found = ANY_USE, _read_refresh(element, value)
    else:
        use_found = _find_use(element, name)
        if use_found is None:
            return
        use, found = use_found, (value,)
    for url in found:
        yield ElementUrl(url, use, name)
        yield from (ElementUrl(inner, ANY_USE, name) for inner in find_urls_in_script(read_data_url(url)))


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
        return _split_values
    return _READERS.get(name)


def _split_values(text: str) -> list[str]:
    return text.split(";")


def _find_use(element: Element, name: str) -> str | None:
    if element.name == "link" and name == "href":
        return _find_link_use(read_rels(element))
    return _USES.get(element.name, {}).get(name, _USES["*"].get(name))


def _find_link_use(rels: frozenset[str]) -> str | None:
    if rels & HINTS:
        return ANY_USE
    if "stylesheet" in rels:
        return HostUse.STYLE
    if rels & _ICONS:
        return HostUse.IMAGE
    return ANY_USE if rels & {"manifest", "import", "serviceworker", "webmention"} else None


def _find_script_use(element: Element) -> str:
    return ANY_USE if (element.find("type") or "").strip().lower() == "speculationrules" else HostUse.SCRIPT


def _read_refresh(element: Element, value: str) -> tuple[str, ...]:
    if (element.find("http-equiv") or "").strip().lower() != "refresh":
        return ()
    target = read_refresh(value)
    return (target,) if target else ()
