"""What a document looks like around pasted frames, whether they are live or a placeholder stands for each."""

from __future__ import annotations

from tests.held_markup import parse


def outline(page):
    """Return the tree of a page, with a frame where a placeholder is, and without the library's scripts, styles and links."""
    return _outline(parse(page))


def _outline(element):
    pieces = [element.text or ""]
    for child in element:
        if child.get("data-consent-embed") or child.tag == "iframe":
            pieces.append("<iframe>")
        elif child.tag not in ("script", "link", "nav") and child.get("data-consent-ui") is None:
            pieces.append((child.tag, tuple(child.attrib.items()), _outline(child)))
        pieces.append(child.tail or "")
    return tuple(_join(pieces))


def _join(pieces):
    """Put texts together between which something of ours stood."""
    joined: list[object] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return joined
