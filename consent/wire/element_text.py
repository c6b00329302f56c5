"""What stands in a script or style, as browsers read it.

In svg it is markup: comments and tags may cut an address in two, which the element's own text then has in one piece.

Source: HTML Living Standard, 13.2.6.5 (foreign content); DOM Standard, child text content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from consent.wire._html_tokens import COMMENT, DECLARATION, REST, SPACE, TEXT
from consent.wire._markup_attributes import ends_itself
from consent.wire.markup import Element

_match_token = re.compile(
    rf"(?P<text>(?:{TEXT})++)|<!\[CDATA\[(?P<cdata>(?:[^\]]++|\](?!\]>))*+)\]\]>|<(?:{COMMENT}|{DECLARATION})"
    rf"|<(?P<name>/?+[a-zA-Z][^{SPACE}/>]*+){REST}".encode()
).match


def read_text(element: Element, page: bytes) -> str:
    """Return all that the text of an element may be; of those in svg that is more than one text, each on lines of its own.

    Args:
        page: What the offsets of the element count in.
    """
    raw = page[element.end : element.text_end]
    text = raw.decode("utf-8", "replace")
    if not (element.is_foreign and ("<" in text or "&" in text)):
        return text
    return "\n".join(dict.fromkeys((text, unescape(text), *_join(raw))))


def _join(raw: bytes) -> Iterator[str]:
    """Join what is between the tags: all of it; without what is in other elements; and only from tag to tag."""
    parts = list(_split(raw))
    yield "".join(text for _, text in parts)
    yield "".join(text for depth, text in parts if not depth)
    yield "".join(text or "\n" for _, text in parts)


def _split(raw: bytes) -> Iterator[tuple[int, str]]:
    """Split into texts, each with the number of elements that it is in, and an empty text for each tag."""
    opened: list[bytes] = []
    at = 0
    while match := _match_token(raw, at):
        at = match.end()
        name = match["name"]
        if name:
            _follow(opened, name.lower(), closes_itself=ends_itself(raw, match.end("name"), at - 1))
            yield 0, ""
        else:
            text = match["text"]
            yield len(opened), unescape(_decode(text)) if text else _decode(match["cdata"] or b"")
    # What is not whole, because a stream was cut there.
    yield 0, _decode(raw[at:])


def _follow(opened: list[bytes], name: bytes, *, closes_itself: bool) -> None:
    if not name.startswith(b"/"):
        if not closes_itself and len(opened) < _DEPTH_LIMIT:
            opened.append(name)
    elif name[1:] in opened:
        while opened.pop() != name[1:]:
            pass


# Deeper than any drawing. Each tag may cost this many steps.
_DEPTH_LIMIT = 64


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
