"""All that an element makes a browser load: by its attributes, its text, and the document that an attribute holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from consent.core.host_table import ANY_USE
from consent.wire.element_text import read_text
from consent.wire.element_urls import ElementUrl, list_urls
from consent.wire.markup import Element
from consent.wire.markup_scan import scan
from consent.wire.url_reading import find_urls_in_script

SRCDOC = "srcdoc"
"""Name of the attribute that holds a document; stands, as the name of an attribute, for all that is in it."""

# A document within a document within a document: nobody writes more. Below, every address counts.
_DEPTH_LIMIT = 3


def list_loaded(element: Element, page: bytes, *, depth: int = 0) -> Iterator[ElementUrl]:
    """Iterate over what an element loads by itself; hosts that it names in passing are not told from others.

    Args:
        page: What the offsets of the element count in.
        depth: In how many documents within documents it stands.
    """
    yield from list_urls(element, read_text(element, page))
    for attribute in element.attributes:
        if attribute.name == SRCDOC:
            yield from _look_into(attribute.value, depth=depth)


def _look_into(document: str, *, depth: int) -> Iterator[ElementUrl]:
    if depth == _DEPTH_LIMIT:
        yield from (ElementUrl(url, ANY_USE, SRCDOC) for url in find_urls_in_script(document))
        return
    page = document.encode("utf-8", "replace")
    for element in scan(page):
        yield from (replace(found, attribute=SRCDOC) for found in list_loaded(element, page, depth=depth + 1))
