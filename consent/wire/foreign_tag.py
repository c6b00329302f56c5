"""Tags that are written for another consent manager: what they ask for, and what they are once it would bring them to life.

A tag is brought to life from what it says itself, byte for byte: names of attributes change, values stay as they are written.
What is not plain is not brought to life at all, so that markup which others wrote is never more active than it was there.

Source: the managers' documentation and source, read 2026-11-23: support.cookiebot.com "Manual cookie blocking"; my.onetrust.com
"Client-Side Cookie Management"; kiprotect/klaro `src/consent-manager.js`; orestbida/cookieconsent `docs/advanced/manage-scripts.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from consent.wire.markup import Attribute, Element


class Manager(StrEnum):
    """Name the consent managers whose markup is understood."""

    COOKIEBOT = "cookiebot"
    KLARO = "klaro"
    ONETRUST = "onetrust"
    TARTEAUCITRON = "tarteaucitron"
    VANILLA = "vanilla-cookieconsent"


Categories = tuple[tuple[str, ...], ...]
"""What must be granted, all of it; each by its names, of which the first that is known counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignMark:
    """Hold what a tag says to the manager that it was written for."""

    manager: Manager
    categories: Categories
    is_inert: bool
    """Whether the tag does nothing as it stands: its manager would bring it to life."""


@dataclass(frozen=True, slots=True)
class LivingTag:
    """Hold a tag as it is once it lives."""

    element: Element
    markup: bytes
    """What the offsets of the element count in: the tag, with what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """Describe how tags are written for one manager."""

    read: Callable[[Element], Categories]
    own: frozenset[str]
    """Attributes that mean something to the manager only."""

    sources: Mapping[str, str]
    """What an attribute becomes when the tag comes to life; the first that a tag has counts."""

    is_plain_spoken: bool = False
    """Whether the manager's marks are names that anybody uses, for anything: then only what waits for a manager has one."""


# Elements whose life is in `src` or `href` alone. Not `<object>` and `<embed>`, which hold documents in other ways too.
_ELEMENTS = frozenset({"audio", "iframe", "img", "link", "script", "source", "track", "video"})
_HELD_TYPE = "text/plain"
_TYPE_ATTRIBUTE = "data-type"
# HTML Standard, "JavaScript MIME type", as far as it is in use. Import maps and speculation rules are no tags of a tracker.
_LIVE_TYPE = re.compile(r"(?:module|(?:text|application)/(?:x-)?(?:java|ecma)script)?", re.IGNORECASE)
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_:.-]*")
# The URL Standard takes these away before it reads an address.
_UNSEEN_AROUND = "".join(map(chr, range(0x21)))
_UNSEEN_WITHIN = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ONETRUST_CLASS = re.compile(r"(?:optanon-category|ot-vscat)-(\S+)")


def read_mark(element: Element, manager: Manager) -> ForeignMark | None:
    """Return what a tag says to a manager; None if it says nothing that the manager would heed."""
    dialect = _DIALECTS.get(manager)
    if dialect is None or element.name not in _ELEMENTS or element.find("srcdoc") is not None:
        return None
    is_inert = _is_held_script(element) or any(element.find(name) for name in dialect.sources)
    if dialect.is_plain_spoken and not is_inert:
        return None
    categories = dialect.read(element)
    return ForeignMark(manager=manager, categories=categories, is_inert=is_inert) if categories else None


def revive(element: Element, page: bytes, manager: Manager) -> LivingTag | None:
    """Return an inert tag as its manager would bring it to life.

    Returns:
        None if it must stay as it is: an address that is neither http(s) nor the site's own, or a type that is no script's.
    """
    dialect = _DIALECTS[manager]
    moved = _find_moved(element, dialect)
    if not (_is_live_type(element) and _has_plain_addresses(element, moved)):
        return None
    head = bytearray(page[element.start : element.name_end])
    attributes: list[Attribute] = []
    for name, attribute in _first_of_each(element).items():
        live_name = _find_live_name(attribute, element, moved)
        if live_name and name not in dialect.own - moved.keys():
            attributes.append(_write_attribute(head, live_name, attribute, page))
    head += b">"
    whole = bytes(head) + page[element.end : element.element_end]
    living = element._replace(
        start=0,
        name_end=element.name_end - element.start,
        end=len(head),
        attributes=tuple(attributes),
        text_end=len(head) + element.text_end - element.end,
        element_end=len(whole),
    )
    return LivingTag(living, whole)


def _write_attribute(head: bytearray, name: str, attribute: Attribute, page: bytes) -> Attribute:
    """Write an attribute behind what there is of a tag, under another name, and return it with its new place."""
    head += b" "
    name_at = len(head)
    head += name.encode()
    name_end = len(head)
    head += page[attribute.name_end : attribute.end]
    return Attribute(name, attribute.value, name_at, name_end, len(head))


def is_plain_address(address: str) -> bool:
    """Whether an address leads to http(s), or to wherever the page itself came from."""
    read = address.strip(_UNSEEN_AROUND).translate(_UNSEEN_WITHIN)
    scheme = _SCHEME.match(read)
    return bool(read) and (scheme is None or scheme[1].lower() in ("http", "https"))


def _is_held_script(element: Element) -> bool:
    return element.name == "script" and _has_held_type(element.find("type"))


def _has_held_type(value: str | None) -> bool:
    return (value or "").strip().lower() == _HELD_TYPE


def _is_live_type(element: Element) -> bool:
    return element.name != "script" or bool(_LIVE_TYPE.fullmatch((element.find(_TYPE_ATTRIBUTE) or "").strip()))


def _find_moved(element: Element, dialect: _Dialect) -> Mapping[str, str]:
    """Return what attributes are to become, by the names that they have."""
    moved: dict[str, str] = {}
    for name, live_name in dialect.sources.items():
        if element.find(name) and live_name not in moved.values():
            moved[name] = live_name
    if element.find(_TYPE_ATTRIBUTE) and _has_held_type(element.find("type")):
        moved[_TYPE_ATTRIBUTE] = "type"
    return moved


def _has_plain_addresses(element: Element, moved: Mapping[str, str]) -> bool:
    stays = {"src", "href"} - set(moved.values())
    addresses = [element.find(name) for name in (*moved, *stays) if name != _TYPE_ATTRIBUTE]
    return all(is_plain_address(address) for address in addresses if address is not None)


def _first_of_each(element: Element) -> Mapping[str, Attribute]:
    """Return the attributes that browsers heed, which is the first of a name."""
    first: dict[str, Attribute] = {}
    for attribute in element.attributes:
        first.setdefault(attribute.name, attribute)
    return first


def _find_live_name(attribute: Attribute, element: Element, moved: Mapping[str, str]) -> str:
    """Return the name that an attribute has in the living tag; empty if it has no place there."""
    name = attribute.name
    if name in moved:
        return moved[name]
    if name in moved.values() or not _ATTRIBUTE_NAME.fullmatch(name):
        return ""
    if name == "type" and _has_held_type(attribute.value):
        return ""
    # A script that lives may say what follows it; on anything else, a handler had nothing to wait for without an address.
    return "" if name.startswith("on") and element.name != "script" else name


# --- What each manager looks for ---------------------------------------------------------------------------------------------


def _read_cookiebot(element: Element) -> Categories:
    names = [name.strip().lower() for name in (element.find("data-cookieconsent") or "").split(",") if name.strip()]
    # "ignore": Cookiebot leaves the tag alone, whatever it loads.
    return () if "ignore" in names else tuple((name,) for name in names)


def _read_onetrust(element: Element) -> Categories:
    groups = _ONETRUST_CLASS.findall(element.find("class") or "")
    return tuple((name.upper(),) for group in groups for name in re.split("[-,]", group) if name)


def _read_klaro(element: Element) -> Categories:
    name = (element.find("data-name") or "").strip()
    return ((name,),) if name else ()


def _read_vanilla(element: Element) -> Categories:
    category = (element.find("data-category") or "").strip()
    service = (element.find("data-service") or "").strip()
    if not category or not _is_held_script(element):
        return ()
    # "!": to be run when it is refused, which nothing here ever grants.
    refused = next((name for name in (service, category) if name.startswith("!")), "")
    return ((refused,),) if refused else (tuple(name for name in (service, category) if name),)


_DIALECTS: Mapping[Manager, _Dialect] = {
    Manager.COOKIEBOT: _Dialect(
        read=_read_cookiebot,
        own=frozenset({"data-cookieconsent", "data-cookieblock-src"}),
        sources={"data-cookieblock-src": "src", "data-src": "src"},
    ),
    Manager.KLARO: _Dialect(
        read=_read_klaro,
        own=frozenset({"data-name", "data-type", "data-src", "data-href"}),
        sources={"data-src": "src", "data-href": "href"},
        is_plain_spoken=True,
    ),
    Manager.ONETRUST: _Dialect(read=_read_onetrust, own=frozenset({"data-src"}), sources={"data-src": "src"}),
    Manager.VANILLA: _Dialect(
        read=_read_vanilla,
        own=frozenset({"data-category", "data-service", "data-type", "data-src"}),
        sources={"data-src": "src"},
        is_plain_spoken=True,
    ),
}
