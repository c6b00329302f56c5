"""Find where things go in an HTML page, by looking at its beginning only.

A page is never parsed as a whole: the scan follows HTML's rules from the first byte to where the body begins, and stops there,
so that a streamed page streams on untouched and the cost does not grow with the page.

One pattern eats, in C, every run of tokens that cannot matter; Python sees only the few tags that move the parser on
(`<html>`, `<head>`, `<base>`, `<meta charset>`, `</head>`, `<body>`, …). The patterns are in `_html`.

Source: HTML Living Standard, 13.2.5 (tokenization) and 13.2.6.4.1 to 13.2.6.4.6 (insertion modes up to "after head").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from consent.wire._html import (
    BYTE_ORDER_MARK,
    OPENINGS,
    find_attributes,
    match_body_end,
    match_foreign_url,
    match_language_tag,
    match_prologue,
    search_no_script_end,
    step_after_head,
    step_before_head,
    step_in_head,
    step_in_head_without_charset,
    step_in_template,
    step_in_unusual_template,
)

LIMIT_BYTES = 1 << 20
"""How much of a page is searched for its body. Nothing real comes near; without a limit, a stream of comments would be held for ever."""

# A token that is cut by the end of a chunk is read again when more came. This much rereading is free, beyond it sixteen bytes
# may be reread for each byte fed. Ordinary streams never notice; a huge token sent byte by byte stays linear.
_FREE_REREADS_BYTES = 1 << 20
_REREADS_PER_BYTE = 16


class NotADocument(Exception):  # noqa: N818  (not a failure: it says "pass this page on as it is")
    """Say that the bytes fed are no complete document, or one in which nothing can be placed safely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a page takes what is put into it. Offsets count bytes from the start of the page, byte order mark included."""

    head_at: int
    """Where a `<link>` or `<style>` goes; never greater than `body_at`. When both are equal, the head's part goes first."""
    body_at: int
    """Right after `<body …>`, or where the body would begin by HTML's rules."""
    language: str
    """The value of `<html lang>`; "" if there is none or if it is no language tag."""
    has_base: bool
    """Whether a `<base href>` names another scheme or host, which moves even root-relative URLs."""


# --- The scan ------------------------------------------------------------------------------------------------------------------

_PENDING = -1
_BODY = -2
_SLASH = ord("/")
_IMPLY_MORE = frozenset({b"/head", b"/body", b"/html", b"/br"})
"""End tags that do not pass unseen: before the head they begin it."""


class _Scan:
    """HTML's tree construction from the first byte to the body, as far as places depend on it.

    `position` is always at the start of a token, so that the scan can go on from there when more bytes have come.
    """

    def __init__(self) -> None:
        self.position = 0
        self.begun = False
        self.step = step_in_head_without_charset
        self.head_at = -1
        self.language: bytes | None = None
        self.has_base = False

    def run(self, page: bytes | bytearray, end: int) -> Places | None:
        """Go on through `page[:end]`; None if the body was not reached."""
        if self.head_at < 0 and not ((self.begun or self._begin(page, end)) and self._reach_head(page, end)):
            return None
        while True:
            match = self.step(page, self.position, end)
            name: bytes | None = match[1]
            if name is None:
                self.position = match.end()
                return self.places(self.position) if _is_text(page, self.position, end) else None
            self.position = match.start(1) - 1
            handler = _HANDLERS.get(name.lower(), _ignore if name[0] == _SLASH else _begin_body)
            position = handler(self, page, match, end)
            if position == _PENDING:
                return None
            if position == _BODY:
                return self.places(self.position)
            self.position = position
            if handler is _enter_body:
                return self.places(position)

    def places(self, body_at: int) -> Places:
        """Sum up, for a body that begins at `body_at`."""
        language = self.language or b""
        return Places(
            head_at=self.head_at if self.head_at >= 0 else body_at,
            body_at=body_at,
            language=language.decode() if match_language_tag(language) else "",
            has_base=self.has_base,
        )

    def _begin(self, page: bytes | bytearray, end: int) -> bool:
        match = match_prologue(page, 0, end)
        if match is None or match[1] is None:
            position = match.end() if match else 0
            opening = bytes(page[position : min(end, position + 9)]).lower()
            if opening.startswith((b"<!", b"<?")) or _begins_one_of(opening, (*OPENINGS, BYTE_ORDER_MARK)):
                return False
            raise NotADocument
        self.position = match.start(1)
        self.begun = True
        return True

    def _reach_head(self, page: bytes | bytearray, end: int) -> bool:
        while True:
            match = step_before_head(page, self.position, end)
            self.position = match.end()
            if match[1] is None:
                if _is_text(page, self.position, end):
                    self.head_at = self.position
                return self.head_at >= 0
            name = match[1].lower()
            if name == b"head":
                self.head_at = self.position
                return True
            if name == b"html":
                self.note_language(match[2])
            elif name[0] != _SLASH or name in _IMPLY_MORE:
                self.head_at = self.position = match.start(1) - 1
                return True

    def note_language(self, attributes: bytes) -> None:
        """Keep the `lang` of an `<html>` tag: later tags only add attributes that are not there yet."""
        if self.language is None:
            self.language = _value(attributes, b"lang")


def _is_text(page: bytes | bytearray, position: int, end: int) -> bool:
    """Tell text from a token that is still to be completed."""
    start = page[position : min(end, position + 2)]
    if start[:1] != b"<":
        return bool(start)
    return len(start) > 1 and not (start[1:].isalpha() or start[1:] in b"!/?")


def _begins_one_of(start: bytes, words: tuple[bytes, ...]) -> bool:
    return any(word.startswith(start) for word in words)


def _value(attributes: bytes, name: bytes) -> bytes | None:
    """Find an attribute's value; None if it is missing. Of duplicates the first counts."""
    for found, *values in find_attributes(attributes):
        if found.lower() == name:
            return b"".join(values)
    return None


# What a tag does to the scan. A handler answers where to go on, `_BODY` if the body begins in front of the tag, or `_PENDING`.
_Handler = Callable[[_Scan, bytes | bytearray, "re.Match[bytes]", int], int]


def _ignore(_scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    return match.end()


def _begin_body(_scan: _Scan, _page: bytes | bytearray, _match: re.Match[bytes], _end: int) -> int:
    return _BODY


def _enter_body(_scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    return match.end()


def _wait(_scan: _Scan, _page: bytes | bytearray, _match: re.Match[bytes], _end: int) -> int:
    # The step eats whole elements of this name, so this one is not closed yet.
    return _PENDING


def _leave_head(scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    scan.step = step_after_head
    return match.end()


def _note_language(scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    scan.note_language(match[2])
    return match.end()


def _note_base(scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    scan.has_base = scan.has_base or match_foreign_url(_value(match[2], b"href") or b"") is not None
    return match.end()


def _note_charset(scan: _Scan, _page: bytes | bytearray, match: re.Match[bytes], _end: int) -> int:
    attributes = match[2]
    if (
        _value(attributes, b"charset") is not None
        or (_value(attributes, b"http-equiv") or b"").lower() == b"content-type"
    ):
        scan.step = step_in_head
        scan.head_at = match.end()
    return match.end()


def _wait_in_no_script(scan: _Scan, page: bytes | bytearray, match: re.Match[bytes], end: int) -> int:
    if scan.step is step_after_head:
        return _BODY
    if search_no_script_end(page, match.end(), end):
        raise NotADocument  # it is whole, yet was not eaten: browsers with and without scripting disagree on what follows
    return _PENDING


def _refuse(_scan: _Scan, _page: bytes | bytearray, _match: re.Match[bytes], _end: int) -> int:
    raise NotADocument


def _skip_template(_scan: _Scan, page: bytes | bytearray, match: re.Match[bytes], end: int) -> int:
    step, depth, position = step_in_template, 1, match.end()
    while depth:
        match = step(page, position, end)
        name = (match[1] or b"").lower()
        position = match.end()
        if name == b"/template":
            depth -= 1
        elif name == b"template" and step is step_in_template:
            depth += 1
        elif name in _MAKE_UNUSUAL:
            step = step_in_unusual_template
        elif name != b"/noscript":
            return _PENDING
    return position


_MAKE_UNUSUAL = frozenset({b"svg", b"math", b"select", b"col", b"colgroup", b"frameset"})
_HANDLERS: dict[bytes, _Handler] = {
    b"html": _note_language,
    b"base": _note_base,
    b"meta": _note_charset,
    b"template": _skip_template,
    b"noscript": _wait_in_no_script,
    b"/head": _leave_head,
    b"body": _enter_body,
    b"frameset": _refuse,
    **dict.fromkeys((b"head", b"link", b"basefont", b"bgsound"), _ignore),
    **dict.fromkeys((b"title", b"style", b"noframes", b"script"), _wait),
    **dict.fromkeys((b"/body", b"/html", b"/br"), _begin_body),
}


# --- What others call ----------------------------------------------------------------------------------------------------------


class DocumentScanner:
    """Find the places of a page that comes in chunks.

    Feed it until it answers or raises; what was fed is then in `buffered`, and the rest of the page need not be looked at.
    """

    def __init__(self) -> None:
        self._scan = _Scan()
        self._page = bytearray()
        self._reread_bytes = 0
        self._places: Places | None = None

    @property
    def buffered(self) -> bytes:
        """All that was fed so far."""
        return bytes(self._page)

    def feed(self, chunk: bytes) -> Places | None:
        """Take the next part of the page; None if more is needed.

        Raises:
            NotADocument: If this is certainly no complete document, or its body does not begin within `LIMIT_BYTES`.
        """
        self._page += chunk
        size = len(self._page)
        held = size - self._scan.position
        rereads_allowed = _FREE_REREADS_BYTES + _REREADS_PER_BYTE * size
        if self._places is None and (size > LIMIT_BYTES or self._reread_bytes + held <= rereads_allowed):
            self._reread_bytes += held
            self._places = self._scan.run(self._page, min(size, LIMIT_BYTES))
            if self._places is None and size > LIMIT_BYTES:
                raise NotADocument
        return self._places

    def finish(self) -> Places | None:
        """Take the end of the page; None if nowhere is safe: it ended inside a tag, a comment, a script, …, or is no document."""
        if self._places is None:
            self._places = _finish(self._scan, self._page)
        return self._places


def _finish(scan: _Scan, page: bytes | bytearray) -> Places | None:
    end = min(len(page), LIMIT_BYTES)
    try:
        places = scan.run(page, end)
    except NotADocument:
        return None
    if places is None and scan.begun and scan.position == len(page):
        return scan.places(end)
    return places


def find_places(body: bytes) -> Places | None:
    """Find the places of a whole page; None for fragments, and for documents in which nowhere is safe."""
    return _finish(_Scan(), body)


def begins_document(body: bytes) -> bool:
    """Tell a document from a fragment by how it begins, cheaply.

    A document begins, after a byte order mark, white space and comments, with a doctype, `<html`, `<head` or `<body`.
    """
    match = match_prologue(body, 0, LIMIT_BYTES)
    return match is not None and match[1] is not None


def find_end(body: bytes) -> int | None:
    """Find the last `</body`; None unless only white space, comments and `</html>` follow it.

    Cheap and for whole pages: what comes before is not looked at, so a page that ends inside an open comment or script is not noticed.
    """
    tail_at = max(0, len(body) - _TAIL_BYTES)
    at = body[tail_at:].lower().rfind(b"</body")
    at = tail_at + at if at >= 0 else max(body.rfind(b"</body"), body.rfind(b"</BODY"))
    return at if at >= 0 and match_body_end(body, at) else None


_TAIL_BYTES = 512
