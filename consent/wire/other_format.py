"""Tell what says that it is HTML and is not: JSON and feeds, as views return them that name no type of their own.

An edit would damage them, and nobody looks at them as pages.
"""

from __future__ import annotations

import re

from consent.wire._html_tokens import COMMENT, NAME_ENDS, SPACE

BEGINNING_BYTES = 4096
"""By then a body has said what it is; a longer beginning is that of a page."""

# Roots of pages, and of parts of pages as tools for XML write them.
_PAGE_ROOTS = (
    "html|head|body|article|aside|a|div|figure|footer|form|frameset|h[1-6]|header|iframe|img|link|main|meta|nav|object|ol|p|picture"
    "|script|section|span|style|svg|table|template|title|ul|video"
)
_MARK = r"(?:\xef\xbb\xbf)?+"
_BLANK = r"[\t\n\r\x20]*+"
# Not `{{` and `[[`, which templates and wikis write, nor `[1]`, a note.
_match_json = re.compile(rf'{_MARK}{_BLANK}(?:(?:\[{_BLANK})++(?:\{{{_BLANK})?+"|\{{{_BLANK}")'.encode()).match
_PAGE_DOCTYPE = rf"(?i:doctype)[{SPACE}]++(?i:html){NAME_ENDS}"
_match_xml = re.compile(
    rf"{_MARK}{_BLANK}<\?xml[^>]*+>(?:[{SPACE}]++|<(?:\?[^>]*+>|{COMMENT}|!(?!--|{_PAGE_DOCTYPE})[^>]*+>))*+"
    rf"<(?!(?i:{_PAGE_ROOTS}){NAME_ENDS})[a-zA-Z_][^{SPACE}/>]*+{NAME_ENDS}".encode()
).match
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_other_format(body: bytes, *, is_whole: bool = True) -> bool:
    """Whether a body is JSON, or XML of another kind than XHTML.

    Args:
        is_whole: Whether its end is known; then JSON must end as JSON does.
    """
    beginning = body[:BEGINNING_BYTES]
    if _match_json(beginning):
        return not is_whole or body.rstrip()[-1:] in (b"}", b"]")
    return _match_xml(beginning) is not None


def begins_utf16(body: bytes) -> bool:
    """Whether browsers read a body as UTF-16, whatever its headers say: they heed its byte order mark first."""
    return body.startswith(_UTF16_MARKS)
