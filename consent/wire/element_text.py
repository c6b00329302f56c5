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
    # Not copied first: of a stream, no more may be held than has to be.
    text = str(memoryview(page)[element.end : element.text_end], "utf-8", "replace")
    if not (element.is_foreign and ("<" in text or "&" in text)):
        return text
    return "\n".join(
        dict.fromkeys((text, unescape(text), *_MarkupText(page[element.end : element.text_end]).list_texts()))
    )


class _MarkupText:
    """Read markup as text: all of it, that of each element by itself, and that from tag to tag."""

    def __init__(self, raw: bytes) -> None:
        self._all: list[str] = []
        self._apart: list[str] = []
        self._own: list[list[str]] = [[]]
        # What is in elements that are still open, the innermost last; the first is in the one that is read.
        self._opened: list[tuple[bytes, list[str]]] = []
        at = 0
        while match := _match_token(raw, at):
            at = match.end()
            name = match["name"]
            if name:
                self._take_tag(name.lower(), closes_itself=ends_itself(raw, match.end("name"), at - 1))
            elif match["text"]:
                self._take_text(unescape(_decode(match["text"])))
            elif match["cdata"]:
                self._take_text(_decode(match["cdata"]))
        # What is not whole, because a stream was cut there.
        self._take_text(_decode(raw[at:]))

    def list_texts(self) -> Iterator[str]:
        """Iterate over what an address may stand in as a whole."""
        yield "".join(self._all)
        yield "".join(self._apart)
        yield from map("".join, self._own)

    def _take_text(self, text: str) -> None:
        self._all.append(text)
        self._apart.append(text)
        (self._opened[-1][1] if self._opened else self._own[0]).append(text)

    def _take_tag(self, name: bytes, *, closes_itself: bool) -> None:
        self._apart.append("\n")
        if name.startswith(b"/"):
            if any(name[1:] == each for each, _ in self._opened):
                while self._opened.pop()[0] != name[1:]:
                    pass
        elif not closes_itself and len(self._opened) < _DEPTH_LIMIT:
            self._own.append([])
            self._opened.append((name, self._own[-1]))


# Deeper than any drawing. Each tag may cost this many steps.
_DEPTH_LIMIT = 64


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
