"""Scans of a page, and what they find, in a form that fits on a line.

`*` behind a name says that it is not certain, `…` that it is not closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from consent.wire.markup import Element
from consent.wire.markup_scan import MarkupScanner, Wants

WANTED = Wants(pattern=re.compile(rb"data-cookieconsent"))


def write(elements: Iterable[Element]) -> str:
    return " ".join(each.name + ("" if each.is_certain else "*") + ("" if each.is_closed else "…") for each in elements)


def feed_all(page: bytes, chunk_bytes: int) -> tuple[bytes, list[Element]]:
    scanner = MarkupScanner()
    pieces = [scanner.feed(page[at : at + chunk_bytes]) for at in range(0, len(page), chunk_bytes)]
    pieces.append(scanner.finish())
    return b"".join(piece.data for piece in pieces), [each for piece in pieces for each in piece.elements]
