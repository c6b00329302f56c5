"""Take single addresses out of a style sheet, or out of a `style` attribute; all of the rest stays, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from consent.wire.markup_edit import Edit
from consent.wire.url_reading import find_urls_in_style, locate_urls_in_style

_NOWHERE = b"about:invalid"
# What begins or ends nothing, in a style sheet as in a tag, wherever it turns out to stand: no quotation marks, blanks, brackets,
# references or escapes, and no slash that begins a comment. The name of a host is made of nothing else.
_PLAIN = re.compile(r"(?:[A-Za-z0-9:.?=%@+,_~-]|/(?!\*))++")


def blank_addresses(page: bytes, start: int, end: int, is_unwanted: Callable[[str], bool]) -> tuple[Edit, ...] | None:
    """Return the edits after which a style loads none of the unwanted addresses; None where no such edits are safe, or to be found.

    Args:
        page: What the offsets count in.
        start: Where the style begins; in front of the quotation mark of an attribute.
        end: Where it ends.
        is_unwanted: Tells by a URL whether it may not be loaded.
    """
    style = page[start:end]
    # Each byte is a character, so that places are those of the page.
    text = style.decode("latin-1")
    places = {
        (found.start(), found.end())
        for at, url in locate_urls_in_style(text)
        if is_unwanted(url) and (found := _PLAIN.match(text, at)) and is_unwanted(found[0])
    }
    edited, done = bytearray(), 0
    edits = []
    for begins_at, ends_at in sorted(places):
        if begins_at < done:
            continue
        edits.append(Edit(start + begins_at, start + ends_at, _NOWHERE))
        edited += style[done:begins_at] + _NOWHERE
        done = ends_at
    edited += style[done:]
    # Whatever escapes, references or an encoding have hidden is found in another reading.
    left = edited.decode("utf-8", "replace")
    readings = {left, unescape(left)}
    is_clean = not any(is_unwanted(url) for reading in readings for url in find_urls_in_style(reading))
    return tuple(edits) if edits and is_clean else None
