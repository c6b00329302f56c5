"""What an HTML parser makes of a page, to hold against what `consent.wire.markup_scan` finds in it.

Each URL in a page made here names another host, so a host says which tag it is. A host that the parser has in a place where
browsers load from must be found; one that is found for certain must be there, under the same element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

import html5lib

from consent.wire.element_text import read_text
from consent.wire.markup import Element
from consent.wire.markup_scan import scan

_IN_VALUE = re.compile(r"(?:[/\\][\t\n\r]*[/\\]|(?:^|[\s,'\"(])(?i:https?):)(h\d+\.example)")
_IN_TEXT = re.compile(r"//(h\d+\.example)")
LOADING = frozenset(
    {
        *("src", "srcset", "imagesrcset", "href", "xlink:href", "data", "poster", "background", "ping", "style"),
        *("srcdoc", "manifest", "codebase", "archive"),
    }
)
_IGNORING = re.compile(rb"(?i)<(?:select|frameset)")
_LINKS = frozenset({"a", "area"})
_XLINK = "{http://www.w3.org/1999/xlink}href"
_TEXTS = frozenset({"script", "style"})

Found = frozenset[tuple[str, str]]
"""Names of elements, each with a host that it loads from."""


def list_loads(name: str, attributes: Iterable[tuple[str, str]], text: str) -> Iterator[tuple[str, str]]:
    for attribute, value in attributes:
        is_link = name in _LINKS and attribute in ("href", "xlink:href")
        if attribute in LOADING and not is_link and name != "meta":
            yield from ((name, host) for host in _IN_VALUE.findall(value))
    if name in _TEXTS:
        yield from (("text", host) for host in _IN_TEXT.findall(text))


def find_in_html5lib(page: bytes, *, scripting: bool) -> Found:
    """Return what html5lib has in its tree."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    root: ElementTree.Element = parser.parse(page, transport_encoding="utf-8", scripting=scripting)
    return frozenset(_list_of_tree(root))


def _list_of_tree(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for node in root.iter():
        if isinstance(node.tag, str):
            name = node.tag.rpartition("}")[2].lower()
            name = "img" if name == "image" else name
            attributes = [("xlink:href" if key == _XLINK else key, value) for key, value in node.items()]
            yield from list_loads(name, attributes, "".join((node.text or "", *(child.tail or "" for child in node))))


def find_by_scan(page: bytes, elements: Iterable[Element] | None = None) -> tuple[Found, Found]:
    """Return what the scan finds, and what of it is certain."""
    found: set[tuple[str, str]] = set()
    certain: set[tuple[str, str]] = set()
    for element in scan(page) if elements is None else elements:
        names = [each.name for each in element.attributes]
        # Of duplicates browsers take the first.
        firsts = [(each.name, each.value) for at, each in enumerate(element.attributes) if each.name not in names[:at]]
        name = "img" if element.name == "image" else element.name
        loads = set(list_loads(name, firsts, read_text(element, page)))
        found |= loads
        if element.is_certain:
            certain |= loads
    return frozenset(found), frozenset(certain)


def find_difference(page: bytes) -> str:
    """Say what the scan missed or invented; empty if it found what html5lib has."""
    try:
        return _find_difference(page)
    except AssertionError:
        return ""  # html5lib's own: it cannot read this page


def _find_difference(page: bytes) -> str:
    found, certain = find_by_scan(page)
    with_scripts = find_in_html5lib(page, scripting=True)
    # Without scripting, and in selects and frame sets as it was before 2025: that is one reading more than the scan follows.
    without = find_in_html5lib(page, scripting=bool(_IGNORING.search(page)))
    if missed := (with_scripts | without) - found:
        return f"missed {sorted(missed)}"
    # `<frameset>` throws away what stood in front of it, if all that is nothing to see.
    if (invented := certain - (with_scripts & without)) and b"<frameset" not in page.lower():
        return f"invented {sorted(invented)}"
    return ""
